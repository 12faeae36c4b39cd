"""Event fixture of the event benches: fresh databases, separate queues, and filled outboxes."""

import asyncio
import os
import platform
import secrets
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aio_pika
from sqlalchemy import text

from shared.db import EVERY_DEALER, Database
from shared.rabbitmq import Topology
from shared.testing import servers
from shared.testing.databases import TestDatabases

SUBSCRIPTIONS = {"bench": ("contract",)}

FILL = text("""
    WITH logged AS (
    INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence, dealer_id,
                        occurred_at, payload, headers)
    SELECT gen_random_uuid(), (n % :aggregates) % 16, 'contract.selection_recorded.v1', 'contract',
           'C' || n % :aggregates, n / :aggregates + 1, 'D01', now(),
           jsonb_build_object('dealer_id', 'D01', 'contract_no', 'C' || n % :aggregates,
               'category', 'vehicle_return', 'own_replacement', true, 'vehicle_code', 'PRIUS',
               'late', false, 'deadline_on', '2025-07-15',
               'confirmation_received_on', '2025-07-01'),
           '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
             "correlationid": "0198f9a0-0000-7000-8000-000000000000", "actor": "E101"}'
    FROM generate_series(0, :events - 1) AS n
    RETURNING position, created_at, lane)
    INSERT INTO outbox_queue SELECT * FROM logged
""")


@dataclass(frozen=True, slots=True)
class EventFixture:
    """The databases and the broker of a bench."""

    databases: TestDatabases
    rabbitmq: str
    topology: Topology

    async def database(self) -> str:
        """The URL of a fresh database with an `effect` table."""
        url = await self.databases.create("shared")
        await self.databases.as_owner(
            url, "CREATE TABLE effect (id bigserial PRIMARY KEY, contract_no text, n bigint)"
        )
        return url

    async def filled(self, events: int, aggregates: int) -> str:
        """The URL of a fresh database with `events` events in its outbox."""
        url = await self.database()
        await fill(self.databases.owner_url(url), events, aggregates)
        return url

    async def empty_queues(self) -> None:
        """Purge the queues."""
        async with await aio_pika.connect(self.rabbitmq) as connection:
            await self.topology.declare(connection)
            async with connection.channel() as channel:
                for service in self.topology.subscriptions:
                    await (await channel.get_queue(self.topology.queue(service))).purge()


async def fill(url: str, events: int, aggregates: int) -> None:
    """Insert events directly into an outbox; `url` is its owner's, who may vacuum it."""
    database = Database(url)
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(FILL, {"events": events, "aggregates": aggregates})
    async with database.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM ANALYZE outbox, outbox_queue"))
    await database.close()


@asynccontextmanager
async def event_fixture() -> AsyncIterator[EventFixture]:
    """Create the databases and queues, and remove them at the end."""
    postgres, end_postgres = await asyncio.to_thread(servers.find_postgres)
    rabbit = await asyncio.to_thread(servers.find_rabbitmq)
    if rabbit is None:
        raise SystemExit(servers.HOW_TO_GET_RABBITMQ)
    topology = Topology(SUBSCRIPTIONS, prefix=f"bench-{secrets.token_hex(3)}-")
    made = EventFixture(TestDatabases(postgres), rabbit[0], topology)
    try:
        await made.empty_queues()
        yield made
    finally:
        await drop_events(made.rabbitmq, topology)
        await made.databases.drop_all()
        rabbit[1]()
        end_postgres()


async def drop_events(rabbitmq: str, topology: Topology) -> None:
    """Delete queues and exchange."""
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        for service in topology.subscriptions:
            await channel.queue_delete(topology.queue(service))
        await channel.queue_delete(topology.unparsed)
        await channel.exchange_delete(topology.exchange)


async def in_turn(
    rounds: int, peers: Sequence[tuple[str, Callable[[], Awaitable[float]]]]
) -> dict[str, list[float]]:
    """Run every peer once per round, so that a slow minute of the machine affects all of them."""
    rates: dict[str, list[float]] = {name: [] for name, _ in peers}
    for turn in range(rounds):
        for name, run in peers:
            rates[name].append(await run())
            print(f"  round {turn + 1}: {name}: {rates[name][-1]:,.0f}/s", flush=True)
    return rates


def ratio(rates: dict[str, list[float]], ours: str, peer: str) -> float:
    """The median over the rounds of the product's rate divided by the peer's."""
    return statistics.median(a / b for a, b in zip(rates[ours], rates[peer], strict=True))


def write(name: str, lines: Sequence[str]) -> None:
    """Print a table and write it to bench/results/."""
    cores = len(os.sched_getaffinity(0))
    machine = f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"
    head = [f"# {name}", "", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}", ""]
    page = "\n".join([*head, *lines]) + "\n"
    print("\n" + page)
    (Path(__file__).parent / "results" / f"{name}.md").write_text(page, encoding="utf-8")
