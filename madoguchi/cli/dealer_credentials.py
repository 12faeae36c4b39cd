"""Dealer credentials: `madoguchi dealer ...` manages the accounts of dealers' systems.

Passwords and keys are printed once, when they are created; only their hashes are stored.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from madoguchi.cli.databases import opened
from madoguchi.cli.options import AsJson, Data, Url, group
from madoguchi.cli.output import print_json, print_line
from shared.clock import JST, SystemClock
from shared.errors import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession

dealer = group("Dealers' systems that may send events.")

BY, LABEL = "madoguchi dealer", "madoguchi"
Code = Annotated[str, typer.Argument(help="the dealer's code, D01 for example")]
Act = Callable[["AsyncSession", datetime], Awaitable[None]]


def _with_interchange(data: Path | None, url: str | None, act: Act) -> None:
    """Run `act` in one transaction; a refusal is printed and changes nothing."""

    async def run() -> None:
        from shared.db import EVERY_DEALER

        async with (
            opened("interchange", data, url) as database,
            database.transaction(EVERY_DEALER) as tx,
        ):
            await act(tx, SystemClock().now())

    try:
        asyncio.run(run())
    except Refusal as refusal:
        print_line(f"{refusal.code}: {refusal.message}")
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
    data: Data = None,
    database: Url = None,
) -> None:
    """Create an account for a dealer's systems, with an AMQP password and an HTTPS key."""
    password, keys = secrets.token_urlsafe(24), list[str]()

    async def act(tx: AsyncSession, now: datetime) -> None:
        from interchange_service.actions.dealers import add_dealer
        from interchange_service.actions.keys import make_key
        from interchange_service.rules.credentials import broker_hash

        await add_dealer(tx, code, name, now=now, amqp_password_hash=broker_hash(password))
        keys.append((await make_key(tx, code, label=LABEL, by=BY, now=now)).token)

    _with_interchange(data, database, act)
    _print_credentials(code, password=password, key=keys[0])


@dealer.command("list")
def list_dealers(data: Data = None, database: Url = None, *, as_json: AsJson = False) -> None:
    """List every dealer with its keys and when each was last used."""
    found = list[dict[str, Any]]()

    async def act(tx: AsyncSession, now: datetime) -> None:
        found.extend(await _dealers(tx, now))

    _with_interchange(data, database, act)
    if as_json:
        print_json(found)
    else:
        _print_dealers(found)


async def _dealers(tx: AsyncSession, now: datetime) -> list[dict[str, Any]]:
    """Every dealer's account with its keys; neither passwords nor secrets of keys."""
    from interchange_service.actions.keys import good
    from interchange_service.queries import api_keys, dealer_accounts

    keys = await api_keys(tx)
    return [
        {
            "dealer": account.dealer_id,
            "name": account.name,
            "sends": account.active,
            "amqp": bool(account.amqp_password_hash),
            "keys": [
                {
                    "key": key.key_id,
                    "label": key.label,
                    "valid": good(key, now),
                    "until": key.expires_at,
                    "last_used_at": key.last_used_at,
                }
                for key in keys
                if key.dealer_id == account.dealer_id
            ],
        }
        for account in await dealer_accounts(tx)
    ]


def _print_dealers(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("dealer", "name", "sends", "AMQP", "key", "label", "until", "last used")

    def moment(at: datetime | None) -> str:
        return f"{at.astimezone(JST):%Y-%m-%d %H:%M}" if at else "-"

    for one in found:
        yes = ["yes" if one[what] else "no" for what in ("sends", "amqp")]
        for key in one["keys"]:
            until = moment(key["until"]) if key["valid"] else "over"
            last = moment(key["last_used_at"])
            table.add_row(one["dealer"], one["name"], *yes, key["key"], key["label"], until, last)
        if not one["keys"]:
            table.add_row(one["dealer"], one["name"], *yes, *"----")
    console = Console()
    Console(width=max(console.width, 120)).print(table)


@dealer.command()
def rotate(
    code: Code,
    grace_hours: Annotated[int, typer.Option(min=0, help="how long old keys stay valid")] = 24,
    *,
    amqp: Annotated[bool, typer.Option("--amqp", help="also create a new AMQP password")] = False,
    data: Data = None,
    database: Url = None,
) -> None:
    """Create a new key; the dealer's other keys expire after a grace period."""
    password, keys = secrets.token_urlsafe(24) if amqp else None, list[str]()

    async def act(tx: AsyncSession, now: datetime) -> None:
        from interchange_service.actions.dealers import set_amqp_password
        from interchange_service.actions.keys import rotate_keys_of
        from interchange_service.rules.credentials import broker_hash

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
    data: Data = None,
    database: Url = None,
) -> None:
    """Revoke one key immediately."""
    key_id = key.removeprefix("mdk_").partition("_")[0]

    async def act(tx: AsyncSession, now: datetime) -> None:
        from interchange_service.actions.keys import revoke_key

        await revoke_key(tx, key_id, by=BY, now=now)

    _with_interchange(data, database, act)
    print_line(f"The key {key_id} is revoked.")


@dealer.command()
def deactivate(code: Code, data: Data = None, database: Url = None) -> None:
    """Reject all messages of a dealer; its keys and password are kept for reactivation."""
    _enable(code, data, database, active=False)
    print_line(
        f"{code} is deactivated. Its AMQP user loses its permissions with the next definitions."
    )


@dealer.command()
def activate(code: Code, data: Data = None, database: Url = None) -> None:
    """Accept messages of a deactivated dealer again."""
    _enable(code, data, database, active=True)
    print_line(f"{code} may send again.")


def _enable(code: str, data: Path | None, url: str | None, *, active: bool) -> None:
    async def act(tx: AsyncSession, _now: datetime) -> None:
        from interchange_service.actions.dealers import enable_dealer

        await enable_dealer(tx, code, active=active)

    _with_interchange(data, url, act)


@dealer.command("definitions")
def print_definitions(  # noqa: PLR0913, PLR0917 - every flag is an argument
    data: Data = None,
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
        from interchange_service.broker_definitions import (
            BrokerNames,
            ServiceUser,
            definitions,
        )
        from interchange_service.queries import dealer_accounts
        from interchange_service.rules.credentials import broker_hash

        service = None
        if service_password:
            service = ServiceUser(service_user, broker_hash(service_password))
        accounts = await dealer_accounts(tx)
        made = definitions(accounts, names=BrokerNames(prefix), vhost=vhost, service=service)
        print_line(json.dumps(made, indent=2))

    _with_interchange(data, database, act)
