"""Portal state: what every request of one process shares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from jinja2 import Environment

from portal_service.encrypted_cookies import CookieCipher
from portal_service.oidc import OidcProvider
from portal_service.recent_answers import RecentAnswers
from portal_service.service_calls import ServiceCalls
from portal_service.settings import PortalSettings


@dataclass(frozen=True)
class PortalState:
    """Made once by `create_app`; a request finds it with `state_of`."""

    settings: PortalSettings
    cookie_cipher: CookieCipher
    provider: OidcProvider
    calls: ServiceCalls
    templates: Environment
    answers: RecentAnswers[Any]
    """What the frame of every page needs of the services."""
    now: Callable[[], datetime] | None
    """The embedded clock, for the top bar; None where time cannot be travelled."""


def state_of(request: Request) -> PortalState:
    """The portal that serves this request."""
    portal: PortalState = request.app.state.portal
    return portal
