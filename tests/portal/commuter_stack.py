"""Commuter stack: portal, issuer and the real commuter service, with the people of one dealer."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import FastAPI

from commuter_service.app import create_app as create_commuter
from madoguchi.embedded.issuer import create_issuer
from madoguchi.embedded.seed_expenses import seed_expenses
from portal_service.app import create_app
from portal_service.settings import PortalSettings
from shared.auth import Principal, Role
from shared.clock import TravelClock
from shared.db import Database

from .conftest import KEY, SECRET, Site, free_port, issuer_settings, serving
from .portal_stack import NOBODY, PortalUser, _service

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
    commuter, clock = Database(url), TravelClock()
    clock.travel_to(FRIDAY)
    await seed_expenses(commuter, EVERYBODY, clock.now())
    issuer_url = f"http://127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:
        serve = stack.enter_context
        service = serve(serving(_service(create_commuter, url, clock, issuer_url)))
        made: list[FastAPI] = []

        def portal_at(own: str) -> FastAPI:
            settings = PortalSettings(
                public_url=own,
                session_secret=SECRET,
                mail_sender="desk@example.jp",
                oidc_issuer=issuer_url,
                contracts_url=NOBODY,
                returns_url=NOBODY,
                commuter_url=service,
                notifier_url=NOBODY,
                interchange_url=NOBODY,
                embedded=True,
                work_wait_s=30,  # generous for a busy machine
                upstream_timeout_s=30,
            )
            made.append(create_app(settings, now=clock.now))
            return made[0]

        portal = serve(serving(portal_at))
        issuer = replace(issuer_settings(issuer_url, portal), people=EVERYBODY)
        serve(serving(lambda _: create_issuer(issuer, KEY), urlsplit(issuer_url).port or 0))
        yield CommuterStack(Site(portal, issuer_url, made[0]), commuter, clock)
    await commuter.close()
