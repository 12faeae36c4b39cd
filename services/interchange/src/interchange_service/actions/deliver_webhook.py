"""What does the ledger say while a message is sent? Each step is one short transaction.

    scheduled ─claim→ scheduled ─settle→ delivered | scheduled again | failed | cancelled
                          └(process died)→ claimed by another, and sent again

Nothing remote happens inside a transaction. A claim is a loan: who does not come back in time
loses it, and the message goes out once more under the same id (at least once).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.schedule_webhook import log_step
from interchange_service.models import WebhookDelivery, WebhookEndpoint
from interchange_service.rules.webhooks import (
    GONE,
    IN_ORDER_ATTEMPTS,
    STOPPED_AFTER,
    retry_delay,
)
from interchange_service.webhook_http import Attempt
from shared.context import current_context, new_id

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('webhook claim'))")
"""Claims see each other, so that none goes past the limit of an endpoint."""
DUE = text("""
    SELECT d.* FROM webhook_delivery d JOIN webhook_endpoint e USING (endpoint_id)
    WHERE d.state = 'scheduled' AND d.due_at <= clock_timestamp() AND e.stopped_because IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM webhook_delivery o
        WHERE o.endpoint_id = d.endpoint_id AND o.application_id = d.application_id
          AND o.sequence < d.sequence AND o.state = 'scheduled'
          AND (o.attempts < :in_order OR o.due_at <= clock_timestamp() OR o.claim IS NOT NULL))
      AND d.endpoint_id NOT IN (
        SELECT endpoint_id FROM webhook_delivery
        WHERE state = 'scheduled' AND claim IS NOT NULL AND due_at > clock_timestamp()
        GROUP BY endpoint_id HAVING count(*) >= :at_once)
    ORDER BY d.due_at LIMIT 1 FOR UPDATE OF d SKIP LOCKED
""")
NEXT_DUE = text("""
    SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8
    FROM webhook_delivery
    WHERE state = 'scheduled' AND due_at > clock_timestamp() - interval '5 seconds'
""")
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
AT_ONCE_PER_ENDPOINT = 2
"""A slow receiver holds no more than so many of the senders up."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message in our hands, with where it goes and what signs it."""

    delivery: WebhookDelivery
    url: str
    secrets: tuple[bytes, ...]


async def claim_message(tx: AsyncSession, *, lease_s: float, now: datetime) -> Claimed | None:
    """Borrow the message that waits longest; None where none is due."""
    wanted = {"in_order": IN_ORDER_ATTEMPTS, "at_once": AT_ONCE_PER_ENDPOINT}
    await tx.execute(ONE_AT_A_TIME)
    due = select(WebhookDelivery).from_statement(DUE)
    delivery = (await tx.scalars(due, wanted)).one_or_none()
    if delivery is None:
        return None
    if delivery.claim is not None:
        await log_step(tx, delivery, "lost", now=now)
    delivery.claim = new_id()
    delivery.attempts += 1
    await tx.flush()
    await tx.execute(
        _of(delivery)
        .values(due_at=func.clock_timestamp() + timedelta(seconds=lease_s))
        .execution_options(synchronize_session=False)
    )
    endpoint = await tx.get_one(WebhookEndpoint, delivery.endpoint_id)
    secrets = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_secret_until and endpoint.old_secret_until > now:
        secrets.append(endpoint.old_secret)
    return Claimed(delivery, endpoint.url, tuple(secrets))


async def next_due(tx: AsyncSession) -> float | None:
    """In how many seconds something is to be tried, at most 0 if it is due; None without any."""
    due_s: float | None = (await tx.execute(NEXT_DUE)).scalar_one()
    return due_s


async def settle_message(
    tx: AsyncSession, delivery: WebhookDelivery, answer: Attempt, *, chance: float, now: datetime
) -> str | None:
    """Write down what became of an attempt; None if somebody else has the message by now."""
    endpoint = await tx.get_one(
        WebhookEndpoint, delivery.endpoint_id, with_for_update={"key_share": True}
    )
    step, pause = _step_after(delivery, endpoint, answer, chance)
    again = step == "put_off"
    settled = await tx.execute(
        _of(delivery)
        .where(WebhookDelivery.claim == delivery.claim)
        .values(
            state="scheduled" if again else step,
            claim=None,
            due_at=func.clock_timestamp() + (pause or timedelta()),
            last_status=answer.status,
            last_trouble=answer.trouble,
            settled_at=None if again else now,
            version=WebhookDelivery.version + 1,
        )
        .returning(WebhookDelivery.version)
        .execution_options(synchronize_session=False)
    )
    if settled.first() is None:
        return None
    await log_step(
        tx,
        delivery,
        step,
        now=now,
        status=answer.status,
        trouble=answer.trouble,
        duration_ms=answer.duration_ms,
        excerpt=answer.excerpt,
    )
    await _follow_health(tx, endpoint, answer, now=now)
    return step


async def stop_endpoint(
    tx: AsyncSession, endpoint: WebhookEndpoint, because: str, *, now: datetime
) -> None:
    """Send nothing there any more; what waits is cancelled, what is on its way settles itself."""
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


def _of(delivery: WebhookDelivery) -> Update:
    return update(WebhookDelivery).where(WebhookDelivery.delivery_id == delivery.delivery_id)
