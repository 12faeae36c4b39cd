"""Readiness of the all-in-one: waits until all parts respond and first events are processed."""

import asyncio
import contextlib
from collections.abc import Sequence
from http import HTTPStatus

import httpx
from sqlalchemy import text

from madoguchi.services import SERVICES
from shared.db import EVERY_DEALER, Database

UNDERWAY = text("""
    SELECT (SELECT count(*) FROM outbox_queue)
         + (SELECT count(*) FROM inbox WHERE state = 'waiting')
""")


async def all_ready(url: str) -> bool:
    """Wait until portal and services respond; child processes need longer.

    A running service answers the path with 404; a gateway without the service answers 502.
    """
    services = [f"/api/{name}/v1/" for name in SERVICES]
    async with httpx.AsyncClient(base_url=url) as http:
        for path in (*services, "/static/madoguchi.css"):
            for _ in range(1200):
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(path)).status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                        break
                await asyncio.sleep(0.1)
            else:
                return False
    return True


async def events_arrived(databases: Sequence[Database]) -> None:
    """Wait up to a minute for the first events, so that all pages show the same state."""
    for _ in range(300):
        underway = 0
        for database in databases:
            async with database.transaction(EVERY_DEALER) as tx:
                underway += (await tx.execute(UNDERWAY)).scalar_one()
        if not underway:
            return
        await asyncio.sleep(0.2)
