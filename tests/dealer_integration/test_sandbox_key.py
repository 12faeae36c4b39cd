"""Key of a sandbox: what is printed is trusted, whatever lay in the data folder before."""

from pathlib import Path

import pytest

from interchange_service.actions.keys import revoke_key, use_key
from interchange_service.rules.credentials import WrittenKey
from madoguchi.embedded.demo import demo_masters
from madoguchi.embedded.sandbox import KEY_FILE, Sandbox
from shared.clock import SystemClock
from shared.db import EVERY_DEALER

from .conftest import DealerApi


def sandbox_of(dealer_api: DealerApi, data: Path) -> Sandbox:
    dealer = next(one for one in demo_masters().dealers if one.code == "D01")
    return Sandbox({"interchange": dealer_api.database}, SystemClock(), dealer, data)


async def owner(dealer_api: DealerApi, token: str) -> str:
    """The dealer whom the service takes this key for; a refusal if none."""
    async with dealer_api.database.transaction(EVERY_DEALER) as tx:
        return (await use_key(tx, WrittenKey.read(token), now=SystemClock().now())).dealer_id


@pytest.mark.parametrize("left", ["", "nonsense", WrittenKey("0" * 16, "of another").token])
async def test_a_key_of_a_database_that_is_gone_is_replaced(
    dealer_api: DealerApi, tmp_path: Path, left: str
) -> None:
    (tmp_path / KEY_FILE).write_text(left, encoding="utf-8")
    sandbox = sandbox_of(dealer_api, tmp_path)
    await sandbox.ensure_key()
    assert sandbox.key != left
    assert await owner(dealer_api, sandbox.key) == "D01"


async def test_a_good_key_stays_and_a_revoked_one_is_replaced(
    dealer_api: DealerApi, tmp_path: Path
) -> None:
    sandbox = sandbox_of(dealer_api, tmp_path)
    await sandbox.ensure_key()
    first = sandbox.key
    await sandbox.ensure_key()
    assert sandbox.key == first
    async with dealer_api.database.transaction(EVERY_DEALER) as tx:
        await revoke_key(tx, WrittenKey.read(first).key_id, by="test", now=SystemClock().now())
    await sandbox.ensure_key()
    assert sandbox.key != first
    assert await owner(dealer_api, sandbox.key) == "D01"
