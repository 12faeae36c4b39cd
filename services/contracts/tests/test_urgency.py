"""Urgency events at the beginning of a day: contracts that became yellow, red or grey."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from contracts_service.actions.publish_urgency import PUBLISH_URGENCY, publish_urgency
from contracts_service.rules.calendar_days import jst_midnight
from contracts_service.rules.row_colour import RowFacts, row_colour
from event_contracts.contract import UrgencyChanged
from shared.db import EVERY_DEALER
from shared.timers import set_timer

from .conftest import TODAY, ContractsApi

Published = set[tuple[str, str, str, date]]


async def published(contracts_api: ContractsApi) -> Published:
    events = [
        e for e in await contracts_api.events(UrgencyChanged) if isinstance(e, UrgencyChanged)
    ]
    return {(e.contract_no, e.before, e.after, e.changed_on) for e in events}


async def begin(contracts_api: ContractsApi, day: date) -> None:
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        payload = {"day": day.isoformat()}
        await set_timer(tx, PUBLISH_URGENCY, "daily", jst_midnight(day), payload)


@pytest.mark.rule("D36", "D39", "D40", "D42", "D43", "D45")
async def test_each_day_is_published_once_and_missed_days_are_caught_up(
    contracts_api: ContractsApi,
) -> None:
    for number, final_on in (
        *(("C1", "2025/11/15"), ("C2", "2025/09/15"), ("C3", "2025/07/15")),
        *(("C4", "2025/11/16"), ("C5", "2025/12/31"), ("C6", "2025/07/14")),
    ):
        await contracts_api.contract(number, 最終回年月日=final_on)
    await begin(contracts_api, TODAY + timedelta(days=1))
    assert (await contracts_api.timers(), await published(contracts_api)) == (0, set())
    sixteenth, seventeenth = date(2025, 7, 16), date(2025, 7, 17)
    contracts_api.clock.set(seventeenth)
    assert await contracts_api.timers() == 2
    expected = {
        ("C1", "white", "yellow", sixteenth),
        ("C2", "yellow", "red", sixteenth),
        ("C3", "red", "grey", sixteenth),
        ("C4", "white", "yellow", seventeenth),
    }
    assert await published(contracts_api) == expected
    assert await contracts_api.timers() == 0
    assert len(await contracts_api.events(UrgencyChanged)) == len(expected)


@pytest.mark.rule("D41")
async def test_a_complete_contract_becomes_no_more_urgent(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/09/15")
    cash = {
        "categories": ["cash_settlement"],
        "own_replacement": False,
        "confirmation_received": True,
    }
    answer = await contracts_api.change("E101", "POST", "/contracts/C1/result", cash)
    assert answer.json()["contract"]["result"]["completed"] is True
    await begin(contracts_api, date(2025, 7, 16))
    contracts_api.clock.set(date(2025, 7, 16))
    assert (await contracts_api.timers(), await published(contracts_api)) == (1, set())


@pytest.mark.rule("D36", "D39", "D40", "D41", "D42", "D43")
@pytest.mark.parametrize("day", [TODAY, date(2025, 3, 1), date(2024, 3, 1), date(2025, 7, 1)])
async def test_the_events_agree_with_the_rule(contracts_api: ContractsApi, day: date) -> None:
    days = [day + timedelta(days=n) for n in range(-3, 140)]
    await contracts_api.import_contracts_file(
        *({"契約番号": f"C{n}", "最終回年月日": f"{on:%Y/%m/%d}"} for n, on in enumerate(days))
    )
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        await publish_urgency(tx, day, now=contracts_api.clock.now())
    expected = set()
    for number, final_on in enumerate(days):
        eve, now = (
            row_colour(RowFacts(final_on=final_on), today=on).colour.value
            for on in (day - timedelta(days=1), day)
        )
        if eve != now:
            expected.add((f"C{number}", eve, now, day))
    assert await published(contracts_api) == expected
    assert len(expected) >= 2


async def test_a_migrated_database_waits_for_the_next_day_in_japan(
    new_contracts_api: ContractsApi,
) -> None:
    question = """SELECT payload ->> 'day' = to_char(due_at AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD')
        AND due_at > now() - interval '1 day' FROM timer WHERE kind = 'tell_urgency'"""
    async with new_contracts_api.database.transaction() as tx:
        assert (await tx.scalars(text(question))).all() == [True]
