"""Event commands: `madoguchi events ...` for dead letters, gaps, replay and the event log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from madoguchi.cli.account import operator
from madoguchi.cli.databases import with_database
from madoguchi.cli.options import (
    DATA_FOLDER,
    PREFIX,
    AsJson,
    Data,
    DryRun,
    Folder,
    Prefix,
    Server,
    Service,
    Url,
    group,
)
from madoguchi.cli.output import print_json, print_line

if TYPE_CHECKING:
    from shared.db import Database
    from shared.inbox import Inbox

events = group("Dead letters, gaps, replay and the event log.")
NOTHING = "Nothing was changed."


@events.command()
def dead(
    service: Service, data: Data = None, database: Url = None, *, as_json: AsJson = False
) -> None:
    """List dead letters, and refused messages that are not valid events."""

    async def look(at: Database) -> None:
        from shared.inbox import Inbox

        inbox = Inbox(at, service)
        dead_letters, refused = await inbox.dead_letters(), await inbox.refused()
        if as_json:
            print_json({"dead": dead_letters, "refused": refused})
            return
        print_line(f"{len(dead_letters)} dead event(s) in {service}")
        for d in dead_letters:
            print_line(f"{d.event_id}  {d.type}  {d.stream} #{d.sequence}")
            print_line(f"    {d.settled_at:%Y-%m-%d %H:%M} UTC, {d.attempts} attempt(s): {d.cause}")
        print_line(f"{len(refused)} refused message(s) in {service}")
        for r in refused:
            print_line(f"{r.refused_id}  {r.routing_key}  {r.size:,} bytes")
            print_line(f"    {r.received_at:%Y-%m-%d %H:%M} UTC: {r.reason}")

    with_database(service, data, database, look)


@events.command()
def replay(
    service: Service,
    event: Annotated[UUID | None, typer.Argument(help="one dead event")] = None,
    cause: Annotated[str | None, typer.Option(help="all whose cause contains this text")] = None,
    data: Data = None,
    database: Url = None,
) -> None:
    """Retry dead events: one by its id, or all of one cause."""
    if (event is None) == (cause is None):
        raise typer.BadParameter("Give an event id, or --cause TEXT.")

    async def retry(at: Database) -> None:
        from shared.inbox import Inbox

        await _replay(Inbox(at, service), event, cause)

    with_database(service, data, database, retry)


async def _replay(inbox: Inbox, event: UUID | None, cause: str | None) -> None:
    from shared.inbox import NoSuchDeadLetter

    try:
        count = await inbox.replay(event_id=event, cause=cause)
    except NoSuchDeadLetter as none:
        raise typer.BadParameter(str(none)) from none
    print_line(f"{count} dead event(s) will be retried.")


@events.command()
def skip(  # noqa: PLR0913 - every flag is an argument
    service: Service,
    event: Annotated[UUID, typer.Argument(help="the dead event")],
    reason: Annotated[str, typer.Option(help="the reason; stored with the event")],
    data: Data = None,
    database: Url = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Skip a dead event permanently, so that later events of its aggregate are processed."""

    async def pass_over(at: Database) -> None:
        from madoguchi.cli.access_record import record_step
        from shared.inbox import Inbox, NoSuchDeadLetter

        try:
            await Inbox(at, service).skip(event, reason=reason, dry_run=True)
            if not dry_run:
                await record_step("events skip", "event", str(event), data, database)
                await Inbox(at, service).skip(event, reason=reason)
        except NoSuchDeadLetter as none:
            raise typer.BadParameter(str(none)) from none
        print_line(f"{event} would be skipped. {NOTHING}" if dry_run else f"{event} is skipped.")

    with_database(service, data, database, pass_over)


@events.command("gaps")
def list_gaps(
    service: Service, data: Data = None, database: Url = None, *, as_json: AsJson = False
) -> None:
    """List the streams of a service that wait for an event which has not come."""

    async def look(at: Database) -> None:
        from shared.db import EVERY_DEALER
        from shared.gaps import gaps

        async with at.transaction(EVERY_DEALER) as tx:
            found = await gaps(tx)
        if as_json:
            print_json(found)
            return
        print_line(f"{len(found)} gap(s) in {service}")
        for gap in found:
            print_line(str(gap))

    with_database(service, data, database, look)


@events.command("pass-gap")
def pass_gap(  # noqa: PLR0913 - every flag is an argument
    service: Service,
    stream: Annotated[str, typer.Argument(help="as `events gaps` lists it")],
    reason: Annotated[str, typer.Option(help="the reason; stored, and must not contain names")],
    data: Data = None,
    database: Url = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Go on without events that will never come; recorded in the access log."""

    async def go_on(at: Database) -> None:
        from madoguchi.cli.access_record import record_step
        from shared import gaps
        from shared.db import EVERY_DEALER

        try:
            async with at.transaction(EVERY_DEALER) as tx:
                gap = await gaps.pass_gap(tx, stream, reason=reason, by=operator())
                if dry_run:
                    await tx.rollback()
                else:  # before the commit: what cannot be recorded is not done
                    await record_step("events pass-gap", "stream", stream, data, database)
        except gaps.NoSuchGap as none:
            raise typer.BadParameter(str(none)) from none
        numbers = f"{stream} #{gap.first} to #{gap.last}"
        if dry_run:
            print_line(f"{numbers} would be passed; {gap.waiting} event(s) wait. {NOTHING}")
        else:
            print_line(f"{numbers} passed; {gap.waiting} event(s) that waited are processed now.")

    with_database(service, data, database, go_on)


@events.command("replay-log")
def replay_log(
    service: Service,
    first: Annotated[datetime, typer.Option("--from", help="UTC, included")],
    last: Annotated[datetime, typer.Option("--to", help="UTC, not included")],
    data: Data = None,
    database: Url = None,
) -> None:
    """Publish a service's events of a time span again; subscribers ignore those processed."""

    async def publish_again(at: Database) -> None:
        from shared import outbox
        from shared.db import EVERY_DEALER

        async with at.transaction(EVERY_DEALER) as tx:
            count = await outbox.replay_log(
                tx, first=first.replace(tzinfo=UTC), last=last.replace(tzinfo=UTC)
            )
        print_line(f"{count} event(s) will be published again.")

    with_database(service, data, database, publish_again)


@events.command("forget-log")
def delete_log(
    service: Service,
    before: Annotated[datetime, typer.Option("--before", help="whole months that ended by then")],
    data: Data = None,
    database: Url = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Delete old months of a service's event log; they can no longer be replayed or audited.

    Only the owner of the tables can: give its URL, where there is no all-in-one.
    """

    async def delete(at: Database) -> None:
        from shared import outbox
        from shared.db import EVERY_DEALER

        try:
            async with at.transaction(EVERY_DEALER) as tx:
                months = await outbox.delete_old_log(tx, before=before.date())
                if dry_run:
                    await tx.rollback()
        except outbox.StillPending as pending:
            raise typer.BadParameter(str(pending)) from None
        gone = ", ".join(f"{month:%Y-%m}" for month in months) or "nothing"
        print_line(f"Would be dropped: {gone}. {NOTHING}" if dry_run else f"Dropped: {gone}.")

    with_database(service, data, database, delete, as_owner=True)


@events.command()
def reconcile(
    data: Folder = DATA_FOLDER,
    server: Server = None,
    prefix: Prefix = PREFIX,
    *,
    as_json: AsJson = False,
) -> None:
    """List subscribers that are ahead of their publisher or need events deleted from its log."""
    from madoguchi.cli.backup import compare

    compare(data, server, prefix, as_json=as_json)
