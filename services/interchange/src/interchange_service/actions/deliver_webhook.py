"""Webhook delivery in the ledger: claim, settle, and the health of an endpoint.

A message whose worker is lost is claimed by another one and sent again under the same id: at
least once (`shared.delivery.ledger`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import DELIVERIES, WebhookDelivery, WebhookEndpoint
from interchange_service.rules.webhooks import GONE, STOPPED_AFTER, retry_delay
from interchange_service.webhook_http import Attempt
from shared.delivery.ledger import Settlement
from shared.trace_context import current_context

SERIAL_CLAIMS = text("SELECT pg_advisory_xact_lock(hashtext('webhook claim'))")
"""Claims see each other, so that no endpoint gets more deliveries at once than it may."""
OVERDUE_S = 5
"""What has been due for longer waits for an earlier message, and is found when that is settled."""
CANCEL = text("""
    WITH cancelled AS (
        UPDATE webhook_delivery SET state = 'cancelled', settled_at = :now, version = version + 1
        WHERE endpoint_id = :endpoint_id AND state = 'scheduled'
          AND (claim IS NULL OR due_at <= clock_timestamp())
        RETURNING delivery_id, dealer_id, attempts)
    INSERT INTO webhook_delivery_log
        (delivery_id, dealer_id, happened_at, step, actor, attempt)
    SELECT delivery_id, dealer_id, :now, 'cancelled', :actor, attempts FROM cancelled
""")


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A leased message with its target and what signs it."""

    delivery: WebhookDelivery
    url: str
    secrets: tuple[bytes, ...]


async def claim_message(
    tx: AsyncSession, *, lease_s: float, now: datetime
) -> ClaimedDelivery | None:
    """Lease the message that has been due longest; None where none is due."""
    await tx.execute(SERIAL_CLAIMS)
    delivery = await DELIVERIES.claim(tx, lease_s=lease_s, now=now)
    if delivery is None:
        return None
    endpoint = await tx.get_one(WebhookEndpoint, delivery.endpoint_id)
    secrets = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_secret_until and endpoint.old_secret_until > now:
        secrets.append(endpoint.old_secret)
    return ClaimedDelivery(delivery, endpoint.url, tuple(secrets))


async def next_due(tx: AsyncSession) -> float | None:
    """Seconds until the next message is due; None without any."""
    return await DELIVERIES.next_due(tx, overdue_s=OVERDUE_S)


async def settle_message(  # noqa: PLR0913 - the result, and what a retry depends on
    tx: AsyncSession,
    delivery: WebhookDelivery,
    answer: Attempt,
    *,
    chance: float,
    now: datetime,
    waited: float = 1.0,
) -> str | None:
    """Record the result of an attempt; None if another worker has the message."""
    endpoint = await tx.get_one(
        WebhookEndpoint, delivery.endpoint_id, with_for_update={"key_share": True}
    )
    step, retry_after = _step_after(delivery, endpoint, answer, chance)
    settlement = Settlement(
        step,
        retry_after * waited if retry_after is not None else None,
        values={"last_status": answer.status, "last_trouble": answer.trouble},
        log={
            "status": answer.status,
            "trouble": answer.trouble,
            "duration_ms": answer.duration_ms,
            "excerpt": answer.excerpt,
        },
    )
    if not await DELIVERIES.settle(tx, delivery, settlement, now=now):
        return None
    await _follow_health(tx, endpoint, answer, now=now)
    return step


async def stop_endpoint(
    tx: AsyncSession, endpoint: WebhookEndpoint, because: str, *, now: datetime
) -> None:
    """Stop sending to an endpoint: cancel what waits; what is in flight settles itself."""
    actor = current_context().actor
    endpoint.stopped_because = because
    endpoint.version += 1
    endpoint.changed_at, endpoint.changed_by = now, actor
    await tx.flush()
    named = {"endpoint_id": endpoint.endpoint_id, "now": now, "actor": actor}
    await tx.execute(CANCEL, named)


def _step_after(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, answer: Attempt, chance: float
) -> tuple[str, timedelta | None]:
    if answer.succeeded:
        return "delivered", None
    if answer.status == GONE:
        return "failed", None
    if not endpoint.active:
        return "cancelled", None
    pause = retry_delay(delivery.attempts, chance=chance)
    return ("failed" if pause is None else "put_off"), pause


async def _follow_health(
    tx: AsyncSession, endpoint: WebhookEndpoint, answer: Attempt, *, now: datetime
) -> None:
    if answer.succeeded:
        endpoint.failing_since = None
    elif endpoint.failing_since is None:
        endpoint.failing_since = now
    if endpoint.active and answer.status == GONE:
        await stop_endpoint(tx, endpoint, "gone", now=now)
    elif endpoint.active and now - (endpoint.failing_since or now) > STOPPED_AFTER:
        await stop_endpoint(tx, endpoint, "failing", now=now)
    await tx.flush()
