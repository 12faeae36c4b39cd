"""Erasure of customers: `madoguchi erase-customer` on request, `retention` after years."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from contracts_service.rules.customer_erasure import YEARS, completed_by_when
from madoguchi.cli.account import operator
from madoguchi.cli.databases import with_database
from madoguchi.cli.options import AsJson, Data, DryRun, Url, group, single
from madoguchi.cli.output import print_json, print_line
from shared.clock import SystemClock, jst_day
from shared.errors import FormErrors, Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from sqlalchemy import Row

    from shared.db import Database

MOST = 1000

erase_command = single()
retention = group("Customers whose contracts ended long ago.")
NOTHING = "Nothing was changed."
Before = Annotated[
    datetime | None, typer.Option(help="completed by this day; default: --years ago")
]
Years = Annotated[
    int, typer.Option(envvar="CUSTOMER_YEARS", min=0, help="retention after completion, in years")
]


@erase_command.command()
def erase(
    contract_no: Annotated[str, typer.Argument(help="contract of the customer to erase")],
    reason: Annotated[
        str, typer.Option(help="the reason; it is stored, and must not contain names")
    ],
    data: Data = None,
    database: Url = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Erase the customer of a contract in every service. This cannot be undone."""

    async def erase_one(at: Database) -> None:
        print_line(await _erase(at, contract_no, reason, dry_run=dry_run))

    _with_contracts(data, database, erase_one)


@retention.command()
def due(
    before: Before = None,
    years: Years = YEARS,
    data: Data = None,
    database: Url = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the contracts whose customers are due for erasure; changes nothing."""
    by = _completed_by(before, years)

    async def look(at: Database) -> None:
        _print_due(await _due(at, by), as_json=as_json)

    _with_contracts(data, database, look)


def _print_due(rows: list[Row[str, str, date | None]], *, as_json: bool = False) -> None:
    if as_json:
        print_json([dict(row._mapping) for row in rows])  # noqa: SLF001 - SQLAlchemy's public name
        return
    for row in rows:
        print_line(f"{row.contract_no}  {row.dealer_id}  complete {row.completed_on}")
    print_line(f"{len(rows)} due{' at least' if len(rows) == MOST else ''}.")


@retention.command("run")
def run_retention(
    before: Before = None,
    years: Years = YEARS,
    data: Data = None,
    database: Url = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Erase the customers that are due, one transaction each; can be interrupted and rerun."""
    by = _completed_by(before, years)

    async def erase_one(at: Database) -> None:
        if dry_run:
            _print_due(await _due(at, by))
            print_line(NOTHING)
            return
        erased = 0
        while rows := await _due(at, by):
            for row in rows:
                await _erase(at, row.contract_no, "保存期間の経過")
            erased += len(rows)
        print_line(f"{erased} erased.")

    _with_contracts(data, database, erase_one)


def _completed_by(before: datetime | None, years: int) -> date:
    today = jst_day(SystemClock().now())
    return before.date() if before else completed_by_when(today, years=years)


async def _due(at: Database, by: date) -> list[Row[str, str, date | None]]:
    from contracts_service import queries
    from shared.db import EVERY_DEALER

    async with at.transaction(EVERY_DEALER) as tx:
        return await queries.erasures_due(tx, by, most=MOST)


async def _erase(at: Database, contract_no: str, reason: str, *, dry_run: bool = False) -> str:
    from contracts_service.actions.customer_erasure import erase_customer
    from contracts_service.actions.entry_history import Recorder
    from shared.db import EVERY_DEALER

    speaker = Recorder(operator(), "erasure", SystemClock().now())
    async with at.transaction(EVERY_DEALER) as tx:
        done = await erase_customer(tx, contract_no, reason, speaker)
        number, erased_at, now = done.contract_no, done.erased_at, speaker.now
        if dry_run:
            await tx.rollback()
    if dry_run and erased_at == now:
        return f"{number}: its customer would be erased. {NOTHING}"
    return f"{number}: erased at {erased_at:%Y-%m-%d %H:%M} UTC."


def _with_contracts(
    data: Path | None, url: str | None, act: Callable[[Database], Awaitable[None]]
) -> None:
    try:
        with_database("contracts", data, url, act)
    except Refusal as refused:
        messages = [f.message for f in refused.fields] if isinstance(refused, FormErrors) else []
        print_line("\n".join([f"{refused.code}: {refused.message}", *messages]))
        raise typer.Exit(1) from None
