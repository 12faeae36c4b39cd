"""Guarantees switched off one at a time: the checker must fail each time.

Every scenario runs twice on the same programs: with all guarantees, and then without one.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable

import pytest

from resilience.faults.checker import Verdict, judge
from resilience.faults.cluster import Cluster, running_cluster
from resilience.faults.event_load import Load
from resilience.faults.nemesis import Nemesis, until
from shared.fault_injection import Guarantee

Trial = Callable[[Cluster, Load, Nemesis], Awaitable[None]]
QUIET = 5.0
STANDSTILL = 1.0


async def copies_arrive(world: Cluster, load: Load, nemesis: Nemesis) -> None:
    await load.post(80)
    await world.settle(QUIET)
    before = world.deliveries()
    copies = await nemesis.copy(80)
    await until(lambda: world.deliveries() >= before + copies, "the copies did not arrive")


async def broker_never_received_it(world: Cluster, load: Load, _: Nemesis) -> None:
    await load.post(20)
    await world.settle(QUIET)
    link = world.links["relay_broker"]
    link.stall()
    await load.post(40)
    for _attempt in range(20):
        if await world.unpublished() == 0:
            break
        await asyncio.sleep(0.1)
    link.cut()
    link.flow()


async def worker_is_frozen(world: Cluster, load: Load, _: Nemesis) -> None:
    """One worker is frozen in the middle of a batch until the other has done all it can."""
    worker = world.programs["inbox-1"]
    for _attempt in range(20):
        await load.post(60)
        worker.freeze()
        await asyncio.sleep(STANDSTILL + 0.3)
        caught = await world.stands_in_a_batch(STANDSTILL)
        if caught:
            await world.settle(3.0)
        worker.thaw()
        if caught:
            return
    raise AssertionError("the worker was never frozen in the middle of a batch")


async def some_fail_at_first(_: Cluster, load: Load, __: Nemesis) -> None:
    await load.post(150)


TRIALS: dict[Guarantee, Trial] = {
    "dedupe": copies_arrive,
    "confirms": broker_never_received_it,
    "fencing": worker_is_frozen,
    "key_blocking": some_fail_at_first,
}
WORKERS: dict[Guarantee, dict[str, float]] = {
    "dedupe": {"fails_one_in": 10},
    "confirms": {"fails_one_in": 10},
    "fencing": {"idle_limit": 60.0},
    "key_blocking": {"fails_one_in": 10},
}
WHAT_IS_SEEN: dict[Guarantee, Callable[[Verdict], int]] = {
    "dedupe": lambda verdict: verdict.duplicate_effects,
    "confirms": lambda verdict: verdict.lost,
    "fencing": lambda verdict: verdict.duplicate_effects,
    "key_blocking": lambda verdict: verdict.lost + verdict.order_violations,
}


@pytest.mark.parametrize("guarantee", TRIALS)
async def test_the_checker_fails_without(
    guarantee: Guarantee, postgres_url: str, rabbitmq_url: str
) -> None:
    prefix = f"faults-{secrets.token_hex(4)}-"
    async with running_cluster(postgres_url, rabbitmq_url, prefix) as world:
        world.add("api")
        world.add("relay-1")
        for name in ("inbox-1", "inbox-2"):
            world.add(name, handler_takes=0.01, **WORKERS[guarantee])
        load = Load(world, random.Random(7), aggregates=20)
        nemesis = Nemesis(world, random.Random(7))
        await nemesis.open_tap()

        async def tried() -> Verdict:
            await TRIALS[guarantee](world, load, nemesis)
            await world.settle(QUIET)
            return judge(await world.committed(), await world.effects(), load.answers)

        with_it = await tried()
        assert with_it.sound, with_it
        world.weaken(guarantee)
        without_it = await tried()
        assert not without_it.sound
        assert WHAT_IS_SEEN[guarantee](without_it) > 0, without_it
        assert world.fallen == []
