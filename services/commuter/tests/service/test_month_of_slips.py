"""Accounting's month: close it, settle all of it, export journal and transfer; nothing twice."""

from collections import Counter
from typing import Any

import pytest

from event_contracts.masters import StaffUpdated

from ..importers import Entry, import_journal, import_transfers  # noqa: TID252 - for all tests
from .conftest import ADMIN, CHIEF, OTHER_ADMIN, CommuterApi, looked_up, person, refused
from .test_transfers import ACCOUNT, PAYER

PEOPLE = [person(f"E{number}", f"営業{number}郎") for number in range(201, 209)]
NO_ACCOUNT = PEOPLE[-1]
JULY = "/month-closings/2022-07"
EXPORTS, TRANSFERS = "/accounting/exports", "/accounting/transfers"


@pytest.fixture
async def api(commuter_api: CommuterApi) -> CommuterApi:
    """A company with eight people, of whom seven have an account, and one approver."""
    await commuter_api.setting(approvers=[CHIEF.person_id])
    await commuter_api.put(ADMIN, "/accounting/transfer-settings", PAYER, version=0)
    for number, who in enumerate(PEOPLE):
        assert who.staff_code is not None
        await commuter_api.receive(
            StaffUpdated(
                dealer_id="D01", staff_code=who.staff_code, name=who.name, store_code="S10",
                role="sales",
            )
        )  # fmt: skip
        if who is not NO_ACCOUNT:
            account = {**ACCOUNT, "number": f"{1_000_000 + number}"}
            path = f"/accounting/bank-accounts/{who.person_id}"
            await commuter_api.put(ADMIN, path, account, version=0)
    return commuter_api


async def filed(api: CommuterApi, count: int) -> Counter[str]:
    """Approved slips of July with a ride and parking each; yen by person."""
    claimed = Counter[str]()
    for number in range(count):
        who = PEOPLE[number % len(PEOPLE)]
        day = f"2022/07/{number % 31 + 1:02}"
        parking = {"item_on": day, "words": "駐車場", "amount_yen": 100 + number,
                   "cost_kind": "parking", "no_invoice_reason": "無人"}  # fmt: skip
        slip = await api.slip(looked_up(day), parking, who=who, title=f"伝票{number}")
        slip = await api.step(who, slip, "submit")
        await api.step(CHIEF, slip, "approve")
        claimed[who.person_id] += slip["total_yen"]
    return claimed


async def settled_all(api: CommuterApi) -> list[Any]:
    """一括精算 of all 精算待ち of July, 500 with one press, until nothing is left."""
    results: list[Any] = []
    while True:
        seen = await api.get(ADMIN, "/slips/of-company", params={"status": "approved"})
        body = {"all_of": {"month": "2022-07", "as_of": seen["as_of"]}}
        done = await api.post(ADMIN, "/slips/settlements", body)
        results += done["results"]
        if not done["left"]:
            return results


async def journal_of(api: CommuterApi, export: Any) -> list[Entry]:
    path = f"{EXPORTS}/{export['export_id']}/journal.csv"
    return import_journal((await api.request(ADMIN, "GET", path)).content)


@pytest.mark.rule("R91", "R94", "R85", "R106")
async def test_a_month_is_closed_settled_exported_and_paid_once(
    api: CommuterApi, *, long: bool
) -> None:
    count = 400 if long else 40
    api.clock.set("2022/07/31")
    claimed = await filed(api, count)
    late = await api.slip(looked_up("2022/07/30"), who=PEOPLE[0])

    api.clock.set("2022/08/03")
    month = await api.get(ADMIN, JULY)
    await api.post(ADMIN, f"{JULY}/closing", version=month["version"])
    answer = await api.request(
        PEOPLE[0], "POST", f"/slips/{late['slip_id']}/submit", {}, version=late["version"]
    )
    assert answer.status_code == 409, answer.text  # the month is closed

    results = await settled_all(api)
    assert all(one["settled"] for one in results)
    assert len({one["slip_id"] for one in results}) == len(results) == count
    assert await settled_all(api) == []

    await assert_booked_once(api, {one["slip_id"] for one in results}, claimed)
    await assert_paid_once(api, claimed)


async def assert_booked_once(api: CommuterApi, slips: set[str], claimed: Counter[str]) -> None:
    export = await api.post(ADMIN, EXPORTS)
    entries = await journal_of(api, export)
    assert Counter(one.memo_no for one in entries) == dict.fromkeys(slips, 2)
    assert sum(one.yen for one in entries) == export["total_yen"] == claimed.total()
    assert {(one.on.year, one.on.month) for one in entries} == {(2022, 7)}
    assert {(one.debit, one.credit) for one in entries} == {("旅費交通費", "未払金")}
    rides = [one for one in entries if one.memo.startswith("公共交通機関特例")]
    assert len(rides) == len(slips)
    assert await journal_of(api, export) == entries  # the same file again
    refused(await api.request(ADMIN, "POST", EXPORTS, {}), 409, "NOTHING_TO_EXPORT")
    refused(await api.request(OTHER_ADMIN, "POST", EXPORTS, {}), 409, "NOTHING_TO_EXPORT")


async def assert_paid_once(api: CommuterApi, claimed: Counter[str]) -> None:
    transfer = await api.post(ADMIN, TRANSFERS, {"pay_on": "2022-08-10"})
    file = await api.request(ADMIN, "GET", f"{TRANSFERS}/{transfer['transfer_id']}/zengin.txt")
    day, payments = import_transfers(file.content)
    assert day == "0810"
    paid = {f"D01-{one.customer_code}": one.yen for one in payments}
    assert len(paid) == len(payments)
    assert paid == {who: yen for who, yen in claimed.items() if who != NO_ACCOUNT.person_id}
    again = await api.request(ADMIN, "POST", TRANSFERS, {"pay_on": "2022-08-10"})
    refused(again, 409, "NOTHING_TO_TRANSFER")
