"""Commuter stack: portal, issuer and the real commuter service, with the people of one dealer."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from commuter_service.adapters.receipt_store import FolderStore
from commuter_service.app import create_app as create_commuter
from madoguchi.embedded.seed_expenses import seed_expenses
from shared.auth import Principal, Role
from shared.clock import TravelClock
from shared.db import Database

from .conftest import Site, free_port, serving
from .portal_stack import PortalUser, _service, open_site

FRIDAY = datetime(2026, 7, 10, 1, 0, tzinfo=UTC)


def person(code: str, name: str, *roles: Role) -> Principal:
    mail = f"{code.lower()}@d01.example.jp"
    return Principal(
        f"D01-{code}", name, "D01", "S10", code, frozenset({Role.EMPLOYEE, *roles}), mail
    )


YAMADA = person("E101", "山田 太郎", Role.SALES)
SUZUKI = person("E201", "鈴木 花子", Role.SALES)
SATO = person("M100", "佐藤 誠", Role.MANAGER)
TANAKA = person("H001", "田中 裕子", Role.HQ)
KEIRI = person("A001", "経理 太一", Role.EXPENSE_ADMIN)
EVERYBODY = (YAMADA, SUZUKI, SATO, TANAKA, KEIRI)


@dataclass
class CommuterStack:
    """The portal in front of the commuter service; contracts and returns do not answer."""

    site: Site
    commuter: Database
    clock: TravelClock

    @contextlib.asynccontextmanager
    async def signed_in(self, who: Principal) -> AsyncIterator[PortalUser]:
        async with self.site.browser() as browser:
            await browser.sign_in(who.user_id)
            yield PortalUser(browser)


@contextlib.asynccontextmanager
async def open_commuter_stack(
    create: Callable[[str], Awaitable[str]],
) -> AsyncIterator[CommuterStack]:
    """Start all parts on their own ports, with the demo's passes and slips."""
    url = await create("commuter_service")
    receipts = FolderStore(Path(tempfile.mkdtemp(prefix="receipts-")))
    commuter, clock = Database(url), TravelClock()
    clock.travel_to(FRIDAY)
    await seed_expenses(commuter, EVERYBODY, clock.now())
    issuer_url = f"http://127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:
        serve = stack.enter_context
        stack.callback(shutil.rmtree, receipts.folder)
        make = partial(create_commuter, receipts=receipts)
        service = serve(serving(_service(make, url, clock, issuer_url)))
        site = open_site(stack, clock, issuer_url, EVERYBODY, commuter_url=service)
        yield CommuterStack(site, commuter, clock)
    await commuter.close()
