"""Entry point of a service's processes: `python -m shared.main returns_service api`.

A service's package has a module `app` with `SERVICE`, `create_app(database=, clock=,
principal_of=, **state)` and, where needed, `Settings` (more than ServiceSettings),
`state_of(settings)` for its app, `service_of(settings)`, and `background_work(settings, running)`
for its worker.
"""

import argparse
import asyncio
import contextlib
import gc
import importlib
from collections.abc import Iterator, Sequence
from functools import partial
from types import ModuleType
from typing import Any

import httpx
import uvicorn
import uvloop
from fastapi import FastAPI

from event_contracts import SUBSCRIPTIONS
from shared import logging, migrate, tracing
from shared.auth import PrincipalOf
from shared.client_address import networks
from shared.clock import Clock, SystemClock
from shared.database_rights import AppRoleMissing
from shared.db import Database
from shared.graceful_shutdown import GracefulServer
from shared.http import install_probes
from shared.issuer_keys import RemoteKeys
from shared.postgres_connection import DatabaseUnavailable
from shared.rabbitmq import InboundBuffer, Topology
from shared.service import Background, ServiceRuntime
from shared.settings import ServiceSettings
from shared.signals import run_until_signalled
from shared.start_settings import or_exit
from shared.tokens import TokenVerifier, principal_of


def settings_of(app: ModuleType, **given: Any) -> ServiceSettings:
    """The settings of a service: those given, else the environment's, by the service's prefix."""
    kind: type[ServiceSettings] = getattr(app, "Settings", ServiceSettings)
    return kind(_env_prefix=f"{app.SERVICE.name.upper()}_", **given)


def api_of(
    app: ModuleType,
    settings: ServiceSettings,
    *,
    database: Database,
    clock: Clock,
    principal_of: PrincipalOf,
) -> FastAPI:
    """The HTTP side of a service, with what it needs of its settings."""
    state = app.state_of(settings) if hasattr(app, "state_of") else {}
    api: FastAPI = app.create_app(
        database=database, clock=clock, principal_of=principal_of, **state
    )
    api.state.trusted_proxies = networks(settings.trusted_proxies)
    return api


def database_with(settings: ServiceSettings) -> Database:
    """The database of a process, with the pool size of its settings."""
    return Database(
        settings.database_url.get_secret_value(), pool_size=settings.database_connections
    )


async def serve(app: ModuleType, settings: ServiceSettings, host: str, port: int) -> None:
    """Serve HTTP until signalled to stop."""
    database, clock = database_with(settings), SystemClock()
    async with httpx.AsyncClient(timeout=10) as http:
        verifier = TokenVerifier(
            RemoteKeys(settings.jwks_url, http),
            issuer=settings.issuer,
            audience=settings.audience,
        )
        api = api_of(
            app, settings, database=database, clock=clock, principal_of=principal_of(verifier)
        )
        await GracefulServer(api, host, port).serve()
    await database.close()


async def work(app: ModuleType, settings: ServiceSettings, host: str, port: int | None) -> None:
    """Relay, process and fire timers until signalled to stop; serve probes if there is a port."""
    service = app.service_of(settings) if hasattr(app, "service_of") else app.SERVICE
    running = ServiceRuntime(service, database_with(settings), SystemClock())
    topology = Topology(SUBSCRIPTIONS, settings.event_prefix)
    background: Sequence[Background] = (
        app.background_work(settings, running) if hasattr(app, "background_work") else ()
    )
    arrivals = InboundBuffer(running.inbox)
    probes = [] if port is None else [partial(answer_probes, running, arrivals, host, port)]
    await running.work_with_rabbitmq(
        settings.broker_url, topology, *background, *probes, arrivals=arrivals
    )


class ProbeServer(uvicorn.Server):
    """Leaves the signals to the worker that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def answer_probes(
    running: ServiceRuntime, arrivals: InboundBuffer, host: str, port: int
) -> None:
    """`/livez`, `/readyz`, `/metrics` of a worker: ready with its database and its queue."""

    async def ready() -> dict[str, bool]:
        return {
            "database": await running.database.is_ready(),
            "consumer": await arrivals.has_consumer(),
        }

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install_probes(app, ready)
    config = uvicorn.Config(
        app, host=host, port=port, access_log=False, log_config=None, lifespan="off"
    )
    await ProbeServer(config).serve()


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", help="returns_service, for example")
    parser.add_argument("part", choices=("api", "worker", "migrate"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port",
        type=int,
        help="of the API (default 8000), or of a worker's probes (default: no probes)",
    )
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="stop when the parent process ends"
    )
    args = parser.parse_args()
    app = importlib.import_module(f"{args.package}.app")
    settings = or_exit(app.SERVICE.name, partial(settings_of, app))
    if args.part == "worker":
        or_exit(app.SERVICE.name, lambda: settings.broker_url)
    logging.configure(level=settings.log_level)
    if args.part == "migrate":
        try:
            urls = settings.database_url, settings.owner_database_url
            asyncio.run(migrate.upgrade_as_owner(*urls, args.package))
        except (DatabaseUnavailable, AppRoleMissing) as cause:
            raise SystemExit(f"{app.SERVICE.name}: {cause}") from None
        return
    tune_gc()
    tracing.start(app.SERVICE.name, settings.otlp_endpoint)
    if args.part == "api":
        part = serve(app, settings, args.host, 8000 if args.port is None else args.port)
    else:
        part = work(app, settings, args.host, args.port)
    try:
        uvloop.run(run_until_signalled(part, by_stdin=args.until_stdin_closes))
    finally:
        tracing.stop()


def tune_gc() -> None:
    """Freeze start-up objects out of garbage collection (gc.freeze), and collect less often.

    With its defaults the collector walks through all modules again and again while events are
    processed: a fifth of the relay's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


if __name__ == "__main__":
    main()
