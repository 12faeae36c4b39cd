"""Permissions of a user on 権限マスタ, for the menu only; the services decide (R27)."""

from fastapi import Request

from portal_service.api_client import Problem, ServiceResponse, client_of
from portal_service.service_api import commuter
from portal_service.state import state_of
from shared.auth import Principal, Role


async def permissions_of(request: Request, who: Principal) -> frozenset[str]:
    """The names of the ticked boxes; none where the commuter service does not answer in time."""
    if who.dealer is None or not who.has(Role.EMPLOYEE, Role.EXPENSE_APPROVER, Role.EXPENSE_ADMIN):
        return frozenset()
    try:
        me = await client_of(request).optional(
            _asked(request, who, keep_s=state_of(request).settings.names_kept_s)
        )
    except Problem:
        me = None
    if me is None:
        return frozenset()
    return frozenset(name for name, ticked in me.body["rights"].items() if ticked)


async def own_rights(request: Request, who: Principal) -> commuter.Me:
    """The rights as they are now, for a page about them. Raises Problem, ServiceUnavailable."""
    me = await _asked(request, who, patient=True)
    assert me is not None
    return me.body


async def _asked(
    request: Request, who: Principal, *, keep_s: float = 0, patient: bool = False
) -> ServiceResponse[commuter.Me] | None:
    asking = commuter.show_me(client_of(request))
    answers = state_of(request).answers
    return await answers.get(who, "rights", asking, keep_s=keep_s, patient=patient)
