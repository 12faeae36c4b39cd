"""An empty slip of an employee."""

from commuter_service.models import Slip
from commuter_service.request_context import RequestContext
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.slip_kind import SlipKind
from shared.trace_context import new_id


def new_slip(ctx: RequestContext, kind: SlipKind) -> Slip:
    """A draft of the person who acts."""
    return Slip(
        slip_id=new_id(),
        dealer_id=ctx.dealer_id,
        employee_id=ctx.employee_id,
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
    )
