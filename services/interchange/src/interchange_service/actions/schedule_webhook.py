"""How does a message for a dealer's system come into being? Once per step and endpoint.

The row's key makes it unique: the same event heard twice finds its messages already there.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import WebhookDelivery, WebhookDeliveryLog, WebhookEndpoint
from interchange_service.rules.webhooks import PING, EventFilter, Step
from interchange_service.webhook_messages import message_of, ping_message
from shared.context import current_context, new_id


async def schedule_messages(tx: AsyncSession, step: Step, *, now: datetime) -> None:
    """Make a message due at once at every endpoint of the dealer that wants to hear of the step.

    The endpoints are locked, so that one that is being stopped gets no message behind it.
    """
    hears = or_(*(WebhookEndpoint.events.contains([told]) for told in (step.told, EventFilter.ALL)))
    listening = (
        select(WebhookEndpoint.endpoint_id)
        .where(
            WebhookEndpoint.dealer_id == step.dealer_id,
            WebhookEndpoint.stopped_because.is_(None),
            hears,
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
            "kind": step.told.value,
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
    await tx.execute(insert_or(WebhookDelivery).values(rows).on_conflict_do_nothing())


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
    await log_step(tx, delivery, "ping", now=now)
    return delivery.delivery_id


async def log_step(  # noqa: PLR0913  one row, every column of it
    tx: AsyncSession,
    delivery: WebhookDelivery,
    step: str,
    *,
    now: datetime,
    status: int | None = None,
    trouble: str | None = None,
    duration_ms: int | None = None,
    excerpt: str | None = None,
) -> None:
    """Write down what happened to a message, and who did it if it was a person."""
    await tx.execute(
        insert(WebhookDeliveryLog).values(
            delivery_id=delivery.delivery_id,
            dealer_id=delivery.dealer_id,
            at=now,
            action=step,
            actor=current_context().actor,
            attempt=delivery.attempts,
            status=status,
            trouble=trouble,
            duration_ms=duration_ms,
            excerpt=excerpt,
        )
    )
