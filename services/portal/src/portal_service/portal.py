"""What does every request of one portal process share?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from fastapi import Request
from jinja2 import Environment

from portal_service.provider import Provider
from portal_service.recent_answers import RecentAnswers
from portal_service.sealing import Seal
from portal_service.settings import PortalSettings


@dataclass(frozen=True)
class Portal:
    """Made once by `create_app`; a request finds it with `portal_of`."""

    settings: PortalSettings
    seal: Seal
    provider: Provider
    http: httpx.AsyncClient
    templates: Environment
    answers: RecentAnswers[Any]
    """What the frame of every page needs of the services."""
    now: Callable[[], datetime] | None
    """The embedded clock, for the top bar; None where time cannot be travelled."""


def portal_of(request: Request) -> Portal:
    """The portal that serves this request."""
    portal: Portal = request.app.state.portal
    return portal
