"""Webhook fixture: an interchange that receives events, sends webhooks and answers people."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import httpx
from cryptography.fernet import Fernet
from fastapi import FastAPI
from sqlalchemy import text

from event_contracts.returns import ReturnEvent, ReturnStatusChanged
from interchange_service.app import SERVICE, create_app, state_of, webhook_sender
from interchange_service.settings import InterchangeSettings
from interchange_service.webhook_worker import WebhookSender
from shared.auth import Principal, Role
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.service import ServiceRuntime
from shared.testing.people import bearer, verifier
from shared.testing.stepwise import drain
from shared.tokens import principal_of
from shared.trace_context import new_id


def person(role: Role, dealer: str | None = "D01") -> Principal:
    return Principal(f"u-{role}", "someone", dealer, None, "H001", frozenset({role}), None)


OPERATOR = person(Role.OPERATOR, None)
HQ, OTHER_HQ = person(Role.HQ), person(Role.HQ, "D02")


def settings_for(database_url: str, **changes: Any) -> InterchangeSettings:
    given = {
        "database_url": database_url,
        "rabbitmq_url": "amqp://unused",
        "issuer": "http://unused",
        "jwks_url": "http://unused",
        "webhook_keys": Fernet.generate_key().decode(),
        "webhook_local": True,
        "webhook_timeout_s": 3,
    }
    return InterchangeSettings.model_validate(given | changes)


class StepwiseSender(WebhookSender):
    """The webhook worker, run step by step until nothing is due."""

    __slots__ = ()

    async def send_due(self) -> int:
        """Send all that is due, one after another; returns how many were tried."""
        tried = 0
        while await self.send_one():
            tried += 1
        return tried


@dataclass
class WebhookStack:
    """One interchange with its API; events arrive as from the returns service."""

    database: Database
    settings: InterchangeSettings
    clock: TravelClock = field(default_factory=TravelClock)
    sequences: dict[str, int] = field(default_factory=dict)

    @property
    def running(self) -> ServiceRuntime:
        return ServiceRuntime(SERVICE, self.database, self.clock)

    def sender(self, **changes: Any) -> StepwiseSender:
        settings = self.settings.model_copy(update=changes)
        made = webhook_sender(settings, self.database, self.clock)
        return StepwiseSender(**{one.name: getattr(made, one.name) for one in fields(made)})

    async def receive(
        self,
        event: type[ReturnEvent],
        *,
        times: int = 1,
        at: datetime | None = None,
        **facts: Any,
    ) -> Envelope:
        """An event about A1 arrives, perhaps several times, and is processed."""
        made = event(
            **{
                "dealer_id": "D01",
                "application_id": "A1",
                "contract_no": "12345678",
                "store_code": "S10",
                "originator_id": "D01-E101",
            }
            | facts
        )
        number = self.sequences[made.aggregate_id] = self.sequences.get(made.aggregate_id, 0) + 1
        envelope = Envelope(
            event_id=new_id(),
            source="/returns",
            type=made.wire_type,
            aggregate_type=made.aggregate_type,
            aggregate_id=made.aggregate_id,
            sequence=number,
            dealer_id=made.dealer_id,
            occurred_at=at or self.clock.now(),
            payload=made.model_dump_json().encode(),
            headers={"actor": "D01-M100"},
        )
        for _ in range(times):
            await self.running.inbox.store([envelope])
            await drain(self.running.worker)
        assert await self.running.inbox.dead_letters() == []
        return envelope

    async def enter(self, status: str = "HQ_PENDING", **facts: Any) -> Envelope:
        """An application enters a status."""
        return await self.receive(
            ReturnStatusChanged,
            **{
                "from_status": None,
                "to_status": status,
                "status_version": 1,
                "entered_at": self.clock.now(),
            }
            | facts,
        )

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            return [tuple(row) for row in await tx.execute(text(statement))]

    async def at_once(self) -> None:
        """End every delay and every lease."""
        await self.rows("UPDATE webhook_delivery SET due_at = clock_timestamp() RETURNING 1")

    async def states(self) -> list[str]:
        found = await self.rows("SELECT state FROM webhook_delivery ORDER BY delivery_id")
        return [state for (state,) in found]

    async def steps(self) -> list[str]:
        found = await self.rows(
            "SELECT step FROM webhook_delivery_log ORDER BY webhook_delivery_log_id"
        )
        return [step for (step,) in found]

    def app(self) -> FastAPI:
        people = principal_of(verifier())
        return create_app(self.database, self.clock, people, **state_of(self.settings))

    def http(self) -> httpx.AsyncClient:
        base = "http://interchange/api/interchange/v1"
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app()), base_url=base)

    async def request(
        self,
        who: Principal,
        method: str,
        path: str,
        *,
        version: int | None = None,
        once: str | None = None,
        language: str = "ja",
        **parts: Any,
    ) -> httpx.Response:
        headers = {**bearer(who), "accept-language": language}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        if once is not None:
            headers["idempotency-key"] = once
        async with self.http() as http:
            return await http.request(method, path, headers=headers, **parts)

    async def add(self, url: str, who: Principal = HQ, **changes: Any) -> dict[str, Any]:
        """An endpoint that subscribes to everything; the answer with its secret."""
        body = {"label": "基幹システム", "url": url, "events": ["all"]} | changes
        answer = await self.request(who, "POST", "/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def deliveries(self, who: Principal = HQ, **query: Any) -> list[dict[str, Any]]:
        answer = await self.request(who, "GET", "/webhook-deliveries", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["deliveries"]
        return found

    async def delivery(self, delivery_id: str, who: Principal = HQ) -> dict[str, Any]:
        found: dict[str, Any] = (
            await self.request(who, "GET", f"/webhook-deliveries/{delivery_id}")
        ).json()
        return found


def changed(endpoint: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The body of a change to an endpoint."""
    kept = {name: endpoint[name] for name in ("label", "url", "events", "active")}
    return kept | changes
