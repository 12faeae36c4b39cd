"""Event commands: `madoguchi events ...` lists and replays dead letters and the event log."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from event_contracts import SUBSCRIPTIONS
from madoguchi.cli.options import DATA_FOLDER, PREFIX, Data, Prefix, Server, Url
from madoguchi.embedded import postgres
from shared import outbox
from shared.db import EVERY_DEALER, Database
from shared.inbox import Inbox, NoSuchDeadLetter

events = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Dead letters, replay and the event log."
)
console = Console()

ServiceName = Annotated[
    str, typer.Option("--service", help=f"one of {', '.join(SUBSCRIPTIONS)}", show_default=False)
]


def print_line(line: str) -> None:
    """Print one line without wrapping, so that ids can be copied."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _with_database(
    service: str,
    data: Path,
    url: str | None,
    act: Callable[[Database], Awaitable[None]],
    *,
    as_owner: bool = False,
) -> None:
    if service not in SUBSCRIPTIONS:
        raise typer.BadParameter(
            f"There is no service {service!r}; known: {', '.join(SUBSCRIPTIONS)}."
        )

    async def run() -> None:
        database = Database(url or await own_database(service, data, as_owner=as_owner))
        try:
            await act(database)
        finally:
            await database.close()

    asyncio.run(run())


async def own_database(service: str, data: Path, *, as_owner: bool = False) -> str:
    """The URL of a service's database in the all-in-one's data folder; starts the server.

    `as_owner` is for what changes tables: the processes' own role cannot.
    """
    if not (data / "secrets.json").exists():
        raise typer.BadParameter(f"There is no all-in-one in {data}; give --data or --database.")
    admin = await asyncio.to_thread(postgres.start_embedded, data)
    kept = postgres.Secrets(data / "secrets.json")
    found = postgres.owner_database if as_owner else postgres.service_database
    return await found(admin, service, f"{service}_service", kept)


@events.command()
def dead(service: ServiceName, data: Data = DATA_FOLDER, database: Url = None) -> None:
    """List dead letters, and refused messages that are not valid events."""

    async def look(at: Database) -> None:
        inbox = Inbox(at, service)
        dead_letters, refused = await inbox.dead_letters(), await inbox.refused()
        print_line(f"{len(dead_letters)} dead event(s) in {service}")
        for d in dead_letters:
            print_line(f"{d.event_id}  {d.type}  {d.stream} #{d.sequence}")
            print_line(f"    {d.settled_at:%Y-%m-%d %H:%M} UTC, {d.attempts} attempt(s): {d.cause}")
        print_line(f"{len(refused)} refused message(s) in {service}")
        for r in refused:
            print_line(f"{r.refused_id}  {r.routing_key}  {r.size:,} bytes")
            print_line(f"    {r.received_at:%Y-%m-%d %H:%M} UTC: {r.reason}")

    _with_database(service, data, database, look)


@events.command()
def replay(
    service: ServiceName,
    event: Annotated[UUID | None, typer.Argument(help="one dead event")] = None,
    cause: Annotated[str | None, typer.Option(help="all whose cause contains this text")] = None,
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Retry dead events: one by its id, or all of one cause."""
    if (event is None) == (cause is None):
        raise typer.BadParameter("Give an event id, or --cause TEXT.")
    _with_database(service, data, database, lambda at: _replay(Inbox(at, service), event, cause))


async def _replay(inbox: Inbox, event: UUID | None, cause: str | None) -> None:
    try:
        count = await inbox.replay(event_id=event, cause=cause)
    except NoSuchDeadLetter as none:
        raise typer.BadParameter(str(none)) from none
    console.print(f"{count} dead event(s) will be retried.")


@events.command()
def skip(
    service: ServiceName,
    event: Annotated[UUID, typer.Argument(help="the dead event")],
    reason: Annotated[str, typer.Option(help="the reason; stored with the event")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Skip a dead event permanently, so that later events of its aggregate are processed."""

    async def pass_over(at: Database) -> None:
        try:
            await Inbox(at, service).skip(event, reason=reason)
        except NoSuchDeadLetter as none:
            raise typer.BadParameter(str(none)) from none
        console.print(f"{event} is skipped.")

    _with_database(service, data, database, pass_over)


@events.command("replay-log")
def replay_log(
    service: ServiceName,
    first: Annotated[datetime, typer.Option("--from", help="UTC, included")],
    last: Annotated[datetime, typer.Option("--to", help="UTC, not included")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Publish a service's events of a time span again; subscribers ignore those processed."""

    async def publish_again(at: Database) -> None:
        async with at.transaction(EVERY_DEALER) as tx:
            count = await outbox.replay_log(
                tx, first=first.replace(tzinfo=UTC), last=last.replace(tzinfo=UTC)
            )
        console.print(f"{count} event(s) will be published again.")

    _with_database(service, data, database, publish_again)


@events.command("forget-log")
def delete_log(
    service: ServiceName,
    before: Annotated[datetime, typer.Option("--before", help="whole months that ended by then")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Delete old months of a service's event log; they can no longer be replayed or audited.

    Only the owner of the tables can: give its URL, where there is no all-in-one.
    """

    async def delete(at: Database) -> None:
        try:
            async with at.transaction(EVERY_DEALER) as tx:
                months = await outbox.delete_old_log(tx, before=before.date())
        except outbox.StillPending as pending:
            raise typer.BadParameter(str(pending)) from None
        gone = ", ".join(f"{month:%Y-%m}" for month in months) or "nothing"
        console.print(f"Dropped: {gone}.")

    _with_database(service, data, database, delete, as_owner=True)


@events.command()
def reconcile(data: Data = DATA_FOLDER, server: Server = None, prefix: Prefix = PREFIX) -> None:
    """List subscribers that are ahead of their publisher or need events deleted from its log."""
    from madoguchi.cli.backup import compare

    compare(data, server, prefix)
