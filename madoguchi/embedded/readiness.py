"""Is everything there? What has to be waited for before a visitor is let in."""

import asyncio
import contextlib
from collections.abc import Sequence
from http import HTTPStatus

import httpx
from sqlalchemy import text

from madoguchi.services import SERVICES
from shared.db import Database

UNDERWAY = text("""
    SELECT (SELECT count(*) FROM outbox_queue)
         + (SELECT count(*) FROM inbox WHERE state = 'waiting')
""")


async def all_ready(url: str) -> bool:
    """Wait until portal and services answer; processes of their own need a moment longer.

    A service knows no such path, and says so; a gateway before one that is not there says 502.
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
    """Wait a while for the first events to take effect, so that no page lacks what another has."""
    for _ in range(300):
        underway = 0
        for database in databases:
            async with database.transaction() as tx:
                underway += (await tx.execute(UNDERWAY)).scalar_one()
        if not underway:
            return
        await asyncio.sleep(0.2)
