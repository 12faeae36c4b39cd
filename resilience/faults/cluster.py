"""Cluster under test: programs, their databases, their queue, and a proxy on every connection.

`keep_running` restarts a killed program, as an orchestrator would.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from resilience.faults.checker import Committed, Effect
from resilience.faults.network_proxy import Link
from resilience.faults.processes import SOURCE_TABLES, TARGET_TABLES, Part, run
from shared.fault_injection import CrashPoint, Guarantee
from shared.rabbitmq import Topology
from shared.rabbitmq_connection import connect
from shared.testing.databases import TestDatabases
from shared.testing.servers import free_port

# Processes are forked from one that has imported everything, so that a start takes milliseconds.
STARTER = multiprocessing.get_context("forkserver")
STARTER.set_forkserver_preload(["__main__", "resilience.faults.processes"])
STANDING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
      AND state = 'idle in transaction'
      AND state_change < clock_timestamp() - make_interval(secs => $1)
"""
ARRIVED = """
    SELECT (SELECT coalesce(sum(next_sequence - 1), 0) FROM inbox_stream)
           + (SELECT count(DISTINCT (stream, sequence)) FROM inbox JOIN inbox_stream USING (stream)
              WHERE sequence >= next_sequence),
           (SELECT count(*) FROM inbox WHERE state IN ('waiting', 'parked'))
"""


@dataclass(slots=True)
class Program:
    """One process, which is restarted after each kill."""

    name: str
    part: Part
    log: Path
    process: BaseProcess | None = None
    frozen: bool = False
    wanted: bool = True
    starts: int = 0
    _orders: Connection | None = None

    def start(self) -> None:
        """Start it."""
        orders, self._orders = STARTER.Pipe(duplex=False)
        arguments = (self.part, orders, str(self.log))
        self.process = STARTER.Process(target=run, args=arguments, name=self.name, daemon=True)
        self.process.start()
        self.starts += 1
        orders.close()

    def exitcode(self) -> int | None:
        """The exit code; None while it runs."""
        return self.process.exitcode if self.process else 0

    def arm(self, point: CrashPoint, passings: int) -> None:
        """Make it die at the `passings`-th time that it reaches a point."""
        if self._orders is not None:
            with contextlib.suppress(BrokenPipeError):
                self._orders.send((point, passings))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it is still running."""
        if self.process and self.process.pid and self.process.exitcode is None:
            os.kill(self.process.pid, number)

    def freeze(self) -> None:
        """Suspend it, as on a swapping machine or in a paused container."""
        self.frozen = True
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume it."""
        self.signal(signal.SIGCONT)
        self.frozen = False

    def kill(self) -> None:
        """Kill it immediately."""
        self.signal(signal.SIGKILL)

    def end(self) -> None:
        """Kill it permanently."""
        self.wanted = False
        self.kill()
        self.forget()

    def forget(self) -> None:
        """Release the resources of the dead process."""
        if self.process is not None:
            self.process.join(10)
            self.process.close()
            self.process = None
        if self._orders is not None:
            self._orders.close()


@dataclass(slots=True)
class Cluster:
    """Programs on real servers. `fallen` are programs that ended without being killed."""

    source_url: str
    target_url: str
    rabbitmq_url: str
    prefix: str
    folder: Path
    links: dict[str, Link]
    programs: dict[str, Program] = field(default_factory=dict)
    fallen: list[str] = field(default_factory=list)

    @property
    def topology(self) -> Topology:
        """The exchange and the queue of the cluster."""
        return self._part("inbox").topology

    def add(self, name: str, part: Part | None = None, /, **changes: object) -> Program:
        """Start a program; its role is the prefix of its name (`relay-1`)."""
        part = part or self._part(name.split("-", maxsplit=1)[0])
        if part.role == "api":
            part = replace(part, port=free_port())
        part = replace(part, **changes)  # type: ignore[arg-type]
        program = Program(name, part, self.folder / f"{name}.log")
        self.programs[name] = program
        program.start()
        return program

    def weaken(self, *guarantees: Guarantee) -> None:
        """Restart every program without some guarantees."""
        for name, program in list(self.programs.items()):
            program.end()
            self.add(name, program.part, switched_off=guarantees)

    def of(self, role: str) -> list[Program]:
        """The programs of a role."""
        return [p for p in self.programs.values() if p.part.role == role]

    async def keep_running(self) -> None:
        """Restart every program that died, until cancelled."""
        while True:
            for program in self.programs.values():
                if not program.wanted or program.exitcode() is None:
                    continue
                if program.exitcode() != -signal.SIGKILL:
                    self.fallen.append(f"{program.name}: {_end_of(program.log)}")
                program.forget()
                program.start()
            await asyncio.sleep(0.05)

    async def committed(self) -> list[Committed]:
        """The source's own history."""
        rows = await _ask(self.source_url, "SELECT aggregate, n, event_id::text FROM committed")
        return [Committed(*row) for row in rows]

    async def effects(self) -> list[Effect]:
        """The effects of the handlers."""
        rows = await _ask(
            self.target_url, "SELECT id, aggregate, n, event_id::text FROM effect ORDER BY id"
        )
        return [Effect(*row) for row in rows]

    def deliveries(self) -> int:
        """Number of messages that reached the inbox processes, including copies."""
        return sum(path.stat().st_size for path in self.folder.glob("*.deliveries"))

    async def unpublished(self) -> int:
        """Number of events still in the outbox queue."""
        [[count]] = await _ask(self.source_url, "SELECT count(*) FROM outbox_queue")
        return int(count)

    async def stands_in_a_batch(self, seconds: float) -> bool:
        """Whether a transaction of the target has been idle for `seconds`."""
        [[count]] = await _ask(self.target_url, STANDING, seconds)
        return bool(count)

    async def unsettled(self) -> tuple[int, int, int]:
        """Number of events in flight: unpublished, not arrived, waiting in the inbox.

        A quorum queue reports its length seconds late, so it is not queried.
        """
        [[committed]] = await _ask(self.source_url, "SELECT count(*) FROM committed")
        [[arrived, waiting]] = await _ask(self.target_url, ARRIVED)
        return await self.unpublished(), max(0, int(committed - arrived)), int(waiting)

    async def settle(self, patience: float = 20.0) -> bool:
        """Wait until nothing is in flight, or nothing has changed for `patience` seconds."""
        before: object = None
        still = 0.0
        while still < patience:
            now = None
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                now = await self.unsettled()
            if now == (0, 0, 0):
                return True
            still = 0.0 if now != before else still + 0.3
            before = now
            await asyncio.sleep(0.3)
        return False

    def _part(self, role: str) -> Part:
        at = "source" if role != "inbox" else "target"
        database = self.source_url if role != "inbox" else self.target_url
        broker = self.links["inbox_broker" if role == "inbox" else "relay_broker"]
        return Part(
            role=role,  # type: ignore[arg-type]
            database_url=at_port(database, self.links[at].port),
            rabbitmq_url=at_port(self.rabbitmq_url, broker.port),
            prefix=self.prefix,
            counter=str(self.folder / f"{os.urandom(4).hex()}.deliveries"),
        )


@asynccontextmanager
async def running_cluster(
    postgres_url: str, rabbitmq_url: str, prefix: str
) -> AsyncIterator[Cluster]:
    """Create databases, proxies and an empty cluster that restarts its programs."""
    databases = TestDatabases(postgres_url)
    links: dict[str, Link] = {}
    with tempfile.TemporaryDirectory(prefix="madoguchi-faults-") as folder:
        source, target = await databases.create("shared"), await databases.create("shared")
        await databases.as_owner(source, SOURCE_TABLES)
        await databases.as_owner(target, TARGET_TABLES)
        wires = {"source": source, "target": target}
        wires |= {"relay_broker": rabbitmq_url, "inbox_broker": rabbitmq_url}
        for name, url in wires.items():
            links[name] = Link(urlsplit(url).port or 5432)
            await links[name].start()
        cluster = Cluster(source, target, rabbitmq_url, prefix, Path(folder), links)
        keeper = asyncio.create_task(cluster.keep_running())
        try:
            yield cluster
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            for program in cluster.programs.values():
                program.end()
            for link in links.values():
                await link.close()
            await _forget(cluster)
            await databases.drop_all()


async def _forget(cluster: Cluster) -> None:
    topology = cluster.topology
    async with (
        await connect(cluster.rabbitmq_url) as connection,
        connection.channel() as channel,
    ):
        for queue in (topology.queue("returns"), topology.unparsed, f"{cluster.prefix}tap"):
            await channel.queue_delete(queue)
        await channel.exchange_delete(topology.exchange)


async def _ask(url: str, query: str, *values: object) -> Sequence[asyncpg.Record]:
    every_dealer = {"app.dealer": "*"}
    connection = await asyncpg.connect(url, timeout=10, server_settings=every_dealer)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


def at_port(url: str, port: int) -> str:
    """The same URL with another port of this machine."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{port}"))


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
