"""Generated clients: two public generators read our OpenAPI, and what they make really works.

Each client sends an event, registers a webhook by API, and verifies the message that arrives.
"""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from interchange_service.app import webhook_sender
from shared.clock import SystemClock
from shared.notifications import WorkSignal
from tests.node_assets import installed

from .conftest import DealerApi

EXAMPLES = Path(__file__).parents[2] / "docs" / "integration"
OPENAPI = "/api/interchange/v1/documentation/openapi.json"
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""Generators call ruff, which lies beside the Python of the tests."""
PACKAGES = ("openapi-typescript", "openapi-fetch", "standardwebhooks", "typescript", "@types/node")


async def run(folder: Path, *words: str, **environment: str) -> str:
    """The output of a program that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=folder, env={**os.environ, **environment, "PATH": PATH},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, said.decode()
    return said.decode()


@pytest.fixture
async def environment(dealer_api: DealerApi) -> AsyncIterator[dict[str, str]]:
    """What an integrator has: address, key and code. Webhooks are sent meanwhile."""
    sender = webhook_sender(dealer_api.settings, dealer_api.database, SystemClock())
    working = asyncio.create_task(sender.run(WorkSignal(seldom_s=0.2)))
    yield {
        "MADOGUCHI_URL": dealer_api.url,
        "MADOGUCHI_KEY": dealer_api.key,
        "MADOGUCHI_DEALER": "D01",
    }
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def stored(dealer_api: DealerApi) -> list[tuple[object, ...]]:
    return await dealer_api.rows("SELECT type, aggregate_id FROM outbox")


async def endpoints(dealer_api: DealerApi) -> list[tuple[object, ...]]:
    """The endpoints, and why they are stopped."""
    return await dealer_api.rows("SELECT label, stopped_because FROM webhook_endpoint")


async def test_a_client_of_openapi_python_client_sends_receives_and_verifies(
    dealer_api: DealerApi, environment: dict[str, str], tmp_path: Path
) -> None:
    said = await run(
        tmp_path, sys.executable, "-m", "openapi_python_client", "generate",
        "--url", dealer_api.url + OPENAPI, "--output-path", "client", "--fail-on-warning",
    )  # fmt: skip
    shutil.copy(EXAMPLES / "typed_client.py", tmp_path)
    path = str(tmp_path / "client")
    said = await run(
        tmp_path, sys.executable, "typed_client.py", "R-3001", **environment, PYTHONPATH=path
    )
    assert "returned-R-3001 repeated=False" in said
    assert "verified: Madoguchi からのテスト送信です。" in said
    assert await stored(dealer_api) == [("dealer.vehicle_returned.v1", "D01-R-3001")]
    assert await endpoints(dealer_api) == [("typed client", "person")]


def written_commands() -> list[str]:
    """The commands in the comment of the TypeScript example."""
    comment = (EXAMPLES / "typed-client.ts").read_text(encoding="utf-8")
    return re.findall(r"^//   (.+)$", comment, re.MULTILINE)


def test_the_packages_of_the_examples_are_pinned() -> None:
    """TypeScript 7, which an install without versions fetches, breaks openapi-typescript 7."""
    packages = json.loads((EXAMPLES / "package.json").read_text(encoding="utf-8"))
    named = {**packages["dependencies"], **packages["devDependencies"]}
    assert set(PACKAGES) <= named.keys()
    assert [version for version in named.values() if not version[0].isdigit()] == []
    assert packages["type"] == "module"
    for file in EXAMPLES.iterdir():
        if file.is_file() and file.name != "package-lock.json":
            words = file.read_text(encoding="utf-8")
            assert "npm install" not in words, file.name


async def test_types_of_openapi_typescript_send_receive_and_verify(
    dealer_api: DealerApi,
    environment: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    modules = installed(request, EXAMPLES, *PACKAGES)
    (tmp_path / "node_modules").symlink_to(modules)
    for name in ("typed-client.ts", "package.json"):
        shutil.copy(EXAMPLES / name, tmp_path)
    fetched, types, compiled, started = written_commands()
    assert fetched == "npm ci", "only it fetches the versions of package-lock.json"
    assert "dealer.d.ts" in await run(tmp_path, "sh", "-c", types, **environment)
    await run(tmp_path, "sh", "-c", compiled)
    program = started.partition(" node ")[2].replace("R-1006", "R-3002")
    said = await run(tmp_path, "sh", "-c", f"node {program}", **environment)
    assert "returned-R-3002 repeated=false" in said
    assert "verified: Madoguchi からのテスト送信です。" in said
    assert await stored(dealer_api) == [("dealer.vehicle_returned.v1", "D01-R-3002")]
    assert await endpoints(dealer_api) == [("typed client", "person")]
    wrong = (tmp_path / "typed-client.ts").read_text(encoding="utf-8")
    misspelt = wrong.replace("source_id: source", "sourceId: source")
    (tmp_path / "typed-client.ts").write_text(misspelt, encoding="utf-8")
    with pytest.raises(AssertionError, match="sourceId"):
        await run(tmp_path, "sh", "-c", compiled)
