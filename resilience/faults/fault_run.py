"""Fault run: load with concurrent faults, then quiet, then the verdict."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resilience.faults.checker import Verdict, judge
from resilience.faults.cluster import Cluster, running_cluster
from resilience.faults.event_load import Load
from resilience.faults.nemesis import Nemesis
from shared.testing.disposable_servers import PrivatePostgres, PrivateRabbitMQ

PROGRAMS = ("api", "relay-1", "relay-2", "inbox-1", "inbox-2")
FAILS_ONE_IN = 50
RABBITMQ_FAULTS = ("broker restarted", "broker killed")


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of a run; disposable ones may be stopped and killed."""

    postgres_url: str
    rabbitmq_url: str
    prefix: str
    postgres: PrivatePostgres | None = None
    broker: PrivateRabbitMQ | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a run. `fallen` is the last output of programs that ended by themselves."""

    verdict: Verdict
    injected: Counter[str]
    settled: bool
    fallen: tuple[str, ...]

    def table(self) -> str:
        """The report as a table."""
        v = self.verdict
        counts = {
            "events": v.events,
            "lost": v.lost,
            "duplicate effects": v.duplicate_effects,
            "order violations": v.order_violations,
            "effects without a committed event": v.effects_of_nothing,
            "answers without commit": v.broken_answers,
            "programs that ended by themselves": len(self.fallen),
            "duplicate deliveries tolerated": v.duplicate_deliveries,
            "faults injected": self.injected.total(),
            **{f"  {kind}": times for kind, times in sorted(self.injected.items())},
        }
        return "\n".join(f"{name:<48}{count:>9,}" for name, count in counts.items())


async def run(
    servers: Servers,
    events: int,
    seed: int,
    plan: Sequence[str] | int,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Commit about `events` events while the faults of `plan` are injected one after another.

    `plan` is a list of faults, or the number to draw from the seed.
    """
    rng = random.Random(seed)
    async with running_cluster(servers.postgres_url, servers.rabbitmq_url, servers.prefix) as world:
        for name in PROGRAMS:
            world.add(name, fails_one_in=FAILS_ONE_IN, seed=seed)
        nemesis = Nemesis(world, rng, servers.postgres, servers.broker)
        await nemesis.open_tap()
        kinds = nemesis.plan(plan) if isinstance(plan, int) else plan
        load = Load(world, rng)
        await load.post(1)
        share = events / max(1, len(kinds))
        for number, kind in enumerate(kinds, start=1):
            fault = asyncio.create_task(nemesis.inject(kind))
            await load.post(max(0, round(share * number) - len(load.answers)), fault)
            await fault
            say(f"{len(load.answers):>8,} events  {number:>4} faults  {kind}")
        return await _judge(world, load, nemesis)


async def _judge(world: Cluster, load: Load, nemesis: Nemesis) -> Report:
    settled = await world.settle()
    verdict = judge(
        await world.committed(), await world.effects(), load.answers, world.deliveries()
    )
    return Report(verdict, nemesis.injected, settled, tuple(world.fallen))
