"""Timeline of the demo history: all scheduled steps, replayed half day by half day until today."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from random import Random

from madoguchi.embedded.demo import Masters
from madoguchi.embedded.demo_history.business_days import MINUTES_OF_SLOT, BusinessDays
from madoguchi.embedded.demo_history.contracts import contracts
from madoguchi.embedded.demo_history.dealer_team import Absence, DealerTeam, dealer_teams
from madoguchi.embedded.demo_history.expenses import expenses
from madoguchi.embedded.demo_history.operations import operations
from madoguchi.embedded.demo_history.replay import Replay, ScheduledStep, open_replay
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
    """The instant at which the demo history begins; contracts must exist by then."""
    return BusinessDays(jst_day(now)).at(BEGIN_SLOT, 0)


async def replay_history(  # noqa: PLR0913 - the services and the script
    databases: Mapping[str, Database],
    settings: Mapping[str, ServiceSettings],
    people: Mapping[str, Principal],
    masters: Masters,
    rows: Iterable[tuple[str, ...]],
    *,
    now: datetime,
    seed: int,
    progress: DemoProgress,
) -> None:
    """Replay the whole script; `progress` counts the half days done."""
    past = BusinessDays(jst_day(now))
    steps = script(dealer_teams(masters.dealers, rows, past.today), past, Random(seed))  # noqa: S311  no secret
    async with open_replay(databases, settings, people, history_start(now)) as replay:
        await replay.deliver()
        await _run_steps(replay, past, steps, now, progress)


def script(
    teams: Mapping[str, DealerTeam], past: BusinessDays, chance: Random
) -> list[ScheduledStep]:
    """All scheduled steps, oldest first."""
    steps: list[ScheduledStep] = []
    for number, team in enumerate(teams.values(), 1):
        if number > BUSY_DEALERS:
            steps += applications(FEW, team, past, chance)
            continue
        steps += _absences(team, past)
        steps += contracts(team, past, chance, rounds=ROUNDS[number])
        steps += applications((*PAST[number - 1 :: number], *OPEN), team, past, chance)
        steps += expenses(team.dealer.code, past, chance)
        if number == 1:
            steps += operations(team)
    return sorted(steps, key=lambda step: (-step.slot, step.minute))


BUSY_DEALERS = 2
ROUNDS = {1: 3, 2: 1}
"""How often each of the four choices is entered at a busy dealer."""


def _absences(team: DealerTeam, past: BusinessDays) -> Iterator[ScheduledStep]:
    """Absences of two managers: one in the past, one from the last business day on."""
    managers = [person for person in team.dealer.staff if person.role is Role.MANAGER]
    first, second = managers[:2]
    was = Absence(first, second, past.day(19), past.day(15))
    now = Absence(second, first, past.day(0), past.today + timedelta(days=5))
    for absence, slot in ((was, 42), (now, 3)):
        team.absences.append(absence)
        yield ScheduledStep(slot, 1, _NameSubstitute(team, absence).run)


@dataclass(frozen=True, slots=True)
class _NameSubstitute:
    """Headquarters registers a substitute for an absent manager."""

    team: DealerTeam
    absence: Absence

    async def run(self, replay: Replay) -> None:
        body = {
            "approver_id": self.team.of(self.absence.manager),
            "substitute_id": self.team.of(self.absence.substitute),
            "from_on": self.absence.first_on.isoformat(),
            "to_on": self.absence.last_on.isoformat(),
        }
        await replay.ask(self.team.of(self.team.headquarters), "returns", "/substitutes", body)


async def _run_steps(
    replay: Replay,
    past: BusinessDays,
    steps: Sequence[ScheduledStep],
    now: datetime,
    progress: DemoProgress,
) -> None:
    ticks = _ticks(past, now)
    slots = [(slot, list(of_slot)) for slot, of_slot in groupby(steps, lambda one: one.slot)]
    for done, (slot, of_slot) in enumerate(slots):
        progress.done, progress.of = done, len(slots)
        await _tick(replay, ticks, past.at(slot, 0))
        for step in of_slot:
            replay.clock.instant = past.at(slot, step.minute)
            await step.run(replay)
        replay.clock.instant = past.at(slot, MINUTES_OF_SLOT)
        await replay.deliver()
    await _tick(replay, ticks, now)
    replay.clock.instant = now


def _ticks(past: BusinessDays, now: datetime) -> list[Tick]:
    """The instants at which timers fire: just after midnight, and at the hour of reminder mails."""
    day, ticks = past.slot(BEGIN_SLOT)[0] + timedelta(days=1), list[Tick]()
    while day <= past.today:
        ticks.append((datetime.combine(day, SHORTLY_AFTER_MIDNIGHT, JST), ("contracts",)))
        ticks.append((datetime.combine(day, OF_THE_MAILS, JST), ("notifier", "commuter")))
        day += timedelta(days=1)
    return [tick for tick in ticks if tick[0] <= now]


async def _tick(replay: Replay, ticks: list[Tick], until: datetime) -> None:
    """Fire the timers that were due until an instant."""
    while ticks and ticks[0][0] <= until:
        replay.clock.instant, services = ticks.pop(0)
        if await replay.fire_timers(*services) and "notifier" in services:
            await replay.send_mails()
