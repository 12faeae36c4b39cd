"""The commuter service by its parts, and its HTTP side."""

from functools import partial

from fastapi import FastAPI

from commuter_service import fare_errors
from commuter_service.adapters.network_store import with_network
from commuter_service.adapters.receipt_store import NoStore, receipt_store_of
from commuter_service.adapters.route_providers import (
    OWN_ENGINE,
    RouteProvider,
    RouteProviderSettings,
    route_provider_of,
)
from commuter_service.adapters.virus_scan import no_scan, scan_of
from commuter_service.favourite_models import FavouriteRide as FavouriteRide  # noqa: PLC0414
from commuter_service.queries import has_left
from commuter_service.receipt_maintenance import run_receipt_maintenance
from commuter_service.receipt_models import Base
from commuter_service.settings import CommuterSettings as Settings
from commuter_service.subscribers import SUBSCRIBERS
from commuter_service.timers import TIMERS
from shared.api import create_api
from shared.auth import PrincipalOf
from shared.clock import JST, Clock, SystemClock
from shared.db import Database
from shared.service import Background, Service, ServiceRuntime

__all__ = ["SERVICE", "Settings", "background_work", "create_app", "state_of"]

SERVICE = Service(
    name="commuter",
    package="commuter_service",
    metadata=with_network(Base.metadata),
    subscribers=SUBSCRIBERS,
    has_left=has_left,
    timers=TIMERS,
)


def create_app(
    database: Database,
    clock: Clock,
    principal_of: PrincipalOf,
    *,
    look_up: RouteProvider = OWN_ENGINE,
    **state: object,
) -> FastAPI:
    """The HTTP side of the service; `look_up` is whom 乗換案内 asks, `receipts` keeps receipts."""
    from commuter_service.api import router  # a worker does without it

    state = {"receipts": NoStore(), "scan": no_scan} | state
    app = create_api(
        SERVICE,
        router,
        database=database,
        clock=clock,
        principal_of=principal_of,
        look_up=look_up,
        **state,
    )
    fare_errors.install(app)
    return app


def state_of(settings: Settings) -> dict[str, object]:
    """What the app needs of the settings: whom 乗換案内 asks, and where receipts go."""
    today = SystemClock().now().astimezone(JST).date()
    return {
        "look_up": route_provider_of(RouteProviderSettings(), today),
        "receipts": receipt_store_of(settings),
        "scan": scan_of(settings),
    }


def background_work(settings: Settings, running: ServiceRuntime) -> list[Background]:
    """Beside the event worker: files without a receipt, and receipts that are old enough."""
    store = receipt_store_of(settings)
    return [partial(run_receipt_maintenance, running.database, running.clock, store)]
