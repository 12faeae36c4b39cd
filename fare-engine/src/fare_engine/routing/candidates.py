"""Which candidate routes does the look-up (乗換案内) show, and in which order (F22)?

Up to five ways by time; where the order asks for money, the cheapest ways are added before the
candidates are sorted by fare or by what is left after the passes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise, product
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.fares.explanation import TrainLeg
from fare_engine.fares.ride_charge import RideCharge, charge_ride, deducting_passes
from fare_engine.fares.tariffs import (
    FareBook,
    NoFareBetween,
    NoTariffOnDate,
    Tariffs,
)
from fare_engine.network.network import NOT_SEARCHED, Network, Ride
from fare_engine.network.station_closures import closed_stations, refuse_closed
from fare_engine.network.station_lookup import find_place
from fare_engine.routing.route_text import CommuterPass, Route, joined_rides
from fare_engine.routing.trains import trains_of
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium

CANDIDATES = 5
OTHER_CHEAPEST_PATHS = 2
NO_LIMIT = 10**6
ENOUGH = 3  # candidates; who asks for more is offered cheap ways of other operators too
VIA_MARGIN = 1000
VIA_PATHS = 3  # quick ways of each section that are combined
CHANGE_SECONDS = 300
YEN_PER_MINUTE = 30
YEN_PER_CHANGE = 100


class NoRouteBetween(FareError):
    """No way joins the places, with the via stations and without the avoided operators."""

    code: ClassVar[str] = "NO_ROUTE_BETWEEN"


class SamePlace(FareError):
    """The ride would end where it starts."""

    code: ClassVar[str] = "SAME_PLACE"


class UnknownOperator(FareError):
    """No operator has the name."""

    code: ClassVar[str] = "UNKNOWN_OPERATOR"


class Order(StrEnum):
    """How candidates are sorted; the next criteria break ties.

    `recommended` is by generalised cost: yen after the passes, and yen a minute and a change.
    """

    RECOMMENDED = "recommended"
    TIME = "time"
    FARE = "fare"
    CHARGED = "charged"
    CHANGES = "changes"


class Label(StrEnum):
    """What a candidate is best at among those shown."""

    FASTEST = "fastest"
    CHEAPEST = "cheapest"
    EASIEST = "easiest"

    @property
    def label_ja(self) -> str:
        """As pages mark it."""
        return {Label.FASTEST: "早い", Label.CHEAPEST: "安い", Label.EASIEST: "楽"}[self]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate route; yen one way, minutes from the first departure to the arrival.

    `changes`: to another train. `told_yen`: the fare that another source of the look-up tells.
    """

    route: Route
    minutes: int
    changes: int
    charge: RideCharge
    told_yen: int | None = None
    trains: tuple[TrainLeg, ...] = ()
    labels: tuple[Label, ...] = ()

    @property
    def through_yen(self) -> int:
        """Fare before the passes."""
        return self.charge.through_yen

    @property
    def charged_yen(self) -> int:
        """Fare after the passes."""
        return self.charge.charged_yen


@dataclass(frozen=True)
class SearchRequest:
    """What is looked up; names as `find_place` takes them."""

    start: str
    end: str
    on: date
    medium: Medium = Medium.IC
    via: tuple[str, ...] = ()
    avoid: frozenset[str] = frozenset()
    passes: tuple[CommuterPass, ...] = ()
    child: bool = False
    bus_policy: BusPolicy = BusPolicy.RAIL_ONLY
    order: Order = Order.TIME
    count: int = CANDIDATES


def candidates(question: SearchRequest, tariffs: Tariffs) -> list[Candidate]:
    """The candidate routes in the asked order, at least one.

    Raises UnknownStation, AmbiguousStation, NoRouteBetween, NoTariffOnDate ...
    """
    network = tariffs.network
    places = places_of(network, question)
    refuse_closed(network, places, question.on)
    from fare_engine.routing.pathfinding import (
        path_finder,  # brings NumPy and SciPy: 0.3 s
    )

    book = tariffs.book(question.on, question.medium, child=question.child)
    passes = deducting_passes(question.passes, question.on, question.bus_policy)
    avoid = question.avoid | NOT_SEARCHED
    finder = path_finder(network)
    paths = [finder.paths(a, b, question.count, avoid) for a, b in pairwise(places)]
    found, unpriced = _priced(
        _quickest_paths(network, paths, question.count), passes, book, question.on
    )
    if question.order is not Order.TIME:
        found = _with_cheapest_paths(found, paths, places, book, passes, question)
    if unpriced and not found:
        raise unpriced
    if not found:
        raise NoRouteBetween(f"{question.start}から{question.end}への経路が見つかりません")
    return labelled(in_order(found, question.order)[: question.count])


def _priced(
    routes: Iterable[Route], passes: Sequence[tuple[int, CommuterPass]], book: FareBook, on: date
) -> tuple[list[Candidate], FareError | None]:
    """The routes that have fares, each way once, and the first reason why one has none."""
    found: dict[tuple[tuple[int, ...], ...], Candidate] = {}
    unpriced: FareError | None = None
    for route in routes:
        if closed_stations(route, on):
            continue  # a change at a station that is not in use
        try:
            charge = charge_ride(route, passes, book)
        except (NoFareBetween, NoTariffOnDate) as fact:
            unpriced = unpriced or fact
        else:
            trains = trains_of(route, book.network)
            minutes, changes = _minutes(route), len(route.legs) - 1
            candidate = Candidate(route, minutes, changes, charge, trains=trains)
            found.setdefault(_signature(route), candidate)
    return list(found.values()), unpriced


def _by_time(one: Candidate) -> tuple[int, ...]:
    return one.minutes, one.charged_yen, one.changes


def _by_fare(one: Candidate) -> tuple[int, ...]:
    return one.through_yen, one.minutes, one.changes


def _by_charged(one: Candidate) -> tuple[int, ...]:
    return one.charged_yen, one.minutes, one.changes


def _by_changes(one: Candidate) -> tuple[int, ...]:
    return one.changes, one.minutes, one.charged_yen


def _by_generalised_cost(one: Candidate) -> tuple[int, ...]:
    cost = one.charged_yen + YEN_PER_MINUTE * one.minutes + YEN_PER_CHANGE * one.changes
    return cost, one.minutes, one.changes


_KEYS = {
    Order.RECOMMENDED: _by_generalised_cost,
    Order.TIME: _by_time,
    Order.FARE: _by_fare,
    Order.CHARGED: _by_charged,
    Order.CHANGES: _by_changes,
}


def in_order(found: Iterable[Candidate], order: Order) -> list[Candidate]:
    """Candidates sorted as asked for (F22)."""
    return sorted(found, key=_KEYS[order])


def labelled(shown: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with their labels; equals share one."""
    best = {
        label: min((figure(one) for one in shown), default=0) for label, figure in _FIGURES.items()
    }
    return [
        replace(one, labels=tuple([a for a, figure in _FIGURES.items() if figure(one) == best[a]]))
        for one in shown
    ]


_FIGURES: dict[Label, Callable[[Candidate], int]] = {
    Label.FASTEST: lambda one: one.minutes,
    Label.CHEAPEST: lambda one: one.charged_yen,
    Label.EASIEST: lambda one: one.changes,
}


def places_of(network: Network, question: SearchRequest) -> list[tuple[int, ...]]:
    """Start, via stations and end as places; UnknownStation, AmbiguousStation, SamePlace ..."""
    unknown = question.avoid - frozenset(network.operators)
    if unknown:
        raise UnknownOperator(f"事業者「{'、'.join(sorted(unknown))}」はありません")
    names = (question.start, *question.via, question.end)
    places = [find_place(network, name) for name in names]
    if any(not set(a).isdisjoint(b) for a, b in pairwise(places)):
        raise SamePlace("出発駅・経由駅・到着駅に同じ駅が続いています")
    return places


def _quickest_paths(
    network: Network, paths: Sequence[Sequence[tuple[int, list[Ride]]]], count: int
) -> list[Route]:
    """The quickest ways; through via stations, of each section's best three combined."""
    best = paths if len(paths) == 1 else [section[:VIA_PATHS] for section in paths]
    ordered = sorted(product(*best), key=lambda sections: sum(seconds for seconds, _ in sections))
    return [_joined_route(network, [rides for _, rides in one]) for one in ordered[:count]]


def _with_cheapest_paths(  # noqa: PLR0913, PLR0917 - one question, already taken apart
    found: list[Candidate],
    paths: Sequence[Sequence[tuple[int, list[Ride]]]],
    places: Sequence[tuple[int, ...]],
    book: FareBook,
    passes: Sequence[tuple[int, CommuterPass]],
    question: SearchRequest,
) -> list[Candidate]:
    """The candidates and the cheapest way, and the cheapest without its operators in turn.

    The cheapest way is exact. Through via stations a fare goes on behind them, so that a section's
    cheapest way may be no part of it: each is combined with the quick ways of the others.
    """
    from fare_engine.routing.cheapest import cheapest_path  # brings NumPy and SciPy

    network = book.network
    own = [one for _, one in passes] if question.order is Order.CHARGED else []
    avoid = question.avoid | NOT_SEARCHED
    known = {_signature(one.route) for one in found}

    def cheapest(without: frozenset[str], limit: int) -> list[Candidate]:
        """The cheapest ways below the limit that are not known yet."""
        sections = [cheapest_path(book, ends, own, without, limit) for ends in pairwise(places)]
        options = [[_rail(section)] if section else [] for section in sections]
        if question.via:
            options = [
                [*option, *[rides for _, rides in section[:VIA_PATHS]]]
                for option, section in zip(options, paths, strict=True)
            ]
        routes = [_joined_route(network, one) for one in product(*options)]
        fresh = [route for route in routes if _signature(route) not in known]
        known.update(_signature(route) for route in fresh)
        return _priced(fresh, passes, book, question.on)[0]

    # Behind a via station the ride may go on under the same fare, which the sections do not see.
    slack = VIA_MARGIN if question.via else 0
    best = min(found, key=_KEYS[question.order], default=None)
    limit = _yen(best, question.order) + slack if best else NO_LIMIT
    found = [*found, *cheapest(avoid, limit)]
    if question.count > ENOUGH and found:
        best = min(found, key=_KEYS[question.order])
        operators = dict.fromkeys(network.lines[ride.line].operator for ride in _rail(best.route))
        for operator in list(operators)[:OTHER_CHEAPEST_PATHS]:
            found += cheapest(avoid | {operator}, _yen(best, question.order) * 3 // 2 + slack)
    return found


def _yen(one: Candidate, order: Order) -> int:
    return one.charged_yen if order is Order.CHARGED else one.through_yen


def _joined_route(network: Network, sections: Sequence[Sequence[Ride]]) -> Route:
    return Route(network, tuple(joined_rides([ride for rides in sections for ride in rides])))


def _rail(route: Route) -> list[Ride]:
    return [leg for leg in route.legs if isinstance(leg, Ride)]


def _signature(route: Route) -> tuple[tuple[int, ...], ...]:
    return tuple([leg.edges for leg in _rail(route)])


def _minutes(route: Route) -> int:
    """Travel time by average speed, with the usual time for each change."""
    network = route.network
    seconds = 0
    for leg in _rail(route):
        seconds += network.ride_km10(leg) * network.seconds_per_km[leg.line] // 10
    return (seconds + (len(route.legs) - 1) * CHANGE_SECONDS) // 60
