"""An empty slip: of the person who acts, or entered for somebody else (R97)."""

from commuter_service.models import Slip
from commuter_service.queries import employee_by_id
from commuter_service.request_context import RequestContext
from commuter_service.rules.delegate_entry import check_delegate_entry
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.slip_kind import SlipKind
from shared.trace_context import new_id


def new_slip(
    ctx: RequestContext, kind: SlipKind, owner: str, entered_by: str | None = None
) -> Slip:
    """A draft of its owner, entered by somebody else where that is named."""
    return Slip(
        slip_id=new_id(),
        dealer_id=ctx.dealer_id,
        employee_id=owner,
        version=1,
        kind=kind.name.lower(),
        title="",
        purpose="",
        trip_from=None,
        trip_to=None,
        status=SlipStatus.DRAFT.value,
        chain=[],
        step=0,
        copied_from=None,
        created_at=ctx.now,
        updated_at=ctx.now,
        submitted_at=None,
        settled_at=None,
        entered_by=entered_by,
    )


async def delegated_slip(ctx: RequestContext, kind: SlipKind, owner: str) -> Slip:
    """A draft for somebody else (代理申請). Raises DelegateEntryNotAllowed, NotFound."""
    check_delegate_entry(accounting=ctx.accounting, company_allows=ctx.setting.delegate_entry)
    employee = await employee_by_id(ctx.tx, ctx.dealer_id, owner)
    return new_slip(ctx, kind, employee.employee_id, ctx.employee_id)
