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

    def expect(self, *expected: tuple[str, str]) -> None:
        eventually(self.sent, lambda sent: sent == list(expected))


def test_each_step_of_a_slip_is_mailed_once(product: Product) -> None:
    slip = Slip(product, f"会議費 {secrets.token_hex(4)}")
    asked = "精算書の承認のお願い"
    slip.step(YAMADA, "submit")
    so_far = [(TO_SATO, asked)]
    slip.expect(*so_far)
    slip.step(SATO, "remand", "領収書の日付が違います。")
    so_far.append((TO_YAMADA, "精算書の差戻しのお知らせ"))
    slip.expect(*so_far)
    remand = slip.mails()[-1].get_content()
    assert "差戻しの理由：領収書の日付が違います。" in remand
    assert f"{product.url}/commuter/slips/{slip.slip['slip_id']}" in remand

    slip.step(YAMADA, "submit")
    so_far.append((TO_SATO, asked))
    slip.expect(*so_far)
    three_days = datetime.now(JST) + timedelta(days=3)
    travelled = httpx.post(f"{product.url}/clock/", data={"day": f"{three_days:%Y-%m-%d}"})
    assert travelled.status_code < 400
    so_far.append((TO_SATO, "精算書の承認状況ご確認"))
    slip.expect(*so_far)

    preference = slip.people[YAMADA].get("/commuter/v1/my-mails").raise_for_status()
    wanted = {"wanted": ["approval", "waiting", "remanded", "approved"]}
    slip.people[YAMADA].put(
        "/commuter/v1/my-mails", json=wanted, headers={"If-Match": preference.headers["etag"]}
    ).raise_for_status()
    slip.step(SATO, "approve")
    so_far.append((TO_TANAKA, asked))
    slip.expect(*so_far)
    slip.step(TANAKA, "approve")
    so_far.append((TO_YAMADA, "精算書の承認完了のお知らせ"))
    slip.expect(*so_far)
    slip.step(KEIRI, "settle")
    hq = slip.people[TANAKA]

    def ledger() -> list[tuple[str, str | None]]:
        found = hq.get(
            "/notifier/v1/mails", params={"application_id": slip.slip["slip_id"]}
        ).raise_for_status()
        return [(one["state"], one["reason"]) for one in found.json()["mails"]]

    eventually(ledger, lambda lines: ("suppressed", "opted_out") in lines)
    assert slip.sent() == so_far
    assert sorted({state for state, _ in ledger()}) == ["sent", "suppressed"]
    assert len(ledger()) == len(so_far) + 1
