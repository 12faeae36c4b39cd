"""The deduction against an oracle that tries every way to pay, and the promises it must keep."""

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fare_engine.data_tables import (
    FareTables,
    Interval,
    LineTotal,
    NetworkTables,
    Reading,
    SpecialFare,
    TariffBand,
    TariffTable,
)
from fare_engine.fares.ride_charge import charge_ride
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.network import Network, Ride
from fare_engine.routing.route_text import CommuterPass, Route
from fare_engine.rules.fare_deduction import (
    Stretch,
    cheapest_payment,
    covered_stretches,
    merged,
    outside_parts,
)
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period

DAY = date(2026, 3, 14)
RANDOM_RUNS = 4000
RANDOM_NETWORKS = 1500


def every_way_to_pay(
    length: int, stretches: Sequence[Stretch], fare: Callable[[int, int], int]
) -> int:
    """Mark every edge as paid or ridden on a pass, in all 2^n ways, and keep the lawful ones.

    Neighbouring paid edges are one part, so a split fare cannot occur; a part begins and ends at
    the ends of the run or at the end of some pass.
    """
    covered = [any(i <= edge < j for i, j in stretches) for edge in range(length)]
    ends = {0, length, *(end for stretch in stretches for end in stretch)}
    best = fare(0, length)
    for paid in itertools.product((True, False), repeat=length):
        if not all(flag or covered[edge] for edge, flag in enumerate(paid)):
            continue
        parts, edge = [], 0
        for flag, group in itertools.groupby(paid):
            until = edge + len(list(group))
            if flag:
                parts.append((edge, until))
            edge = until
        if all(i in ends and j in ends for i, j in parts):
            best = min(best, sum(fare(i, j) for i, j in parts))
    return best


@st.composite
def runs(draw: st.DrawFn) -> tuple[int, list[Stretch], dict[Stretch, int]]:
    length = draw(st.integers(1, 8))
    pairs = [(i, j) for i in range(length + 1) for j in range(i + 1, length + 1)]
    stretches = draw(st.lists(st.sampled_from(pairs), max_size=4))
    fares = {pair: draw(st.integers(1, 60)) for pair in pairs}
    return length, stretches, fares


def by_table(fares: dict[Stretch, int]) -> Callable[[int, int], int]:
    return lambda i, j: fares[min(i, j), max(i, j)]


@pytest.mark.rule("F21")
@settings(max_examples=500)
@given(runs())
def test_agrees_with_every_way_to_pay(run: tuple[int, list[Stretch], dict[Stretch, int]]) -> None:
    length, stretches, fares = run
    payment = cheapest_payment(length, stretches, by_table(fares))
    assert payment.yen == every_way_to_pay(length, stretches, by_table(fares))
    assert payment.yen == sum(fares[part] for part in payment.parts)


@pytest.mark.rule("F21")
def test_agrees_with_every_way_to_pay_on_thousands_of_runs() -> None:
    dice = random.Random(21)
    for _ in range(RANDOM_RUNS):
        length = dice.randint(1, 8)
        pairs = [(i, j) for i in range(length + 1) for j in range(i + 1, length + 1)]
        stretches = dice.choices(pairs, k=dice.randint(0, 4))
        # Bands rise with the distance, with a few special fares thrown in.
        fares = {(i, j): 100 + 40 * (j - i) - dice.choice((0, 0, 0, 70)) for i, j in pairs}
        payment = cheapest_payment(length, stretches, by_table(fares))
        assert payment.yen == every_way_to_pay(length, stretches, by_table(fares))


@pytest.mark.rule("F21")
@settings(max_examples=400)
@given(runs(), st.data())
def test_one_more_pass_never_raises_the_charge(
    run: tuple[int, list[Stretch], dict[Stretch, int]], data: st.DataObject
) -> None:
    length, stretches, fares = run
    another = data.draw(st.sampled_from(sorted(fares)))
    before = cheapest_payment(length, stretches, by_table(fares)).yen
    after = cheapest_payment(length, [*stretches, another], by_table(fares)).yen
    assert 0 <= after <= before <= fares[0, length]


@pytest.mark.rule("F2")
@settings(max_examples=300)
@given(runs())
def test_the_way_back_costs_the_same(run: tuple[int, list[Stretch], dict[Stretch, int]]) -> None:
    length, stretches, fares = run
    there = cheapest_payment(length, stretches, by_table(fares)).yen
    turned = [(length - j, length - i) for i, j in stretches]
    back = cheapest_payment(
        length, turned, lambda i, j: by_table(fares)(length - i, length - j)
    ).yen
    assert there == back


@pytest.mark.parametrize(
    ("flags", "stretches"),
    [
        ([], []),
        ([False, False], []),
        ([True, True], [(0, 2)]),
        ([True, False, True], [(0, 1), (2, 3)]),
    ],
)
def test_stretches_of_a_pass(flags: list[bool], stretches: list[Stretch]) -> None:
    assert covered_stretches(flags) == stretches


@pytest.mark.rule("F7")
def test_adjoining_stretches_are_one() -> None:
    assert merged([(3, 5), (0, 2), (2, 3), (6, 7)]) == [(0, 5), (6, 7)]
    assert outside_parts(8, [(0, 5), (6, 7)]) == ((5, 6), (7, 8))


# Whole small networks, through the tables, the tariff and the charging of a ride.


def random_network(dice: random.Random) -> tuple[Network, Tariffs]:
    """Two lines of one operator that cross, with rising bands and some special fares."""
    first = [chr(ord("あ") + 2 * i) for i in range(dice.randint(4, 8))]
    second = [chr(ord("は") + 3 * i) for i in range(dice.randint(2, 4))]
    second.insert(dice.randint(0, len(second)), dice.choice(first))
    intervals: list[Interval] = []
    for line, names in (("一号線", first), ("二号線", second)):
        km10 = 0
        for seq, name in enumerate(names, start=1):
            intervals.append(Interval("社", line, seq, name, km10, "test"))
            km10 += dice.randint(5, 40)
    names = list(dict.fromkeys(row.station for row in intervals))
    tables = NetworkTables(
        tuple(intervals),
        (LineTotal("社", "一号線", len(first), intervals[len(first) - 1].km10),),
        tuple(Reading(name, name) for name in names),
        (), (), (), (), (),
    )  # fmt: skip
    bands = tuple(
        TariffBand("社", "普通", DAY, km, 100 + 15 * step + dice.randint(0, 14))
        for step, km in enumerate((3, 6, 10, 15, 40))
    )
    pairs = dice.sample(list(itertools.combinations(names, 2)), 2)
    special = tuple(
        SpecialFare("社", a, b, DAY, None, dice.randint(60, 120), "test") for a, b in pairs
    )
    table = TariffTable("社", "普通", DAY, None, "up", "up", "test")
    network = Network(tables)
    return network, Tariffs(network, FareTables((table,), bands, (), special, (), ()))


def random_ride(dice: random.Random, network: Network) -> Route:
    line = dice.choice(network.lines)
    a, b = dice.sample(line.stops, 2)
    ride = network.along(line, a, b)
    assert ride is not None
    other = network.lines[1 - line.id]
    if b in other.stops and dice.random() < 0.8:
        beyond = dice.choice([stop for stop in other.stops if stop not in ride.stations] or [b])
        onward = network.along(other, b, beyond) if beyond != b else None
        if onward and set(onward.stations[1:]).isdisjoint(ride.stations):
            return Route(network, (ride, onward))
    return Route(network, (ride,))


def oracle_fares(network: Network, tariffs: Tariffs) -> Callable[[int, int], int]:
    """Fares by Floyd and Warshall and a plain walk over the bands."""
    far = 10**6
    size = len(network.stations)
    km10 = [[0 if i == j else far for j in range(size)] for i in range(size)]
    for edge in network.edges:
        km10[edge.a][edge.b] = km10[edge.b][edge.a] = edge.km10
    for via, a, b in itertools.product(range(size), repeat=3):
        km10[a][b] = min(km10[a][b], km10[a][via] + km10[via][b])
    special = {
        frozenset((row.station_a, row.station_b)): row.ic_yen
        for row in tariffs.tables.special_fares
    }

    def fare(a: int, b: int) -> int:
        pair = frozenset((network.stations[a].name, network.stations[b].name))
        by_pair = special.get(pair)
        if by_pair is not None:
            return by_pair
        return next(
            band.ic_yen
            for band in tariffs.tables.tariff_bands
            if band.ic_yen is not None and km10[a][b] <= band.km_up_to * 10
        )

    return fare


@pytest.mark.rule("F21")
def test_whole_rides_agree_with_the_oracle_on_random_networks() -> None:
    dice = random.Random(2026)
    for _ in range(RANDOM_NETWORKS):
        network, tariffs = random_network(dice)
        ride = random_ride(dice, network)
        passes = [
            CommuterPass(str(i), 1, random_ride(dice, network), Period())
            for i in range(dice.randint(0, 3))
        ]
        charged = charge_ride(ride, list(enumerate(passes)), tariffs.book(DAY, Medium.IC))
        stations = [s for leg in ride.legs if isinstance(leg, Ride) for s in leg.stations]
        path = [s for s, _ in itertools.groupby(stations)]
        edges = [e for leg in ride.legs if isinstance(leg, Ride) for e in leg.edges]
        stretches = [
            stretch
            for one in passes
            for stretch in covered_stretches([edge in one.route.tracks for edge in edges])
        ]
        fares = oracle_fares(network, tariffs)

        def fare(
            i: int,
            j: int,
            path: list[int] = path,
            fares: Callable[[int, int], int] = fares,
        ) -> int:
            return fares(path[i], path[j])

        assert charged.through_yen == fares(path[0], path[-1])
        assert charged.charged_yen == every_way_to_pay(len(edges), stretches, fare)
