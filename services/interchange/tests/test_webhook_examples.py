"""Webhook examples: the receivers in docs/integration accept our messages, and no others."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shared.testing.servers import free_port

from .webhook_receiver import Receiver
from .webhook_stack import WebhookStack

EXAMPLES = Path(__file__).parents[3] / "docs" / "integration"
NODE = shutil.which("node")
NO_NODE = "NO NODE: docs/integration/verify.mjs is not tried. Debian: apt-get install nodejs"
COMMANDS = [
    pytest.param([sys.executable, "verify.py"], id="Python"),
    pytest.param(
        [NODE or "node", "verify.mjs"],
        id="Node",
        marks=pytest.mark.skipif(NODE is None, reason=NO_NODE),
    ),
]


@contextlib.asynccontextmanager
async def receiver_with(command: Sequence[str], secret: str, port: int) -> AsyncIterator[None]:
    """The receiver as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *command, str(port), cwd=EXAMPLES, env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while not await answers(port):  # noqa: ASYNC110  it is a process of its own
                await asyncio.sleep(0.05)
        yield
    finally:
        process.kill()
        await process.wait()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_receiver_believes_what_is_ours_only(
    webhook_stack: WebhookStack, command: list[str]
) -> None:
    port = free_port()
    made = await webhook_stack.add(f"http://localhost:{port}/hook")
    other = await webhook_stack.add("http://localhost:9/", events=["withdrawn"])
    await webhook_stack.enter("COMPLETED")
    async with receiver_with(command, other["secret"], port):
        await webhook_stack.sender(webhook_timeout_s=20).send_due()
    [line] = await webhook_stack.deliveries()
    assert (line["state"], line["last_status"]) == ("scheduled", 401)
    await webhook_stack.at_once()
    async with receiver_with(command, made["secret"], port):
        await webhook_stack.sender(webhook_timeout_s=20).send_due()
    [line] = await webhook_stack.deliveries()
    assert (line["state"], line["last_status"]) == ("delivered", 204)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("secret", [{}, {"WEBHOOK_SECRET": "mdk_0_x"}], ids=["none", "key"])
def test_a_receiver_without_the_secret_does_not_start(
    command: list[str], secret: dict[str, str]
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "WEBHOOK_SECRET"}
    done = subprocess.run(
        [*command, str(free_port())], cwd=EXAMPLES, env=environment | secret,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "WEBHOOK_SECRET is missing" in done.stderr


async def test_the_shell_believes_what_is_ours_only(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    made = await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    await webhook_stack.sender().send_due()
    [seen] = receiver.seen
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    command = ["sh", "verify.sh", *(seen.headers[name] for name in names)]
    for body, ends in ((seen.body, 0), (seen.body + " ", 1)):
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=EXAMPLES,
            env={**os.environ, "WEBHOOK_SECRET": made["secret"]},
            input=body.encode(),
            check=False,
            timeout=30,
        )
        assert done.returncode == ends
