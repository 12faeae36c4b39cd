"""A contracts service with dealer D01 of the examples, asked over HTTP by its people."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from contracts_service.app import SERVICE, create_app
from contracts_service.imports import ImportReport, import_contracts, import_masters
from contracts_service.master_facts import DealerFacts, PersonFacts, StoreFacts, VehicleFacts
from contracts_service.policy import Policy
from contracts_service.rules.import_row import COLUMNS
from event_contracts import Event, read
from shared.auth import Principal, Role
from shared.clock import JST
from shared.db import EVERY_DEALER, Database
from shared.testing.databases import TestDatabases
from shared.testing.people import bearer, verifier
from shared.timers import TimerWorker
from shared.tokens import principal_of
from shared.trace_context import new_id
from shared.worker import Delivery

TODAY = date(2025, 7, 15)


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self) -> None:
        self.instant = at(TODAY)

    def now(self) -> datetime:
        return self.instant

    def set(self, day: date, hour: int = 9) -> None:
        self.instant = at(day, hour)


def at(day: date, hour: int = 9) -> datetime:
    """An hour of a day in Japan."""
    return datetime.combine(day, time(hour), JST).astimezone(UTC)


def member(code: str, name: str, role: Role, store: str | None) -> PersonFacts:
    """A line of the staff master."""
    return PersonFacts(code, name, "カナ", role, store, "person@example.jp", "090-0000-0001")


STORES = (
    StoreFacts("S10", "本店", "03-0010-1000"),
    StoreFacts("S20", "西店", "03-0010-2000"),
    StoreFacts("S30", "南店", "03-0010-3000"),
    StoreFacts("S90", "(旧東店)", "03-0010-9000", unused=True),
)
STAFF = (
    member("E101", "山田 太郎", Role.SALES, "S10"),
    member("E102", "中村 愛", Role.SALES, "S10"),
    member("M100", "佐藤 誠", Role.MANAGER, "S10"),
    member("E201", "鈴木 花子", Role.SALES, "S20"),
    member("M200", "高橋 健一", Role.MANAGER, "S20"),
    member("E301", "小林 修", Role.SALES, "S30"),
    member("H001", "田中 裕子", Role.HQ, None),
)
DEALERS = (
    DealerFacts("D01", "みなと自動車販売", STORES, STAFF),
    DealerFacts("D02", "さくらモータース", STORES, STAFF),
)
VEHICLES = (VehicleFacts("PRIUS", "プリウス"), VehicleFacts("AQUA", "アクア"))


def person(code: str, dealer: str = "D01") -> Principal:
    """The principal of somebody in the staff master."""
    known = next(p for p in STAFF if p.code == code)
    return Principal(
        user_id=f"{dealer}.{code}".lower(),
        name=known.name,
        dealer=dealer,
        store=known.store_code,
        staff_code=code,
        roles=frozenset({known.role}),
        mail=known.mail,
    )


LINE = {
    "販売店コード": "D01",
    "制度": "ガンマファイナンス",
    "最終回年月日": "2025/12/31",
    "リース満了年月日": "",
    "最終回支払額": "1000000",
    "残高": "1500000",
    "分割回数": "60",
    "月額": "30000",
    "年率": "3.9",
    "車種コード": "PRIUS",
    "車種": "プリウス",
    "登録番号": "品川 300 あ 1234",
    "初度登録年月日": "2020/12/10",
    "商用車": "0",
    "契約者名": "山本 太郎",
    "契約者名カナ": "ヤマモト タロウ",
    "郵便番号": "150-0002",
    "住所": "東京都渋谷区渋谷1丁目2番3号",
    "電話番号": "090-0123-4567",
    "店舗コード": "S10",
    "スタッフコード": "E101",
    "債権買取": "0",
    "TFC対応": "0",
    "届出変更中": "0",
}


def file_of(*lines: Mapping[str, str], encoding: str = "utf-8-sig") -> bytes:
    """A contract file; each line names what differs from LINE."""
    written = io.StringIO()
    writer = csv.DictWriter(written, list(COLUMNS))
    writer.writeheader()
    writer.writerows({**LINE, **line} for line in lines)
    return written.getvalue().encode(encoding)


@dataclass
class ContractsApi:
    """A contracts service with its database and clock."""

    database: Database
    clock: SetClock
    http: httpx.AsyncClient
    policy: Policy
    app: FastAPI

    async def import_contracts_file(self, *lines: Mapping[str, str]) -> ImportReport:
        return await import_contracts(self.database, file_of(*lines), now=self.clock.now())

    async def contract(self, contract_no: str = "C1", **columns: str) -> str:
        """One contract; columns by their Japanese names."""
        report = await self.import_contracts_file({"契約番号": contract_no, **columns})
        assert not report.refused, report.refused
        return contract_no

    async def request(
        self,
        code: str,
        method: str,
        path: str,
        *,
        dealer: str = "D01",
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """What somebody of the staff gets."""
        return await self.http.request(
            method,
            f"/api/contracts/v1{path}",
            headers=bearer(person(code, dealer)) | dict(headers or {}),
            **request,
        )

    async def get(self, code: str, path: str, **request: Any) -> httpx.Response:
        return await self.request(code, "GET", path, **request)

    async def search(self, code: str, **query: str) -> list[str]:
        """The contract numbers that a search shows."""
        answer = await self.get(code, "/contracts", params=query)
        assert answer.status_code == 200, answer.text
        return [row["contract_no"] for row in answer.json()["rows"]]

    async def change(
        self, code: str, method: str, path: str, body: object = None, version: int | None = None
    ) -> httpx.Response:
        """An action on a contract; without a version, on the one that is current."""
        if version is None:
            number = path.split("/")[2]
            version = (await self.detail(number))["version"]
        headers = {"If-Match": f'"{version}"'}
        return await self.request(code, method, path, headers=headers, json=body)

    async def row(self, contract_no: str, code: str = "H001") -> dict[str, Any]:
        """A contract's row in the list."""
        answer = await self.get(
            code, "/contracts", params={"mode": "individual", "contract_no": contract_no}
        )
        (row,) = answer.json()["rows"]
        return dict(row)

    async def detail(self, contract_no: str, code: str = "H001") -> dict[str, Any]:
        answer = await self.get(code, f"/contracts/{contract_no}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def events(self, *kinds: type[Event]) -> list[Event]:
        """What was emitted, in order."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(
                text("SELECT type, payload::text AS payload FROM outbox ORDER BY position")
            )
            published = [read(row.type, row.payload) for row in rows]
        return [event for event in published if not kinds or isinstance(event, kinds)]

    async def receive(self, *events: Event) -> None:
        """Let the subscribers handle events that came in."""
        for sequence, event in enumerate(events, start=1):
            async with self.database.transaction(EVERY_DEALER) as tx:
                now = self.clock.now()
                delivery = Delivery(new_id(), sequence, now, now, None)
                await SERVICE.subscribers.handlers[event.wire_type](event, delivery, tx)

    async def timers(self) -> int:
        """Fire what is due by the clock."""
        worker = TimerWorker(self.database, "contracts", SERVICE.timers, self.clock)
        return await worker.fire_due()


OpenContractsApi = Callable[..., Awaitable[ContractsApi]]

EMPTIED = (
    *("memo", "entry", "assignment_change", "customer_change_release", "customer_list_export"),
    *(
        "customer_erasure",
        "contract",
        "calendar_exception",
        "outbox",
        "outbox_stream",
        "timer",
        "idempotency",
    ),
)


async def _opened(url: str, policy: Policy) -> ContractsApi:
    database = Database(url, pool_size=4)
    clock = SetClock()
    app = create_app(database, clock, principal_of(verifier()), policy)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="http://contracts")
    return ContractsApi(database, clock, http, policy, app)


@pytest.fixture(scope="session")
async def contracts_api_url(databases: TestDatabases) -> str:
    """A database with the masters, emptied before each test that uses it."""
    url = await databases.create("contracts_service")
    database = Database(url, pool_size=1)
    await import_masters(database, DEALERS, VEHICLES, now=at(TODAY))
    await database.close()
    return url


@pytest.fixture
async def open_contracts_api(
    contracts_api_url: str, databases: TestDatabases
) -> AsyncIterator[OpenContractsApi]:
    """Open the office under a policy of the test's own."""
    opened: list[ContractsApi] = []

    async def create(**policy: Any) -> ContractsApi:
        contracts_api = await _opened(contracts_api_url, Policy(**policy))
        await databases.empty(contracts_api_url, EMPTIED)
        opened.append(contracts_api)
        return contracts_api

    yield create
    for contracts_api in opened:
        await contracts_api.http.aclose()
        await contracts_api.database.close()


@pytest.fixture
async def contracts_api(open_contracts_api: OpenContractsApi) -> ContractsApi:
    """The office under the usual policy."""
    return await open_contracts_api()


@pytest.fixture
async def new_contracts_api(
    new_database: Callable[[str], Awaitable[str]],
) -> AsyncIterator[ContractsApi]:
    """An office with a database of its own, for tests that change masters."""
    contracts_api = await _opened(await new_database("contracts_service"), Policy())
    await import_masters(contracts_api.database, DEALERS, VEHICLES, now=contracts_api.clock.now())
    yield contracts_api
    await contracts_api.http.aclose()
    await contracts_api.database.close()
