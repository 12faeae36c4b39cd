"""Expired passes deleted at 00:00 JST of the day on which they are due (R11-R18).

A timer per company looks once a day; a changed retention therefore takes effect at its next look
(R18). What slips deducted before stays theirs (R17).
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.pass_prices import delete_prices
from commuter_service.models import AuditEntry, Pass, PassVersion
from commuter_service.queries import passes_where, setting_of
from commuter_service.rules.pass_application import PassStatus
from commuter_service.rules.pass_retention import due_for_purge, retention
from event_contracts.commuter import PassPurged
from shared import outbox
from shared.clock import JST, jst_day
from shared.timers import set_timer
from shared.trace_context import new_id

PURGE = "purge"
SYSTEM = "SYSTEM"


async def set_purge_timer(tx: AsyncSession, dealer_id: str, *, now: datetime) -> None:
    """Let the company's next look be at the coming midnight in Japan (R65)."""
    tomorrow = jst_day(now) + timedelta(days=1)
    due_at = datetime.combine(tomorrow, time(), JST).astimezone(UTC)
    await set_timer(tx, PURGE, dealer_id, due_at, {})


async def delete_expired_passes(tx: AsyncSession, dealer_id: str, *, now: datetime) -> int:
    """Delete what is due today, with a line of the trail each; run again, it finds nothing.

    Of a pass with an application under way only the version in force goes. Returns how many went.
    """
    setting = await setting_of(tx, dealer_id)
    records = await passes_where(tx, Pass.dealer_id == dealer_id)
    by_id = {record.facts.pass_id: record for record in records if record.facts}
    kept = retention(setting.retention_days)
    facts = [record.facts for record in records if record.facts]
    due = due_for_purge(facts, kept, today=jst_day(now))
    for one in due:
        record = by_id[one.pass_id]
        assert record.confirmed is not None
        route = record.confirmed.route
        before = {"route": route, "period": str(one.period), "number": one.version}
        after = {"retention_days": setting.retention_days}
        pass_id = record.held.pass_id
        tx.add(_line(dealer_id, one.employee_id, pass_id, now, before, after))
        event = PassPurged(dealer_id=dealer_id, pass_id=one.pass_id, employee_id=one.employee_id)
        await outbox.add(tx, event, now=now)
        if record.status is PassStatus.APPLIED:
            record.held.confirmed = None
            continue
        await delete_prices(tx, pass_id)
        await tx.execute(delete(PassVersion).where(PassVersion.pass_id == pass_id))
        await tx.execute(delete(Pass).where(Pass.pass_id == pass_id))
    return len(due)


def _line(  # noqa: PLR0913, PLR0917 - a line of the trail has these columns
    dealer_id: str,
    employee_id: str,
    pass_id: UUID,
    now: datetime,
    before: dict[str, Any],
    after: dict[str, Any],
) -> AuditEntry:
    return AuditEntry(
        trail_id=new_id(),
        dealer_id=dealer_id,
        employee_id=employee_id,
        subject_id=pass_id,
        action=PURGE,
        at=now,
        actor=SYSTEM,
        actor_name="自動削除",
        before=before,
        after=after,
        said=None,
    )
