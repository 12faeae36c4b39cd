"""Audit trail: who did what to a pass, a slip or a setting (R62); lines are never changed."""

from typing import Any
from uuid import UUID

from commuter_service.models import AuditEntry
from commuter_service.request_context import RequestContext
from shared.trace_context import new_id


def add_audit_entry(  # noqa: PLR0913 - a line of the trail has these columns
    ctx: RequestContext,
    subject_id: UUID,
    employee_id: str,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    said: str | None = None,
) -> UUID:
    """Add what this person did; `before` and `after` hold the values that differ.

    Returns the id of the entry.
    """
    line = AuditEntry(
        trail_id=new_id(),
        dealer_id=ctx.dealer_id,
        employee_id=employee_id,
        subject_id=subject_id,
        action=action,
        at=ctx.now,
        actor=ctx.employee_id,
        actor_name=ctx.name,
        before=before or {},
        after=after or {},
        said=said,
    )
    ctx.tx.add(line)
    return line.trail_id
