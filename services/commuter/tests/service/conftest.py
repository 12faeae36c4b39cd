"""The commuter service on a real PostgreSQL, spoken to by HTTP, with the people of one company."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as hour_of
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import text

from commuter_service.adapters.route_providers import OWN_ENGINE, RouteProvider
from commuter_service.app import SERVICE, create_app
from event_contracts import Event, read
from event_contracts.masters import StaffUpdated
from shared.auth import Principal, Role
from shared.clock import JST
from shared.db import EVERY_DEALER, Database
from shared.testing.databases import TestDatabases
from shared.testing.static_keys import StaticKeys
from shared.timers import TimerWorker
from shared.tokens import TokenVerifier, claims_of, principal_of
from shared.trace_context import new_id
from shared.worker import Delivery

ISSUER = "https://login.example.test"
KEY = ECKey.generate_key("P-256", {"kid": "test"})
KEYS = KeySet([KEY])
BASE = "/api/commuter/v1"


def person(code: str, name: str, *roles: Role, dealer: str = "D01") -> Principal:
    mail = f"{code.lower()}@{dealer.lower()}.example.jp"
    known = frozenset({Role.EMPLOYEE, *roles})
    return Principal(f"{dealer}-{code}", name, dealer, "S10", code, known, mail)


TARO = person("E101", "営業太郎", Role.SALES)
HANAKO = person("E102", "営業花子", Role.SALES)
CHIEF = person("M100", "佐藤 誠", Role.MANAGER, Role.EXPENSE_APPROVER)
HEAD = person("H001", "田中 裕子", Role.HQ, Role.EXPENSE_APPROVER)
ADMIN = person("A001", "経理 太一", Role.EXPENSE_ADMIN)
STRANGER = person("E101", "他社 太郎", Role.SALES, dealer="D02")
OTHER_ADMIN = person("A001", "他社 経理", Role.EXPENSE_ADMIN, dealer="D02")
NOTIFIER = Principal("notifier", "notifier", None, None, None, frozenset({Role.SERVICE}), None)
EVERYBODY = (TARO, HANAKO, CHIEF, HEAD, ADMIN, STRANGER, OTHER_ADMIN)

P1 = "東京:JR東日本/中央線:新宿"
BUS = "新宿:JR東日本/中央線:三鷹:バス:調布"
TRANSPORT = "transport"


def at(text_: str, hour: str = "10:00") -> datetime:
    """An hour of a day in Japan."""
    day = date.fromisoformat(text_.replace("/", "-"))
    return datetime.combine(day, hour_of.fromisoformat(hour), JST).astimezone(UTC)


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self) -> None:
        self.instant = at("2022/07/11")

    def now(self) -> datetime:
        return self.instant

    def set(self, day: str, hour: str = "10:00") -> None:
        self.instant = at(day, hour)


@dataclass
class CommuterApi:
    """The service with its database and clock, and what its people do with it."""

    database: Database
    clock: SetClock
    http: httpx.AsyncClient
    app: FastAPI
    keys: list[int] = field(default_factory=list)

    async def request(
        self, who: Principal | None, method: str, path: str, body: Any = None, **more: Any
    ) -> httpx.Response:
        """What somebody gets."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {signed(who)}"
        if (version := more.pop("version", None)) is not None:
            headers["If-Match"] = f'"{version}"'
        if body is not None:
            more["json"] = body
        return await self.http.request(method, BASE + path, headers=headers, **more)

    async def get(self, who: Principal, path: str, **more: Any) -> Any:
        return done(await self.request(who, "GET", path, **more))

    async def post(self, who: Principal, path: str, body: Any = None, **more: Any) -> Any:
        return done(await self.request(who, "POST", path, {} if body is None else body, **more))

    async def put(self, who: Principal, path: str, body: Any, **more: Any) -> Any:
        return done(await self.request(who, "PUT", path, body, **more))

    async def setting(self, **changes: Any) -> Any:
        """Change what the company decided."""
        now = await self.get(ADMIN, "/settings")
        version = now.pop("version")
        now.pop("retention_choices")
        return await self.put(ADMIN, "/settings", {**now, **changes}, version=version)

    async def allow(self, who: Principal, **rights: Any) -> Any:
        """Tick boxes for somebody."""
        path = f"/permissions/{who.person_id}"
        rows = (await self.get(ADMIN, "/permissions"))["items"]
        row = next(row for row in rows if row["employee_id"] == who.person_id)
        return await self.put(ADMIN, path, rights, version=row["version"])

    async def register(
        self, route: str = P1, period: str = "~", who: Principal = TARO, by: Principal = ADMIN
    ) -> Any:
        """An administrator's registration; a period as 2022/04/01~."""
        body = {"employee_id": who.person_id, "route": route, **ends(period)}
        return await self.post(by, "/passes", body)

    async def apply(self, route: str = P1, period: str = "~", who: Principal = TARO) -> Any:
        return await self.post(who, "/my-passes", {"route": route, **ends(period)})

    async def confirm(self, one: Any, by: Principal = ADMIN, **body: Any) -> Any:
        path = f"/passes/{one['pass_id']}/confirmation"
        return await self.post(by, path, body, version=one["version"])

    async def slip(
        self, *items: Any, kind: str = TRANSPORT, who: Principal = TARO, **more: Any
    ) -> Any:
        body = {"kind": kind, "title": "7月の交通費", "items": list(items), **more}
        return await self.post(who, "/slips", body)

    async def save(self, who: Principal, slip: Any, *items: Any, **more: Any) -> Any:
        """Save the form with these items; without any, with those that are there."""
        lines = list(items) or [line(item) for item in slip["items"]]
        fields = {name: slip[name] for name in ("title", "purpose", "trip_from", "trip_to")}
        body = {**fields, "items": lines, **more}
        return await self.put(who, f"/slips/{slip['slip_id']}", body, version=slip["version"])

    async def step(self, who: Principal, slip: Any, step: str, comment: str = "") -> Any:
        path = f"/slips/{slip['slip_id']}/{step}"
        return await self.post(who, path, {"comment": comment}, version=slip["version"])

    async def approved(self, slip: Any) -> Any:
        """Submit and approve by everybody of the chain."""
        slip = await self.step(TARO, slip, "submit")
        for who in (CHIEF, HEAD)[: len(slip["chain"])]:
            slip = await self.step(who, slip, "approve")
        return slip

    async def events(self, *kinds: type[Event]) -> list[Any]:
        """What was emitted, in order."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(
                text("SELECT type, payload::text AS payload FROM outbox ORDER BY position")
            )
            published = [read(row.type, row.payload) for row in rows]
        return [event for event in published if not kinds or isinstance(event, kinds)]

    async def count(self, table: str) -> int:
        async with self.database.transaction(EVERY_DEALER) as tx:
            return int((await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())

    async def sql(self, statement: str, **values: Any) -> None:
        async with self.database.transaction(EVERY_DEALER) as tx:
            await tx.execute(text(statement), values)

    async def timers(self) -> int:
        """Fire what is due by the clock."""
        worker = TimerWorker(self.database, "commuter", SERVICE.timers, self.clock)
        return await worker.fire_due()

    async def receive(self, *events: Event) -> None:
        for sequence, event in enumerate(events, start=1):
            async with self.database.transaction(EVERY_DEALER) as tx:
                now = self.clock.now()
                delivery = Delivery(new_id(), sequence, now, now, None)
                await SERVICE.subscribers.handlers[event.wire_type](event, delivery, tx)


def done(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int, code: str) -> Any:
    """The problem of a refusal that must be this one."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    return problem


def ends(period: str) -> dict[str, str | None]:
    start, _, end = period.partition("~")
    return {"starts_on": start or None, "ends_on": end or None}


def looked_up(
    on: str = "2022/07/11", route: str = "東京:中央線:新宿", item_on: str | None = None, **more: Any
) -> dict[str, Any]:
    """A line whose amount the look-up finds; `on` is the day in the dialog."""
    return {"item_on": item_on or on, "look_up": {"on": on, "route": route, **more}}


def line(item: Any, **changes: Any) -> dict[str, Any]:
    """An item as the form sends it back."""
    kept = {name: item[name] for name in ("item_id", "item_on", "purpose", "words", "receipt")}
    amount = {"amount_yen": item["amount_yen"]} if item["source"] == "typed" else {}
    return {**kept, **amount, **changes}


def warned(slip: Any) -> list[list[str]]:
    """The codes of every item's warnings."""
    return [[one["code"] for one in item["warnings"]] for item in slip["items"]]


def signed(who: Principal) -> str:
    claims = claims_of(who) | {"iss": ISSUER, "aud": "madoguchi", "exp": int(time.time()) + 3600}
    return jwt.encode({"alg": "ES256", "kid": "test"}, claims, KEY)


RETENTION_IS_OVER = "SELECT set_config('app.retention', 'over', false)"
"""Without it the database refuses to delete receipts."""
EMPTIED = (
    *("receipt_version", "receipt", "receipt_deletion", "favourite_ride"),
    *("transferred_slip", "transfer_payment", "transfer", "transfer_setting", "bank_account"),
    *("month_closing", "car_commute"),
    *("exported_slip", "journal_export", "accounting_setting"),
    *("slip_item", "slip", "pass_price", "pass_version", "commuter_pass", "trail", "permission"),
    *("company_setting", "mail_preference", "employee"),
    *("outbox", "outbox_stream", "timer", "idempotency"),
)


@pytest.fixture(scope="session")
async def commuter_api_url(databases: TestDatabases) -> str:
    """A database that is emptied before each test that uses it."""
    return await databases.create("commuter_service")


@asynccontextmanager
async def serving(
    url: str, look_up: RouteProvider = OWN_ENGINE, **state: object
) -> AsyncIterator[CommuterApi]:
    """The service on a database, with its people and no decision of anybody."""
    database, clock = Database(url, pool_size=6), SetClock()
    verifier = TokenVerifier(StaticKeys(KEYS), issuer=ISSUER, audience="madoguchi")
    app = create_app(
        database=database,
        clock=clock,
        principal_of=principal_of(verifier),
        look_up=look_up,
        **state,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://commuter") as http:
        commuter_api = CommuterApi(database, clock, http, app)
        for who in EVERYBODY:
            assert who.dealer is not None
            assert who.staff_code is not None
            await commuter_api.receive(
                StaffUpdated(
                    dealer_id=who.dealer, staff_code=who.staff_code, name=who.name,
                    store_code=who.store, role="sales",
                )
            )  # fmt: skip
        yield commuter_api
    await database.close()


Serve = Callable[..., AbstractAsyncContextManager[CommuterApi]]


@pytest.fixture
def serve() -> Serve:
    """`serving`, for tests that bring a database or a route provider of their own."""
    return serving


@pytest.fixture
async def empty_commuter_api(
    commuter_api_url: str, databases: TestDatabases
) -> AsyncIterator[CommuterApi]:
    """The service with its people and no decision of anybody."""
    gone = "; ".join(f"DELETE FROM {table}" for table in EMPTIED)
    await databases.as_owner(commuter_api_url, f"{RETENTION_IS_OVER}; {gone}")
    async with serving(commuter_api_url) as commuter_api:
        yield commuter_api


@pytest.fixture
async def commuter_api(empty_commuter_api: CommuterApi) -> CommuterApi:
    """The same, where the administrator has 定期区間マスタ and two people approve slips."""
    commuter_api = empty_commuter_api
    await commuter_api.setting(
        applications_allowed=True,
        admin_mail="admin@d01.example.jp",
        approvers=[CHIEF.person_id, HEAD.person_id],
    )
    await commuter_api.allow(ADMIN, pass_master=True)
    return commuter_api


async def charged(
    commuter_api: CommuterApi, on: str, route: str = "東京:中央線:新宿", who: Any = TARO
) -> int:
    answer = await commuter_api.post(who, "/deductions", {"rides": [{"on": on, "route": route}]})
    return int(answer["items"][0]["charged_yen"])
