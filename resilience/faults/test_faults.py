"""Faults of every kind lose, duplicate and reorder no event."""

import secrets
from collections.abc import AsyncIterator

import pytest

from resilience.faults.crash_points import CRASH_POINTS
from resilience.faults.fault_run import Report, Servers, run
from shared.testing.disposable_servers import PrivatePostgres, PrivateRabbitMQ, rabbitmq_program
from shared.testing.servers import HOW_TO_GET_RABBITMQ, free_port

EVERYWHERE = [
    *(f"killed {point.replace('_', ' ')}" for point in CRASH_POINTS),
    "api killed anywhere",
    "relay killed anywhere",
    "inbox killed anywhere",
    "relay stood still beyond its limit",
    "inbox stood still beyond its limit",
    "link cut: source",
    "link cut: target",
    "link cut: relay_broker",
    "link cut: inbox_broker",
    "link stalled: source",
    "link stalled: target",
    "link stalled: relay_broker",
    "link stalled: inbox_broker",
    "deliveries copied and shuffled",
    "queue shuffled",
    "postgresql restarted",
    "postgresql crashed",
]


@pytest.fixture
async def postgres() -> AsyncIterator[PrivatePostgres]:
    server = PrivatePostgres(free_port())
    await server.start()
    yield server
    server.remove()


@pytest.fixture
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[PrivateRabbitMQ]:
    program = rabbitmq_program()
    if program is None:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{HOW_TO_GET_RABBITMQ}\n")
        pytest.skip(HOW_TO_GET_RABBITMQ)
    server = PrivateRabbitMQ(program, free_port(), free_port())
    await server.start()
    yield server
    server.remove()


def must_be_sound(report: Report, plan: list[str]) -> None:
    assert report.injected.keys() == set(plan)
    assert report.fallen == ()
    assert report.settled, report.table()
    assert report.verdict.sound, report.table()


async def test_every_committed_event_takes_effect_once_and_in_order_despite_every_fault(
    postgres: PrivatePostgres, rabbitmq_url: str
) -> None:
    servers = Servers(postgres.url, rabbitmq_url, f"faults-{secrets.token_hex(4)}-", postgres)
    report = await run(servers, events=2000, seed=20250715, plan=EVERYWHERE)
    must_be_sound(report, EVERYWHERE)
    assert report.verdict.events >= 2000
    assert report.verdict.duplicate_deliveries > 0, (
        "the faults caused no duplicate delivery, so the test proves nothing"
    )


async def test_a_broker_that_is_restarted_or_killed_loses_nothing(
    postgres: PrivatePostgres, broker: PrivateRabbitMQ
) -> None:
    plan = ["broker restarted", "broker killed"]
    servers = Servers(postgres.url, broker.url, "faults-", postgres, broker)
    must_be_sound(await run(servers, events=500, seed=20250716, plan=plan), plan)
