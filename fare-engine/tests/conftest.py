"""What the tests of the fare engine share: the real network, and one way to price a ride."""

from collections.abc import Callable
from datetime import date

import pytest

from fare_engine.fares.explanation import Explanation
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.routing.route_text import parse_pass, parse_route
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium

PriceRide = Callable[..., Explanation]


@pytest.fixture(scope="session")
def network() -> Network:
    return packaged_tariffs().network


@pytest.fixture(scope="session")
def tariffs() -> Tariffs:
    return packaged_tariffs()


@pytest.fixture(scope="session")
def ride(network: Network) -> PriceRide:
    """Price a route text with pass texts; pass ids are 1, 2, 3 ... in the order given."""

    def priced(
        route: str,
        *passes: str,
        on: str = "2026-03-14",
        medium: str = "ic",
        child: bool = False,
        round_trip: bool = False,
        bus_policy: BusPolicy = BusPolicy.RAIL_ONLY,
    ) -> Explanation:
        terms = Terms(
            on=date.fromisoformat(on),
            medium=Medium(medium),
            child=child,
            round_trip=round_trip,
            bus_policy=bus_policy,
        )
        own = [parse_pass(network, text, str(i)) for i, text in enumerate(passes, start=1)]
        return price(parse_route(network, route), terms, own, packaged_tariffs())

    return priced
