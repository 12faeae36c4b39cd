"""Dealer API fixture: the interchange's real API on a port, with an active dealer."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from interchange_service.actions.dealers import add_dealer
from interchange_service.actions.keys import make_key
from interchange_service.app import create_app, state_of
from interchange_service.rules.credentials import broker_hash
from interchange_service.settings import InterchangeSettings
from services.interchange.tests.webhook_stack import settings_for
from shared.auth import Principal
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from tests.portal.conftest import serving

PASSWORD = "a password of D01"


@dataclass(frozen=True, slots=True)
class DealerApi:
    """The API for D01's systems, with a valid key; its webhooks may go to this machine."""

    url: str
    key: str
    database: Database
    settings: InterchangeSettings

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            return [tuple(row) for row in await tx.execute(text(statement))]


async def nobody(_: object) -> Principal:
    raise AssertionError("no user is expected here")


@pytest.fixture
async def dealer_api(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[DealerApi]:
    """The API in a thread with its own event loop, on the database of this test."""
    address = await new_database("interchange_service")
    database, now, settings = Database(address), SystemClock().now(), settings_for(address)
    async with database.transaction(EVERY_DEALER) as tx:
        await add_dealer(tx, "D01", "第一販売", now=now, amqp_password_hash=broker_hash(PASSWORD))
        key = await make_key(tx, "D01", label="test", by="test", now=now)

    def make(_url: str) -> FastAPI:
        own = Database(address)
        app = create_app(own, SystemClock(), nobody, **state_of(settings))

        @contextlib.asynccontextmanager
        async def closing(_app: FastAPI) -> AsyncIterator[None]:
            yield
            await own.close()

        app.router.lifespan_context = closing
        return app

    with serving(make) as url:
        yield DealerApi(url, key.token, database, settings)
    await database.close()
