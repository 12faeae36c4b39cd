"""Names of a user's dealer and store for the top bar; the codes are for machines."""

from fastapi import Request

from portal_service.api_client import Problem, client_of
from portal_service.service_api import contracts
from portal_service.state import state_of
from shared.auth import Principal, Role

CACHED_S = 600
"""Names change by a master file, a few times a year."""


async def location_label(request: Request, who: Principal) -> str:
    """Dealer and store by name, by code where names are late or missing; TFC by its name."""
    if who.dealer is None:
        return "トヨタファイナンス" if who.has(Role.TFC) else ""
    key = (who.dealer, who.store)
    services = client_of(request)
    asking = contracts.show_place(services)
    try:
        answers = state_of(request).answers
        found = await services.optional(answers.get(key, "place", asking, keep_s=CACHED_S))
    except Problem:
        found = None
    if found is None:
        return " ".join(code for code in key if code)
    return " ".join(part["name"] for part in (found.body["dealer"], found.body["store"]) if part)
