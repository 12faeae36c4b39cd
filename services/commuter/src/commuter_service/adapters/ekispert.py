"""駅すぱあと API as a route provider, over HTTP.

A course over lines of ours is priced by our tariffs and deducted by our rules; where its fare is
not our through fare, the candidate says so (`told_yen`). Any other course is a ride of the source
(provider_rides.py): its names are kept, its fare is what the source quotes, and the fares of the
parts outside the passes are asked for. Names that we do not know are sent as typed.

Asked, by its public documentation (docs.ekispert.com/v1): 経路探索 search/course/extreme with
average times (plain) and fixed lines, 探索条件生成 toolbox/course/condition for the medium, and
通過駅情報 course/passStation for the stations of a line of its own.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, ClassVar

import httpx

from commuter_service.provider_charges import SourceCharge, charge_source_ride, trains_of_source
from commuter_service.provider_rides import (
    FareKey,
    QuotedFare,
    SourceLeg,
    SourcePass,
    SourceRide,
    covered_by,
    fares_needed,
    own_ride,
)
from fare_engine.errors import FareError
from fare_engine.fares.pricing import Terms
from fare_engine.fares.ride_charge import RideCharge, charge_ride, deducting_passes
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.network.network import Network, Ride
from fare_engine.network.normalize import plain_name
from fare_engine.network.station_closures import closed_stations
from fare_engine.network.station_lookup import (
    AmbiguousStation,
    StationOutsideArea,
    UnknownStation,
    find_place,
    raise_refused,
)
from fare_engine.routing.candidates import (
    Candidate,
    NoRouteBetween,
    Order,
    SamePlace,
    SearchRequest,
    in_order,
    labelled,
    operators_avoided,
)
from fare_engine.routing.name_escaping import WALK
from fare_engine.routing.route_text import Route, joined_rides
from fare_engine.routing.trains import trains_of
from fare_engine.rules.fare_rounding import Medium
from shared.errors import Kind, Refusal

SORTS = {
    Order.RECOMMENDED: "ekispert",
    Order.TIME: "time",
    Order.FARE: "price",
    Order.CHARGED: "price",
    Order.CHANGES: "transfer",
}
TICKET_SYSTEMS = {Medium.IC: "ic", Medium.TICKET: "normal"}
WALKS = frozenset({WALK, "walk"})
SEARCH, CONDITION, STATIONS = (
    "search/course/extreme", "toolbox/course/condition", "course/passStation"
)  # fmt: skip


class RouteSearchUnavailable(Refusal):
    """The configured source gives no answer; ours is not taken in its place, silently or not."""

    code: ClassVar[str] = "LOOK_UP_UNAVAILABLE"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class RouteSearchRefused(Refusal):
    """The configured source refuses the question, with its own words."""

    code: ClassVar[str] = "LOOK_UP_REFUSED"


@dataclass(frozen=True, slots=True)
class SourceCandidate(Candidate):
    """A candidate over lines of the source; its `route` and `charge` are empty."""

    priced: SourceCharge = field(kw_only=True)

    @property
    def through_yen(self) -> int:
        """As the source quoted it."""
        return self.priced.through_yen

    @property
    def charged_yen(self) -> int:
        """After the passes."""
        return self.priced.charged_yen


def text_of(one: Candidate) -> str:
    """The route text of a candidate, by which it is decided."""
    return str(one.priced.ride if isinstance(one, SourceCandidate) else one.route)


def quoted_fares_of(found: Iterable[Candidate]) -> dict[FareKey, QuotedFare]:
    """The fares that the source quoted for candidates over its lines."""
    quoted: dict[FareKey, QuotedFare] = {}
    for one in found:
        if isinstance(one, SourceCandidate):
            quoted |= one.priced.quoted
    return quoted


class Ekispert:
    """Answers look-ups; all requests of one look-up share `timeout_s`."""

    def __init__(self, url: str, key: str, *, timeout_s: float = 10) -> None:
        self._key, self._timeout_s = key, timeout_s
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/v1/json/")
        self._conditions: dict[Medium, str] = {}

    def candidates(
        self, question: SearchRequest, tariffs: Tariffs, source_passes: Sequence[SourcePass] = (), /
    ) -> list[Candidate]:
        """Candidates; raises RouteSearchUnavailable, RouteSearchRefused, NoRouteBetween ..."""
        operators_avoided(tariffs.network, question.avoid)
        names = _names(tariffs.network, question)
        asking = _Asking(self, time.monotonic() + self._timeout_s, question, tariffs, source_passes)
        courses = asking.courses(names, (), question.count, SORTS[question.order])
        found = [one for course in courses if (one := asking.candidate(course)) is not None]
        if not found:
            raise NoRouteBetween(f"{question.start}から{question.end}への経路が見つかりません")
        return labelled(in_order(found, question.order, question.weights)[: question.count])

    def condition(self, medium: Medium, deadline: float) -> str:
        """The search condition for a medium; asked once."""
        if medium not in self._conditions:
            asked = {"ticketSystemType": TICKET_SYSTEMS[medium]}
            condition = self.ask(CONDITION, asked, deadline).get("Condition")
            if not isinstance(condition, str):
                raise RouteSearchUnavailable("乗換案内のサービスが回答しません")
            self._conditions[medium] = condition
        return self._conditions[medium]

    def ask(self, what: str, asked: Mapping[str, str], deadline: float) -> Mapping[str, Any]:
        """One request; raises RouteSearchUnavailable, RouteSearchRefused."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise RouteSearchUnavailable("乗換案内のサービスの回答が間に合いません")
        try:
            answer = self._http.get(what, params={"key": self._key, **asked}, timeout=left)
            body = answer.json()
        except (httpx.HTTPError, ValueError):
            raise RouteSearchUnavailable("乗換案内のサービスに接続できません") from None
        result = body.get("ResultSet") if isinstance(body, dict) else None
        if isinstance(result, dict) and "Error" in result:
            (error, *_) = _many(result["Error"])
            raise RouteSearchRefused(f"乗換案内のサービスの回答: {error.get('Message', '')}")
        if answer.is_error or not isinstance(result, dict):
            raise RouteSearchUnavailable("乗換案内のサービスが回答しません")
        return result


class _Asking:
    """One look-up: what is asked of the source, each fare once, until the deadline."""

    def __init__(
        self,
        source: Ekispert,
        deadline: float,
        question: SearchRequest,
        tariffs: Tariffs,
        source_passes: Sequence[SourcePass],
    ) -> None:
        self._source, self._deadline, self._question = source, deadline, question
        self._network = tariffs.network
        self._book = tariffs.book(question.on, question.medium, child=question.child)
        self._terms = Terms(question.on, question.medium, bus_policy=question.bus_policy)
        self._deducting = deducting_passes(question.passes, question.on, question.bus_policy)
        self._source_passes = [one for one in source_passes if question.on in one.period]
        self._quoted: dict[str, QuotedFare] = {}

    def courses(
        self, names: Sequence[str], lines: Sequence[str], count: int, sort: str
    ) -> list[Mapping[str, Any]]:
        """The courses between places, over fixed lines if any are given."""
        asked = {
            "viaList": ":".join(names),
            "date": f"{self._question.on:%Y%m%d}",
            "searchType": "plain",
            "sort": sort,
            "answerCount": str(count),
            "conditionDetail": self._source.condition(self._question.medium, self._deadline),
        }
        if lines:
            asked["fixedRailList"] = ":".join(lines)
        return _many(self._source.ask(SEARCH, asked, self._deadline).get("Course"))

    def candidate(self, course: Mapping[str, Any]) -> Candidate | None:
        """A course as a candidate: over our lines, else over the source's; None if unusable."""
        route = course.get("Route")
        if not isinstance(route, dict):
            return None
        legs = list(_legs(route))
        if not any(not leg.is_walk for leg in legs) or self._is_avoided(legs):
            return None
        return self._own(course, legs) or self._foreign(course, legs)

    def _own(self, course: Mapping[str, Any], legs: Sequence[SourceLeg]) -> Candidate | None:
        """The course over our lines; None where one is none of ours, or has no fare here."""
        rides = _own_rides(self._network, legs)
        if rides is None:
            return None
        route = Route(self._network, tuple(joined_rides(rides)))
        if closed_stations(route, self._question.on):
            return None
        try:
            charge = charge_ride(route, self._deducting, self._book)
        except (NoFareBetween, NoTariffOnDate):
            return None
        trains = trains_of(route, self._network)
        changes = sum(1 for one in trains if one.kind == "train") - 1
        return Candidate(route, _minutes(course["Route"]), changes, charge, _fare(course), trains)

    def _foreign(self, course: Mapping[str, Any], legs: Sequence[SourceLeg]) -> Candidate | None:
        yen = _fare(course)
        if yen is None or self._question.child:  # it tells no fares of children
            return None
        ride = SourceRide(tuple(self._with_stations(course, legs)))
        minutes = _minutes_of_legs(course["Route"])
        on, medium = self._question.on, self._question.medium
        self._quoted[str(ride)] = QuotedFare(str(ride), on, medium, yen, minutes)
        passes = [one for _, one in self._deducting]
        covered = covered_by(passes, self._source_passes, self._network)
        for part in fares_needed(ride, covered, self._network)[1:]:
            self._quoted.setdefault(str(part), self._part_fare(part))
        charge = charge_source_ride(
            ride, self._terms, passes, self._source_passes,
            {one.key: one for one in self._quoted.values()}, self._network,
        )  # fmt: skip
        return SourceCandidate(
            Route(self._network, ()),
            _minutes(course["Route"]),
            sum(1 for leg in legs if not leg.is_walk) - 1,
            RideCharge((), ()),
            yen,
            trains_of_source(ride, minutes),
            priced=charge,
        )

    def _part_fare(self, part: SourceRide) -> QuotedFare:
        """What the source tells for a part over the same lines; no yen where it knows no such."""
        names = [part.legs[0].stops[0], *(leg.stops[-1] for leg in part.legs)]
        lines = ["" if leg.is_walk else leg.line for leg in part.legs]
        none = QuotedFare(str(part), self._question.on, self._question.medium, None)
        try:
            (course, *_) = self.courses(names, lines, 1, "ekispert") or [{}]
        except RouteSearchRefused:
            return none
        route = course.get("Route", {})
        if [leg.line for leg in _legs(route)] != [leg.line for leg in part.legs]:
            return none
        return replace(none, yen=_fare(course), minutes=_minutes_of_legs(route))

    def _with_stations(
        self, course: Mapping[str, Any], legs: Sequence[SourceLeg]
    ) -> Iterator[SourceLeg]:
        """The legs, those over lines that are none of ours with all stations passed."""
        names = [leg.stops[0] for leg in legs] + [legs[-1].stops[-1]]
        passed = self._stations(course)
        for leg, start, end in zip(legs, names, names[1:], strict=False):
            own = leg.is_walk or own_ride(self._network, leg.line, start, end)
            inner = () if own else _between(passed, start, end)
            yield SourceLeg(leg.line, leg.direction, (start, *inner, end))

    def _stations(self, course: Mapping[str, Any]) -> list[str]:
        """Every station of a course in order; none where the key does not open that question."""
        data = course.get("SerializeData")
        if not isinstance(data, str):
            return []
        try:
            found = self._source.ask(STATIONS, {"serializeData": data}, self._deadline)
        except RouteSearchRefused:
            return []
        return [_station_name(point) for point in _many(found.get("Point"))]

    def _is_avoided(self, legs: Sequence[SourceLeg]) -> bool:
        """Whether a line is of an operator to avoid, by its name or as one of ours."""
        lines = self._network.lines
        for leg in legs:
            own = own_ride(self._network, leg.line, leg.stops[0], leg.stops[-1])
            operator = lines[own.line].operator if own else ""
            named = any(one in plain_name(leg.line) for one in self._question.avoid)
            if operator in self._question.avoid or named:
                return True
        return False


def _names(network: Network, question: SearchRequest) -> list[str]:
    """The places as they are asked for: by our name where we know it, else as typed."""
    names: list[str] = []
    refused: dict[str, FareError] = {}
    for name, typed in question.names.items():
        try:
            place = find_place(network, typed)
        except (UnknownStation, StationOutsideArea):
            names.append(typed.strip())
        except AmbiguousStation as fact:
            refused[name] = fact
        else:
            names.append(network.stations[place[0]].name)
    raise_refused(refused)
    if any(a == b for a, b in pairwise(names)):
        raise SamePlace("出発駅・経由駅・到着駅に同じ駅が続いています")
    return names


def _many(value: Any) -> list[Any]:
    """One element stands alone, several in a list: so the answers are shaped."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _legs(route: Mapping[str, Any]) -> Iterator[SourceLeg]:
    """The legs of a course as it names them; a colon or slash in a name would not be read back."""
    points = [_station_name(point) for point in _many(route.get("Point"))]
    for line, start, end in zip(_many(route.get("Line")), points, points[1:], strict=False):
        name = str(line.get("Name", "")).translate(_UNREADABLE)
        walks = _kind(line) in WALKS
        direction = "" if walks else str(line.get("direction", ""))
        yield SourceLeg(WALK if walks else name, direction, (start, end))


_UNREADABLE = str.maketrans({":": "：", "/": "／"})


def _station_name(point: Mapping[str, Any]) -> str:
    return str(point.get("Station", {}).get("Name", "")).translate(_UNREADABLE)


def _kind(line: Mapping[str, Any]) -> str:
    kind = line.get("Type", "")
    return str(kind.get("text", "") if isinstance(kind, dict) else kind)


def _own_rides(network: Network, legs: Sequence[SourceLeg]) -> list[Ride] | None:
    rides = [
        own_ride(network, leg.line, leg.stops[0], leg.stops[-1]) for leg in legs if not leg.is_walk
    ]
    found = [one for one in rides if one is not None]
    return found if len(found) == len(rides) else None


def _between(passed: Sequence[str], start: str, end: str) -> tuple[str, ...]:
    """The stations between two, in riding order; none where either is not among those passed."""
    if start not in passed or end not in passed[passed.index(start) :]:
        return ()
    first = passed.index(start)
    return tuple(passed[first + 1 : passed.index(end, first)])


def _number(values: Mapping[str, Any], name: str) -> int:
    return int(values.get(name) or 0)


def _minutes_of_legs(route: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(_number(line, "timeOnBoard") for line in _many(route.get("Line")))


def _minutes(route: Mapping[str, Any]) -> int:
    return sum(_number(route, part) for part in ("timeOnBoard", "timeWalk", "timeOther"))


def _fare(course: Mapping[str, Any]) -> int | None:
    """The fare that the answer tells for the whole course, without 特急料金 and the like."""
    prices = {price.get("kind"): price.get("Oneway") for price in _many(course.get("Price"))}
    fare = prices.get("FareSummary")
    return int(fare) if fare else None
