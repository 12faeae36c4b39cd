"""What the tests of the fare engine share: the real network, and one way to price a ride."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from fare_engine.fares.explanation_model import Explanation
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.routing.route_text import parse_pass, parse_route
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium

PriceRide = Callable[..., Explanation]
WriteFeed = Callable[..., Path]
Routes = Mapping[str, tuple[str, Sequence[str]]]
"""Route id to its name and its trips; a trip is a string of one-letter stops."""


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


@pytest.fixture
def write_feed() -> WriteFeed:
    """Write a small feed: routes as strings of stops, the other tables as text."""
    return _write_feed


def _write_feed(
    folder: Path,
    routes: Routes,
    fares: str = "",
    rules: str = "",
    *,
    kind: int = 3,
    routes_table: str = "",
    **tables: str | None,
) -> Path:
    """Write a feed and return its folder.

    `fares` and `rules` are rows of fare_attributes (fare_id,price,currency_type) and fare_rules
    (fare_id,route_id,origin_id,destination_id,contains_id); `tables` replaces whole tables, None
    leaves one out. Stop A is called A停 and is its own zone.
    """
    content: dict[str, str | None] = {
        "routes": routes_table
        or "route_id,agency_id,route_long_name,route_type\n"
        + "".join(f"{route},1,{name},{kind}\n" for route, (name, _) in routes.items()),
        **_timetable(routes),
    }
    if fares:
        content["fare_attributes"] = f"fare_id,price,currency_type\n{fares}\n"
    if rules:
        content["fare_rules"] = f"fare_id,route_id,origin_id,destination_id,contains_id\n{rules}\n"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (content | tables).items():
        if text is not None:
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def _timetable(routes: Routes) -> dict[str, str]:
    """The tables of a feed that follow from its routes."""
    trips = [
        (route, f"{route}-{i}", trip)
        for route, (_, served) in routes.items()
        for i, trip in enumerate(served)
    ]
    letters = sorted({letter for _, _, trip in trips for letter in trip})
    return {
        "agency": "agency_id,agency_name\n1,みどり野バス\n",
        "trips": "route_id,service_id,trip_id\n" + "".join(f"{r},毎日,{t}\n" for r, t, _ in trips),
        "stops": "stop_id,stop_name,stop_lat,stop_lon,zone_id\n"
        + "".join(f"{s},{s}停,35.{ord(s)},139.4,{s}\n" for s in letters),
        "stop_times": "trip_id,stop_id,stop_sequence,arrival_time,departure_time\n"
        + "".join(
            f"{name},{stop},{i},08:{i:02}:00,08:{i:02}:00\n"
            for _, name, trip in trips
            for i, stop in enumerate(trip)
        ),
        "calendar": "service_id,start_date,end_date\n毎日,20260401,20270331\n",
        "feed_info": "feed_publisher_name,feed_start_date\nみどり野バス,20260401\n",
    }
