"""Permissions of a user on 権限マスタ, for the menu only; the services decide (R27)."""

from fastapi import Request

from portal_service.api_client import Problem, client_of
from portal_service.service_api import commuter
from portal_service.state import state_of
from shared.auth import Principal, Role


async def permissions_of(request: Request, who: Principal) -> frozenset[str]:
    """The names of the ticked boxes; none where the commuter service does not answer in time."""
    if who.dealer is None or not who.has(Role.EMPLOYEE, Role.EXPENSE_APPROVER, Role.EXPENSE_ADMIN):
        return frozenset()
    services = client_of(request)
    try:
        asking = commuter.show_me(services)
        me = await services.optional(state_of(request).answers.get(who, "rights", asking))
    except Problem:
        me = None
    if me is None:
        return frozenset()
    return frozenset(name for name, ticked in me.body["rights"].items() if ticked)
