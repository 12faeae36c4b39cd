"""Sessions of people at the portal: `madoguchi sessions end` signs somebody out everywhere."""

import asyncio
import getpass
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from madoguchi.cli.events import own_database
from madoguchi.cli.options import DATA_FOLDER, Data, Url
from portal_service.access_log import Access, Action
from portal_service.actions.access_log import add_accesses
from portal_service.actions.session_ends import end_sessions
from portal_service.rules.session_end import EndKind
from portal_service.settings import LONGEST_SESSION_S
from shared.db import Database

sessions = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Sessions of people at the portal."
)
console = Console()


@sessions.callback()
def group() -> None:
    """Make `end` a command of its own."""


@sessions.command()
def end(
    person: Annotated[str, typer.Argument(help="person id: dealer and staff code, D01-E101")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """End every session of a person, on all devices. They can sign in again."""
    asyncio.run(_end(person, data, database))
    console.print(f"Every session of {person} has ended.", highlight=False)


async def _end(person: str, data: Path, url: str | None) -> None:
    now = time.time()
    portal = Database(url or await own_database("portal", data))
    recorded = Access(
        at=datetime.fromtimestamp(now, UTC),
        action=Action.SESSIONS_ENDED,
        outcome="success",
        actor=f"CLI-{getpass.getuser()}",
        method="CLI",
        route="madoguchi sessions end",
        object_kind="person",
        object_id=person,
    )
    try:
        async with portal.transaction() as tx:
            ends = [(EndKind.PERSON, person)]
            await end_sessions(tx, ends, ended_at=now, until=now + LONGEST_SESSION_S)
            await add_accesses(tx, [recorded.row])
    finally:
        await portal.close()
