"""The script of a demo's past, and how it is acted: half day by half day, until today."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from random import Random

from madoguchi.embedded.demo import Masters
from madoguchi.embedded.demo_history.business_days import MINUTES_OF_SLOT, BusinessDays
from madoguchi.embedded.demo_history.contracts import contracts
from madoguchi.embedded.demo_history.dealer_cast import Absence, DealerCast, dealer_casts
from madoguchi.embedded.demo_history.expenses import expenses
from madoguchi.embedded.demo_history.operations import operations
from madoguchi.embedded.demo_history.replay import Replay, ScheduledStep, stage
from madoguchi.embedded.demo_history.returns import FEW, OPEN, PAST, applications
from madoguchi.embedded.first_start import DemoProgress
from shared.auth import Principal
from shared.clock import JST, jst_day
from shared.db import Database
from shared.roles import Role
from shared.settings import ServiceSettings

BEGIN_SLOT = 64
SHORTLY_AFTER_MIDNIGHT, OF_THE_MAILS = time(0, 0, 10), time(9, 0, 10)
Tick = tuple[datetime, tuple[str, ...]]


def history_start(now: datetime) -> datetime:
    """When the demo's past begins; contracts must be there by then."""
    return BusinessDays(jst_day(now)).at(BEGIN_SLOT, 0)


async def replay_history(  # noqa: PLR0913 - what the stage and the script need
    databases: Mapping[str, Database],
    settings: Mapping[str, ServiceSettings],
    people: Mapping[str, Principal],
    masters: Masters,
    rows: Iterable[tuple[str, ...]],
    *,
    now: datetime,
    seed: int,
    making: DemoProgress,
) -> None:
    """Act the whole script; `making` shows how many of its half days are done."""
    past = BusinessDays(jst_day(now))
    moments = script(dealer_casts(masters.dealers, rows, past.today), past, Random(seed))  # noqa: S311  no secret
    async with stage(databases, settings, people, history_start(now)) as scene:
        await scene.deliver()
        await _act(scene, past, moments, now, making)


def script(
    found: Mapping[str, DealerCast], past: BusinessDays, chance: Random
) -> list[ScheduledStep]:
    """All moments, the oldest first."""
    moments: list[ScheduledStep] = []
    for number, cast in enumerate(found.values(), 1):
        if number > BUSY_DEALERS:
            moments += applications(FEW, cast, past, chance)
            continue
        moments += _absences(cast, past)
        moments += contracts(cast, past, chance, rounds=ROUNDS[number])
        moments += applications((*PAST[number - 1 :: number], *OPEN), cast, past, chance)
        moments += expenses(cast.dealer.code, past, chance)
        if number == 1:
            moments += operations(cast)
    return sorted(moments, key=lambda moment: (-moment.slot, moment.minute))


BUSY_DEALERS = 2
ROUNDS = {1: 3, 2: 1}
"""How often each of the four choices is entered at a busy dealer."""


def _absences(cast: DealerCast, past: BusinessDays) -> Iterator[ScheduledStep]:
    """Two managers are away: one was, the other is from the last business day on."""
    managers = [person for person in cast.dealer.staff if person.role is Role.MANAGER]
    first, second = managers[:2]
    was = Absence(first, second, past.day(19), past.day(15))
    now = Absence(second, first, past.day(0), past.today + timedelta(days=5))
    for absence, slot in ((was, 42), (now, 3)):
        cast.absences.append(absence)
        yield ScheduledStep(slot, 1, _Naming(cast, absence).act)


@dataclass(frozen=True, slots=True)
class _Naming:
    """Headquarters names who stands in."""

    cast: DealerCast
    absence: Absence

    async def act(self, stage: Replay) -> None:
        body = {
            "approver_id": self.cast.of(self.absence.manager),
            "substitute_id": self.cast.of(self.absence.substitute),
            "from_on": self.absence.first_on.isoformat(),
            "to_on": self.absence.last_on.isoformat(),
        }
        await stage.ask(self.cast.of(self.cast.headquarters), "returns", "/substitutes", body)


async def _act(
    scene: Replay,
    past: BusinessDays,
    moments: Sequence[ScheduledStep],
    now: datetime,
    making: DemoProgress,
) -> None:
    ticks = _ticks(past, now)
    slots = [(slot, list(of_slot)) for slot, of_slot in groupby(moments, lambda one: one.slot)]
    for done, (slot, of_slot) in enumerate(slots):
        making.done, making.of = done, len(slots)
        await _tick(scene, ticks, past.at(slot, 0))
        for moment in of_slot:
            scene.clock.instant = past.at(slot, moment.minute)
            await moment.act(scene)
        scene.clock.instant = past.at(slot, MINUTES_OF_SLOT)
        await scene.deliver()
    await _tick(scene, ticks, now)
    scene.clock.instant = now


def _ticks(past: BusinessDays, now: datetime) -> list[Tick]:
    """When timers are looked at: as each day begins, and at the hour of the mails."""
    day, ticks = past.slot(BEGIN_SLOT)[0] + timedelta(days=1), list[Tick]()
    while day <= past.today:
        ticks.append((datetime.combine(day, SHORTLY_AFTER_MIDNIGHT, JST), ("contracts",)))
        ticks.append((datetime.combine(day, OF_THE_MAILS, JST), ("notifier", "commuter")))
        day += timedelta(days=1)
    return [tick for tick in ticks if tick[0] <= now]


async def _tick(scene: Replay, ticks: list[Tick], until: datetime) -> None:
    """Let happen what was due until an instant."""
    while ticks and ticks[0][0] <= until:
        scene.clock.instant, services = ticks.pop(0)
        if await scene.fire_timers(*services) and "notifier" in services:
            await scene.send_mails()
