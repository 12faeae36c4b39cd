"""Rides on stations and lines of a route provider, beyond our own network.

A route text like 新大阪:駅すぱあと/大阪メトロ御堂筋線/Down:中津:〃:梅田 has the source's names:
station, line and direction, station; 〃 goes on along the same line. The source prices such a ride.
It is deducted as ours are: the edges that a pass covers are free, the source is asked for the fares
of the parts outside, and the cheaper of these and the through fare is charged (F1-F6). Edges are
equal if line and both stations are; a leg that is one of our lines has our edges, so that passes
over our network count too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import groupby, pairwise
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.network.network import Network, Ride
from fare_engine.network.normalize import plain_name
from fare_engine.network.station_lookup import stations_named
from fare_engine.routing import route_words as own_words
from fare_engine.routing.name_escaping import WALK
from fare_engine.routing.route_text import CommuterPass, Route, RouteUnreadable
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period

SOURCE = "駅すぱあと"
SAME_LINE = "〃"
_TRAIN_TYPE = re.compile(r"(内回り|外回り|(新|区間|通勤|特別)?(快速|急行|準急|特急)|各停|普通)$")

EdgeKey = int | tuple[str, frozenset[str]]
"""A track of ours, or the line and stations of the source."""
FareKey = tuple[str, date, Medium]


class SourceFareMissing(FareError):
    """The source did not tell this fare in a look-up of the day; only a new look-up can."""

    code: ClassVar[str] = "SOURCE_FARE_MISSING"

    def __init__(self) -> None:
        super().__init__(
            f"{SOURCE}の経路の運賃を確認できません。もう一度、乗換案内を呼び出してください。"
        )


@dataclass(frozen=True, slots=True)
class SourceLeg:
    """A train along one line, by the source's names; or a walk, whose line is 徒歩."""

    line: str
    direction: str
    stops: tuple[str, ...]

    @property
    def is_walk(self) -> bool:
        """Whether the rider walks."""
        return self.line == WALK


@dataclass(frozen=True, slots=True)
class SourceRide:
    """The legs of a ride, each beginning where the one before ends."""

    legs: tuple[SourceLeg, ...]

    @property
    def has_bus(self) -> bool:
        """Buses are not distinguished: never."""
        return False

    def __str__(self) -> str:
        words = [self.legs[0].stops[0]]
        for leg in self.legs:
            title = f"{SOURCE}/{leg.line}" + (f"/{leg.direction}" if leg.direction else "")
            words += [WALK if leg.is_walk else title, leg.stops[1]]
            for stop in leg.stops[2:]:
                words += [SAME_LINE, stop]
        return ":".join(words)


@dataclass(frozen=True, slots=True)
class SourceEdge:
    """The track between two stops of the ride's leg number `leg`."""

    leg: int
    start: str
    end: str
    key: EdgeKey


@dataclass(frozen=True, slots=True)
class SourcePass:
    """A confirmed pass whose route the source named."""

    id: str
    version: int
    ride: SourceRide
    period: Period


@dataclass(frozen=True, slots=True)
class QuotedFare:
    """A one-way fare that the source quoted for a route text; `yen` None: it knows no such ride.

    `minutes`: of each leg, of a whole ride only.
    """

    route: str
    on: date
    medium: Medium
    yen: int | None
    minutes: tuple[int, ...] = ()

    @property
    def key(self) -> FareKey:
        """What it holds for."""
        return self.route, self.on, self.medium


QuotedFares = Mapping[FareKey, QuotedFare]


@dataclass(frozen=True, slots=True)
class PaidWay:
    """A way to pay: the passes ridden on, and the parts outside them as edge numbers i to j."""

    pass_ids: tuple[str, ...]
    parts: tuple[tuple[int, int], ...]


def is_source_route(text: str) -> bool:
    """Whether a route text is one of the source's."""
    return f":{SOURCE}/" in text


@lru_cache(maxsize=4096)
def parse_source_ride(text: str) -> SourceRide:
    """Read a route text of the source; raises RouteUnreadable."""
    words = [word.strip() for word in text.split(":")]
    legs: list[SourceLeg] = []
    for start, line, end in zip(words[::2], words[1::2], words[2::2], strict=False):
        source, _, name = line.partition("/")
        if line == SAME_LINE and legs and not legs[-1].is_walk:
            legs[-1] = replace(legs[-1], stops=(*legs[-1].stops, end))
        elif line == WALK:
            legs.append(SourceLeg(WALK, "", (start, end)))
        elif source == SOURCE and name:
            title, _, direction = name.partition("/")
            legs.append(SourceLeg(title, direction, (start, end)))
        else:
            raise RouteUnreadable(f"{SOURCE}の経路ではありません: {line}")
    if len(words) % 2 == 0 or not all(words) or all(leg.is_walk for leg in legs):
        raise RouteUnreadable(f"経路を読み取れません: {text}")
    return SourceRide(tuple(legs))


def edges_of(ride: SourceRide, network: Network) -> tuple[SourceEdge, ...]:
    """The edges of a ride in riding order; walks have none."""
    return tuple(
        edge
        for number, leg in enumerate(ride.legs)
        if not leg.is_walk
        for edge in _leg_edges(network, number, leg)
    )


def _leg_edges(network: Network, number: int, leg: SourceLeg) -> Iterator[SourceEdge]:
    own = own_ride(network, leg.line, leg.stops[0], leg.stops[-1])
    if own is None:
        line = plain_name(_TRAIN_TYPE.sub("", leg.line))
        for a, b in pairwise(leg.stops):
            yield SourceEdge(number, a, b, (line, frozenset((a, b))))
        return
    names = [network.stations[station].name for station in own.stations]
    names[0], names[-1] = leg.stops[0], leg.stops[-1]
    for (a, b), edge in zip(pairwise(names), own.edges, strict=True):
        yield SourceEdge(number, a, b, network.edges[edge].track)


def part_of(ride: SourceRide, edges: Sequence[SourceEdge], i: int, j: int) -> SourceRide:
    """The part of a ride over its edges i to j, the walks between them included."""
    legs: list[SourceLeg] = []
    for number, group in groupby(edges[i:j], key=lambda edge: edge.leg):
        piece, leg = list(group), ride.legs[number]
        if legs and ride.legs[number - 1].is_walk:
            legs.append(ride.legs[number - 1])
        ours = isinstance(piece[0].key, int)
        inner = () if ours else tuple(edge.end for edge in piece[:-1])
        legs.append(replace(leg, stops=(piece[0].start, *inner, piece[-1].end)))
    return SourceRide(tuple(legs))


def covered_by(
    passes: Iterable[CommuterPass], source_passes: Iterable[SourcePass], network: Network
) -> dict[str, frozenset[EdgeKey]]:
    """What each pass covers, by its id."""
    covered: dict[str, frozenset[EdgeKey]] = {
        one.id: frozenset[EdgeKey](one.route.tracks) for one in passes
    }
    for one in source_passes:
        keys = frozenset(edge.key for edge in edges_of(one.ride, network))
        covered[one.id] = covered.get(one.id, frozenset()) | keys
    return covered


def ways_to_pay(
    edges: Sequence[SourceEdge], covered: Mapping[str, frozenset[EdgeKey]]
) -> list[PaidWay]:
    """The through fare, the parts outside each pass, and outside all of them; each once."""
    met = [one for one, keys in covered.items() if any(edge.key in keys for edge in edges)]
    through = ((0, len(edges)),)
    ways: dict[tuple[tuple[int, int], ...], PaidWay] = {through: PaidWay((), through)}
    for ids in [*[(one,) for one in met], tuple(met)]:
        free = frozenset[EdgeKey]().union(*(covered[one] for one in ids))
        parts, at = [], 0
        for is_free, group in groupby(edges, key=lambda edge: edge.key in free):
            length = len(list(group))
            parts += [] if is_free else [(at, at + length)]
            at += length
        ways.setdefault(tuple(parts), PaidWay(ids, tuple(parts)))
    return list(ways.values())


def fares_needed(
    ride: SourceRide, covered: Mapping[str, frozenset[EdgeKey]], network: Network
) -> list[SourceRide]:
    """The rides whose fares the deduction needs; the whole ride first."""
    edges = edges_of(ride, network)
    parts = [part for way in ways_to_pay(edges, covered)[1:] for part in way.parts]
    return [ride, *[part_of(ride, edges, i, j) for i, j in dict.fromkeys(parts)]]


def own_part(ride: SourceRide, network: Network) -> Route | None:
    """The legs that are lines of ours, as a route; None if there are none."""
    found = [own_ride(network, leg.line, leg.stops[0], leg.stops[-1]) for leg in ride.legs]
    legs = tuple(one for one in found if one is not None)
    return Route(network, legs) if legs else None


@lru_cache(maxsize=4096)
def own_ride(network: Network, line_name: str, start: str, end: str) -> Ride | None:
    """The ride over our line whose name is contained in the given one; the longest such name."""
    wanted = plain_name(line_name)
    ends = [stations_named(network, without_suffix(name)) for name in (start, end)]
    rides = [
        (len(plain_name(line.name).partition("(")[0]), ride)
        for line in network.lines
        if plain_name(line.name).partition("(")[0] in wanted
        and _is_operators(line.operator, wanted)
        for a in ends[0]
        for b in ends[1]
        if a in line.stops and b in line.stops and (ride := network.along(line, a, b))
    ]
    rides.sort(key=lambda found: (-found[0], network.ride_km10(found[1])))
    return rides[0][1] if rides else None


def _is_operators(operator: str, line_name: str) -> bool:
    """Whether a line name like 東京メトロ丸ノ内線 or JR中央線快速 is of the operator."""
    return operator in line_name or (operator == "JR東日本" and line_name.startswith("JR"))


def without_suffix(name: str) -> str:
    """渋谷(東京メトロ) and 渋谷／都営 are 渋谷."""
    return plain_name(name).partition("(")[0].partition("/")[0]


def route_words(text: str) -> list[str]:
    """Stations and lines of a route text as people read them, the source's routes too."""
    if not is_source_route(text):
        return own_words.route_words(text)
    legs = parse_source_ride(text).legs
    return [legs[0].stops[0], *(word for leg in legs for word in (leg.line, leg.stops[-1]))]
