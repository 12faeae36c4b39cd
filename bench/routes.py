"""Route search benchmark: are the trains that everybody takes offered, and how fast are answers?

Asked are all pairs of stops at least three apart on a service with twenty runs a day or more; the
truth is the service's own minutes. A part of the pairs, in the same order each time, with --quick.
Then questions between random places, priced and deducted, in turn with a RAPTOR written plainly in
Python over the same services; the seconds and the memory that the network takes are measured in a
process of their own. Writes bench/results/routes.md (not with --quick).

    python -m bench.routes [--quick]
"""

import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from rich.console import Console

from bench.compare import p
from bench.event_fixture import write
from bench.plain_raptor import PlainRaptor
from fare_engine.data_tables import Service, ServiceStop
from fare_engine.errors import FareError
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.network.station_lookup import qualified_name
from fare_engine.routing.candidates import Candidate, Order, SearchRequest, candidates
from fare_engine.routing.route_text import parse_pass

DAY = date(2026, 4, 1)
ENOUGH_RUNS, STOPS_APART, FIRST = 20, 3, 2
SHARE, MINUTES = 0.2, 3
QUICK_PAIRS, QUICK_QUESTIONS, QUESTIONS = 400, 40, 400
EXAMPLES = 20
PASS = "東京:JR東日本/中央線:新宿"
LOADING = """
import resource, time
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6
import numpy, fare_engine.routing.candidates as search
before, start = rss(), time.perf_counter()
from fare_engine.fares.tariffs import packaged_tariffs
tariffs = packaged_tariffs()
loaded = time.perf_counter()
from datetime import date
asked = search.SearchRequest("東京", "新宿", date(2026, 4, 1), order=search.Order.RECOMMENDED)
search.candidates(asked, tariffs)
print(loaded - start, time.perf_counter() - loaded, rss() - before)
"""


@dataclass(frozen=True, slots=True)
class DirectRide:
    """Two stations that a service joins: the minutes of its usual train, and its operator."""

    start: int
    end: int
    minutes: float
    operator: str
    train: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the search offered for a direct ride; `error` is the code of a refusal."""

    ride: DirectRide
    offered: bool = False
    first: bool = False
    timed: bool = False
    shown: int = 0
    dominated: int = 0
    error: str = ""


def services(network: Network) -> Iterator[tuple[Service, list[ServiceStop]]]:
    """Services with enough runs that call nowhere twice, with their stops."""
    stops: dict[int, list[ServiceStop]] = defaultdict(list)
    for stop in network.tables.service_stops:
        stops[stop.service].append(stop)
    for service in network.tables.services:
        rows = stops[service.id]
        if service.runs >= ENOUGH_RUNS and len({row.station for row in rows}) == len(rows):
            yield service, rows


def direct_rides(network: Network) -> tuple[list[DirectRide], Counter[str]]:
    """Every pair of places once, by its usual train; and the stops that the network lacks.

    The usual train: of those that join the pair, the quickest with its wait of half a headway.
    Services under one train name are waited for together; the one with most runs gives minutes.
    """
    trains: dict[frozenset[int], dict[str, list[tuple[int, DirectRide]]]]
    trains = defaultdict(lambda: defaultdict(list))
    missing: Counter[str] = Counter()
    for service, rows in services(network):
        known = [network.station_ids.get((row.operator, row.station)) for row in rows]
        missing.update(r.operator for r, one in zip(rows, known, strict=True) if one is None)
        for i, start in enumerate(known):
            for j in range(i + STOPS_APART, len(rows)):
                end = known[j]
                if start is None or end is None:
                    continue
                minutes = (rows[j].minutes10 - rows[i].minutes10) / 10
                ride = DirectRide(start, end, minutes, rows[i].operator, rows[i].train)
                key = frozenset((network.place_of[start], network.place_of[end]))
                if len(key) == 2:
                    trains[key][ride.train].append((service.runs, ride))
    return [_usual(of_pair) for of_pair in trains.values()], missing


def _usual(trains: Mapping[str, Sequence[tuple[int, DirectRide]]]) -> DirectRide:
    found = []
    for rides in trains.values():
        _, ride = max(rides, key=lambda one: one[0])
        wait = min(10, 18 * 60 / sum(runs for runs, _ in rides))
        found.append((ride.minutes + wait, ride))
    return min(found, key=lambda one: one[0])[1]


def asked_about(ride: DirectRide, tariffs: Tariffs) -> Answer:
    """Ask for one direct ride."""
    network = tariffs.network
    ends = [network.places[network.place_of[station]] for station in (ride.start, ride.end)]
    names = [qualified_name(network, place) for place in ends]
    try:
        found = candidates(SearchRequest(names[0], names[1], DAY, order=Order.RECOMMENDED), tariffs)
    except FareError as fact:
        return Answer(ride, error=fact.code)
    direct = [position for position, one in enumerate(found) if one.changes == 0]
    margin = max(MINUTES, ride.minutes * SHARE)
    return Answer(
        ride,
        offered=bool(direct),
        first=bool(direct) and direct[0] < FIRST,
        timed=any(abs(found[position].minutes - ride.minutes) <= margin for position in direct),
        shown=len(found),
        dominated=sum(any(dominates(other, one) for other in found) for one in found),
    )


def dominates(one: Candidate, other: Candidate) -> bool:
    """Whether one is no worse in minutes, changes and yen, and better in one of them."""
    a, b = figures(one), figures(other)
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def figures(one: Candidate) -> tuple[int, int, int]:
    return one.minutes, one.changes, one.charged_yen


def direct_table(answers: Sequence[Answer]) -> list[str]:
    """Shares by the operator where the ride begins, the most rides first."""
    by_operator: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_operator[answer.ride.operator].append(answer)
    rows = [
        "| operator | rides | direct offered | among the first two | minutes right | refused |",
        "|---|---|---|---|---|---|",
        row("all", answers),
    ]
    most = sorted(by_operator.items(), key=lambda item: -len(item[1]))
    return rows + [row(operator, found) for operator, found in most]


def row(name: str, answers: Sequence[Answer]) -> str:
    refused = Counter(answer.error for answer in answers if answer.error)
    codes = ", ".join(f"{code} {n:,}" for code, n in refused.most_common())
    asked = len(answers)
    shares = [
        sum(flags) / asked * 100
        for flags in (
            [answer.offered for answer in answers],
            [answer.first for answer in answers],
            [answer.timed for answer in answers],
        )
    ]
    return f"| {name} | {asked:,} | " + " | ".join(f"{s:.1f} %" for s in shares) + f" | {codes} |"


def examples(answers: Iterable[Answer], network: Network) -> list[str]:
    """Some of the rides whose direct train is not offered."""
    absent = [one.ride for one in answers if not one.offered and not one.error]
    names = [
        f"{network.stations[ride.start]}―{network.stations[ride.end]} ({ride.train})"
        for ride in random.Random(1).sample(absent, min(EXAMPLES, len(absent)))
    ]
    return ["", f"Direct train not offered, {len(absent):,}, some of them: {'、'.join(names)}"]


@dataclass(slots=True)
class Timed:
    """Seconds of ours and of the plain RAPTOR, and in how many answers it found a quicker way."""

    ours: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    shown: int = 0
    compared: int = 0
    quicker: int = 0


def timed(tariffs: Tariffs, questions: int) -> Timed:
    """Ours and the plain RAPTOR in turn, on the same random places."""
    network, dice, times = tariffs.network, random.Random(7), Timed()
    raptor, passes = PlainRaptor(network), (parse_pass(network, PASS, "1"),)
    places = list(network.places.values())
    asked = SearchRequest("東京", "新宿", DAY, passes=passes, order=Order.RECOMMENDED)
    candidates(asked, tariffs)  # prepares what is made once
    while len(times.ours) < questions:
        a, b = dice.sample(places, 2)
        start_name, end_name = qualified_name(network, a), qualified_name(network, b)
        start = time.perf_counter()
        try:
            found = candidates(replace(asked, start=start_name, end=end_name), tariffs)
        except FareError:
            continue
        times.ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        journeys = raptor.journeys(a, b)
        times.plain.append(time.perf_counter() - start)
        times.shown += len(found)
        if journeys:
            times.compared += 1
            quickest = min(one.minutes10 for one in journeys)
            times.quicker += min(one.minutes for one in found) > quickest / 10 + 1
    return times


def speed(tariffs: Tariffs, questions: int) -> list[str]:
    """Milliseconds of a question beside the peer."""
    times = timed(tariffs, questions)
    ours, plain = ([p(of, share) for share in (0.5, 0.95)] for of in (times.ours, times.plain))
    each = f"{times.shown / questions:.1f} candidates each"
    return [
        "",
        f"**{questions:,} random questions, priced and deducted, {each}**",
        "",
        "| | median ms | p95 ms |",
        "|---|---|---|",
        f"| ours: candidates with fares after a pass | {ours[0]:.1f} | {ours[1]:.1f} |",
        f"| RAPTOR in plain Python: times only | {plain[0]:.1f} | {plain[1]:.1f} |",
        "",
        f"RAPTOR / ours, medians: {plain[0] / ours[0]:.1f}. Its quickest journey is over a minute",
        f"quicker than our quickest candidate in {times.quicker:,} of {times.compared:,}.",
    ]


def loading() -> list[str]:
    """Seconds and megabytes of the network in a fresh process, the best of three."""
    runs = [
        [float(word) for word in subprocess.check_output([sys.executable, "-c", LOADING]).split()]
        for _ in range(3)
    ]
    load, question, memory = (min(values) for values in zip(*runs, strict=True))
    return [
        "",
        "| fresh process | |",
        "|---|---|",
        f"| network and tariffs loaded | {load:.2f} s |",
        f"| first question after it | {question:.2f} s |",
        f"| memory for both | {memory:.0f} MB |",
    ]


def main() -> None:
    quick = "--quick" in sys.argv
    tariffs = packaged_tariffs()
    network = tariffs.network
    rides, missing = direct_rides(network)
    asked = random.Random(3).sample(rides, min(QUICK_PAIRS, len(rides))) if quick else rides
    answers = [asked_about(ride, tariffs) for ride in asked]
    shown, dominated = (sum(getattr(a, name) for a in answers) for name in ("shown", "dominated"))
    lines = [
        f"{len(network.stations):,} stations, {len(network.tables.services):,} services.",
        f"{len(rides):,} pairs of places that a service with {ENOUGH_RUNS} runs a day or more",
        f"joins, {STOPS_APART} stops apart or more; services that call somewhere twice (loops)",
        f"left out. Asked: {len(asked):,}, {DAY}, IC, no pass, in the default order. Direct: no",
        f"change; minutes right: within {SHARE:.0%} or {MINUTES} minutes of the usual train's.",
        "",
        *direct_table(answers),
        "",
        f"Dominated candidates: {dominated:,} of {shown:,}.",
        *examples(answers, network),
    ]
    if missing:
        lines += ["", f"Stops that the network lacks: {dict(missing)}"]
    lines += speed(tariffs, QUICK_QUESTIONS if quick else QUESTIONS)
    lines += loading()
    if quick:
        Console().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    else:
        write("routes", lines)


if __name__ == "__main__":
    main()
