"""Sessions of people at the portal: `madoguchi sessions end` signs somebody out everywhere."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from madoguchi.cli.account import operator
from madoguchi.cli.databases import opened
from madoguchi.cli.options import Data, Url, group
from madoguchi.cli.output import print_line

if TYPE_CHECKING:
    from pathlib import Path

sessions = group("Sessions of people at the portal.")


@sessions.callback()
def end_is_a_command() -> None:
    """Make `end` a command of its own."""


@sessions.command()
def end(
    person: Annotated[str, typer.Argument(help="person id: dealer and staff code, D01-E101")],
    data: Data = None,
    database: Url = None,
) -> None:
    """End every session of a person, on all devices. They can sign in again."""
    asyncio.run(_end(person, data, database))
    print_line(f"Every session of {person} has ended.")


async def _end(person: str, data: Path | None, url: str | None) -> None:
    from portal_service.access_log import Access, Action
    from portal_service.actions.access_log import add_accesses
    from portal_service.actions.session_ends import end_sessions
    from portal_service.rules.session_end import EndKind
    from portal_service.settings import LONGEST_SESSION_S

    now = time.time()
    recorded = Access(
        at=datetime.fromtimestamp(now, UTC),
        action=Action.SESSIONS_ENDED,
        outcome="success",
        actor=operator(),
        method="CLI",
        route="madoguchi sessions end",
        object_kind="person",
        object_id=person,
    )
    async with opened("portal", data, url) as portal, portal.transaction() as tx:
        ends = [(EndKind.PERSON, person)]
        await end_sessions(tx, ends, ended_at=now, until=now + LONGEST_SESSION_S)
        await add_accesses(tx, [recorded.row])
