"""Webhook scheduling: one message per step and endpoint.

The row's key makes it unique: an event that is received twice finds its messages already there.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import DELIVERIES, WebhookDelivery, WebhookEndpoint
from interchange_service.rules.webhooks import PING, EventFilter, Step
from interchange_service.webhook_messages import message_of, ping_message
from shared.trace_context import current_context, new_id


async def schedule_messages(tx: AsyncSession, step: Step, *, now: datetime) -> None:
    """Make a message due at once for every endpoint of the dealer that subscribes to the step.

    The endpoints are locked, so that one that is being stopped gets no message after that.
    """
    subscribed = or_(
        *(WebhookEndpoint.events.contains([kind]) for kind in (step.kind, EventFilter.ALL))
    )
    listening = (
        select(WebhookEndpoint.endpoint_id)
        .where(
            WebhookEndpoint.dealer_id == step.dealer_id,
            WebhookEndpoint.stopped_because.is_(None),
            subscribed,
        )
        .order_by(WebhookEndpoint.endpoint_id)
        .with_for_update(read=True)
    )
    endpoints = (await tx.scalars(listening)).all()
    if not endpoints:
        return
    body, work = message_of(step), current_context()
    rows = [
        {
            "delivery_id": new_id(),
            "endpoint_id": endpoint_id,
            "dealer_id": step.dealer_id,
            "event_id": step.event_id,
            "kind": step.kind.value,
            "application_id": step.application_id,
            "contract_no": step.contract_no,
            "sequence": step.version,
            "body": body,
            "planned_at": now,
            "correlation_id": work.correlation_id,
            "traceparent": work.traceparent,
        }
        for endpoint_id in endpoints
    ]
    await tx.execute(insert(WebhookDelivery).values(rows).on_conflict_do_nothing())


async def schedule_ping(tx: AsyncSession, endpoint: WebhookEndpoint, *, now: datetime) -> UUID:
    """Make a test due at once."""
    event_id, work = new_id(), current_context()
    delivery = WebhookDelivery(
        delivery_id=new_id(),
        endpoint_id=endpoint.endpoint_id,
        dealer_id=endpoint.dealer_id,
        event_id=event_id,
        kind=PING,
        sequence=0,
        body=ping_message(event_id, now=now),
        planned_at=now,
        correlation_id=work.correlation_id,
        traceparent=work.traceparent,
    )
    tx.add(delivery)
    await tx.flush()
    await DELIVERIES.log(tx, delivery, "ping", now=now)
    return delivery.delivery_id
