"""Access events: the log lines of docs/security-log.md that every service writes.

The names are those that ECS and OpenTelemetry share. An actor is an id, never a name.
"""

import structlog
from fastapi import Request

from shared.metrics import ACCESS_REFUSED

log = structlog.get_logger()


def access_refused(request: Request, service: str, code: str, route: str) -> None:
    """Log and count a refusal of access: who, from where, on which route, and the code."""
    state = request.state
    person = getattr(state, "principal", None)
    ACCESS_REFUSED.labels(service, code).inc()
    log.warning(
        "access",
        **{
            "event.action": "access-refused",
            "event.outcome": "failure",
            "event.code": code,
            "user.id": person.person_id if person else getattr(state, "claimed_actor", None),
            "client.address": getattr(state, "client", None),
            "http.request.method": request.method,
            "http.route": route,
            "service.name": service,
        },
    )
