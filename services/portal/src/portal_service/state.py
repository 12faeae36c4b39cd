"""Portal state: what every request of one process shares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from jinja2 import Environment

from portal_service.access_log import AccessLogWriter
from portal_service.encrypted_cookies import CookieCipher
from portal_service.ended_sessions import EndedSessions
from portal_service.oidc import OidcProvider
from portal_service.recent_answers import RecentAnswers
from portal_service.service_calls import ServiceCalls
from portal_service.settings import PortalSettings
from shared.db import Database
from shared.notifications import NotificationListener


@dataclass(frozen=True)
class PortalState:
    """Made once by `create_app`; a request finds it with `state_of`."""

    settings: PortalSettings
    cookie_cipher: CookieCipher
    provider: OidcProvider
    calls: ServiceCalls
    database: Database
    listener: NotificationListener
    ended: EndedSessions
    access_log: AccessLogWriter
    templates: Environment
    answers: RecentAnswers[Any]
    """What the frame of every page needs of the services."""
    now: Callable[[], datetime] | None
    """The embedded clock, for the top bar; None where time cannot be travelled."""


def state_of(request: Request) -> PortalState:
    """The portal that serves this request."""
    portal: PortalState = request.app.state.portal
    return portal
