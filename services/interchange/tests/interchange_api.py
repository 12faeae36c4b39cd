"""Interchange API fixture with a clock, called by operators and by dealers' systems."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from interchange_service.api.rate_limit import RateLimit
from interchange_service.app import create_app
from shared.auth import Principal, Role
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database

from .conftest import NOW, arrival

BASE = "/api/interchange/v1"
ONE_OF_EACH = {
    role: Principal(role.value, role.value, "D01", "S10", "X1", frozenset({role}), None)
    for role in Role
}


@dataclass
class InterchangeApi:
    """One API process."""

    http: httpx.AsyncClient
    database: Database
    clock: TravelClock
    app: FastAPI

    async def request(
        self, role: Role, method: str, path: str, body: object = None
    ) -> httpx.Response:
        """A request of a person with one role."""
        headers = {"authorization": f"Bearer {role.value}"}
        return await self.http.request(method, path, json=body, headers=headers)

    async def key(self, dealer: str = "D01", **order: Any) -> str:
        """A new key, as an operator makes it."""
        order = {"label": "DMS", **order}
        made = await self.request(Role.OPERATOR, "POST", f"/dealers/{dealer}/keys", order)
        assert made.status_code == 201, made.text
        return str(made.json()["key"])

    async def send(self, key: str, dealer: str = "D01", **changes: Any) -> httpx.Response:
        """A message in binary mode; `changes` as those of `arrival`."""
        sent = arrival(**changes)
        return await self.http.post(
            f"/dealers/{dealer}/events",
            content=sent.body,
            headers={
                **sent.headers,
                "content-type": sent.content_type or "",
                "authorization": f"Bearer {key}",
            },
        )

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            return [tuple(row) for row in await tx.execute(text(statement))]


@contextlib.asynccontextmanager
async def open_interchange_api(
    database: Database, *, per_minute: int = 600
) -> AsyncIterator[InterchangeApi]:
    """The API; a token that is the name of a role stands for a person with that role."""
    clock = TravelClock()
    clock.travel_to(NOW)

    async def person(request: Any) -> Principal:
        return ONE_OF_EACH[Role(request.headers["authorization"].removeprefix("Bearer "))]

    limit = RateLimit(per_minute, seconds=lambda: 60.0)
    app = create_app(database, clock, person, rate_limit=limit)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://x{BASE}") as http:
        yield InterchangeApi(http, database, clock, app)
