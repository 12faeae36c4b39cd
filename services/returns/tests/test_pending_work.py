"""Work of a person: every number is the length of the list behind it, and what waits is theirs."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select, text

from returns_service.actor import Person
from returns_service.mapping import return_facts
from returns_service.models import Application
from returns_service.progress_list_query import Page, rows_wanted
from returns_service.rules.approval_route import SETTINGS, Route
from returns_service.rules.progress_list import ProgressSearch, waits_for
from returns_service.rules.return_status import ORIGINATORS, Status, Tab
from returns_service.rules.return_visibility import Actor
from shared.auth import Principal
from shared.db import EVERY_DEALER
from shared.roles import Role
from shared.testing.people import COLLEAGUE, OTHER_HQ, SATO, SUZUKI, TAKAHASHI, TANAKA, TFC, YAMADA

from .conftest import OTHER_MANAGER, OTHER_SALES, ReturnsApi, registered

PEOPLE = (
    YAMADA, COLLEAGUE, SATO, SUZUKI, TAKAHASHI, TANAKA, OTHER_HQ, OTHER_MANAGER, OTHER_SALES, TFC,
)  # fmt: skip
LISTS = {"to_approve": "/applications/work", "remanded": "/applications/work"}
"""Where the rows of a count are listed; the others on 進捗一覧."""


async def counts(returns: ReturnsApi, who: Principal) -> dict[str, int]:
    answer = await returns(who).get("/work")
    assert answer.status_code == 200, answer.text
    return {one["key"]: one["count"] for one in answer.json()["counts"]}


async def listed(returns: ReturnsApi, who: Principal, count: dict[str, Any]) -> int:
    """How many rows the list behind a count has, on all its pages."""
    rows, path, cursor = 0, LISTS.get(count["key"], "/applications"), None
    tab = {} if path in LISTS.values() else {"tab": "current", "limit": 2}
    while True:
        keys = count["filter"] | tab | ({"cursor": cursor} if cursor else {})
        page = (await returns(who).get(path, **keys)).json()
        rows += len(page["items"])
        if not (cursor := page["next_cursor"]):
            return rows


@pytest.fixture
async def busy(returns: ReturnsApi) -> None:
    """Applications of every kind of work, at two stores and two dealers."""
    await returns.receive(
        *(registered(f"C-100{n}", customer_name=f"山本 {n}") for n in range(2, 8)),
        registered("C-2001", store="S20"),
        registered("X-1001", dealer="D02"),
    )
    submit_new = {n: await returns.submit_new(contract_no=f"C-100{n}") for n in range(1, 5)}
    await returns(SATO).step(submit_new[2], "remand", comment="受領日をご確認ください")
    await returns.take_steps(submit_new[3], (SATO, "approval"))
    await returns(TANAKA).step(submit_new[3], "remand", comment="本部より")
    await returns.take_steps(submit_new[4], (SATO, "approval"), (TANAKA, "approval"))
    by_manager = await returns.submit_new(SATO, "C-1005")
    await returns(TANAKA).step(by_manager, "remand")
    accepted = await returns.submit_new(TANAKA, "C-1006")
    await returns.take_steps(accepted, (TFC, "acceptance"), (TFC, "hold"))
    await returns.submit_new(COLLEAGUE, "C-1007")
    await returns.submit_new(SUZUKI, "C-2001")
    await returns.submit_new(OTHER_SALES, "X-1001")
    await returns.rows(
        "UPDATE application SET updated_at = updated_at - interval '7 days'"
        " WHERE contract_no IN ('C-1001', 'C-1007', 'C-2001') RETURNING 1"
    )


async def test_the_numbers(returns: ReturnsApi, busy: None) -> None:
    assert await counts(returns, YAMADA) == {"remanded": 1, "stale": 1}
    assert await counts(returns, COLLEAGUE) == {"remanded": 0, "stale": 1}
    assert await counts(returns, SATO) == {"to_approve": 2, "remanded": 2, "stale": 2}
    assert await counts(returns, TAKAHASHI) == {"to_approve": 1, "remanded": 0, "stale": 1}
    assert await counts(returns, TANAKA) == {"to_approve": 0, "remanded": 0, "stale": 3}
    assert await counts(returns, OTHER_HQ) == {"to_approve": 0, "remanded": 0, "stale": 0}
    asked = {"requested": 2, "processing": 0, "contact": 0, "hold": 1}
    assert await counts(returns, TFC) == asked


async def test_every_number_is_the_length_of_the_list_behind_it(
    returns: ReturnsApi, busy: None
) -> None:
    seen = set()
    for who in PEOPLE:
        for count in (await returns(who).get("/work")).json()["counts"]:
            assert await listed(returns, who, count) == count["count"], (who.name, count)
            seen |= {count["key"]} if count["count"] else set()
    assert seen == {"to_approve", "remanded", "stale", "requested", "hold"}


async def test_remands_come_with_their_reason(returns: ReturnsApi, busy: None) -> None:
    [mine] = (await returns(YAMADA).get("/work")).json()["remanded"]
    assert (mine["title"], mine["note"]) == ("山本 2", "C-1002")
    assert (mine["comment"], mine["by"]) == ("受領日をご確認ください", "佐藤 誠")
    by_number = {
        one["note"]: (one["comment"], one["by"])
        for one in (await returns(SATO).get("/work")).json()["remanded"]
    }
    assert by_number == {"C-1003": ("本部より", "田中 裕子"), "C-1005": (None, "田中 裕子")}


async def test_a_reason_is_passed_on_and_ends_with_the_correction(returns: ReturnsApi) -> None:
    submit_new = await returns.submit_new()
    await returns.take_steps(submit_new, (SATO, "approval"))
    await returns(TANAKA).step(submit_new, "remand", comment="本部より")
    await returns(SATO).step(submit_new, "remand")
    [mine] = (await returns(YAMADA).get("/work")).json()["remanded"]
    assert (mine["comment"], mine["by"]) == ("本部より", "田中 裕子")
    form: dict[str, Any] = {
        "kind": "RETURNED",
        "received_on": "2025-07-02",
        "contact_1": "03-0010-1000",
    }
    await returns(YAMADA).step(submit_new, "correction", **form)
    await returns(SATO).step(submit_new, "remand")
    [again] = (await returns(YAMADA).get("/work")).json()["remanded"]
    assert (again["comment"], again["by"]) == (None, "佐藤 誠")


@pytest.mark.parametrize(("days", "stale"), [(6, 0), (7, 1)])
async def test_seven_calendar_days_without_a_change(
    returns: ReturnsApi, days: int, stale: int
) -> None:
    late = datetime(2025, 7, 15, 14, 0, tzinfo=UTC)  # 23:00 in Japan
    returns.clock.travel_to(late)
    await returns.submit_new()
    returns.clock.travel_to(late + timedelta(days=days - 1, hours=2))
    assert (await counts(returns, YAMADA))["stale"] == stale


async def test_a_substitute_has_the_work_of_the_person_they_represent(
    returns: ReturnsApi, busy: None
) -> None:
    body = {"substitute_id": "D01-M200", "from_on": "2025-07-15", "to_on": "2025-07-15"}
    assert (await returns(SATO).send("POST", "/substitutes", body)).status_code == 201
    found = await counts(returns, TAKAHASHI)
    assert (found["to_approve"], found["remanded"]) == (3, 1)


ACTORS = (
    (Actor("D01-E101", Role.SALES, "D01", "S10"),),
    (Actor("D01-E101", Role.MANAGER, "D01", "S10"),),
    (Actor("D01-M100", Role.MANAGER, "D01", "S10"),),
    (Actor("D01-M200", Role.MANAGER, "D01", "S20"),),
    (Actor("D01-H001", Role.HQ, "D01"),),
    (
        Actor("D01-M200", Role.MANAGER, "D01", "S20"),
        Actor("D01-M200", Role.MANAGER, "D01", "S10", acting_for="D01-M100"),
    ),
    (
        Actor("D01-E201", Role.SALES, "D01", "S20"),
        Actor("D01-E201", Role.HQ, "D01", acting_for="D01-H001"),
    ),
)
FILL = text("""
    INSERT INTO application (application_id, dealer_id, store_code, contract_no, contract_key,
        customer_name, name_key, originator_id, originator_name, originator_role, levels, round,
        status, status_version, version, entered_at, submitted_at, requested_at, updated_at,
        completion_mail, kind, received_on, separate_procedure, dealer_note_version)
    SELECT 'T' || n, 'D01', store, 'N' || n, 'N' || n, '', '', originator, '', role,
        string_to_array(levels, ','), 1, status, 1, 1, now(), now(), now(), now(), false,
        'RETURNED', '2025-07-01', false, 0
    FROM unnest(CAST(:stores AS text[]), CAST(:originators AS text[]), CAST(:roles AS text[]),
        CAST(:levels AS text[]), CAST(:statuses AS text[]))
        WITH ORDINALITY AS t (store, originator, role, levels, status, n)
""")


@pytest.mark.rule("D108")
async def test_sql_and_rules_agree_on_what_waits_for_whom(returns: ReturnsApi) -> None:
    """Every reachable status of every route and originator, at two stores."""
    rows = []
    for setting, role, store in product(SETTINGS, ORIGINATORS, ("S10", "S20")):
        route = Route.of(setting, role)
        reachable = {level.pending for level in route.levels}
        reachable |= {level.remanded for level in route.levels}
        reachable |= {route.with_originator(), Status.REQUESTED, Status.COMPLETED}
        for status, person in product(sorted(reachable), ("E101", "M100", "H001", "M200", "E201")):
            levels = ",".join(level.value for level in route.levels)
            rows.append((store, f"D01-{person}", role.value, levels, status.value))
    columns = ("stores", "originators", "roles", "levels", "statuses")
    values = {
        name: list(column) for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    }
    async with returns.database.transaction(EVERY_DEALER) as tx:
        await tx.execute(FILL, values)
        everything = (await tx.scalars(select(Application))).all()
        for actors in ACTORS:
            asking = Person("", None, actors)
            keys = ProgressSearch(waiting=True)
            sql, wanted = rows_wanted(asking, keys, Tab.CURRENT, Page(None))
            found = {row.application_id for row in await tx.execute(text(sql), wanted)}
            ruled = {
                row.application_id
                for row in everything
                if any(waits_for(return_facts(row), actor) for actor in actors)
            }
            assert found == ruled != set(), actors
