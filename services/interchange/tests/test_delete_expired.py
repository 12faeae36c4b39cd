"""Deletion of expired rows: settled ones go, waiting ones stay, however old."""

from datetime import timedelta

import pytest

from interchange_service.actions.accept_message import accept, discard, quarantine_message
from interchange_service.actions.delete_expired import delete_expired
from interchange_service.rules.message_checks import OLDEST, NotAccepted, Reason
from shared.db import EVERY_DEALER, Database

from .conftest import NOW, arrival
from .webhook_receiver import Receiver, says
from .webhook_stack import WebhookStack

KEPT = timedelta(days=90)
JUST_OVER = timedelta(seconds=1)


async def forgotten(database: Database, later: timedelta) -> dict[str, int]:
    """The numbers deleted after this time, where not 0."""
    async with database.transaction(EVERY_DEALER) as tx:
        gone = await delete_expired(tx, now=NOW + later, kept=KEPT, kept_unsettled=2 * KEPT)
    return {table: count for table, count in gone.items() if count}


async def test_ids_are_forgotten_when_they_cannot_come_again(database: Database) -> None:
    async with database.transaction(EVERY_DEALER) as tx:
        await accept(tx, arrival(), now=NOW)
    assert await forgotten(database, 2 * OLDEST) == {}
    assert await forgotten(database, 2 * OLDEST + JUST_OVER) == {"accepted": 1}


async def test_a_refused_message_goes_when_it_is_long_settled(database: Database) -> None:
    refusal = NotAccepted(Reason.TIME_MISSING)
    async with database.transaction(EVERY_DEALER) as tx:
        settled = await quarantine_message(tx, arrival(), refusal, now=NOW)
        await quarantine_message(tx, arrival(), refusal, now=NOW)
        assert settled is not None
        await discard(tx, settled, by="o001", note="試験", now=NOW)
    assert await forgotten(database, KEPT) == {}
    assert await forgotten(database, KEPT + JUST_OVER) == {"quarantined": 1}
    assert await forgotten(database, 2 * KEPT) == {}  # one nobody has settled


async def test_a_refused_message_that_nobody_settles_goes_later(database: Database) -> None:
    async with database.transaction(EVERY_DEALER) as tx:
        await quarantine_message(tx, arrival(), NotAccepted(Reason.TIME_MISSING), now=NOW)
    assert await forgotten(database, 2 * KEPT) == {}
    assert await forgotten(database, 2 * KEPT + JUST_OVER) == {"quarantined": 1}


@pytest.mark.parametrize("answers", [200, 503])
async def test_a_webhook_goes_when_it_is_long_settled_and_not_while_it_waits(
    webhook_stack: WebhookStack, receiver: Receiver, answers: int
) -> None:
    webhook_stack.clock.travel_to(NOW)
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    receiver.behave = lambda _: says(answers)
    assert await webhook_stack.sender().send_due() == 1
    gone = {"webhook_delivery_log": 1, "webhook_delivery": 1} if answers == 200 else {}
    assert await forgotten(webhook_stack.database, KEPT - JUST_OVER) == {}
    assert await forgotten(webhook_stack.database, KEPT + timedelta(minutes=1)) == gone
    assert await webhook_stack.states() == ([] if gone else ["scheduled"])
