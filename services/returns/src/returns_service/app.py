"""The returns service by its parts, and its HTTP side."""

from collections.abc import Mapping

from fastapi import FastAPI

from returns_service.models import Base
from returns_service.queries import has_left
from returns_service.rules.return_form import DEFAULT_REASONS
from returns_service.settings import ReturnsSettings
from returns_service.subscribers import SUBSCRIBERS
from shared.api import create_api
from shared.auth import PrincipalOf
from shared.clock import Clock
from shared.db import Database
from shared.service import Service

SERVICE = Service(
    name="returns",
    package="returns_service",
    metadata=Base.metadata,
    subscribers=SUBSCRIBERS,
    has_left=has_left,
)


def create_app(
    database: Database,
    clock: Clock,
    principal_of: PrincipalOf,
    *,
    reasons: Mapping[str, str] = DEFAULT_REASONS,
    **state: object,
) -> FastAPI:
    """The app under `/api/returns/v1`; `reasons` are the 未返却理由 that may be chosen (D92)."""
    from returns_service.api import router  # a worker does without it

    return create_api(
        SERVICE,
        router,
        database=database,
        clock=clock,
        principal_of=principal_of,
        reasons=reasons,
        **state,
    )


Settings = ReturnsSettings


def state_of(settings: ReturnsSettings) -> dict[str, object]:
    """What the app needs of the settings."""
    return {"reasons": settings.unreturned_reasons}
