"""Deletion of expired rows: ids that cannot come again, and what was settled long ago."""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import (
    AcceptedMessage,
    Quarantined,
    WebhookDelivery,
    WebhookDeliveryLog,
)
from interchange_service.rules.message_checks import OLDEST


async def delete_expired(
    tx: AsyncSession, *, now: datetime, kept: timedelta, kept_unsettled: timedelta
) -> dict[str, int]:
    """Delete what was settled longer than `kept` ago; the number of rows, by table.

    The ids of accepted messages go when their time would be too old to come again. Refused
    messages that nobody settled go after `kept_unsettled`; what waits for its time stays.
    """
    before = now - kept
    settled = WebhookDelivery.state != "scheduled", WebhookDelivery.settled_at < before
    old = select(WebhookDelivery.delivery_id).where(*settled).with_for_update(skip_locked=True)
    deliveries = (await tx.scalars(old)).all()
    gone = {
        AcceptedMessage: AcceptedMessage.accepted_at < now - 2 * OLDEST,
        Quarantined: (Quarantined.settled_at < before)
        | (Quarantined.settled_at.is_(None) & (Quarantined.received_at < now - kept_unsettled)),
        WebhookDeliveryLog: WebhookDeliveryLog.delivery_id.in_(deliveries),
        WebhookDelivery: WebhookDelivery.delivery_id.in_(deliveries),
    }
    counts = {}
    for table, old_rows in gone.items():
        done = await tx.execute(delete(table).where(old_rows))
        assert isinstance(done, CursorResult)
        counts[table.__tablename__] = done.rowcount
    return counts
