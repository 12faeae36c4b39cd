"""`python -m shared.process returns_service api`: one process of one service.

A service's package has a module `app` with `SERVICE`, `create_app(database=, clock=,
principal_of=, **state)` and, where it needs them, `Settings` (more than ServiceSettings),
`state_of(settings)` for its app, `service_of(settings)` and `beside(settings, running)` for its
worker.
"""

import argparse
import asyncio
import contextlib
import gc
import importlib
import os
import signal
from collections.abc import Coroutine, Sequence
from types import ModuleType
from typing import Any

import httpx
import uvicorn
import uvloop
from fastapi import FastAPI

from event_contracts import SUBSCRIPTIONS
from shared import logging, migrate
from shared.auth import PrincipalOf
from shared.clock import Clock, SystemClock
from shared.db import Database
from shared.rabbitmq import Topology
from shared.service import Background, Running
from shared.settings import ServiceSettings
from shared.tokens import RemoteKeys, TokenVerifier, principal_of


def settings_of(app: ModuleType, **given: Any) -> ServiceSettings:
    """The settings of a service: those given, else from the environment with its name as prefix."""
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
    return api


async def serve(app: ModuleType, settings: ServiceSettings, host: str, port: int) -> None:
    """Answer HTTP until told to stop."""
    database, clock = Database(settings.database_url), SystemClock()
    async with httpx.AsyncClient(timeout=10) as http:
        verifier = TokenVerifier(
            RemoteKeys(settings.jwks_url, http),
            issuer=settings.issuer,
            audience=settings.audience,
        )
        api = api_of(
            app, settings, database=database, clock=clock, principal_of=principal_of(verifier)
        )
        config = uvicorn.Config(
            api, host=host, port=port, access_log=False, log_config=None, lifespan="off"
        )
        await uvicorn.Server(config).serve()
    await database.close()


async def work(app: ModuleType, settings: ServiceSettings) -> None:
    """Relay, process and fire timers until told to stop."""
    service = app.service_of(settings) if hasattr(app, "service_of") else app.SERVICE
    running = Running(service, Database(settings.database_url), SystemClock())
    topology = Topology(SUBSCRIPTIONS, settings.event_prefix)
    beside: Sequence[Background] = app.beside(settings, running) if hasattr(app, "beside") else ()
    await running.work_with_rabbitmq(settings.rabbitmq_url, topology, *beside)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", help="returns_service, for example")
    parser.add_argument("part", choices=("api", "worker", "migrate"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end when whoever started it ends"
    )
    args = parser.parse_args()
    app = importlib.import_module(f"{args.package}.app")
    settings = settings_of(app)
    logging.configure(level=settings.log_level)
    if args.part == "migrate":
        asyncio.run(migrate.upgrade(settings.database_url, args.package))
        return
    spare_the_collector()
    part = serve(app, settings, args.host, args.port) if args.part == "api" else work(app, settings)
    uvloop.run(_until_told(part, by_stdin=args.until_stdin_closes))


def spare_the_collector() -> None:
    """Let the garbage collector pass over what start-up made, and look less often.

    By its defaults it walks through all modules again and again while events pass: a fifth of the
    relay's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


async def _until_told(part: Coroutine[None, None, None], *, by_stdin: bool) -> None:
    """Run until finished, or until SIGTERM, Ctrl-C or the end of stdin."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(part)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    if by_stdin:
        loop.add_reader(0, lambda: os.read(0, 1) or task.cancel())
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main()
