"""Replay of past instants: the services' APIs called in this process, their events delivered.

Used before anything else runs: the script sets the clock, and events go directly from outbox to
inbox, independent of the transport that the product uses afterwards.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog.testing
from fastapi import Request

from event_contracts import SUBSCRIPTIONS
from interchange_service.app import webhook_sender
from interchange_service.rules.webhooks import retry_delay
from interchange_service.settings import InterchangeSettings
from interchange_service.webhook_worker import WebhookSender
from madoguchi.services import SERVICES
from notifier_service.app import sender_with
from notifier_service.mail_worker import Sender
from notifier_service.recipients_client import ReturnsClient
from notifier_service.settings import NotifierSettings
from shared.auth import Principal, PrincipalOf, Role
from shared.db import Database
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.main import api_of
from shared.relay import Relay
from shared.service import Service, ServiceRuntime
from shared.settings import ServiceSettings
from shared.tokens import bearer_token
from shared.transport import EmbeddedTransport
from shared.worker import Worker

NOTIFIER = Principal(
    "madoguchi-notifier", "notifier", None, None, None, frozenset({Role.SERVICE}), None
)


Answer = dict[str, Any]  # the JSON object that an operation answers


class ScriptedClock:
    """A clock that the script sets."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """The instant of the script."""
        return self.instant


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """A step taken at a minute of a half-day slot (business_days.py)."""

    slot: int
    minute: int
    run: "Callable[[Replay], Awaitable[None]]"


class StepRefused(RuntimeError):
    """The product refused a step, so the script is wrong."""


class _NotifierToken:
    """The notifier's service token in this process."""

    async def current(self) -> str:
        return NOTIFIER.user_id

    def discard(self) -> None:
        """Do nothing: there is no other token."""


class Deliveries(EmbeddedTransport):
    """Records which services received events."""

    def __init__(
        self, inboxes: Mapping[str, Inbox], subscriptions: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__(inboxes, subscriptions)
        self._subscriptions = subscriptions
        self.receivers: set[str] = set()

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        """Publish as the transport does, and record the subscribers."""
        kinds = {event.aggregate_type for event in batch}
        self.receivers |= {
            name for name, wanted in self._subscriptions.items() if kinds & set(wanted)
        }
        return await super().publish(batch)


@dataclass(slots=True)
class Replay:
    """The services running on the script's clock."""

    clock: ScriptedClock
    http: httpx.AsyncClient
    running: Mapping[str, ServiceRuntime]
    transport: "Deliveries"
    mails: Sender
    webhooks: WebhookSender
    relays: dict[str, Relay] = field(init=False)
    touched: set[str] = field(default_factory=set)
    """Services that may have unpublished events."""

    def __post_init__(self) -> None:
        self.relays = {name: part.relay(self.transport) for name, part in self.running.items()}
        self.touched |= set(self.running)

    async def ask(  # noqa: PLR0913 - what a request is replay of
        self,
        person: str,
        service: str,
        path: str,
        body: object = None,
        *,
        method: str = "POST",
        version: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
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
        """Process events and mails until no new ones result.

        Only services that received a request or an event can have published events.
        """
        while self.touched:
            for name in sorted(self.touched):
                while await self.relays[name].relay_once():
                    pass
            self.touched.clear()
            receivers, self.transport.receivers = self.transport.receivers, set()
            for name in sorted(receivers):
                await _drain(self.running[name].worker)
            if "notifier" in receivers:
                await self.send_mails()
            if "interchange" in receivers:
                while await self.webhooks.send_one():
                    pass
            self.touched |= receivers

    async def send_mails(self) -> None:
        """Send the mails that are due, and close the connection."""
        while await self.mails.send_one():
            pass
        await self.mails.server.hang_up()

    async def fire_timers(self, *services: str) -> int:
        """Fire the timers that are due; returns their number."""
        self.touched.update(services)
        return sum([await self.running[name].timer_worker.fire_due() for name in services])

    async def give_up(self, service: str) -> None:
        """Use up all retries of an event that cannot be processed, without the delays.

        The operator's page shows the dead letter; the log is kept free of a false alarm.
        """
        with structlog.testing.capture_logs():
            await _drain(replace(self.running[service].worker, pause=0))

    async def give_up_webhooks(self) -> None:
        """Make every attempt of the message that is due, each at its time, without the delays."""
        began, at_once = self.clock.instant, replace(self.webhooks, waited=0)
        attempts = 0
        while await at_once.send_one():
            attempts += 1
            self.clock.instant += retry_delay(attempts, chance=0) or timedelta()
        self.clock.instant = began

    async def leave(self) -> None:
        """Release the relay locks, which the product's own relays need."""
        for relay in self.relays.values():
            await relay.give_back()


@asynccontextmanager
async def open_replay(
    databases: Mapping[str, Database],
    settings: Mapping[str, ServiceSettings],
    people: Mapping[str, Principal],
    begin: datetime,
) -> AsyncIterator[Replay]:
    """Open the services with a clock set to `begin`; `people` are keyed by user id."""
    clock, known = ScriptedClock(begin), _known({**people, NOTIFIER.user_id: NOTIFIER})
    running = {
        name: ServiceRuntime(_service(name, settings[name]), database, clock)
        for name, database in databases.items()
    }
    apis = {
        f"all://{name}": httpx.ASGITransport(
            api_of(SERVICES[name], settings[name], database=each, clock=clock, principal_of=known)
        )
        for name, each in databases.items()
    }
    notifier, interchange = settings["notifier"], settings["interchange"]
    assert isinstance(notifier, NotifierSettings)
    assert isinstance(interchange, InterchangeSettings)
    async with httpx.AsyncClient(mounts=apis) as http:
        recipients = ReturnsClient(
            "http://returns", http, _NotifierToken(), commuter_url="http://commuter"
        )
        inboxes = {name: part.inbox for name, part in running.items()}
        replay = Replay(
            clock,
            http,
            running,
            Deliveries(inboxes, SUBSCRIPTIONS),
            sender_with(notifier, databases["notifier"], clock, recipients),
            webhook_sender(interchange, databases["interchange"], clock),
        )
        try:
            yield replay
        finally:
            await replay.leave()


def _known(people: Mapping[str, Principal]) -> PrincipalOf:
    """Identifies a person by their user id in place of a token."""

    async def principal_of(request: Request) -> Principal:
        return people[bearer_token(request)]

    return principal_of


async def _drain(worker: Worker) -> None:
    """Process batches until none is due."""
    while await worker.process_batch():
        pass


def _service(name: str, settings: ServiceSettings) -> Service:
    app = SERVICES[name]
    found: Service = app.service_of(settings) if hasattr(app, "service_of") else app.SERVICE
    return found
