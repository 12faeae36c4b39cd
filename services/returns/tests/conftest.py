"""The returns service on a real PostgreSQL, spoken to by HTTP, with the people of the manual."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from event_contracts import Event, read
from event_contracts.contract import ContractRegistered, Vehicle
from event_contracts.masters import StaffUpdated, StoreUpdated
from returns_service.app import SERVICE, create_app
from returns_service.rules.return_status import Status
from shared.auth import Principal, Role
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.testing.databases import TestDatabases
from shared.testing.people import (
    COLLEAGUE,
    OTHER_HQ,
    SATO,
    SUZUKI,
    TAKAHASHI,
    TANAKA,
    YAMADA,
    bearer,
    person,
    verifier,
)
from shared.tokens import principal_of
from shared.trace_context import new_id
from shared.worker import Delivery

BASE = "/api/returns/v1"
# Tuesday 2025-07-15, 10:00 in Japan.
T = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)


OTHER_MANAGER = person("M100", "他社 店長", Role.MANAGER, "S10", dealer="D02")
OTHER_SALES = person("E101", "他社 担当", Role.SALES, "S10", dealer="D02")

MASTERS: tuple[Event, ...] = (
    StoreUpdated(
        dealer_id="D01",
        store_code="S10",
        name="本店",
        phone="03-0010-1000",
        dealer_name="東都自動車販売",
    ),
    StoreUpdated(dealer_id="D01", store_code="S20", name="西店", phone="03-0010-2000"),
    StoreUpdated(dealer_id="D02", store_code="S10", name="他社本店"),
    *(
        StaffUpdated(
            dealer_id=who.dealer or "",
            staff_code=who.staff_code or "",
            name=who.name,
            store_code=who.store,
            role=next(iter(who.roles)).value,
            mobile="090-0001-0001",
        )
        for who in (YAMADA, COLLEAGUE, SATO, SUZUKI, TAKAHASHI, TANAKA, OTHER_HQ, OTHER_SALES)
    ),
)

# What a step says where nothing else matters.
STEP_BODIES: dict[str, dict[str, Any]] = {
    "hold": {"reason": "書類不備"},
    "tfc-remand": {"reason": "受領日の誤り"},
    "contact": {"message": "書類をお送りください"},
}
RETURNED: dict[str, Any] = {"kind": "RETURNED", "received_on": "2025-07-01"}
FORM: dict[str, Any] = {**RETURNED, "contact_1": "03-0010-1000", "contact_3": "yamada@example.jp"}


def registered(
    contract_no: str = "C-1001", *, store: str = "S10", dealer: str = "D01", **facts: Any
) -> ContractRegistered:
    known = {
        "product_code": "SVP_R",
        "final_on": date(2025, 9, 15),
        "vehicle": Vehicle(
            model="プリウス",
            registration_no="品川 300 あ 1234",
            first_registered_on=date(2022, 7, 1),
        ),
        "staff_code": "E101",
        "receivable_purchased": False,
        "tfc_handled": False,
        "customer_name": "山本　太郎",
    }
    return ContractRegistered(
        dealer_id=dealer, contract_no=contract_no, store_code=store, **{**known, **facts}
    )


class Caller:
    """One person at the API; a change names the version that this person saw last."""

    def __init__(self, http: httpx.AsyncClient, who: Principal) -> None:
        self.http = http
        self.headers = bearer(who)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(f"{BASE}{path}", params=params, headers=self.headers)

    async def send(
        self, method: str, path: str, body: Any = None, *, version: int | None = None, **more: str
    ) -> httpx.Response:
        headers = {**self.headers, **more}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.http.request(method, f"{BASE}{path}", json=body, headers=headers)

    async def submit(self, contract_no: str = "C-1001", **form: Any) -> httpx.Response:
        body = {"contract_no": contract_no, **(form or FORM)}
        return await self.send("POST", "/applications", body)

    async def version(self, application_id: str) -> int:
        opened = await self.get(f"/applications/{application_id}")
        return int(opened.json()["version"]) if opened.status_code == 200 else 1

    async def step(
        self, application_id: str, step: str, version: int | None = None, **body: Any
    ) -> httpx.Response:
        seen = await self.version(application_id) if version is None else version
        method = "PUT" if step == "dealer-note" else "POST"
        path = f"/applications/{application_id}/{step}"
        return await self.send(method, path, body, version=seen)


@dataclass
class ReturnsApi:
    """The service under test."""

    database: Database
    clock: TravelClock
    http: httpx.AsyncClient
    app: FastAPI
    callers: dict[str, Caller] = field(default_factory=dict)

    def __call__(self, who: Principal) -> Caller:
        return self.callers.setdefault(who.person_id, Caller(self.http, who))

    async def receive(self, *events: Event) -> None:
        """Let the service process events of others, one transaction each."""
        for event in events:
            delivery = Delivery(new_id(), 1, self.clock.now(), self.clock.now(), None)
            async with self.database.transaction(EVERY_DEALER) as tx:
                await SERVICE.subscribers.handlers[event.wire_type](event, delivery, tx)

    async def published(self, application_id: str | None = None) -> list[Event]:
        """Every event that the service emitted, in order; of one application only, if named."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(
                text(
                    "SELECT type, payload::text AS payload FROM outbox"
                    " WHERE CAST(:id AS text) IS NULL OR aggregate_id = :id ORDER BY position"
                ),
                {"id": application_id},
            )
            return [read(row.type, row.payload) for row in rows]

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            return list((await tx.execute(text(sql), values)).all())

    async def set_flow(self, *, store: bool, hq: bool, mails: tuple[str, ...] = ()) -> None:
        async with self.database.transaction(EVERY_DEALER) as tx:
            await tx.execute(
                text(
                    "INSERT INTO approval_flow (dealer_id, store_approval, hq_approval, hq_mails,"
                    " version, updated_at, updated_by) VALUES ('D01', :store, :hq, :mails, 1,"
                    " now(), 'D01-H001') ON CONFLICT (dealer_id) DO UPDATE SET"
                    " store_approval = :store, hq_approval = :hq, hq_mails = :mails"
                ),
                {"store": store, "hq": hq, "mails": list(mails)},
            )

    async def submit_new(
        self, who: Principal = YAMADA, contract_no: str = "C-1001", **form: Any
    ) -> str:
        """A new application, by its id."""
        answer = await self(who).submit(contract_no, **form)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["application_id"])

    async def take_steps(self, application_id: str, *steps: tuple[Principal, str]) -> None:
        """Take steps that must succeed."""
        for who, step in steps:
            answer = await self(who).step(application_id, step, **STEP_BODIES.get(step, {}))
            assert answer.status_code == 200, answer.text

    async def status(self, application_id: str) -> str:
        """The status by its Japanese name, as the database has it."""
        [row] = await self.rows(
            "SELECT status FROM application WHERE application_id = :id", id=application_id
        )
        return Status(row.status).label_ja


async def refused(
    returns: ReturnsApi, application_id: str, who: Principal, step: str, **body: Any
) -> tuple[int, str]:
    """Status and code of a step that is refused; nothing is written and no event sent."""
    before, published = await returns.rows("SELECT * FROM application"), await returns.published()
    history = await returns.rows("SELECT * FROM history")
    answer = await returns(who).step(application_id, step, before[0].version, **body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await returns.rows("SELECT * FROM application") == before
    assert await returns.rows("SELECT * FROM history") == history
    assert await returns.published() == published
    return answer.status_code, answer.json()["code"]


EMPTIED = (
    *("history", "approval", "substitute", "application", "change_application"),
    *("contract_view", "store", "staff", "approval_flow", "reported_car"),
    *("outbox", "outbox_stream", "idempotency"),
)


@pytest.fixture(scope="session")
async def returns_database(databases: TestDatabases) -> AsyncIterator[Database]:
    """One database for all tests of the service; each test empties it first."""
    database = Database(await databases.create("returns_service"))
    yield database
    await database.close()


@pytest.fixture
async def returns(
    returns_database: Database, databases: TestDatabases
) -> AsyncIterator[ReturnsApi]:
    """The service with the people of the manual, contract C-1001, and both approvals set."""
    await databases.empty(returns_database.url, EMPTIED)
    clock = TravelClock()
    clock.travel_to(T)
    app = create_app(returns_database, clock, principal_of(verifier()))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://returns") as http:
        service = ReturnsApi(returns_database, clock, http, app)
        await service.receive(*MASTERS, registered())
        await service.set_flow(store=True, hq=True, mails=("hq@d01.example.jp",))
        yield service
