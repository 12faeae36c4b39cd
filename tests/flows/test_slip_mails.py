"""The mails of a slip through HTTP on the started product, over each event transport."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage

import httpx
import pytest

from madoguchi.embedded.mail_catcher import Mailbox
from shared.clock import JST
from tests.running_product import Product, eventually, running

YAMADA, SATO, TANAKA, KEIRI = "D01-E101", "D01-M100", "D01-H001", "D01-A001"
TO_YAMADA, TO_SATO, TO_TANAKA = (f"{c}@d01.example.jp" for c in ("e101", "m100", "h001"))


@pytest.fixture(params=["embedded", "rabbitmq"])
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    flags: list[str] = []
    if request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_url")
        flags = ["--rabbitmq", url, "--event-prefix", request.getfixturevalue("topology").prefix]
    with running(*flags) as started:
        yield started


class Slip:
    """A slip of 山田, moved step by step; each step waits for the mail that it causes."""

    def __init__(self, product: Product, title: str) -> None:
        self.product, self.title = product, title
        self.expected: list[tuple[str, str]] = []
        self.people = {who: product.as_person(who) for who in (YAMADA, SATO, TANAKA, KEIRI)}
        for http in self.people.values():
            http.get("/commuter/v1/me").raise_for_status()  # from now on addresses are known
        item = {"item_on": f"{datetime.now(JST):%Y-%m-%d}", "words": "会議費", "amount_yen": 3260}
        made = self.people[YAMADA].post(
            "/commuter/v1/slips",
            json={"kind": "expense", "title": title, "items": [item | {"receipt": True}]},
            headers={"Idempotency-Key": secrets.token_hex(8)},
        )
        self.slip = made.raise_for_status().json()

    def step(self, who: str, step: str, comment: str = "") -> httpx.Response:
        path = f"/commuter/v1/slips/{self.slip['slip_id']}/{step}"
        version = {"If-Match": f'"{self.slip["version"]}"'}
        answer = self.people[who].post(path, json={"comment": comment}, headers=version)
        self.slip = answer.raise_for_status().json()
        return answer

    def mails(self) -> list[EmailMessage]:
        """The mails about it, the oldest first."""
        caught = Mailbox(self.product.data / "mail").mails()
        return [m for m in reversed(caught) if self.title in m.get_content()]

    def sent(self) -> list[tuple[str, str]]:
        """To whom, and the subject without product, person and amount."""
        return [
            (str(m["To"]), str(m["Subject"]).partition("】")[2].partition("（")[0])
            for m in self.mails()
        ]

    def expect(self, to: str, subject: str) -> None:
        """Wait until this mail has followed those expected before, and no other."""
        self.expected.append((to, subject))
        eventually(self.sent, lambda sent: sent == self.expected)

    def opt_out(self, who: str, kept: list[str]) -> None:
        """Keep these kinds of mails only."""
        preference = self.people[who].get("/commuter/v1/my-mails").raise_for_status()
        version = {"If-Match": preference.headers["etag"]}
        answer = self.people[who].put(
            "/commuter/v1/my-mails", json={"wanted": kept}, headers=version
        )
        answer.raise_for_status()

    def ledger(self) -> list[tuple[str, str | None]]:
        """State and reason of every mail about it."""
        asked = {"application_id": self.slip["slip_id"]}
        found = self.people[TANAKA].get("/notifier/v1/mails", params=asked).raise_for_status()
        return [(one["state"], one["reason"]) for one in found.json()["mails"]]


def test_each_step_of_a_slip_is_mailed_once(product: Product) -> None:
    slip = Slip(product, f"会議費 {secrets.token_hex(4)}")
    slip.step(YAMADA, "submit")
    slip.expect(TO_SATO, "精算書の承認のお願い")
    slip.step(SATO, "remand", "領収書の日付が違います。")
    slip.expect(TO_YAMADA, "精算書の差戻しのお知らせ")
    remand = slip.mails()[-1].get_content()
    assert "差戻しの理由：領収書の日付が違います。" in remand
    assert f"{product.url}/commuter/slips/{slip.slip['slip_id']}" in remand

    slip.step(YAMADA, "submit")
    slip.expect(TO_SATO, "精算書の承認のお願い")
    three_days = datetime.now(JST) + timedelta(days=3)
    travelled = httpx.post(f"{product.url}/clock/", data={"day": f"{three_days:%Y-%m-%d}"})
    assert travelled.status_code < 400
    slip.expect(TO_SATO, "精算書の承認状況ご確認")

    slip.opt_out(YAMADA, ["approval", "waiting", "remanded", "approved"])
    slip.step(SATO, "approve")
    slip.expect(TO_TANAKA, "精算書の承認のお願い")
    slip.step(TANAKA, "approve")
    slip.expect(TO_YAMADA, "精算書の承認完了のお知らせ")
    slip.step(KEIRI, "settle")
    eventually(slip.ledger, lambda lines: ("suppressed", "opted_out") in lines)
    assert slip.sent() == slip.expected
    assert sorted({state for state, _ in slip.ledger()}) == ["sent", "suppressed"]
    assert len(slip.ledger()) == len(slip.expected) + 1
