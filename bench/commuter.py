"""Fare engine benchmark: speed and correctness beside the libraries one would use instead.

Peers in the same run: rustworkx, igraph and networkx for paths over the tracks; for the deduction a
naive rule (the fare of the uncovered kilometres) and an oracle that tries every way to pay. A
network never changes, so what we prepare at load (services as arrays, all fares of a day) is timed
and weighed apart; the peers get their graphs ready-made too. Figures depend on the
machine, the ratios hardly do. Writes bench/results/commuter.md (not with --quick).

    python -m bench.commuter [--quick]
"""

import itertools
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date

import numpy as np
from rich.console import Console

from bench.event_fixture import write
from bench.pathfinding_baselines import Peers
from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.slips.recheck import PaidItem, recheck
from fare_engine.fares.batch import price_batch
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.ride_charge import charge_ride, deducting_passes
from fare_engine.fares.tariffs import FareBook, NoFareBetween, packaged_tariffs
from fare_engine.network.network import NOT_SEARCHED, Network, Ride
from fare_engine.network.station_lookup import qualified_name
from fare_engine.routing.all_pairs_fares import system_fares
from fare_engine.routing.candidates import Order, SearchRequest, candidates
from fare_engine.routing.cheapest_route import prepare_fares
from fare_engine.routing.fastest_journeys import rounds_of
from fare_engine.routing.route_text import CommuterPass, Route, parse_route, route_text
from fare_engine.routing.trains import journey_of
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_deduction import covered_stretches
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period

DAY = date(2026, 3, 14)
Case = tuple[Route, list[CommuterPass]]
Pair = tuple[tuple[int, ...], tuple[int, ...]]


def rate(work: Callable[[], int], *, rounds: int = 7) -> float:
    """Pieces of work per second, the best of some rounds."""
    best = 0.0
    for _ in range(rounds):
        start = time.perf_counter()
        pieces = work()
        best = max(best, pieces / (time.perf_counter() - start))
    return best


def rates(works: dict[str, Callable[[], int]], *, rounds: int = 7) -> dict[str, float]:
    """The best rate of each, taking turns: a busy moment of the machine meets all alike."""
    best = dict.fromkeys(works, 0.0)
    for _ in range(rounds):
        for name, work in works.items():
            best[name] = max(best[name], rate(work, rounds=1))
    return best


def each(work: Callable[..., object], cases: Sequence[tuple[object, ...]]) -> Callable[[], int]:
    def run() -> int:
        for case in cases:
            work(*case)
        return len(cases)

    return run


def random_cases(
    network: Network, dice: random.Random, count: int, *, one_operator: bool = False
) -> list[Case]:
    """Random ways with one to three passes over stretches of them."""
    rounds, places = rounds_of(network), list(network.places.values())
    book = packaged_tariffs().book(DAY, Medium.IC)
    cases: list[Case] = []
    while len(cases) < count:
        a, b = dice.sample(places, 2)
        others = frozenset(network.operators) - {network.stations[a[0]].operator}
        avoid = NOT_SEARCHED | others if one_operator else NOT_SEARCHED
        ways = list(rounds.search(a, avoid).ways(b))
        if not ways:
            continue
        route = journey_of(network, dice.choice(ways)).route
        passes = [
            CommuterPass(str(i), 1, _stretch(route, dice), Period())
            for i in range(dice.randint(1, 3))
        ]
        try:
            charge_ride(route, list(enumerate(passes)), book)
        except NoFareBetween:
            continue
        cases.append((route, passes))
    return cases


def _stretch(route: Route, dice: random.Random) -> Route:
    leg = dice.choice([leg for leg in route.legs if isinstance(leg, Ride)])
    i, j = sorted(dice.sample(range(len(leg.stations)), 2))
    return Route(route.network, (Ride(leg.line, leg.stations[i : j + 1], leg.edges[i:j]),))


def naive_yen(route: Route, passes: Iterable[CommuterPass], book: FareBook) -> int:
    """The rule that looks right: per operator the band of the uncovered kilometres together."""
    total = 0
    covered = frozenset[int]().union(*(one.route.tracks for one in passes))
    for run in route.runs:
        edges = [route.network.edges[track] for track in run.tracks]
        km10 = sum(edge.km10 for edge in edges if edge.track not in covered)
        tables = packaged_tariffs().tables_on(run.system, book.on)
        bands = packaged_tariffs().bands[tables[0]]
        if km10:
            band = next((one for one in bands if km10 <= one.km_up_to * 10), bands[-1])
            total += band.ic_yen or band.ticket_yen or 0
    return total


def oracle_yen(route: Route, passes: Sequence[CommuterPass], book: FareBook) -> int | None:
    """Every way to pay a ride of one run, by trying all subsets of pass ends; None if too many."""
    (run,) = route.runs
    flags = [[track in one.route.tracks for track in run.tracks] for one in passes]
    stretches = [stretch for one in flags for stretch in covered_stretches(one)]
    free = [any(one[edge] for one in flags) for edge in range(len(run.tracks))]
    length = len(run.tracks)
    points = sorted({0, length, *(end for stretch in stretches for end in stretch)})
    if len(points) > 12:
        return None
    best = book.yen(run.system, run.stations[0], run.stations[-1])
    sections = list(itertools.pairwise(points))
    for paid in itertools.product((True, False), repeat=len(sections)):
        if any(not p and not all(free[i:j]) for p, (i, j) in zip(paid, sections, strict=True)):
            continue
        yen, at = 0, 0
        for flag, group in itertools.groupby(paid):
            ahead = at + len(list(group))
            if flag:
                i, j = points[at], points[ahead]
                same = run.nodes[i] == run.nodes[j]  # returns to its start: no part to pay
                yen += 10**9 if same else book.yen(run.system, run.stations[i], run.stations[j])
            at = ahead
        best = min(best, yen)
    return best


def deduction_rates(
    cases: Sequence[Case], book: FareBook, peers: Peers, pairs: Sequence[Pair]
) -> dict[str, float]:
    offered = [(route, passes) for route, passes in cases]

    def charge(route: Route, passes: list[CommuterPass]) -> None:
        ride = Route(route.network, route.legs)  # fresh: its runs are computed again each time
        charge_ride(ride, deducting_passes(passes, DAY, BusPolicy.RAIL_ONLY), book)

    def explain(route: Route, passes: list[CommuterPass]) -> None:
        price(Route(route.network, route.legs), Terms(DAY), passes, packaged_tariffs())

    texts = [(route_text(route), passes) for route, passes in cases]

    def read_and_explain(text: str, passes: list[CommuterPass]) -> None:
        price(parse_route(packaged_tariffs().network, text), Terms(DAY), passes, packaged_tariffs())

    ends = [(a[0], b[0]) for a, b in pairs[:300]]
    works = {
        "charge a given route": each(charge, offered),
        "rustworkx, one shortest path": each(peers.rx_path, ends),
        "… with its full explanation": each(explain, offered),
        "… from its text": each(read_and_explain, texts),
    }
    return rates(works)


def prepare(network: Network) -> tuple[FareBook, dict[str, tuple[float, float]]]:
    """A book with everything ready, and the seconds and megabytes that each part took."""
    rounds_of.cache_clear()
    cost: dict[str, tuple[float, float]] = {}
    start = time.perf_counter()
    arrays = [one for one in vars(rounds_of(network)).values() if isinstance(one, np.ndarray)]
    weight = sum(one.nbytes for one in arrays)
    cost["services as arrays"] = time.perf_counter() - start, weight / 1e6
    book = packaged_tariffs().book(DAY, Medium.IC)
    start = time.perf_counter()
    systems = dict.fromkeys(line.system for line in network.lines)
    weight = sum(system_fares(book, system).yen.nbytes for system in systems)
    cost["all fares of a day and medium"] = time.perf_counter() - start, weight / 1e6
    start = time.perf_counter()
    weight = prepare_fares(book)
    cost["cheapest fares between all stations"] = time.perf_counter() - start, weight / 1e6
    return book, cost


def candidate_rates(
    network: Network, peers: Peers, pairs: Sequence[Pair], dice: random.Random
) -> dict[str, float]:
    named = [(qualified_name(network, a), qualified_name(network, b)) for a, b in pairs]
    passes = tuple(one for _, own in random_cases(network, dice, 1) for one in own)

    def three(order: Order) -> Callable[[str, str], object]:
        def ask(a: str, b: str) -> object:
            return candidates(
                SearchRequest(a, b, DAY, passes=passes, order=order, count=3), packaged_tariffs()
            )

        return ask

    single = [(a[0], b[0]) for a, b in pairs]
    return rates(
        {
            "ours by time": each(three(Order.TIME), named),
            "ours by charge (the cheapest way, exact)": each(three(Order.CHARGED), named[:300]),
            "igraph, k = 3": each(peers.ig_three, single[:120]),
            "networkx, k = 3": each(peers.nx_three, single[:30]),
        },
        rounds=3,
    )


def wrong_answers(cases: Sequence[Case], book: FareBook) -> dict[str, int]:
    compared = naive = ours = 0
    for route, passes in cases:
        if len(route.runs) != 1:
            continue
        right = oracle_yen(route, passes, book)
        if right is None:
            continue
        compared += 1
        charged = charge_ride(route, list(enumerate(passes)), book).charged_yen
        ours += charged != right
        naive += naive_yen(route, passes, book) != right
    return {"rides compared with every way to pay": compared, "ours wrong": ours,
            "sum of uncovered kilometres wrong": naive}  # fmt: skip


def recheck_rate(cases: Sequence[Case], items: int) -> float:
    """Stored items with the passes of their employees, priced again."""
    book = packaged_tariffs().book(DAY, Medium.IC)
    own, paid = {}, []
    for number, (route, passes) in enumerate(cases):
        own[str(number)] = EmployeePasses(readable=tuple(passes))
        yen = charge_ride(route, list(enumerate(passes)), book).charged_yen
        text = route_text(route)
        paid.append(PaidItem(str(number), str(number), DAY, text, Medium.IC, 1, yen))

    def run() -> int:
        differing = list(
            recheck(itertools.islice(itertools.cycle(paid), items), own, packaged_tariffs())
        )
        assert differing == []  # nothing was revised
        return items

    return rate(run, rounds=1)


def batch_rate(cases: Sequence[Case], items: int) -> float:
    """Rows of a file: read from its text, with the reason."""
    rows = [
        {
            "date": DAY.isoformat(),
            "route": route_text(route),
            "pass": " | ".join(route_text(one.route) for one in passes),
        }
        for route, passes in cases
    ]

    def run() -> int:
        many = itertools.islice(itertools.cycle(rows), items)
        return sum(1 for row in price_batch(many, packaged_tariffs()) if not row["error"])

    return rate(run, rounds=1)


def table(title: str, rates: dict[str, float], against: str) -> list[str]:
    base = rates[against]
    rows = [f"| {name} | {value:,.0f} | {value / base:,.2f} |" for name, value in rates.items()]
    return ["", f"**{title}**", "", f"| | per second | × {against} |", "|---|---|---|", *rows]


def method(cost: dict[str, tuple[float, float]], pairs: int, cases: int) -> list[str]:
    build = [f"| {what} | {took:.2f} | {size:.1f} |" for what, (took, size) in cost.items()]
    return [
        f"{pairs:,} random pairs of places and {cases:,} random rides with one to three passes in",
        "one process; each figure is the best of its rounds, the peers in turn with us. The peers",
        "search a graph of the tracks, built for them beforehand. What we prepare at load, once",
        "for each network and day of tariffs:",
        "",
        "| prepared | seconds | MB |",
        "|---|---|---|",
        *build,
    ]


def main() -> None:
    quick = "--quick" in sys.argv
    dice = random.Random(5)
    network = packaged_tariffs().network
    book, cost = prepare(network)
    peers = Peers(network)
    places = [place for place in network.places.values() if _is_searched(network, place)]
    pairs: list[Pair] = [
        (a, b) for a, b in (dice.sample(places, 2) for _ in range(300 if quick else 1500))
    ]
    cases = random_cases(network, dice, 500 if quick else 2000)
    deduction = deduction_rates(cases, book, peers, pairs)
    found = candidate_rates(network, peers, pairs, dice)
    lines = method(cost, len(pairs), len(cases))
    lines += table("Deduction, route given", deduction, "rustworkx, one shortest path")
    lines += table("Three candidates with deduction", found, "igraph, k = 3")
    for ours in ("ours by time", "ours by charge (the cheapest way, exact)"):
        lines += ["", f"{ours} / networkx: {found[ours] / found['networkx, k = 3']:,.0f}"]
    items = 5_000 if quick else 100_000
    lines += ["", f"**{items:,} items at once**", "", "| | seconds | per second |", "|---|---|---|"]
    for name, many in (("re-check of stored items", recheck_rate), ("rows of a file", batch_rate)):
        speed = many(cases, items)
        lines.append(f"| {name} | {items / speed:,.1f} | {speed:,.0f} |")
    single = random_cases(network, dice, 200 if quick else 2000, one_operator=True)
    lines += ["", "| answers | |", "|---|---|"]
    lines += [f"| {name} | {n:,} |" for name, n in wrong_answers(single, book).items()]
    if quick:
        Console().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    else:
        write("commuter", lines)


def _is_searched(network: Network, place: Sequence[int]) -> bool:
    lines = [line for line in network.lines if not set(line.stops).isdisjoint(place)]
    return any(line.system not in NOT_SEARCHED for line in lines)


if __name__ == "__main__":
    main()
