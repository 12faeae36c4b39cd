"""Application in either process layout: all services in this process, or each as processes.

Without --processes every service runs here; with it, APIs, workers and the portal are child
processes behind nginx, if nginx is installed.
"""

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from event_contracts import SUBSCRIPTIONS
from madoguchi.embedded.assembly import (
    AUDIENCE,
    Assembly,
    demo_pages,
    make_demo,
    portal_values,
    service_settings,
    service_values,
)
from madoguchi.embedded.first_start import DemoProgress
from madoguchi.embedded.gateway import nginx_command, nginx_process, nginx_program
from madoguchi.embedded.persistent_clock import PersistentClock
from madoguchi.embedded.processes import (
    Child,
    Forward,
    LazyApp,
    PathRouter,
    portal_process,
    service_process,
)
from madoguchi.embedded.run_config import RunConfig
from madoguchi.services import SERVICES
from portal_service.app import create_app as create_portal
from portal_service.background import keep_running
from portal_service.service_calls import LocalCalls
from portal_service.settings import PortalSettings
from shared import metrics
from shared.db import Database
from shared.inbox import Inbox
from shared.issuer_keys import RemoteKeys
from shared.main import api_of
from shared.rabbitmq import RabbitTransport, Topology
from shared.service import Background, ServiceRuntime
from shared.settings import ServiceSettings
from shared.tokens import TokenVerifier, principal_of
from shared.transport import EmbeddedTransport

TARGETS = "prometheus-targets.json"
NOTIFIER_CALLS = ("returns_url", "commuter_url")


@dataclass(frozen=True, slots=True)
class Application:
    """All parts, created but not yet started. `running` is empty where services are processes."""

    config: RunConfig
    clock: PersistentClock
    app: ASGIApp
    running: dict[str, ServiceRuntime]
    background: tuple[Background, ...]
    databases: tuple[Database, ...]
    port: int
    demo_progress: DemoProgress
    make_demo: Background
    apis: tuple[LazyApp, ...] = ()

    async def work(self) -> None:
        """Run every worker until cancelled."""
        inboxes = {name: part.inbox for name, part in self.running.items()}
        async with asyncio.TaskGroup() as tasks:
            for part in self.running.values():
                tasks.create_task(self._work_of(part, inboxes))
            for background in self.background:
                tasks.create_task(background())

    async def _work_of(self, part: ServiceRuntime, inboxes: dict[str, Inbox]) -> None:
        if self.config.rabbitmq is None:
            await part.work(EmbeddedTransport(inboxes, SUBSCRIPTIONS))
        else:
            topology = Topology(SUBSCRIPTIONS, self.config.event_prefix)
            await part.work_with_rabbitmq(RabbitTransport(self.config.rabbitmq, topology))


def in_one_process(assembly: Assembly) -> Application:
    """Create every service in this process."""
    config = assembly.config
    settings = service_settings(assembly)
    apps = _apis(assembly, settings)
    portal = _portal(assembly, apps)
    background = [*_background_work(assembly, settings)]
    for name in assembly.running:
        metrics.this_process(name, "api")
        metrics.this_process(name, "worker")
    metrics.this_process("portal", "pages")
    background.append(partial(keep_running, portal.state.portal))
    return Application(
        config,
        assembly.clock,
        _path_router(assembly, portal, apps),
        assembly.running,
        tuple(background),
        assembly.databases,
        config.port,
        assembly.demo_progress,
        partial(make_demo, assembly),
        tuple(apps.values()),
    )


def _apis(assembly: Assembly, settings: Mapping[str, ServiceSettings]) -> dict[str, LazyApp]:
    """The API of every service, created on its first request."""
    url = assembly.config.url
    verifier = TokenVerifier(
        RemoteKeys(f"{url}/issuer/jwks", assembly.http), issuer=f"{url}/issuer", audience=AUDIENCE
    )
    return {
        name: LazyApp(
            partial(
                api_of,
                SERVICES[name],
                settings[name],
                database=part.database,
                clock=assembly.clock,
                principal_of=principal_of(verifier),
            )
        )
        for name, part in assembly.running.items()
    }


def as_processes(assembly: Assembly) -> Application:
    """Create every API, every worker and the portal as child processes, behind nginx if installed.

    They call each other directly: internal requests do not pass the gateway.
    """
    config = assembly.config
    ports = {name: free_port() for name in (*assembly.running, "portal")}
    urls = {f"{name}_url": f"http://127.0.0.1:{port}" for name, port in ports.items()}
    portal = _environment("portal", portal_values(assembly) | urls)
    probes = {name: free_port() for name in assembly.running}
    children = [
        portal_process(portal, ports["portal"]),
        *_service_processes(assembly, ports, probes, urls),
    ]
    write_targets(config.data / TARGETS, ports, probes)
    port = config.port
    if program := nginx_program():
        port = free_port()
        addresses = {name: f"127.0.0.1:{at}" for name, at in ports.items()}
        folder, own_address = config.data / "gateway", f"127.0.0.1:{port}"
        children.append(
            nginx_process(nginx_command(program, folder, config.port, addresses, own_address))
        )
    parts: dict[str, ASGIApp] = {
        f"/api/{name}": Forward(urls[f"{name}_url"]) for name in assembly.running
    }
    router = PathRouter({**parts, **demo_pages(assembly)}, Forward(urls["portal_url"]))
    background = tuple(child.run for child in children)
    return Application(
        config,
        assembly.clock,
        router,
        {},
        background,
        assembly.databases,
        port,
        assembly.demo_progress,
        partial(make_demo, assembly),
    )


def write_targets(file: Path, apis: Mapping[str, int], workers: Mapping[str, int]) -> None:
    """Write where Prometheus finds the metrics of every process, for its `file_sd_configs`."""
    named = {
        **{name if name == "portal" else f"{name}-api": port for name, port in apis.items()},
        **{f"{name}-worker": port for name, port in workers.items()},
    }
    targets = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"process": process}}
        for process, port in named.items()
    ]
    file.write_text(json.dumps(targets, indent=1))


def _service_processes(
    assembly: Assembly,
    ports: Mapping[str, int],
    probes: Mapping[str, int],
    urls: Mapping[str, str],
) -> Iterator[Child]:
    """The API process and the worker process of every service."""
    for name, part in assembly.running.items():
        values = service_values(assembly, name)
        if name == "notifier":
            values |= {key: urls[key] for key in NOTIFIER_CALLS}
        environment, package = _environment(name, values), part.service.package
        yield service_process(package, "api", environment, ports[name])
        yield service_process(package, "worker", environment, probes[name])


def _environment(part: str, values: Mapping[str, object]) -> dict[str, str]:
    """The settings as environment variables of a child process."""
    return {f"{part}_{key}".upper(): str(value) for key, value in values.items()}


def _background_work(
    assembly: Assembly, settings: Mapping[str, ServiceSettings]
) -> Iterator[Background]:
    """What the services do besides their events, each by its module."""
    for name, part in assembly.running.items():
        if hasattr(SERVICES[name], "background_work"):
            yield from SERVICES[name].background_work(settings[name], part)


def _portal(assembly: Assembly, services: Mapping[str, ASGIApp]) -> FastAPI:
    settings = PortalSettings(**portal_values(assembly))
    calls = LocalCalls(services, settings.service_urls, settings.upstream_timeout_s)
    return create_portal(settings, http=assembly.http, calls=calls, now=assembly.clock.now)


def _path_router(
    assembly: Assembly, portal: ASGIApp, services: Mapping[str, ASGIApp]
) -> PathRouter:
    """All parts behind one address; with the clock page, as child processes read the real clock."""
    own = demo_pages(assembly)
    parts = {f"/api/{name}": app for name, app in services.items()}
    return PathRouter({**parts, **own, "/clock": own["/mailbox"]}, portal)


def free_port() -> int:
    """A TCP port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
