"""Scaling of the event path: `./dev bench scaling` runs one, two and four processes per side.

The programs, the history and its checker are those of the fault run: the measured runs must also be
correct, in the order of each aggregate and with one effect per event.
"""

import argparse
import asyncio
import multiprocessing
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aio_pika
import asyncpg
import uvloop

from bench.event_fixture import EventFixture, drop_events, event_fixture, in_turn, ratio, write
from resilience.faults import processes
from resilience.faults.checker import Committed, Effect, Verdict, judge
from resilience.faults.crash_points import ArmedFaults
from resilience.faults.processes import SOURCE_TABLES, TARGET_TABLES, Part
from shared import logging
from shared.main import tune_gc

METHOD = """\
Method: the same number of relay processes of the sending service and inbox processes of the
receiving one, over RabbitMQ, on {aggregates} independent aggregates; they have started and divided
the lanes of the outbox before one transaction commits all events; time is measured from its commit
to the last committed effect. The process counts take turns in every round; the ratio is the median
over the rounds. After each run the checker of the fault run compares the effects with the committed
events. "Only writes": the handler writes one row and is CPU-bound, and every process shares the
cores with PostgreSQL and RabbitMQ. "Waits {waits_ms:g} ms": the handler also waits, as for another
machine; other processes use the time."""
NUMBERS = (1, 2, 4)
FILL = """
    WITH logged AS (
        INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence, dealer_id,
                            occurred_at, payload, headers)
        SELECT gen_random_uuid(), (n % $2) % 16, 'contract.note_saved.v1', 'contract',
               'C' || n % $2, n / $2 + 1, 'D01', now(),
               json_build_object('dealer_id', 'D01', 'contract_no', 'C' || n % $2,
                                 'note_version', n / $2 + 1, 'length', 1), '{}'
        FROM generate_series(0, $1::int - 1) AS n
        RETURNING position, created_at, lane, aggregate_id, sequence, event_id),
    queued AS (INSERT INTO outbox_queue SELECT position, created_at, lane FROM logged)
    INSERT INTO committed SELECT aggregate_id, sequence, event_id FROM logged
"""
SHARED_OUT = """
    SELECT count(*) FROM (SELECT owner FROM relay_lease WHERE expires_at > clock_timestamp()
                          GROUP BY owner HAVING count(*) = 16 / $1::int) AS relay
"""
DONE = "SELECT coalesce(sum(next_sequence - 1), 0) FROM inbox_stream"
PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Track:
    """The databases, the queue and the processes of one run."""

    source: str
    target: str
    relay: Part
    inbox: Part


@asynccontextmanager
async def track(at: EventFixture, waits_s: float) -> AsyncIterator[Track]:
    """Create fresh databases and a fresh queue."""
    source, target = [await at.databases.create("shared") for _ in range(2)]
    for url, tables in ((source, SOURCE_TABLES), (target, TARGET_TABLES)):
        await at.databases.as_owner(url, tables)
    prefix = f"{at.topology.prefix}{secrets.token_hex(3)}-"
    with tempfile.TemporaryDirectory() as folder:
        relay = Part(
            "relay", source, at.rabbitmq, prefix, str(Path(folder) / "deliveries"), lease=3,
            idle_limit=60,
        )  # fmt: skip
        inbox = replace(relay, role="inbox", database_url=target, handler_takes=waits_s)
        try:
            yield Track(source, target, relay, inbox)
        finally:
            await drop_events(at.rabbitmq, relay.topology)
            for url in (source, target):
                await at.databases.drop(url)


def play(part: Part) -> None:
    """The main function of a process; it is killed at the end."""
    logging.configure(level="ERROR")
    tune_gc()
    programs = {"relay": processes.relay, "inbox": processes.inbox}
    uvloop.run(programs[part.role](part, ArmedFaults()))


async def race(ways: Track, number: int, events: int, aggregates: int) -> float:
    """Events per second from commit to effect. Raises AssertionError if the history is unsound."""
    context = multiprocessing.get_context("spawn")
    parts = [ways.relay, ways.inbox] * number
    started = [context.Process(target=play, args=(part,), daemon=True) for part in parts]
    for process in started:
        process.start()
    seen = {"app.dealer": "*"}
    source, target = [
        await asyncpg.connect(url, server_settings=seen) for url in (ways.source, ways.target)
    ]
    try:
        await until(source, SHARED_OUT, number, number)
        await until_consumed(ways.inbox, number)
        await source.execute(FILL, events, aggregates)
        await source.execute("NOTIFY outbox")
        begun = time.perf_counter()
        await until(target, DONE, events)
        elapsed = time.perf_counter() - begun
        verdict = await verdict_on(source, target, ways.inbox)
    finally:
        for process in started:
            process.kill()
            process.join()
        await source.close()
        await target.close()
    assert verdict.sound, verdict
    assert verdict.events == events
    return events / elapsed


async def until(
    connection: asyncpg.Connection, question: str, wanted: object, *values: object
) -> None:
    """Query until the result is `wanted`."""
    end = time.perf_counter() + PATIENCE_S
    while (answer := await connection.fetchval(question, *values)) != wanted:
        assert time.perf_counter() < end, (question, answer)
        await asyncio.sleep(0.02)


async def until_consumed(inbox: Part, number: int) -> None:
    """Wait until `number` processes consume from the queue."""
    async with await aio_pika.connect(inbox.rabbitmq_url) as connection:
        await inbox.topology.declare(connection)
        consumers = 0
        while consumers != number:
            await asyncio.sleep(0.1)
            async with connection.channel() as channel:
                queue = await channel.declare_queue(inbox.topology.queue("returns"), passive=True)
                consumers = queue.declaration_result.consumer_count or 0


async def verdict_on(
    source: asyncpg.Connection, target: asyncpg.Connection, inbox: Part
) -> Verdict:
    """The verdict of the fault run's checker."""
    committed = await source.fetch("SELECT aggregate, n, event_id::text FROM committed")
    effects = await target.fetch("SELECT id, aggregate, n, event_id::text FROM effect")
    return judge(
        [Committed(*row) for row in committed],
        [Effect(*row) for row in effects],
        deliveries=size_of(inbox.counter),
    )


def size_of(counter: str) -> int:
    """The number of deliveries, a byte each."""
    return Path(counter).stat().st_size


async def curve(
    at: EventFixture, what: str, rounds: int, events: int, aggregates: int, waits_s: float
) -> list[str]:
    """One row of the table per number of processes."""
    print(f"{what}: {events} events")

    def by(number: int) -> object:
        async def run() -> float:
            async with track(at, waits_s) as ways:
                return await race(ways, number, events, aggregates)

        return run

    ways = [(str(number), by(number)) for number in NUMBERS]
    rates = await in_turn(rounds, ways)  # type: ignore[arg-type]
    lines = []
    for number in NUMBERS:
        ordered = sorted(rates[str(number)])
        lines.append(
            f"| {what} | {number} + {number} | {ordered[len(ordered) // 2]:,.0f} "
            f"| **{ratio(rates, str(number), '1'):.2f}** "
            f"| {events * rounds:,} events, each once and in order |"
        )
    return lines


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--aggregates", type=int, default=1000)
    parser.add_argument("--waits-ms", type=float, default=2)
    return parser.parse_args(argv)


async def main() -> None:
    """Run the benchmark."""
    asked = options()
    tune_gc()
    table = [
        METHOD.format(aggregates=asked.aggregates, waits_ms=asked.waits_ms),
        "",
        "| handler | relay + inbox processes | events /s | ratio to one | history |",
        "|---|---|---|---|---|",
    ]
    size = (asked.rounds, asked.events, asked.aggregates)
    async with event_fixture() as at:
        table += await curve(at, "only writes", *size, 0)
        waiting = (asked.rounds, max(200, asked.events // 4), asked.aggregates)
        what = f"waits {asked.waits_ms:g} ms"
        table += await curve(at, what, *waiting, asked.waits_ms / 1000)
    write("scaling", table)


if __name__ == "__main__":
    uvloop.run(main())
