"""What is ticked for this person on 権限マスタ? For the menu only; the services decide (R27)."""

from fastapi import Request

from portal_service.upstream import PartMissing, Problem, services_of
from shared.auth import Principal, Role


async def rights_of(request: Request, who: Principal) -> frozenset[str]:
    """The names of the ticked boxes; none where the commuter service does not answer."""
    if who.dealer is None or not who.has(Role.EMPLOYEE, Role.EXPENSE_APPROVER, Role.EXPENSE_ADMIN):
        return frozenset()
    try:
        me = await services_of(request).get("commuter", "/me")
    except (Problem, PartMissing):
        return frozenset()
    return frozenset(name for name, ticked in me.body["rights"].items() if ticked)
