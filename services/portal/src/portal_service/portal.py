"""What does every request of one portal process share?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from fastapi import Request
from jinja2 import Environment

from portal_service.provider import Provider
from portal_service.sealing import Seal
from portal_service.settings import PortalSettings
from shared.auth import Principal

Waiting = Callable[[Request, Principal], Awaitable[int | None]]
"""How many pieces of work wait for this person; None when that cannot be told."""


@dataclass(frozen=True)
class Portal:
    """Made once by `create_app`; a request finds it with `portal_of`."""

    settings: PortalSettings
    seal: Seal
    provider: Provider
    http: httpx.AsyncClient
    templates: Environment
    waiting: Waiting | None
    now: Callable[[], datetime] | None
    """The embedded clock, for the top bar; None where time cannot be travelled."""
    places: dict[tuple[str, str | None], tuple[str, float]] = field(default_factory=dict)
    """By dealer and store: their names, and until when those are believed (place.py)."""


def portal_of(request: Request) -> Portal:
    """The portal that serves this request."""
    portal: Portal = request.app.state.portal
    return portal
