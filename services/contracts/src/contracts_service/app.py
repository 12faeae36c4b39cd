"""Service definition and HTTP application of the contracts service."""

from fastapi import FastAPI

from contracts_service.models import Base
from contracts_service.policy import Policy
from contracts_service.queries import has_left
from contracts_service.settings import ContractsSettings
from contracts_service.subscribers import SUBSCRIBERS
from contracts_service.timers import TIMERS
from shared.api import create_api
from shared.auth import PrincipalOf
from shared.clock import Clock
from shared.db import Database
from shared.service import Service

Settings = ContractsSettings

SERVICE = Service(
    name="contracts",
    package="contracts_service",
    metadata=Base.metadata,
    subscribers=SUBSCRIBERS,
    has_left=has_left,
    timers=TIMERS,
)


def create_app(
    database: Database,
    clock: Clock,
    principal_of: PrincipalOf,
    policy: Policy | None = None,
    **state: object,
) -> FastAPI:
    """The API of the contracts service; `policy` is the installation's."""
    from contracts_service.api import router  # not needed by a worker

    return create_api(
        SERVICE,
        router,
        database=database,
        clock=clock,
        principal_of=principal_of,
        policy=policy or Policy(),
        known_products=set(),
        **state,
    )


def state_of(settings: ContractsSettings) -> dict[str, object]:
    """The values from the settings for `app.state`."""
    return {"policy": settings}
