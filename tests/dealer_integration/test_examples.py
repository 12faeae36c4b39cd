"""Integration examples: the programs of docs/integration and third-party clients send events."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from interchange_service.amqp_consumer import AmqpConsumers
from interchange_service.broker_definitions import BrokerNames
from madoguchi.cli.interface_conformance import Line, System
from madoguchi.cli.interface_conformance_amqp import try_amqp
from madoguchi.cli.interface_conformance_cases import fresh
from services.interchange.tests.dealer_broker import Broker
from shared.clock import SystemClock
from shared.testing.broker_users import why_not
from shared.trace_context import new_id
from tests.node_assets import installed

from .conftest import DealerApi

EXAMPLES = Path(__file__).parents[2] / "docs" / "integration"


async def run(*words: str, **environment: str) -> tuple[int, str]:
    """Run a program as an integrator would; returns its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *words,
        env={"PATH": os.environ["PATH"], **environment},
        cwd=EXAMPLES,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, said.decode()


def over_https(dealer_api: DealerApi) -> dict[str, str]:
    return {
        "MADOGUCHI_URL": dealer_api.url,
        "MADOGUCHI_KEY": dealer_api.key,
        "MADOGUCHI_DEALER": "D01",
    }


PROGRAMS = [
    (sys.executable, "publish.py"),
    ("sh", "publish.sh"),
    ("node", "publish-https.mjs"),
]


@pytest.mark.parametrize("program", PROGRAMS)
async def test_an_example_sends_over_https_once(
    dealer_api: DealerApi, program: tuple[str, str]
) -> None:
    needed = "curl" if program[0] == "sh" else program[0]
    if shutil.which(needed) is None:
        pytest.skip(
            f"NO {needed}: {program[1]} is not tried. Install it (Debian: apt-get install)."
        )
    said = [await run(*program, "R-1001", **over_https(dealer_api)) for _ in range(2)]
    assert [code for code, _ in said] == [0, 0], said
    assert "returned-R-1001" in said[0][1]
    assert ["true" in words.lower() for _, words in said] == [False, True]
    assert await dealer_api.rows("SELECT type, aggregate_id FROM outbox") == [
        ("dealer.vehicle_returned.v1", "D01-R-1001")
    ]
    code, words = await run(*program, "R-1002", "210010000020", **over_https(dealer_api))
    assert code == 0, words
    assert await dealer_api.rows(
        "SELECT payload->>'contract_no' FROM outbox ORDER BY position"
    ) == [(None,), ("210010000020",)]
    wrong = over_https(dealer_api) | {"MADOGUCHI_KEY": "mdk_0_x"}
    code, words = await run(*program, "R-1003", **wrong)
    assert code != 0
    assert "KEY_NOT_TRUSTED" in words


@pytest.fixture(scope="module")
async def broker(rabbitmq_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """A broker with D01's definitions imported."""
    if reason := why_not(rabbitmq_url):
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{reason}\n")
        pytest.skip(reason)
    name = f"test-{new_id().hex[-8:]}"
    address = rabbitmq_url.split("@")[1].rstrip("/")
    made = Broker(address, name, BrokerNames(f"{name}."))
    try:
        await made.learn("D01")
        yield made
    finally:
        made.remove()


@pytest.fixture
async def amqp_url(dealer_api: DealerApi, broker: Broker) -> AsyncIterator[str]:
    """The worker that consumes D01's messages; yields the URL of D01's user."""
    dealers = AmqpConsumers(broker.service_url, broker.names, dealer_api.database, SystemClock())
    working = asyncio.create_task(dealers.run())
    yield broker.url(broker.names.user("D01"), broker.passwords["D01"])
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def eventually(dealer_api: DealerApi, statement: str) -> list[tuple[object, ...]]:
    for _ in range(400):
        if rows := await dealer_api.rows(statement):
            return rows
        await asyncio.sleep(0.05)
    raise AssertionError(statement)


async def test_amqplib_of_node_sends_over_amqp(
    dealer_api: DealerApi, amqp_url: str, request: pytest.FixtureRequest
) -> None:
    installed(request, EXAMPLES, "amqplib")
    mine = {"MADOGUCHI_AMQP": amqp_url, "MADOGUCHI_DEALER": "D01"}
    for _ in range(2):
        code, words = await run("node", "publish.mjs", "R-2001", **mine)
        assert (code, words) == (0, "returned-R-2001 is taken\n")
    assert await eventually(dealer_api, "SELECT type, aggregate_id FROM outbox") == [
        ("dealer.vehicle_returned.v1", "D01-R-2001")
    ]
    code, words = await run("node", "publish.mjs", "R-2002", **mine | {"MADOGUCHI_DEALER": "D02"})
    assert code == 1, words


async def test_amqp_tools_of_debian_are_quarantined_without_a_user_id(
    dealer_api: DealerApi, amqp_url: str
) -> None:
    """They set no user_id, so their message is quarantined without a sender."""
    program = shutil.which("amqp-publish")
    if program is None:
        pytest.skip("NO AMQP-PUBLISH: install it (Debian: apt-get install amqp-tools)")
    parts = urlsplit(amqp_url)
    prefix = (parts.username or "").removesuffix("dealer-D01")
    message = fresh("dealer.vehicle_returned.v1", "D01", SystemClock().now())
    sent = [f"--header=ce-{name}: {value}" for name, value in message.attributes.items()]
    code, words = await run(
        program, "--url", amqp_url, "--exchange", f"{prefix}ingress.D01",
        "--routing-key", "dealer.D01.vehicle_returned", "--content-type", "application/json",
        *sent, "--body", '{"dealer_id": "D01"}',
    )  # fmt: skip
    assert (code, words) == (0, "")
    assert await eventually(dealer_api, "SELECT reason, channel FROM quarantined") == [
        ("SENDER_UNKNOWN", "amqp")
    ]


async def test_the_conformance_command_covers_amqp(dealer_api: DealerApi, amqp_url: str) -> None:
    import httpx

    async with httpx.AsyncClient(base_url=dealer_api.url, timeout=30) as http:
        lines: list[Line] = await try_amqp(amqp_url, System(http, dealer_api.key, "D01"))
    assert [line.got for line in lines] == [line.expected for line in lines]
    assert len(lines) == 4
