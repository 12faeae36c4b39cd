"""Fixtures: an interchange on a real database, with two dealers whose systems may send."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from interchange_service.models import DealerAccount
from interchange_service.rules.message_checks import InboundMessage
from shared.db import EVERY_DEALER, Database

from .webhook_receiver import Receiver, receiving
from .webhook_stack import WebhookStack, settings_for

NOW = datetime(2025, 7, 15, 1, tzinfo=UTC)


@pytest.fixture
async def database(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Database]:
    """The service's database; D01 and D02 may send."""
    database = Database(await new_database("interchange_service"))
    async with database.transaction(EVERY_DEALER) as tx:
        for dealer_id in ("D01", "D02"):
            row = {"dealer_id": dealer_id, "name": "販売店", "active": True, "added_at": NOW}
            await tx.execute(insert(DealerAccount).values(row))
    yield database
    await database.close()


def arrival(**changes: Any) -> InboundMessage:
    """D01's message that a car was returned, in binary mode; `data` and `ce` change its parts."""
    data = {
        "dealer_id": "D01",
        "source_id": "R-1",
        "contract_no": "12345678",
        "received_on": "2025-07-14",
    } | changes.pop("data", {})
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": "m-1",
        "ce-source": "/dealers/D01/dms",
        "ce-type": "dealer.vehicle_returned.v1",
        "ce-time": "2025-07-15T00:59:00Z",
    } | changes.pop("ce", {})
    message: dict[str, Any] = {
        "channel": "amqp",
        "sender": "D01",
        "addressed": "D01",
        "address": "dealer.D01.vehicle_returned",
        "headers": {name: value for name, value in attributes.items() if value is not None},
        "content_type": "application/json",
        "body": json.dumps(data).encode(),
    }
    return InboundMessage(**(message | changes))


@pytest.fixture
async def webhook_stack(
    new_database: Callable[[str], Awaitable[str]],
) -> AsyncIterator[WebhookStack]:
    """An interchange that sends webhooks to this machine."""
    url = await new_database("interchange_service")
    webhook_stack = WebhookStack(Database(url), settings_for(url))
    yield webhook_stack
    await webhook_stack.database.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """D01's system."""
    async with receiving() as receiver:
        yield receiver
