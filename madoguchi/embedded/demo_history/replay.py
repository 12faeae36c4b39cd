"""The services at a past instant: their APIs asked in this process, their events delivered.

Used before anything else runs: the clock stands where the script sets it, and events go straight
from outbox to inbox, whatever transport the product uses afterwards.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import structlog.testing
from fastapi import Request

from event_contracts import SUBSCRIPTIONS
from interchange_service.app import webhook_sender
from interchange_service.settings import InterchangeSettings
from interchange_service.webhook_worker import WebhookSender
from madoguchi.services import SERVICES
from notifier_service.app import sender_with
from notifier_service.mail_worker import Sender
from notifier_service.returns_client import ReturnsClient
from notifier_service.settings import NotifierSettings
from shared.auth import Principal, Role
from shared.db import Database
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.main import api_of
from shared.relay import Relay
from shared.service import ServiceRuntime
from shared.settings import ServiceSettings
from shared.tokens import bearer_token
from shared.transport import EmbeddedTransport
from shared.worker import Worker

NOTIFIER = Principal(
    "madoguchi-notifier", "notifier", None, None, None, frozenset({Role.SERVICE}), None
)


class ScriptedClock:
    """A clock that stands wherever the script sets it."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """The instant of the script."""
        return self.instant


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """Something that somebody does at a minute of a half day (days.py)."""

    slot: int
    minute: int
    act: "Callable[[Replay], Awaitable[None]]"


class StepRefused(RuntimeError):
    """The product refused a step of the script: the script is wrong."""


class _AsNotifier:
    """The token by which the sender of mails is known in this process."""

    async def current(self) -> str:
        return NOTIFIER.user_id

    def discard(self) -> None:
        """There is no other."""


class Deliveries(EmbeddedTransport):
    """Remembers which services have heard of something."""

    def __init__(
        self, inboxes: Mapping[str, Inbox], subscriptions: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__(inboxes, subscriptions)
        self._listens = subscriptions
        self.heard: set[str] = set()

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        """As the transport, for services that listen."""
        kinds = {event.aggregate_type for event in batch}
        self.heard |= {name for name, wanted in self._listens.items() if kinds & set(wanted)}
        return await super().publish(batch)


@dataclass(slots=True)
class Replay:
    """The services with the script's clock."""

    clock: ScriptedClock
    http: httpx.AsyncClient
    running: Mapping[str, ServiceRuntime]
    transport: "Deliveries"
    mails: Sender
    webhooks: WebhookSender
    relays: dict[str, Relay] = field(init=False)
    touched: set[str] = field(default_factory=set)
    """Services that may have something in their outbox."""

    def __post_init__(self) -> None:
        self.relays = {name: part.relay(self.transport) for name, part in self.running.items()}
        self.touched |= set(self.running)

    async def ask(  # noqa: PLR0913 - what a request is made of
        self,
        person: str,
        service: str,
        path: str,
        body: object = None,
        *,
        method: str = "POST",
        version: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer to a person's request. Raises StepRefused."""
        sent = {"authorization": f"Bearer {person}", **(headers or {})}
        if version is not None:
            sent["if-match"] = f'"{version}"'
        self.touched.add(service)
        url = f"http://{service}/api/{service}/v1{path}"
        answer = await self.http.request(method, url, json=body, headers=sent)
        if answer.is_error:
            raise StepRefused(f"{self.clock.now()} {person} {url} {body}: {answer.text}")
        return dict(answer.json()) if answer.content else {}

    async def deliver(self) -> None:
        """Let events and mails take effect until nothing more follows from them.

        Only who was asked, or has heard of something, can have anything to say.
        """
        while self.touched:
            for name in sorted(self.touched):
                while await self.relays[name].relay_once():
                    pass
            self.touched.clear()
            heard, self.transport.heard = self.transport.heard, set()
            for name in sorted(heard):
                await _drain(self.running[name].worker)
            if "notifier" in heard:
                await self.send_mails()
            if "interchange" in heard:
                while await self.webhooks.send_one():
                    pass
            self.touched |= heard

    async def send_mails(self) -> None:
        """Send what is due, and hang up."""
        while await self.mails.send_one():
            pass
        await self.mails.server.hang_up()

    async def fire_timers(self, *services: str) -> int:
        """Let happen what is due by now; returns how much it was."""
        self.touched.update(services)
        return sum([await self.running[name].timer_worker.fire_due() for name in services])

    async def give_up(self, service: str) -> None:
        """Try what a service cannot process as often as it is tried, without the pauses.

        The operator's page shows it; the log stays without an alarm that is none.
        """
        with structlog.testing.capture_logs():
            await _drain(replace(self.running[service].worker, pause=0))

    async def leave(self) -> None:
        """Give back what the product's own relays need."""
        for relay in self.relays.values():
            await relay.give_back()


@asynccontextmanager
async def stage(
    databases: Mapping[str, Database],
    settings: Mapping[str, ServiceSettings],
    people: Mapping[str, Principal],
    begin: datetime,
) -> AsyncIterator[Replay]:
    """The services with a clock that stands at `begin`; `people` are known by their ids."""
    clock, known = ScriptedClock(begin), {**people, NOTIFIER.user_id: NOTIFIER}

    async def principal_of(request: Request) -> Principal:
        return known[bearer_token(request)]

    running = {
        name: ServiceRuntime(_service(name, settings[name]), database, clock)
        for name, database in databases.items()
    }
    apis = {
        f"all://{name}": httpx.ASGITransport(
            api_of(
                SERVICES[name],
                settings[name],
                database=database,
                clock=clock,
                principal_of=principal_of,
            )
        )
        for name, database in databases.items()
    }
    notifier, interchange = settings["notifier"], settings["interchange"]
    assert isinstance(notifier, NotifierSettings)
    assert isinstance(interchange, InterchangeSettings)
    async with httpx.AsyncClient(mounts=apis) as http:
        recipients = ReturnsClient(
            "http://returns", http, _AsNotifier(), commuter_url="http://commuter"
        )
        inboxes = {name: part.inbox for name, part in running.items()}
        made = Replay(
            clock,
            http,
            running,
            Deliveries(inboxes, SUBSCRIPTIONS),
            sender_with(notifier, databases["notifier"], clock, recipients),
            webhook_sender(interchange, databases["interchange"], clock),
        )
        try:
            yield made
        finally:
            await made.leave()


async def _drain(worker: Worker) -> None:
    """Process until nothing is due."""
    while await worker.process_batch():
        pass


def _service(name: str, settings: ServiceSettings) -> Any:
    app = SERVICES[name]
    return app.service_of(settings) if hasattr(app, "service_of") else app.SERVICE
