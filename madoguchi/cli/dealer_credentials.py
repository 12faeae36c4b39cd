"""Dealer credentials: `madoguchi dealer ...` manages the accounts of dealers' systems.

Passwords and keys are printed once, when they are created; only their hashes are stored.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.dealers import add_dealer, enable_dealer, set_amqp_password
from interchange_service.actions.keys import good, make_key, revoke_key, rotate_keys_of
from interchange_service.broker_definitions import BrokerNames, ServiceUser
from interchange_service.broker_definitions import definitions as broker_definitions
from interchange_service.queries import api_keys, dealer_accounts
from interchange_service.rules.credentials import broker_hash
from madoguchi.cli.events import own_database, print_line
from madoguchi.cli.options import DATA_FOLDER, Data, Url
from shared.clock import JST, SystemClock
from shared.db import EVERY_DEALER, Database
from shared.errors import Refusal

dealer = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Dealers' systems that may send events."
)
console = Console()

BY, LABEL = "madoguchi dealer", "madoguchi"
Code = Annotated[str, typer.Argument(help="the dealer's code, D01 for example")]
Act = Callable[[AsyncSession, datetime], Awaitable[None]]


def _with_interchange(data: Path, url: str | None, act: Act) -> None:
    """Run `act` in one transaction; a refusal is printed and changes nothing."""

    async def run() -> None:
        database = Database(url or await own_database("interchange", data))
        try:
            async with database.transaction(EVERY_DEALER) as tx:
                await act(tx, SystemClock().now())
        finally:
            await database.close()

    try:
        asyncio.run(run())
    except Refusal as refusal:
        console.print(f"{refusal.code}: {refusal.message}", style="red")
        raise typer.Exit(1) from None


def _print_credentials(code: str, *, password: str | None, key: str | None) -> None:
    print_line(f"\n  dealer        {code}")
    if password is not None:
        print_line(
            f"  AMQP user     dealer-{code}  (behind the installation's event prefix, if any)"
        )
        print_line(f"  AMQP password {password}")
    if key is not None:
        print_line(f"  API key       {key}")
    print_line("\n  These are shown once. Hand them over through a secure channel.")
    print_line("  Next:")
    if password is not None:
        print_line(
            "    - update the broker:        madoguchi dealer definitions > definitions.json"
        )
        print_line(
            "                                rabbitmqctl import_definitions definitions.json"
        )
    if key is not None:
        print_line(
            "    - test as the dealer:       madoguchi conformance --dealer ... --key ... --url ..."
        )
    print_line("    - what to send, and how:    docs/integration.en.md, docs/integration.md\n")


@dealer.command()
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="the dealer's display name")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Create an account for a dealer's systems, with an AMQP password and an HTTPS key."""
    password, keys = secrets.token_urlsafe(24), list[str]()

    async def act(tx: AsyncSession, now: datetime) -> None:
        await add_dealer(tx, code, name, now=now, amqp_password_hash=broker_hash(password))
        keys.append((await make_key(tx, code, label=LABEL, by=BY, now=now)).token)

    _with_interchange(data, database, act)
    _print_credentials(code, password=password, key=keys[0])


@dealer.command("list")
def list_dealers(data: Data = DATA_FOLDER, database: Url = None) -> None:
    """List every dealer with its keys and when each was last used."""
    table = Table("dealer", "name", "sends", "AMQP", "key", "label", "until", "last used")

    def moment(at: datetime | None) -> str:
        return f"{at.astimezone(JST):%Y-%m-%d %H:%M}" if at else "-"

    async def act(tx: AsyncSession, now: datetime) -> None:
        keys = await api_keys(tx)
        for account in await dealer_accounts(tx):
            sends, amqp = "yes" if account.active else "no", bool(account.amqp_password_hash)
            first = (account.dealer_id, account.name, sends, "yes" if amqp else "no")
            own = [key for key in keys if key.dealer_id == account.dealer_id]
            for key in own:
                until = moment(key.expires_at) if good(key, now) else "over"
                table.add_row(*first, key.key_id, key.label, until, moment(key.last_used_at))
            if not own:
                table.add_row(*first, *"----")

    _with_interchange(data, database, act)
    Console(width=max(console.width, 120)).print(table)


@dealer.command()
def rotate(
    code: Code,
    grace_hours: Annotated[int, typer.Option(min=0, help="how long old keys stay valid")] = 24,
    *,
    amqp: Annotated[bool, typer.Option("--amqp", help="also create a new AMQP password")] = False,
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Create a new key; the dealer's other keys expire after a grace period."""
    password, keys = secrets.token_urlsafe(24) if amqp else None, list[str]()

    async def act(tx: AsyncSession, now: datetime) -> None:
        grace = timedelta(hours=grace_hours)
        made = await rotate_keys_of(tx, code, label=LABEL, grace=grace, by=BY, now=now)
        keys.append(made.token)
        if password is not None:
            await set_amqp_password(tx, code, broker_hash(password))

    _with_interchange(data, database, act)
    _print_credentials(code, password=password, key=keys[0])


@dealer.command()
def revoke(
    key: Annotated[str, typer.Argument(help="the key's id: the part after mdk_")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Revoke one key immediately."""
    key_id = key.removeprefix("mdk_").partition("_")[0]
    _with_interchange(data, database, lambda tx, now: revoke_key(tx, key_id, by=BY, now=now))
    print_line(f"The key {key_id} is revoked.")


@dealer.command()
def deactivate(code: Code, data: Data = DATA_FOLDER, database: Url = None) -> None:
    """Reject all messages of a dealer; its keys and password are kept for reactivation."""
    _with_interchange(data, database, lambda tx, _: enable_dealer(tx, code, active=False))
    print_line(
        f"{code} is deactivated. Its AMQP user loses its permissions with the next definitions."
    )


@dealer.command()
def activate(code: Code, data: Data = DATA_FOLDER, database: Url = None) -> None:
    """Accept messages of a deactivated dealer again."""
    _with_interchange(data, database, lambda tx, _: enable_dealer(tx, code, active=True))
    print_line(f"{code} may send again.")


@dealer.command()
def definitions(  # noqa: PLR0913, PLR0917 - every flag is an argument
    data: Data = DATA_FOLDER,
    database: Url = None,
    prefix: Annotated[str, typer.Option(help="the installation's event prefix")] = "",
    vhost: Annotated[str, typer.Option(help="the virtual host of the broker")] = "/",
    service_user: Annotated[str, typer.Option(help="the user of the services")] = "madoguchi",
    service_password: Annotated[
        str | None,
        typer.Option(
            envvar="RABBITMQ_PASSWORD", help="its password; if omitted, it is not changed"
        ),
    ] = None,
) -> None:
    """Print the broker definitions for `rabbitmqctl import_definitions`; rerun on every change."""

    async def act(tx: AsyncSession, _now: datetime) -> None:
        service = None
        if service_password:
            service = ServiceUser(service_user, broker_hash(service_password))
        accounts = await dealer_accounts(tx)
        made = broker_definitions(accounts, names=BrokerNames(prefix), vhost=vhost, service=service)
        print_line(json.dumps(made, indent=2))

    _with_interchange(data, database, act)
