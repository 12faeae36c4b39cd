"""Search of 進捗一覧 in SQL finds the same rows as an oracle that checks each row."""

import itertools
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from event_contracts.tfc_returns import TfcChangeApplicationUpdated
from shared.testing.people import TANAKA

from .conftest import ReturnsApi, registered

MIDNIGHTS = (datetime(2025, 6, 30, 15, tzinfo=UTC), datetime(2025, 7, 15, 15, tzinfo=UTC))
"""The beginnings of 2025-07-01 and 2025-07-16 in Japan."""
INSTANTS = [at + timedelta(seconds=n) for at in MIDNIGHTS for n in (-1, 0, 1)]
NAMES = {"C-1001": "山本　太郎", "C-1002": "鈴木　一郎", "1234-567": "ﾔﾏﾓﾄ 太", "C-10": "山本"}
STATUSES = ["STORE_PENDING", "HQ_PENDING", "HQ_REMANDED", "COMPLETED", "WITHDRAWN"]
CHANGES = ("address_change", "name_change", "other")
AGE = """
    UPDATE application SET status = :status, updated_at = :at, requested_at = :at
    WHERE contract_no = :no RETURNING 1
"""
ALL_ROWS = """
    SELECT application_id AS id, 'VEHICLE_RETURN' AS kind, status, customer_name, contract_no,
           updated_at FROM application
    UNION ALL
    SELECT change_id, kind, status, customer_name, contract_no, updated_at FROM change_application
"""
KINDS = [None, "VEHICLE_RETURN", "ADDRESS_CHANGE", "NAME_CHANGE", "OTHER"]
TICKED = [[], ["HQ_PENDING"], ["HQ_PENDING", "HQ_REMANDED"], ["COMPLETED", "STORE_PENDING"]]
WHO = [None, "山本", "山本 太", "ヤマモト", "一郎", "田中"]
WHICH = [None, "C-1001", " Ｃ１００１ ", "1234567", "C-10", "C-9"]
PERIODS = [
    (None, None),
    (date(2025, 7, 1), None),
    (None, date(2025, 6, 30)),
    (date(2025, 7, 1), date(2025, 7, 15)),
    (date(2025, 7, 16), date(2025, 7, 16)),
]


@pytest.fixture
async def listed(returns: ReturnsApi) -> list[Any]:
    """Applications of every kind at the edges of days, read back as they are kept."""
    at = itertools.cycle(INSTANTS)
    await returns.receive(*(registered(no, customer_name=name) for no, name in NAMES.items()))
    for no, status in zip(NAMES, STATUSES[1:], strict=True):
        await returns.submit_new(contract_no=no)
        await returns.rows(AGE, status=status, at=next(at), no=no)
    for n, (kind, no, status) in enumerate(itertools.product(CHANGES, NAMES, STATUSES)):
        change = TfcChangeApplicationUpdated.model_validate(
            {
                "dealer_id": "D01",
                "change_id": f"CH-{n}",
                "contract_no": no,
                "kind": kind,
                "status": status,
                "updated_at": next(at),
            }
        )
        await returns.receive(change)
    return await returns.rows(ALL_ROWS)


def folded(words: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", words or "").split())


def matches(row: Any, keys: dict[str, Any]) -> bool:
    """Whether a row satisfies every key (D98); several statuses are an OR (D100)."""
    day = (row.updated_at + timedelta(hours=9)).date()
    wanted_no = folded(keys["contract_no"]).replace("-", "")
    return (
        keys["kind"] in {None, row.kind}
        and (not keys["status"] or row.status in keys["status"])
        and folded(keys["customer_name"]) in folded(row.customer_name)
        and wanted_no in {"", folded(row.contract_no).replace("-", "")}
        and (keys["updated_from"] is None or keys["updated_from"] <= day)
        and (keys["updated_to"] is None or day <= keys["updated_to"])
    )


def searches() -> list[dict[str, Any]]:
    """A draw from every combination of a key's values, names and numbers in turn."""
    return Random(98).sample(list(every_search()), 150)


def every_search() -> Iterator[dict[str, Any]]:
    for kind, ticked, period in itertools.product(KINDS, TICKED, PERIODS):
        for name, number in [*((name, None) for name in WHO), *((None, no) for no in WHICH[1:])]:
            yield {
                "kind": kind,
                "status": ticked,
                "customer_name": name,
                "contract_no": number,
                "updated_from": period[0],
                "updated_to": period[1],
            }


@pytest.mark.rule("D98", "D99", "D100")
async def test_search_finds_what_matches_every_key(returns: ReturnsApi, listed: list[Any]) -> None:
    hits = 0
    for keys in searches():
        given = {name: value for name, value in keys.items() if value}
        answer = await returns(TANAKA).get("/applications", limit=100, **given)
        assert answer.status_code == 200, answer.text
        found = {row["application_id"] for row in answer.json()["items"]}
        assert found == {row.id for row in listed if matches(row, keys)}, keys
        hits += bool(found)
    assert hits > 50


@pytest.mark.rule("D103")
async def test_the_past_lists_completed_and_withdrawn(
    returns: ReturnsApi, listed: list[Any]
) -> None:
    answer = await returns(TANAKA).get("/applications", limit=100, tab="past")
    found = {row["application_id"] for row in answer.json()["items"]}
    assert found == {row.id for row in listed if row.status in {"COMPLETED", "WITHDRAWN"}} != set()
