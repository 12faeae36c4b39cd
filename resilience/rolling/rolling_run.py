"""Rolling run: load, every process restarted in turn, then reconciliation."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from resilience.rolling.reconciliation import arrived, wrongly_stored
from resilience.rolling.request_load import Load
from resilience.rolling.tfc_core import FinanceCompany
from resilience.rolling.topology import Topology

BETWEEN_S = 0.5
EVENTS_PER_S = 50


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a rolling restart; `stops` are the seconds that each process took to stop."""

    answered: Counter[str]
    refused: Counter[str]
    failed: list[str]
    wrong: list[str]
    missing: list[str]
    stops: Mapping[str, float]
    events: int

    @property
    def sound(self) -> bool:
        """Whether no request or event was affected."""
        return not (self.failed or self.wrong or self.missing)

    def table(self) -> str:
        """The report as a table."""
        counts = {
            "processes restarted": len(self.stops),
            **{f"requests answered: {kind}": n for kind, n in sorted(self.answered.items())},
            **{f"business refusals: {why}": n for why, n in sorted(self.refused.items())},
            "events from outside": self.events,
            "requests failed": len(self.failed),
            "changes stored more or less often than confirmed": len(self.wrong),
            "streams not fully processed": len(self.missing),
        }
        lines = [f"{name:<48}{count:>9,}" for name, count in counts.items()]
        slowest = max(self.stops.items(), key=lambda stop: stop[1])
        lines.append(f"{'slowest stop: ' + slowest[0]:<48}{slowest[1]:>7.1f} s")
        return "\n".join([*lines, *self.failed[:10], *self.wrong[:10], *self.missing[:10]])


async def roll(
    world: Topology,
    outside: FinanceCompany | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Restart every process of `world`, one after another, under load."""
    load = Load(world)
    async with asyncio.TaskGroup() as outdoors:
        outdoors.create_task(load.run())
        telling = outdoors.create_task(outside.run(EVENTS_PER_S)) if outside else None
        for part in world.parts:
            await asyncio.sleep(BETWEEN_S)
            await part.restart()
            say(f"{part.name:<24}{part.stops[-1]:5.1f} s to stop, {len(load.failed)} failed")
        await asyncio.sleep(BETWEEN_S)
        load.stop()
        if telling:
            telling.cancel()
    published = {"contracts": outside.streams()} if outside else {}
    missing = await arrived(world, published) if outside else []
    answered: Counter[str] = Counter()
    for (kind, _), times in load.done.items():
        answered[kind] += times
    return Report(
        answered=answered,
        refused=load.refused,
        failed=load.failed,
        wrong=await wrongly_stored(world, load),
        missing=missing,
        stops={part.name: part.stops[-1] for part in world.parts},
        events=outside.published if outside else 0,
    )
