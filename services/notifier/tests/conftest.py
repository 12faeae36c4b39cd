"""Fixtures: a notifier on a real database, with a real SMTP server and a fake returns service."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from event_contracts import Event
from event_contracts.returns import ReturnEvent, ReturnStatusChanged
from notifier_service.app import SERVICE, sender_with
from notifier_service.mail_worker import Sender
from notifier_service.settings import NotifierSettings
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.service import ServiceRuntime
from shared.testing.stepwise import drain
from shared.trace_context import new_id

from .fake_servers import FakeMailServer, FakeReturnsService


def made_application(**changes: Any) -> dict[str, Any]:
    """山田's application with both approvals, every person with an address."""
    return {
        "application_id": "A1",
        "dealer_id": "D01",
        "dealer_name": "東都自動車販売株式会社",
        "store_name": "本店",
        "originator_name": "山田 太郎",
        "submitted_at": "2025-07-14T01:05:00Z",
        "separate_procedure": False,
        "contract_no": "12345678",
        "status": "COMPLETED",
        "status_japanese": "完了",
        "status_version": 9,
        "completion_mail": True,
        "originator": {"person_id": "D01-E101", "role": "sales", "mail": "yamada@d01.example"},
        "store_approver": {"person_id": "D01-E100", "role": "store", "mail": "sato@d01.example"},
        "store_approver_notice": False,
        "store_approver_mails": [],
        "hq_approver_mails": ["tanaka@d01.example"],
        "round_approvers": [
            {"person_id": "D01-E100", "role": "store", "mail": "sato@d01.example"},
            {"person_id": None, "role": "hq", "mail": None},
        ],
        "last_remand": None,
    } | changes


def settings_for(
    database_url: str, desk: FakeReturnsService, host: FakeMailServer
) -> NotifierSettings:
    return NotifierSettings.model_validate(
        {
            "database_url": database_url,
            "rabbitmq_url": "amqp://unused",
            "issuer": desk.url,
            "jwks_url": desk.url,
            "sender": "j-pass_uketsuke@toyota-finance.co.jp",
            "product": "J-PASS",
            "expense_product": "楽楽精算",
            "expense_sender": "keihi@d01.example",
            "portal_url": "https://portal.example.jp",
            "smtp_host": "127.0.0.1",
            "smtp_port": host.port,
            "smtp_starttls": False,
            "smtp_timeout_s": 2,
            "returns_url": desk.url,
            "token_url": f"{desk.url}/token",
            "client_secret": "secret",
        }
    )


class StepwiseSender(Sender):
    """The mail worker, run step by step until nothing is due."""

    __slots__ = ()

    async def send_due(self) -> int:
        """Send all that is due, one after another; returns how many were tried."""
        tried = 0
        try:
            while await self.send_one():
                tried += 1
        finally:
            await self.server.hang_up()
        return tried


@dataclass
class NotifierStack:
    """One notifier and its surroundings; events arrive as from the returns service."""

    database: Database
    settings: NotifierSettings
    host: FakeMailServer
    desk: FakeReturnsService
    http: httpx.AsyncClient
    clock: TravelClock = field(default_factory=TravelClock)
    sequences: dict[str, int] = field(default_factory=dict)
    heard: list[Envelope] = field(default_factory=list)

    @property
    def running(self) -> ServiceRuntime:
        return ServiceRuntime(SERVICE, self.database, self.clock)

    def sender(self, **changes: Any) -> StepwiseSender:
        settings = self.settings.model_copy(update=changes)
        recipients = settings.recipients(self.http, settings.token(self.http))
        made = sender_with(settings, self.database, self.clock, recipients)
        return StepwiseSender(**{one.name: getattr(made, one.name) for one in fields(made)})

    def knows(self, **changes: Any) -> None:
        """Set the application A1 of the returns service, with these changes."""
        made = made_application(**changes)
        self.desk.applications[made["application_id"]] = made

    async def receive(
        self, event: type[ReturnEvent], *, times: int = 1, at: datetime | None = None, **facts: Any
    ) -> UUID:
        """An event about A1 arrives, perhaps several times, and is processed."""
        who = {
            "dealer_id": "D01",
            "application_id": "A1",
            "contract_no": "12345678",
            "store_code": "S10",
            "originator_id": "D01-E101",
        }
        return await self._arrives(event(**(who | facts)), at or self.clock.now(), times)

    async def _arrives(self, event: Event, at: datetime, times: int = 1) -> UUID:
        envelope = self.envelope(event, at)
        self.heard.append(envelope)
        for _ in range(times):
            await self.running.inbox.store([envelope])
            await drain(self.running.worker)
        assert await self.running.inbox.dead_letters() == []
        return envelope.event_id

    async def receive_all_again(self) -> None:
        """Empty the inbox and receive the whole log again."""
        await self.rows("DELETE FROM inbox RETURNING 1")
        await self.rows("DELETE FROM inbox_stream RETURNING 1")
        await self.running.inbox.store(self.heard)
        await drain(self.running.worker)
        assert await self.running.inbox.dead_letters() == []

    def envelope(self, event: Event, occurred_at: datetime) -> Envelope:
        sequence = self.sequences[event.aggregate_id] = (
            self.sequences.get(event.aggregate_id, 0) + 1
        )
        return Envelope(
            event_id=new_id(),
            source="/returns",
            type=event.wire_type,
            aggregate_type=event.aggregate_type,
            aggregate_id=event.aggregate_id,
            sequence=sequence,
            dealer_id=event.dealer_id,
            occurred_at=occurred_at,
            payload=event.model_dump_json().encode(),
            headers={"actor": "D01-M100"},
        )

    async def enter(self, status: str, version: int, **facts: Any) -> None:
        """A1 enters a status now, and the event of it arrives."""
        self.knows(status=status, status_version=version, **facts)
        notice = facts.get("store_approver_notice", False)
        await self.receive_stay(
            status, version, entered_at=self.clock.now(), store_approver_notice=notice
        )

    async def receive_stay(self, status: str, version: int, **facts: Any) -> None:
        """The event of a status arrives."""
        await self.receive(
            ReturnStatusChanged,
            from_status=None,
            to_status=status,
            status_version=version,
            **facts,
        )

    async def travel_to(self, instant: datetime) -> None:
        """Move the clock; due timers fire, and due mails are sent."""
        self.clock.travel_to(instant)
        await self.running.timer_worker.fire_due()
        await self.sender().send_due()

    async def ledger(self, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of the ledger by kind, role and place; by default kind, role, state, reason."""
        chosen = ", ".join(columns or ("mail_kind", "recipient_role", "state", "reason"))
        return await self.rows(
            f"SELECT {chosen} FROM mail ORDER BY planned_at, mail_kind, recipient_role, place"
        )

    async def sent_mails(self) -> list[tuple[str, str, str | None]]:
        """The events that the notifier emitted: type, recipient role, reason."""
        return await self.rows(
            "SELECT type, payload->>'recipient_role', payload->>'reason' FROM outbox"
            " ORDER BY position"
        )

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            return [tuple(row) for row in await tx.execute(text(statement))]

    async def at_once(self) -> None:
        """End every delay and every lease."""
        await self.rows("UPDATE mail SET due_at = clock_timestamp() RETURNING 1")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def host() -> Iterator[FakeMailServer]:
    made = FakeMailServer()
    made.open()
    yield made
    made.close()


@pytest.fixture
def desk() -> Iterator[FakeReturnsService]:
    made = FakeReturnsService()
    made.open()
    yield made
    made.close()


@pytest.fixture
async def notifier(
    new_database: Callable[[str], Awaitable[str]], host: FakeMailServer, desk: FakeReturnsService
) -> AsyncIterator[NotifierStack]:
    url = await new_database("notifier_service")
    database = Database(url)
    async with httpx.AsyncClient(timeout=60) as http:
        yield NotifierStack(database, settings_for(url, desk, host), host, desk, http)
    await database.close()


@pytest.fixture
def application() -> Callable[..., dict[str, Any]]:
    """Makes 山田's application, with changes."""
    return made_application
