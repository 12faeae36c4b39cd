"""All-in-one: starts everything in one process, serves until Ctrl-C, and cleans up.

PostgreSQL is embedded or given; events go directly from outbox to inbox, or over a given RabbitMQ;
mails go to the local catcher; people log in at the development issuer. All durable state lies in
the data folder, so that kill -9 and a restart lose nothing.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager

import httpx

from madoguchi.embedded import postgres
from madoguchi.embedded.assembly import Assembly, begin_demo, sandbox_of
from madoguchi.embedded.demo.size import Demo
from madoguchi.embedded.first_start import is_empty, unfinished
from madoguchi.embedded.mail_catcher import catch_mail
from madoguchi.embedded.persistent_clock import PersistentClock
from madoguchi.embedded.process_layout import Application, as_processes, free_port, in_one_process
from madoguchi.embedded.readiness import all_ready, events_arrived
from madoguchi.embedded.run_config import RunConfig
from madoguchi.embedded.sandbox import KEY_FILE
from madoguchi.services import PACKAGES, SERVICES
from shared.db import Database
from shared.graceful_shutdown import GracefulServer
from shared.service import ServiceRuntime


@asynccontextmanager
async def start_application(
    config: RunConfig, embedded: Future[str] | None = None
) -> AsyncIterator[Application]:
    """Set up all parts, and clean up at the end; `embedded` is a PostgreSQL that is starting."""
    fresh = config.fresh or unfinished(config.data).exists()
    if fresh:
        shutil.rmtree(config.data / "mail", ignore_errors=True)
        for name in ("clock.json", KEY_FILE):
            (config.data / name).unlink(missing_ok=True)
    config.data.mkdir(parents=True, exist_ok=True)
    secrets = postgres.Secrets(config.data / "secrets.json")
    clock = PersistentClock(config.data / "clock.json")
    admin = config.postgres
    if admin is None and embedded is not None:
        admin = await asyncio.wrap_future(embedded)
    elif admin is None:
        admin = await asyncio.to_thread(postgres.start_embedded, config.data)
    if fresh:
        for name in PACKAGES:
            await postgres.drop_service_database(admin, name)
    async with contextlib.AsyncExitStack() as stack:
        urls = await postgres.service_databases(admin, PACKAGES, secrets)
        running = {}
        for name, app in SERVICES.items():
            database = Database(urls[name])
            stack.push_async_callback(database.close)
            running[name] = ServiceRuntime(app.SERVICE, database, clock)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        smtp_port = free_port()
        catcher = await asyncio.to_thread(catch_mail, config.data / "mail", smtp_port)
        stack.callback(catcher.stop)
        assembly = Assembly(config, secrets, clock, running, http, smtp_port, urls["portal"])
        if config.demo is not Demo.NONE and await is_empty(running["contracts"].database):
            await begin_demo(assembly)
        if (sandbox := sandbox_of(assembly)) is not None:
            await sandbox.ensure_key()
        yield as_processes(assembly) if config.processes else in_one_process(assembly)


async def run(
    config: RunConfig,
    *,
    ready: Callable[[], None],
    on_demo_start: Callable[[], None],
    embedded: Future[str] | None = None,
) -> None:
    """Start everything, call `ready`, and serve until Ctrl-C.

    `on_demo_start` is called when the pages are up and the demo data is not made yet.
    """
    async with start_application(config, embedded) as parts:
        server = GracefulServer(parts.app, config.host, parts.port, idle_s=0)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.02)
        if serving.done():
            await serving
            return
        working = asyncio.create_task(_fill_and_work(parts, ready, on_demo_start))
        await asyncio.wait({working, serving}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        working.cancel()
        (ended,) = await asyncio.gather(working, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended


async def _fill_and_work(
    parts: Application,
    ready: Callable[[], None],
    on_demo_start: Callable[[], None],
) -> None:
    """Make the demo data if it is not made yet, then work until cancelled."""
    if parts.demo_progress.under_way:
        on_demo_start()
        await parts.make_demo()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(parts.work())
        for api in parts.apis:
            api.made()
            await asyncio.sleep(0.01)
        if await all_ready(parts.config.url):
            await events_arrived(parts.databases)
            ready()
