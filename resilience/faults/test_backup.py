"""Backup under load: all databases are lost, restored on a fresh server, and services continue."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from madoguchi.backup import BackupRefused, back_up, one_instant, restore
from madoguchi.reconcile import reconcile
from resilience.faults.checker import Committed, judge
from resilience.faults.cluster import Cluster, running_cluster
from resilience.faults.event_load import Load
from shared.testing.databases import with_database
from shared.testing.disposable_servers import PrivatePostgres
from shared.testing.servers import free_port

KNOWN = "SELECT aggregate, newest FROM aggregate"
PROCESSED = "SELECT aggregate, max(n) FROM effect GROUP BY aggregate"
PROGRAMS = ("api", "relay-1", "inbox-1", "inbox-2")


@dataclass(frozen=True, slots=True)
class Place:
    """Two services (source `contracts`, target `returns`) by superuser URLs."""

    databases: dict[str, str]
    """The current databases."""
    fresh: dict[str, str]
    """Empty databases of a new server."""


@pytest.fixture
async def fresh_server() -> AsyncIterator[PrivatePostgres]:
    server = PrivatePostgres(free_port())
    await server.start()
    yield server
    server.remove()


@pytest.fixture
async def world(postgres_url: str, rabbitmq_url: str) -> AsyncIterator[Cluster]:
    prefix = f"backup-{secrets.token_hex(4)}-"
    async with running_cluster(postgres_url, rabbitmq_url, prefix) as cluster:
        for name in PROGRAMS:
            cluster.add(name)
        yield cluster


@pytest.fixture
async def place(world: Cluster, fresh_server: PrivatePostgres, postgres_url: str) -> Place:
    fresh = {}
    admin = await asyncpg.connect(fresh_server.url)
    for service in ("contracts", "returns"):
        await admin.execute(f"CREATE ROLE {service} LOGIN")
        await admin.execute(f"CREATE DATABASE {service} OWNER {service} TEMPLATE template0")
        fresh[service] = with_database(fresh_server.url, service)
    await admin.close()
    return Place(
        {
            "contracts": with_database(postgres_url, urlsplit(world.source_url).path[1:]),
            "returns": with_database(postgres_url, urlsplit(world.target_url).path[1:]),
        },
        fresh,
    )


async def check_many_instants(place: Place) -> None:
    """Under load no subscriber is ahead of its publisher, regardless of snapshot delays."""
    between = {f"in between {n}": place.fresh["returns"] for n in range(30)}
    await make_inbox(place.fresh["returns"])
    databases = {"contracts": place.databases["contracts"], **between}
    databases["returns"] = place.databases["returns"]
    for _ in range(2):
        async with one_instant(databases) as snapshots:
            known = await at_snapshot(databases, snapshots, "contracts", KNOWN)
            processed = await at_snapshot(databases, snapshots, "returns", PROCESSED)
        assert processed
        assert all(n <= known.get(aggregate, 0) for aggregate, n in processed.items())


async def make_inbox(url: str) -> None:
    """An inbox table for the barrier to lock in databases without a service."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE SCHEMA held; CREATE TABLE held.inbox ()")
    database = urlsplit(url).path[1:]
    await connection.execute(f"ALTER DATABASE {database} SET search_path = public, held")
    await connection.close()


async def at_snapshot(
    databases: dict[str, str], snapshots: dict[str, str], service: str, query: str
) -> dict[str, int]:
    connection = await asyncpg.connect(databases[service])
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshots[service]}'")
        rows = await connection.fetch(query)
    await connection.close()
    return {row[0]: row[1] for row in rows}


async def lose_everything(place: Place) -> None:
    """Drop the databases; the broker's queue keeps messages that are newer than the backup."""
    for url in place.databases.values():
        connection = await asyncpg.connect(url)
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.close()


def start_on(world: Cluster, fresh: dict[str, str]) -> None:
    """Restart every program on the restored databases."""
    world.source_url, world.target_url = (
        with_database(url, service, service) for service, url in fresh.items()
    )
    for name, program in list(world.programs.items()):
        del world.programs[name]
        service = "returns" if program.part.role == "inbox" else "contracts"
        url = with_database(fresh[service], service, service)
        world.add(name, program.part, database_url=url)


async def lose_all_programs(world: Cluster, load: Load) -> list[Committed]:
    """End every program while messages wait in the queue; returns what was committed."""
    for program in world.of("inbox"):
        program.freeze()
    await load.post(60)  # stays in the queue
    at_the_loss = await world.committed()
    for program in world.programs.values():
        program.end()
    return at_the_loss


async def test_a_restore_after_total_loss_loses_and_duplicates_nothing_up_to_the_backup(
    world: Cluster, place: Place, tmp_path: Path
) -> None:
    load = Load(world, random.Random(20250715), aggregates=12)
    await load.post(100)
    looking = asyncio.create_task(check_many_instants(place))
    await load.post(100, looking)
    await looking
    surely_kept = set(load.answers)
    backup = asyncio.create_task(back_up(place.databases, tmp_path / "backup"))
    await load.post(100, backup)
    await backup
    await load.post(20)
    assert await world.settle()
    at_the_loss = await lose_all_programs(world, load)
    broker = (world.rabbitmq_url, world.topology)
    restored = await restore(tmp_path / "backup", place.fresh, broker)
    assert restored.findings == []
    of_two_times = {**place.fresh, "returns": place.databases["returns"]}
    assert {(f.kind, f.service) for f in await reconcile(of_two_times)} == {("ahead", "returns")}
    with pytest.raises(BackupRefused, match="is not empty"):
        await restore(tmp_path / "backup", place.fresh)
    await lose_everything(place)
    start_on(world, place.fresh)
    load.answers.clear()
    await load.post(1)
    kept = await world.committed()
    assert surely_kept <= {(c.aggregate, c.n) for c in kept}
    assert len(kept) < len(at_the_loss), "nothing was lost, so the test proves nothing"
    await load.post(100)

    assert await world.settle()
    verdict = judge(await world.committed(), await world.effects(), load.answers)
    assert verdict.sound, verdict
    assert verdict.events >= 300
    assert await reconcile(place.fresh) == []
