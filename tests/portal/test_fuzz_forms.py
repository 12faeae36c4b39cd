"""Form fuzzing: the portal answers any input in any form with a page, not with a crash."""

from collections.abc import AsyncIterator

import pytest

from shared.auth import Principal
from shared.testing.databases import TestDatabases

from . import commuter_stack as expense_people
from . import portal_stack as counter_people
from .commuter_stack import CommuterStack, open_commuter_stack
from .crawler import Crawler
from .portal_stack import PortalStack


@pytest.fixture(scope="module")
async def expenses(databases: TestDatabases) -> AsyncIterator[CommuterStack]:
    async with open_commuter_stack(databases.create) as everything:
        yield everything


@pytest.mark.parametrize("who", counter_people.EVERYBODY, ids=lambda who: who.user_id)
async def test_dealers_and_finance_company(portal_stack: PortalStack, who: Principal) -> None:
    await assert_no_crash(portal_stack, who)


@pytest.mark.parametrize(
    "who",
    [expense_people.YAMADA, expense_people.SATO, expense_people.KEIRI],
    ids=lambda who: who.user_id,
)
async def test_expenses(expenses: CommuterStack, who: Principal) -> None:
    await assert_no_crash(expenses, who)


async def assert_no_crash(at: PortalStack | CommuterStack, who: Principal) -> None:
    async with at.signed_in(who) as user:
        robot = Crawler(user)
        await robot.walk("/", "/contracts?mode=general", "/transfers?from_store=S10")
    assert not robot.crashes, "\n".join(robot.crashes)
    assert len(robot.seen) > 5
