"""Interchange service: its parts, its HTTP API, and its webhook worker."""

from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from interchange_service.amqp_consumer import AmqpConsumers
from interchange_service.api.authentication import with_api_keys
from interchange_service.api.rate_limit import RateLimit
from interchange_service.broker_definitions import BrokerNames
from interchange_service.gauges import measure
from interchange_service.maintenance import run_maintenance
from interchange_service.models import DEPARTED_STAFF, Base
from interchange_service.queries import operators_work
from interchange_service.rules.webhooks import HORIZON
from interchange_service.settings import InterchangeSettings as Settings
from interchange_service.subscribers import subscribers_with
from interchange_service.webhook_worker import WebhookSender
from shared.api import create_api
from shared.auth import PrincipalOf
from shared.clock import Clock
from shared.db import Database
from shared.departed_staff import left_according_to
from shared.service import Background, Service, ServiceRuntime

__all__ = [
    "SERVICE", "Settings", "background_work", "create_app", "service_of", "state_of",
    "webhook_sender",
]  # fmt: skip


def service_with(horizon: timedelta) -> Service:
    """The interchange with its own horizon."""
    return Service(
        name="interchange",
        package="interchange_service",
        metadata=Base.metadata,
        subscribers=subscribers_with(horizon),
        channels=("webhook",),
        operators_work=operators_work,
        has_left=left_according_to(DEPARTED_STAFF),
        measure=measure,
    )


SERVICE = service_with(HORIZON)


def state_of(settings: Settings) -> dict[str, object]:
    """What the API needs of the settings."""
    return {
        "public_url": settings.public_url,
        "rate_limit": RateLimit(settings.requests_per_minute),
        "secret_box": settings.secret_box,
        "post": settings.post,
    }


def create_app(
    database: Database, clock: Clock, principal_of: PrincipalOf, **state: object
) -> FastAPI:
    """The API of the interchange; dealers' systems are recognised by their keys."""
    from interchange_service.api import router  # a worker does not need it
    from interchange_service.api.documentation import links_to
    from interchange_service.dealer_docs.event_requests import event_schemas

    state.setdefault("rate_limit", RateLimit(600))
    state.setdefault("schemas", event_schemas())
    app = create_api(
        SERVICE,
        router,
        database=database,
        clock=clock,
        principal_of=with_api_keys(principal_of),
        **state,
    )
    app.state.documentation_of = links_to(app, str(state.get("public_url", "")))
    return app


def service_of(settings: Settings) -> Service:
    """The interchange as its settings say."""
    return service_with(settings.webhook_horizon)


def webhook_sender(settings: Settings, database: Database, clock: Clock) -> WebhookSender:
    """The webhook worker; `run()` goes beside the event worker, in any number of processes."""
    return WebhookSender(
        database, clock, settings.secret_box, settings.post, lanes=settings.webhook_senders
    )


def background_work(settings: Settings, running: ServiceRuntime) -> list[Background]:
    """Background work beside the event worker: maintenance, webhooks, and dealers' messages.

    The last only with a broker.
    """
    background: list[Background] = [
        partial(
            run_maintenance,
            running.database,
            running.clock,
            settings.kept,
            settings.kept_unsettled,
        ),
        partial(
            webhook_sender(settings, running.database, running.clock).run,
            running.listener["webhook"],
        ),
    ]
    if settings.rabbitmq_url is not None and settings.rabbitmq_url.get_secret_value():
        background.append(
            AmqpConsumers(
                settings.rabbitmq_url.get_secret_value(),
                BrokerNames(settings.event_prefix),
                running.database,
                running.clock,
                rate=settings.ingress_per_second,
            ).run
        )
    return background
