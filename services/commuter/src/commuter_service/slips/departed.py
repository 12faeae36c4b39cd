"""Slips that do not move because somebody has left: conditions, and who it is (D157)."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.slips import state_of
from commuter_service.models import Employee, Slip
from commuter_service.queries import Conditions
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.slip_succession import BACK, Departure, departure_of


def slips_of_leavers(dealer_id: str) -> Conditions:
    """Submitted slips whose next approver has left, or that came back to one who has left."""
    left = select(Employee.employee_id).where(Employee.dealer_id == dealer_id, ~Employee.active)
    waits = (Slip.status == SlipStatus.PENDING) & Slip.chain[Slip.step + 1].in_(left)
    back = Slip.status.in_(sorted(BACK)) & Slip.employee_id.in_(left) & Slip.entered_by.is_(None)
    return (Slip.dealer_id == dealer_id, Slip.submitted_at.is_not(None), waits | back)


async def people_who_left(tx: AsyncSession, people: Iterable[str]) -> frozenset[str]:
    """Those who have left."""
    wanted = Employee.employee_id.in_(set(people)), ~Employee.active
    return frozenset(await tx.scalars(select(Employee.employee_id).where(*wanted)))


def people_of(slip: Slip) -> set[str]:
    """The people whose departure could stop a slip."""
    return {slip.employee_id, *slip.chain}


def departure(slip: Slip, left: frozenset[str]) -> Departure | None:
    """Why this slip does not move; somebody who entered it for its owner goes on with it."""
    state = state_of(slip)
    pending = state.status is SlipStatus.PENDING
    return departure_of(
        state,
        approver_left=pending and state.chain[state.step] in left,
        applicant_left=slip.employee_id in left and slip.entered_by is None,
    )
