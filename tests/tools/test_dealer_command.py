"""Dealer commands: an operator creates, rotates, revokes and deactivates credentials."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from typer.testing import CliRunner, Result

from interchange_service.rules.credentials import WrittenKey
from madoguchi.cli.main import main
from shared.db import EVERY_DEALER, Database

NewDatabase = Callable[[str], Awaitable[str]]


async def dealer(url: str, *words: str) -> Result:
    command = ["dealer", *words, "--database", url]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def test_credentials_are_shown_once_and_stored_as_hashes(new_database: NewDatabase) -> None:
    url = await new_database("interchange_service")
    added = await dealer(url, "add", "D01", "--name", "第一販売")
    [key], [password] = (
        re.findall(pattern, added.output) for pattern in (r"(mdk_\S+)", r"AMQP password (\S+)")
    )
    database = Database(url)
    async with database.transaction(EVERY_DEALER) as tx:
        kept = base64.b64decode(
            (await tx.execute(text("SELECT amqp_password_hash FROM dealer_account"))).scalar_one()
        )
        [digest] = (await tx.execute(text("SELECT secret_hash FROM api_key"))).scalars()
    await database.close()
    assert kept[4:] == hashlib.sha256(kept[:4] + password.encode()).digest()
    assert digest == WrittenKey.read(key).digest
    again = await dealer(url, "add", "D01", "--name", "第一販売")
    assert (again.exit_code, "DEALER_ALREADY_ADDED" in again.output) == (1, True)
    listed = (await dealer(url, "list")).output
    assert WrittenKey.read(key).key_id in listed
    assert WrittenKey.read(key).secret not in listed + again.output


async def test_keys_are_rotated_and_revoked_and_a_dealer_deactivated(
    new_database: NewDatabase,
) -> None:
    url = await new_database("interchange_service")
    first = re.findall(
        r"mdk_(\w+?)_", (await dealer(url, "add", "D01", "--name", "第一販売")).output
    )
    rotated = await dealer(url, "rotate", "D01", "--grace-hours", "0", "--amqp")
    assert "AMQP password" in rotated.output
    [second] = re.findall(r"mdk_(\w+?)_", rotated.output)
    assert (await dealer(url, "revoke", second)).exit_code == 0
    assert (await dealer(url, "revoke", second)).exit_code == 1
    assert (await dealer(url, "deactivate", "D01")).exit_code == 0
    assert (await dealer(url, "deactivate", "D09")).exit_code == 1
    database = Database(url)
    async with database.transaction(EVERY_DEALER) as tx:
        keys = await tx.execute(
            text("SELECT key_id, expires_at IS NOT NULL, revoked_by FROM api_key ORDER BY made_at")
        )
        assert [tuple(key) for key in keys] == [
            (first[0], True, None), (second, False, "madoguchi dealer"),
        ]  # fmt: skip
        assert (await tx.execute(text("SELECT active FROM dealer_account"))).scalar_one() is False
    await database.close()


async def test_the_definitions_contain_every_dealer_and_no_password(
    new_database: NewDatabase,
) -> None:
    url = await new_database("interchange_service")
    added = await dealer(url, "add", "D01", "--name", "第一販売")
    await dealer(url, "add", "D02", "--name", "第二販売")
    await dealer(url, "deactivate", "D02")
    [password] = re.findall(r"AMQP password (\S+)", added.output)
    printed = await dealer(url, "definitions", "--prefix", "a.", "--service-password", "secret")
    made = json.loads(printed.output)
    assert [user["name"] for user in made["users"]] == ["madoguchi", "a.dealer-D01", "a.dealer-D02"]
    assert password not in printed.output
    assert "secret" not in printed.output
    writes = {right["user"]: right["write"] for right in made["permissions"]}
    assert writes["a.dealer-D01"] == r"^a\.ingress\.D01$"
    assert writes["a.dealer-D02"] == "^$"
