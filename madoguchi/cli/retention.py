"""Erasure of customers: `madoguchi erase-customer` on request, `retention` after years."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import Row

from contracts_service import queries
from contracts_service.actions.customer_erasure import erase_customer
from contracts_service.actions.entry_history import Recorder
from contracts_service.rules.customer_erasure import YEARS, completed_by_when
from madoguchi.cli.events import own_database
from madoguchi.cli.options import DATA_FOLDER, Data, Url
from shared.clock import SystemClock, jst_day
from shared.db import EVERY_DEALER, Database
from shared.errors import FormErrors, Refusal

MOST = 1000

erase_command = typer.Typer(add_completion=False)
retention = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Customers whose contracts ended long ago."
)
console = Console()
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
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Erase the customer of a contract in every service. This cannot be undone."""

    async def erase_one(at: Database) -> None:
        console.print(await _erase(at, contract_no, reason))

    _with_contracts(data, database, erase_one)


@retention.command()
def due(
    before: Before = None, years: Years = YEARS, data: Data = DATA_FOLDER, database: Url = None
) -> None:
    """List the contracts whose customers are due for erasure; changes nothing."""
    by = _completed_by(before, years)

    async def look(at: Database) -> None:
        rows = await _due(at, by)
        for row in rows:
            console.print(f"{row.contract_no}  {row.dealer_id}  complete {row.completed_on}")
        console.print(f"{len(rows)} due{' at least' if len(rows) == MOST else ''}.")

    _with_contracts(data, database, look)


@retention.command("run")
def run_retention(
    before: Before = None, years: Years = YEARS, data: Data = DATA_FOLDER, database: Url = None
) -> None:
    """Erase the customers that are due, one transaction each; can be interrupted and rerun."""
    by = _completed_by(before, years)

    async def erase_one(at: Database) -> None:
        erased = 0
        while rows := await _due(at, by):
            for row in rows:
                await _erase(at, row.contract_no, "保存期間の経過")
            erased += len(rows)
        console.print(f"{erased} erased.")

    _with_contracts(data, database, erase_one)


def _completed_by(before: datetime | None, years: int) -> date:
    today = jst_day(SystemClock().now())
    return before.date() if before else completed_by_when(today, years=years)


async def _due(at: Database, by: date) -> list[Row[str, str, date | None]]:
    async with at.transaction(EVERY_DEALER) as tx:
        return await queries.erasures_due(tx, by, most=MOST)


async def _erase(at: Database, contract_no: str, reason: str) -> str:
    speaker = Recorder(f"CLI-{getpass.getuser()}", "erasure", SystemClock().now())
    async with at.transaction(EVERY_DEALER) as tx:
        done = await erase_customer(tx, contract_no, reason, speaker)
        return f"{done.contract_no}: erased at {done.erased_at:%Y-%m-%d %H:%M} UTC."


def _with_contracts(
    data: Path, url: str | None, act: Callable[[Database], Awaitable[None]]
) -> None:
    async def run() -> None:
        database = Database(url or await own_database("contracts", data))
        try:
            await act(database)
        finally:
            await database.close()

    try:
        asyncio.run(run())
    except Refusal as refused:
        messages = [f.message for f in refused.fields] if isinstance(refused, FormErrors) else []
        console.print("\n".join([f"{refused.code}: {refused.message}", *messages]), soft_wrap=True)
        raise typer.Exit(1) from None
