"""What are this person's dealer and store called? Codes are for machines; the bar shows names."""

import time

from fastapi import Request

from portal_service.portal import portal_of
from portal_service.upstream import Problem, services_of
from shared.auth import Principal

KEPT_S = 600
"""Names change by a master file, a few times a year."""


async def place_of(request: Request, who: Principal) -> str:
    """Dealer and store by name, by code where names cannot be had; empty outside dealers."""
    if who.dealer is None:
        return ""
    kept, key = portal_of(request).places, (who.dealer, who.store)
    words, until = kept.get(key, ("", 0.0))
    if until > time.monotonic():
        return words
    services = services_of(request)
    try:
        found = await services.or_without(services.get("contracts", "/place"))
    except Problem:
        found = None
    if found is None:
        return " ".join(code for code in key if code)
    words = " ".join(part["name"] for part in (found.body["dealer"], found.body["store"]) if part)
    kept[key] = (words, time.monotonic() + KEPT_S)
    return words
