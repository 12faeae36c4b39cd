"""Leavers: headquarters staff who have left see and change no webhook (C4)."""

import pytest

from event_contracts.masters import StaffAccessChanged
from shared.db import EVERY_DEALER
from shared.trace_context import new_id
from shared.worker import Delivery

from .webhook_stack import HQ, OTHER_HQ, WebhookStack


@pytest.mark.rule("D156")
async def test_a_leaver_sees_no_webhooks_until_they_come_back(webhook_stack: WebhookStack) -> None:
    async def access(*, active: bool) -> None:
        now = webhook_stack.clock.now()
        event = StaffAccessChanged(dealer_id="D01", staff_code="H001", active=active)
        handle = webhook_stack.running.service.subscribers.handlers[event.wire_type]
        async with webhook_stack.database.transaction(EVERY_DEALER) as tx:
            await handle(event, Delivery(new_id(), 1, now, now, None), tx)

    assert (await webhook_stack.request(HQ, "GET", "/webhooks")).status_code == 200
    await access(active=False)
    refused = await webhook_stack.request(HQ, "GET", "/webhooks")
    assert (refused.status_code, refused.json()["code"]) == (403, "STAFF_DEACTIVATED")
    assert (await webhook_stack.request(OTHER_HQ, "GET", "/webhooks")).status_code == 200
    await access(active=True)
    assert (await webhook_stack.request(HQ, "GET", "/webhooks")).status_code == 200
