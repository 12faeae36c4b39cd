"""Whatever is typed into whichever form, the portal answers with a page and not with a crash."""

from collections.abc import AsyncIterator

import pytest

from shared.auth import Principal
from shared.testing.databases import TestDatabases

from . import counter as counter_people
from . import expenses as expense_people
from .counter import Counter
from .expenses import ExpenseCounter, open_expenses
from .robot import Robot


@pytest.fixture(scope="module")
async def expenses(databases: TestDatabases) -> AsyncIterator[ExpenseCounter]:
    async with open_expenses(databases.create) as everything:
        yield everything


@pytest.mark.parametrize("who", counter_people.EVERYBODY, ids=lambda who: who.user_id)
async def test_dealers_and_finance_company(counter: Counter, who: Principal) -> None:
    await nothing_crashes(counter, who)


@pytest.mark.parametrize(
    "who",
    [expense_people.YAMADA, expense_people.SATO, expense_people.KEIRI],
    ids=lambda who: who.user_id,
)
async def test_expenses(expenses: ExpenseCounter, who: Principal) -> None:
    await nothing_crashes(expenses, who)


async def nothing_crashes(at: Counter | ExpenseCounter, who: Principal) -> None:
    async with at.of(who) as visitor:
        robot = Robot(visitor)
        await robot.walk("/", "/contracts?mode=general", "/transfers?from_store=S10")
    assert not robot.crashes, "\n".join(robot.crashes)
    assert len(robot.seen) > 5
