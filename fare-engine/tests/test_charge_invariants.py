"""What every priced ride of the real network keeps, whatever the passes."""

import random
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fare_engine.fares.ride_charge import charge_ride, deducting_passes
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, packaged_tariffs
from fare_engine.network.network import NOT_SEARCHED, Network, Ride
from fare_engine.routing.fastest_journeys import rounds_of
from fare_engine.routing.route_text import CommuterPass, Route, parse_route, route_text
from fare_engine.routing.trains import journey_of
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period

DAY = date(2026, 3, 14)
SEEDS = st.integers(0, 10**9)


def some_route(network: Network, dice: random.Random) -> Route:
    """A way between two random places, one of the quickest by number of trains."""
    places = list(network.places.values())
    while True:
        a, b = dice.sample(places, 2)
        ways = list(rounds_of(network).search(a, NOT_SEARCHED).ways(b))
        if ways:
            return journey_of(network, dice.choice(ways)).route


def part_of(route: Route, dice: random.Random) -> Route:
    """A stretch of one leg of a route, as a pass might cover it."""
    leg = dice.choice([leg for leg in route.legs if isinstance(leg, Ride)])
    i, j = sorted(dice.sample(range(len(leg.stations)), 2))
    return Route(route.network, (Ride(leg.line, leg.stations[i : j + 1], leg.edges[i:j]),))


def priced_rides(seed: int) -> Iterator[tuple[Route, list[CommuterPass], Medium]]:
    dice = random.Random(seed)
    for _ in range(5):
        route = some_route(packaged_tariffs().network, dice)
        passes = [
            CommuterPass(str(i), 1, part_of(route, dice), Period())
            for i in range(dice.randint(0, 3))
        ]
        yield route, passes, dice.choice(list(Medium))


def charged(route: Route, passes: list[CommuterPass], medium: Medium) -> tuple[int, int]:
    book = packaged_tariffs().book(DAY, medium)
    try:
        found = charge_ride(route, deducting_passes(passes, DAY, BusPolicy.RAIL_ONLY), book)
    except (NoFareBetween, NoTariffOnDate):  # meets its own start again, or a line without fares
        return 0, 0
    return found.through_yen, found.charged_yen


@pytest.mark.rule("F21", "F19")
@settings(max_examples=60)
@given(SEEDS)
def test_charge_lies_between_nothing_and_the_through_fare(seed: int) -> None:
    for route, passes, medium in priced_rides(seed):
        through, left = charged(route, passes, medium)
        assert 0 <= left <= through


@pytest.mark.rule("F21", "F19")
@settings(max_examples=60)
@given(SEEDS)
def test_each_further_pass_leaves_the_charge_or_lowers_it(seed: int) -> None:
    for route, passes, medium in priced_rides(seed):
        charges = [charged(route, passes[:n], medium)[1] for n in range(len(passes) + 1)]
        assert charges == sorted(charges, reverse=True)


@pytest.mark.rule("F2")
@settings(max_examples=60)
@given(SEEDS)
def test_the_way_back_costs_the_same(seed: int) -> None:
    for route, passes, medium in priced_rides(seed):
        back = Route(
            route.network,
            tuple(
                Ride(leg.line, leg.stations[::-1], leg.edges[::-1])
                for leg in reversed(route.legs)
                if isinstance(leg, Ride)
            ),
        )
        assert charged(back, passes, medium) == charged(route, passes, medium)


@settings(max_examples=60)
@given(SEEDS)
def test_a_route_text_reads_back_as_the_same_ride(seed: int) -> None:
    for route, _, medium in priced_rides(seed):
        again = parse_route(route.network, route_text(route))
        assert route_text(again) == route_text(route)
        assert charged(again, [], medium) == charged(route, [], medium)


@pytest.mark.rule("F1")
@settings(max_examples=30)
@given(SEEDS)
def test_a_pass_over_the_whole_ride_leaves_nothing(seed: int) -> None:
    for route, _, medium in priced_rides(seed):
        assert charged(route, [CommuterPass("1", 1, route, Period())], medium)[1] == 0
