"""A race of events from a sending to a receiving process, with the CPU time that each part used."""

import asyncio
import contextlib
import multiprocessing
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import asyncpg
import psutil
import uvloop

from bench import event_baselines as peers
from bench.event_fixture import EventFixture
from shared.main import tune_gc
from shared.rabbitmq import Topology

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of waiting, and of CPU time in each part, for one race.

    `postgres` counts the connections of the two databases only; `broker` is the whole server, with
    whatever else uses it.
    """

    elapsed: float
    sender: float
    receiver: float
    postgres: float
    broker: float

    def per_thousand(self, events: int) -> "Cost":
        """The same for a thousand events."""
        each = (getattr(self, one.name) * 1000 / events for one in fields(self))
        return Cost(*each)


def cpu_s(pids: Sequence[int]) -> dict[int, float]:
    """User and system seconds of each process that still runs."""
    used = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = psutil.Process(pid).cpu_times()
            used[pid] = times.user + times.system
    return used


def grown(before: dict[int, float], after: dict[int, float]) -> float:
    """Seconds used in between; a process that is new counts from its start."""
    return sum(used - before.get(pid, 0.0) for pid, used in after.items())


def brokers() -> list[int]:
    """The process of every RabbitMQ server of this machine."""
    return [one.pid for one in psutil.process_iter(["name"]) if one.info["name"] == "beam.smp"]


async def backends(admin_url: str, urls: Sequence[str]) -> list[int]:
    """The server processes of the connections to these databases."""
    connection = await asyncpg.connect(admin_url)
    try:
        names = [url.rpartition("/")[2] for url in urls]
        return [row["pid"] for row in await connection.fetch(BACKENDS, names)]
    finally:
        await connection.close()


async def race(at: EventFixture, name: str, urls: tuple[str, str], events: int) -> Cost:
    """Start both sides and the clock; ends when the receiver has every effect."""
    context = multiprocessing.get_context("spawn")
    sides = []
    for side, url in enumerate(urls):
        here, there = context.Pipe()
        process = context.Process(
            target=play,
            args=(name, side, there, url, at.rabbitmq, at.topology, events),
            daemon=True,
        )
        process.start()
        sides.append((process, here))
    for _, pipe in sides:
        await answer(pipe, sides)
    pids = [process.pid or 0 for process, _ in sides]
    before = cpu_s([*pids, *brokers(), *await backends(at.databases.admin_url, urls)])
    begun = time.perf_counter()
    for _, pipe in sides:
        pipe.send("go")
    await answer(sides[1][1], sides)
    elapsed = time.perf_counter() - begun
    stored = await backends(at.databases.admin_url, urls)
    parts = [cpu_s(some) for some in (pids[:1], pids[1:], stored, brokers())]
    for process, _ in sides:
        process.kill()
        process.join()
    return Cost(elapsed, *(grown(before, part) for part in parts))


async def answer(pipe: Connection, sides: Sequence[tuple[SpawnProcess, Connection]]) -> None:
    """Wait for a report; fails when a side ends before it."""
    while not await asyncio.to_thread(pipe.poll, 1):
        if dead := [process.exitcode for process, _ in sides if not process.is_alive()]:
            raise SystemExit(f"A side ended early: {dead}.")
    pipe.recv()


def play(
    name: str, side: int, pipe: Connection, url: str, rabbitmq: str, topology: Topology, events: int
) -> None:
    """Run one side in its own process."""
    tune_gc()
    uvloop.run(peers.SIDES[name][side](Side(pipe), url, rabbitmq, topology, events))


class Side:
    """The end of the pipe at which a side reports (peers.Start)."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    async def __call__(self) -> None:
        """Ready; returns at the start."""
        self.pipe.send("ready")
        await asyncio.to_thread(self.pipe.recv)

    async def finished(self) -> None:
        """Finished; this process is killed at the end."""
        self.pipe.send("finished")
        await asyncio.to_thread(self.pipe.recv)


def cost_table(costs: dict[str, list[Cost]]) -> list[str]:
    """CPU seconds per thousand events, the median of the rounds, beside the rate."""
    lines = [
        "",
        "CPU seconds per 1,000 events, user and system, median of the rounds; PostgreSQL: the",
        "connections of this run; RabbitMQ: the whole server, with whatever else uses it.",
        "",
        "| way | events/s | sender | receiver | both | PostgreSQL | RabbitMQ |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in costs.items():
        mid = Cost(*(statistics.median(getattr(r, f.name) for r in runs) for f in fields(Cost)))
        lines.append(
            f"| {name} | {1000 / mid.elapsed:,.0f} | {mid.sender:.3f} | {mid.receiver:.3f}"
            f" | **{mid.sender + mid.receiver:.3f}** | {mid.postgres:.3f} | {mid.broker:.3f} |"
        )
    return lines
