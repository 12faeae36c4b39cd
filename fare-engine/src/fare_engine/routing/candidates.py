"""Which candidate routes does the look-up (乗換案内) show, and in which order (F22)?

Up to five ways by time; where the order asks for money, the cheapest ways are added before the
candidates are sorted by fare or by what is left after the passes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from itertools import pairwise, product
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.fares.explanation_model import TrainLeg
from fare_engine.fares.ride_charge import RideCharge, charge_ride, deducting_passes
from fare_engine.fares.tariffs import FareBook, NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.network.network import NOT_SEARCHED, Network, Ride
from fare_engine.network.services import TrainRide
from fare_engine.network.station_closures import (
    closed_stations,
    refuse_closed,
    stations_out_of_use,
)
from fare_engine.network.station_lookup import find_places
from fare_engine.routing.route_text import CommuterPass, Route, joined_rides
from fare_engine.routing.trains import Journey, journey_of, journey_over
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium

CANDIDATES = 5
NO_LIMIT = 10**6
QUICK_MINUTES = 10  # over the fastest: among such ways the cheapest is always shown
VIA_MARGIN = 1000
VIA_PATHS = 3  # quick ways of each section that are combined


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


@dataclass(frozen=True, slots=True)
class Weights:
    """What a minute and a change are worth, in yen; of the recommended order."""

    yen_per_minute: int = 30
    yen_per_change: int = 100

    def cost(self, one: Candidate) -> int:
        """The generalised cost: yen after the passes, and what time and changes are worth."""
        effort = self.yen_per_minute * one.minutes + self.yen_per_change * one.changes
        return one.charged_yen + effort


USUAL_WEIGHTS = Weights()


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
    weights: Weights = USUAL_WEIGHTS

    @property
    def names(self) -> dict[str, str]:
        """The names typed, by field, in riding order."""
        via = {f"via.{number}": name for number, name in enumerate(self.via)}
        return {"start": self.start, **via, "end": self.end}


def candidates(question: SearchRequest, tariffs: Tariffs) -> list[Candidate]:
    """The candidate routes in the asked order, at least one.

    Raises UnknownStation, AmbiguousStation, NoRouteBetween, NoTariffOnDate ...
    """
    network = tariffs.network
    places = places_of(network, question)
    refuse_closed(network, places, question.on)
    book = tariffs.book(question.on, question.medium, child=question.child)
    passes = deducting_passes(question.passes, question.on, question.bus_policy)
    pricing = _Pricing(book, question.on, passes)
    found = pricing.priced(_quick_journeys(network, places, question))
    found += pricing.priced(_cheapest_journeys(found, places, pricing, question))
    if not found and pricing.unpriced:
        raise pricing.unpriced
    if not found:
        raise NoRouteBetween(f"{question.start}から{question.end}への経路が見つかりません")
    return labelled(_shown(found, question))


@dataclass
class _Pricing:
    """Prices journeys of one question, each way once; `unpriced` says why the first failed."""

    book: FareBook
    on: date  # the book is that of all days between two revisions
    passes: Sequence[tuple[int, CommuterPass]]
    unpriced: FareError | None = None

    def priced(self, journeys: Iterable[Journey]) -> list[Candidate]:
        """The journeys that have fares, without changes at stations that are not in use."""
        found = []
        for journey in journeys:
            if closed_stations(journey.route, self.on):
                continue
            try:
                charge = charge_ride(journey.route, self.passes, self.book)
            except (NoFareBetween, NoTariffOnDate) as fact:
                self.unpriced = self.unpriced or fact
            else:
                found.append(
                    Candidate(
                        journey.route,
                        journey.minutes,
                        journey.changes,
                        charge,
                        trains=journey.trains,
                    )
                )
        return found


def _by_time(one: Candidate) -> tuple[int, ...]:
    return one.minutes, one.charged_yen, one.changes


def _by_fare(one: Candidate) -> tuple[int, ...]:
    return one.through_yen, one.minutes, one.changes


def _by_charged(one: Candidate) -> tuple[int, ...]:
    return one.charged_yen, one.minutes, one.changes


def _by_changes(one: Candidate) -> tuple[int, ...]:
    return one.changes, one.minutes, one.charged_yen


_KEYS = {
    Order.TIME: _by_time,
    Order.FARE: _by_fare,
    Order.CHARGED: _by_charged,
    Order.CHANGES: _by_changes,
}


def in_order(found: Iterable[Candidate], order: Order, weights: Weights) -> list[Candidate]:
    """Candidates sorted as asked for (F22)."""
    if order is Order.RECOMMENDED:
        return sorted(found, key=lambda one: (weights.cost(one), one.minutes, one.changes))
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
    """Start, via stations and end as places; UnknownStation, SeveralStationsRefused, SamePlace."""
    operators_avoided(network, question.avoid)
    places = find_places(network, question.names)
    if any(not set(a).isdisjoint(b) for a, b in pairwise(places)):
        raise SamePlace("出発駅・経由駅・到着駅に同じ駅が続いています")
    return places


def operators_avoided(
    network: Network, avoid: Iterable[str], only: Sequence[str] = ()
) -> frozenset[str]:
    """The operators to avoid where, if any are given, only some may be used.

    Raises UnknownOperator.
    """
    every, avoided = frozenset(network.operators), frozenset(avoid)
    unknown = avoided.union(only) - every
    if unknown:
        raise UnknownOperator(f"事業者「{'、'.join(sorted(unknown))}」はありません")
    return avoided | (every - frozenset(only)) if only else avoided


def _quick_journeys(
    network: Network, places: Sequence[tuple[int, ...]], question: SearchRequest
) -> list[Journey]:
    """The quickest journeys by number of trains; through via stations, section by section."""
    sections = [list(_quick_rides(network, a, b, question)) for a, b in pairwise(places)]
    if len(sections) > 1:
        sections = [section[:VIA_PATHS] for section in sections]
    joined = [[ride for part in one for ride in part] for one in product(*sections)]
    return [journey_of(network, rides) for rides in joined]


def _quick_rides(
    network: Network, starts: Sequence[int], ends: Sequence[int], question: SearchRequest
) -> Iterator[list[TrainRide]]:
    """The quickest by number of trains, then those with one operator, and without each of theirs.

    Only where nothing else joins the places, a way begins or ends with a walk to another station.
    """
    from fare_engine.routing.fastest_journeys import rounds_of  # brings NumPy: 0.1 s

    avoid = question.avoid | NOT_SEARCHED
    shut = stations_out_of_use(network, question.on)
    search = partial(rounds_of(network).search, starts, ends=ends, shut=shut)
    best = list(search(avoid).ways(ends))
    if not best:
        near = [*ends, *(other for end in ends for other in network.interchanges[end])]
        yield from search(avoid, ends=near, walks=True).ways(near)
        return
    yield from best
    used = [dict.fromkeys(hop.operator for ride in way for hop in ride.hops) for way in best]
    alone = {next(iter(operators)) for operators in used if len(operators) == 1}
    stations = network.stations
    both = {stations[one].operator for one in starts} & {stations[one].operator for one in ends}
    for operator in sorted(both - alone - avoid):
        others = frozenset(network.operators) - {operator}
        yield from search(avoid | others).ways(ends)
    for operator in list(dict.fromkeys(name for operators in used for name in operators))[:2]:
        yield from search(avoid | {operator}).ways(ends)


def _cheapest_journeys(
    found: Sequence[Candidate],
    places: Sequence[tuple[int, ...]],
    pricing: "_Pricing",
    question: SearchRequest,
) -> list[Journey]:
    """The cheapest way, if it is cheaper than those found; exact without via stations.

    Through via stations a fare goes on behind them, so that a section's cheapest way may be no part
    of the cheapest: the sections' cheapest ways are taken together.
    """
    from fare_engine.routing.cheapest_route import cheapest_path  # brings NumPy: 0.1 s

    own = [] if question.order is Order.FARE else [one for _, one in pricing.passes]
    slack = VIA_MARGIN if question.via else 0
    limit = min((_yen(one, question.order) for one in found), default=NO_LIMIT) + slack
    avoid = question.avoid | NOT_SEARCHED
    sections = [cheapest_path(pricing.book, ends, own, avoid, limit) for ends in pairwise(places)]
    rides: list[Ride] = []
    for section in sections:
        if section is None:
            return []
        rides += [leg for leg in section.legs if isinstance(leg, Ride)]
    return [journey_over(Route(pricing.book.network, tuple(joined_rides(rides))))]


def _yen(one: Candidate, order: Order) -> int:
    return one.through_yen if order is Order.FARE else one.charged_yen


def _shown(found: Sequence[Candidate], question: SearchRequest) -> list[Candidate]:
    """The candidates worth showing, in order: none worse than another in all respects.

    The first of the order, the cheapest, the fastest, the one with the fewest changes and the
    cheapest among the quick ones are always shown; then as many others as were asked for.
    """
    ranked = in_order(_worth_showing(found, question.order), question.order, question.weights)
    quickest = min(one.minutes for one in ranked)

    def yen(one: Candidate) -> tuple[int, int]:
        return _yen(one, question.order), one.minutes

    best = [
        ranked[0],
        min(ranked, key=yen),
        min(ranked, key=lambda one: (one.changes, one.minutes)),
        min(ranked, key=lambda one: (one.minutes, one.changes)),
        min((one for one in ranked if one.minutes <= quickest + QUICK_MINUTES), key=yen),
    ]
    wanted = [*best, *ranked]
    chosen = {id(one) for one in _unique(wanted)[: question.count]}
    return [one for one in ranked if id(one) in chosen]


def _unique(found: Iterable[Candidate]) -> list[Candidate]:
    return list({id(one): one for one in found}.values())


def _worth_showing(found: Sequence[Candidate], order: Order) -> list[Candidate]:
    """Without dominated ways, and without repeats: same operators and fare, and no faster.

    Of equals the first stays; a repeat with the fewest changes of all stays.
    """
    fewest = min(one.changes for one in found)
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda one: (one.minutes, one.changes, _yen(one, order))):
        figures = (one.changes, _yen(one, order))
        if any(a.changes <= figures[0] and _yen(a, order) <= figures[1] for a in kept):
            continue  # those kept are no slower
        if one.changes > fewest and any(_alike(a, one) for a in kept):
            continue
        kept.append(one)
    return kept


def _alike(one: Candidate, other: Candidate) -> bool:
    """Whether two ways are ridden with the same operators for the same fare."""
    fares = [(way.through_yen, way.charged_yen) for way in (one, other)]
    return fares[0] == fares[1] and _operators(one) == _operators(other)


def _operators(one: Candidate) -> frozenset[str]:
    return frozenset(operator for train in one.trains for operator in train.operators)
