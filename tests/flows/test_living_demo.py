"""Living demo of a first start: weeks of work in every state, made once even if interrupted."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

import httpx
import pytest

from shared.clock import JST, SystemClock, jst_day
from tests.running_product import Product, running

HQ, MANAGER, SALES, ACCOUNTANT = "D01-H001", "D01-M100", "D01-E101", "D01-A001"
TFC, OPERATOR = "T001", "O001"
STATUSES = {
    "STAFF_REMANDED", "STORE_PENDING", "STORE_REMANDED", "HQ_PENDING", "HQ_REMANDED", "REQUESTED",
    "TFC_PROCESSING", "TFC_HOLD", "TFC_CONTACT", "COMPLETED", "WITHDRAWN",
}  # fmt: skip
OFFICE_HOURS = time(9), time(18)
WAITS = re.compile(r'value="([^"]+)">[^<]+<span>[^<]*</span>(?:<span class="waits">([^<]+)<)?')


def half_made(product: Product) -> bool:
    """Whether the login page shows that part of the demo data exists."""
    try:
        page = httpx.get(product.url, follow_redirects=True).text
    except httpx.TransportError:
        return False
    said = re.search(r"作成しています（(\d+) / \d+）", page)
    return said is not None and int(said[1]) > 5


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running("--demo", "living", killed_when=half_made) as started:
        assert not (started.data / "demo-unfinished").exists()
        yield started


def ask(product: Product, person: str, path: str, **params: Any) -> Any:
    answer = product.as_person(person).get(path, params=params)
    return answer.raise_for_status().json()


def pages(product: Product, person: str, path: str, items: str, **params: Any) -> list[Any]:
    found, more = [], {"limit": 100}
    while True:
        page = ask(product, person, path, **params, **more)
        found += page[items]
        after = page.get("next_cursor") or page.get("next")
        if after is None:
            return found
        more = {"limit": 100, "cursor" if "next_cursor" in page else "after": after}


def histories(product: Product) -> list[dict[str, Any]]:
    listed = pages(product, HQ, "/returns/v1/applications", "items")
    paths = [f"/returns/v1/applications/{row['application_id']}" for row in listed]
    return [line for path in paths for line in ask(product, HQ, path)["history"]]


@pytest.mark.parametrize("hq", [HQ, "D02-H001"])
def test_every_status_is_there(product: Product, hq: str) -> None:
    counts = ask(product, hq, "/returns/v1/applications/counts")["statuses"]
    assert {status for status, number in counts.items() if number} == STATUSES
    assert sum(counts.values()) >= 30


def test_all_work_is_within_past_office_hours(product: Product) -> None:
    now = SystemClock().now()
    lines = histories(product)
    by_people = [line for line in lines if not line["action"].startswith("mail_")]
    moments = [datetime.fromisoformat(line["at"]).astimezone(JST) for line in by_people]
    assert len(moments) > 120
    for moment in moments:
        assert moment < now
        assert moment.weekday() < 5, moment
        assert OFFICE_HOURS[0] <= moment.time() <= OFFICE_HOURS[1], moment
    assert (now - min(moments)).days > 30
    for line in by_people:
        if line["action"] == "remand":
            assert line["comment"], line
    assert any(line["on_behalf_of"] for line in by_people)


def test_mails_in_every_final_state(product: Product) -> None:
    mails = pages(product, TFC, "/notifier/v1/mails", "mails")
    states = Counter(mail["state"] for mail in mails)
    assert set(states) == {"sent", "suppressed", "failed", "unknown"}
    reasons = {mail["reason"] for mail in mails if mail["state"] == "suppressed"}
    assert reasons >= {"no_address", "opted_out"}
    assert {mail["mail_kind"] for mail in mails} >= {"M1", "M2", "M3", "M4", "M5", "C1", "C2", "C3"}


def test_contracts_with_each_choice_and_moves_under_way(product: Product) -> None:
    found: set[str | None] = set()
    for month in range(1, 13):
        for year in (2025, 2026, 2027, 2028):
            asked = {"mode": "general", "final_from": f"{year}-{month:02}"}
            rows = ask(
                product, HQ, "/contracts/v1/contracts", **asked, final_to=f"{year}-{month:02}"
            )
            found |= {row["selection"] for row in rows["rows"]}
    assert found == {None, "early_payoff", "cash_settlement", "re_split", "vehicle_return"}
    assert ask(product, HQ, "/contracts/v1/transfers-in-progress")["leaving"] > 0


def test_passes_and_slips_in_every_state(product: Product) -> None:
    today = jst_day(SystemClock().now()).isoformat()
    passes = ask(product, ACCOUNTANT, "/commuter/v1/passes")["items"]
    assert {one["status"] for one in passes} == {"confirmed", "applied", "rejected", "withdrawn"}
    last_days = [one["ends_on"] or today for one in passes if one["status"] == "confirmed"]
    assert min(last_days) < today <= max(last_days)
    slips = ask(product, ACCOUNTANT, "/commuter/v1/slips/of-company")["items"]
    own = ask(product, SALES, "/commuter/v1/slips")["items"]
    assert {slip["status"] for slip in (*slips, *own)} == {
        "draft", "pending", "remanded", "withdrawn", "approved", "rejected", "settled",
    }  # fmt: skip


def test_the_operator_has_pending_work(product: Product) -> None:
    (dead,) = ask(product, OPERATOR, "/returns/v1/operations/dead-letters")["items"]
    assert dead["cause"].startswith("UnknownApplication")
    reasons = [kept["reason"] for kept in ask(product, OPERATOR, QUARANTINE)["messages"]]
    assert sorted(reasons) == ["PAYLOAD_DOES_NOT_FIT", "TIME_TOO_OLD"]
    endpoints = ask(product, OPERATOR, "/interchange/v1/webhooks")["endpoints"]
    assert [one["label"] for one in endpoints if one["active"] and one["failing_since"]]
    work = ask(product, OPERATOR, "/interchange/v1/operations/work")["counts"]
    assert {one["key"]: one["count"] for one in work} == {"quarantined": 2, "webhooks": 1}


QUARANTINE = "/interchange/v1/quarantine"


def words_at_the_login(product: Product) -> dict[str, str]:
    page = httpx.get(product.url, follow_redirects=True).text
    return dict(WAITS.findall(page))


def test_the_login_page_shows_the_counts_of_the_services(product: Product) -> None:
    words = words_at_the_login(product)
    assert len(words) > 15
    for person in words.keys() - {OPERATOR}:
        said: dict[str, int] = {}
        if not person.endswith("A001"):
            said = waiting(product, person, "returns")
        if not said and not person.endswith("A001"):
            counts = ask(product, person, "/returns/v1/applications/counts")["statuses"]
            ended = counts["COMPLETED"] + counts["WITHDRAWN"]
            said = {"進行中の申込": sum(counts.values()) - ended}
        if person != TFC:
            said |= waiting(product, person, "commuter")
        assert numbers_in(words[person]) == {word: n for word, n in said.items() if n}, person
    assert numbers_in(words[OPERATOR]) == {"処理できなかった通知": 1, "隔離メッセージ": 2}
    assert numbers_in(words[MANAGER])["承認待ちの申込"] > 0
    assert numbers_in(words[ACCOUNTANT])["確認待ちの定期区間"] == 1


def waiting(product: Product, person: str, service: str) -> dict[str, int]:
    counts = ask(product, person, f"/{service}/v1/work")["counts"]
    return {one["label"]: one["count"] for one in counts if one["waits"] and one["count"]}


def numbers_in(words: str) -> dict[str, int]:
    return {word: int(n) for word, n in re.findall(r"([^、\d]+?)が?(\d+)件", words)}


def test_a_later_start_creates_nothing_twice(product: Product) -> None:
    def everything() -> list[Any]:
        return [
            ask(product, TFC, "/returns/v1/applications/counts")["statuses"],
            ask(product, HQ, "/contracts/v1/dashboard"),
            len(pages(product, TFC, "/notifier/v1/mails", "mails")),
            len(ask(product, ACCOUNTANT, "/commuter/v1/slips/of-company")["items"]),
            len(ask(product, OPERATOR, QUARANTINE)["messages"]),
        ]

    before = everything()
    product.stop()
    product.start()
    assert everything() == before
