"""Who is asked for candidate routes: our own engine, or 駅すぱあと over HTTP?

Both answer a `SearchRequest` with `Candidate`s, so pages and API do not know the difference. What
is charged is always ours: the answer of 駅すぱあと is read as routes over our lines, priced by our
tariffs and deducted by our rules. Where its fare is not our through fare, the candidate says so
(`told_yen`); a course over lines that we do not have is left out.
"""

import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Literal, Protocol

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from fare_engine.fares.ride_charge import charge_ride, deducting_passes
from fare_engine.fares.tariffs import (
    FareBook,
    NoFareBetween,
    NoTariffOnDate,
    Tariffs,
    packaged_tariffs,
)
from fare_engine.network.network import Network, Ride
from fare_engine.network.normalize import plain_name
from fare_engine.network.station_closures import closed_stations
from fare_engine.network.station_lookup import stations_named
from fare_engine.routing.candidates import (
    Candidate,
    NoRouteBetween,
    Order,
    SearchRequest,
    candidates,
    in_order,
    labelled,
    places_of,
)
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
WALKS = frozenset({"徒歩", "walk"})


class RouteSearchUnavailable(Refusal):
    """The configured source gives no answer; ours is not taken in its place, silently or not."""

    code: ClassVar[str] = "LOOK_UP_UNAVAILABLE"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class RouteSearchRefused(Refusal):
    """The configured source refuses the question, with its own words."""

    code: ClassVar[str] = "LOOK_UP_REFUSED"


class RouteProvider(Protocol):
    """Answers questions; raises Refusal."""

    def candidates(self, question: SearchRequest, tariffs: Tariffs) -> list[Candidate]:
        """Candidates in the asked order, at least one."""


class OwnEngine:
    """The engine of this package; needs no network connection.

    Prepared, it works out in the background what makes the searches of a day quick: some seconds
    and 20 MB. Answers are the same before, after and without it.
    """

    def __init__(self, *, prepared_for: date | None = None) -> None:
        if prepared_for is not None:
            threading.Thread(target=_prepare, args=(prepared_for,), daemon=True).start()

    def candidates(self, question: SearchRequest, tariffs: Tariffs) -> list[Candidate]:
        """As `search.candidates`."""
        return candidates(question, tariffs)


def _prepare(day: date) -> None:
    from fare_engine.routing.cheapest import prepare_fares  # both bring NumPy and SciPy
    from fare_engine.routing.pathfinding import path_finder

    tariffs = packaged_tariffs()
    path_finder(tariffs.network).prepare()
    for medium in Medium:
        prepare_fares(tariffs.book(day, medium))


OWN_ENGINE = OwnEngine()


class RouteProviderSettings(BaseSettings):
    """Read from the environment with the prefix COMMUTER_LOOK_UP_."""

    model_config = SettingsConfigDict(env_prefix="COMMUTER_LOOK_UP_", frozen=True)

    source: Literal["own", "ekispert"] = "own"
    prepare: bool = False
    """Work out at start what makes our own searches of today quick."""
    ekispert_url: str = "https://api.ekispert.jp"
    ekispert_key: SecretStr = SecretStr("")
    timeout_seconds: float = 10


def route_provider_of(settings: RouteProviderSettings, today: date | None = None) -> RouteProvider:
    """The source that the settings name; ValueError if its key is missing."""
    if settings.source == "own":
        return OwnEngine(prepared_for=today) if settings.prepare else OWN_ENGINE
    if not settings.ekispert_key.get_secret_value():
        raise ValueError("COMMUTER_LOOK_UP_EKISPERT_KEY is needed for the source ekispert")
    return Ekispert(settings)


class Ekispert:
    """駅すぱあと API, 経路探索 (/v1/json/search/course/extreme), by average times (plain)."""

    def __init__(self, settings: RouteProviderSettings) -> None:
        self._key = settings.ekispert_key.get_secret_value()
        self._http = httpx.Client(base_url=settings.ekispert_url, timeout=settings.timeout_seconds)

    def candidates(self, question: SearchRequest, tariffs: Tariffs) -> list[Candidate]:
        """Candidates; raises RouteSearchUnavailable, RouteSearchRefused, NoRouteBetween ..."""
        network = tariffs.network
        places = places_of(network, question)  # our refusals of names first, nothing sent
        book = tariffs.book(question.on, question.medium, child=question.child)
        courses = self._courses(question, [_normalized(network, place) for place in places])
        found = list(_priced(courses, network, question, book))
        if not found:
            raise NoRouteBetween(f"{question.start}から{question.end}への経路が見つかりません")
        return labelled(in_order(found, question.order)[: question.count])

    def _courses(self, question: SearchRequest, names: Sequence[str]) -> list[Mapping[str, Any]]:
        asked = {
            "key": self._key,
            "viaList": ":".join(names),
            "date": f"{question.on:%Y%m%d}",
            "searchType": "plain",
            "sort": SORTS[question.order],
            "answerCount": str(question.count),
        }
        try:
            answer = self._http.get("/v1/json/search/course/extreme", params=asked)
            body = answer.json()
        except (httpx.HTTPError, ValueError):
            raise RouteSearchUnavailable("乗換案内のサービスに接続できません") from None
        result = body.get("ResultSet", {}) if isinstance(body, dict) else {}
        if "Error" in result:
            (error, *_) = _many(result["Error"])
            raise RouteSearchRefused(f"乗換案内のサービスの回答: {error.get('Message', '')}")
        if answer.is_error:
            raise RouteSearchUnavailable("乗換案内のサービスが回答しません")
        return _many(result.get("Course"))


def _many(value: Any) -> list[Any]:
    """One element stands alone, several in a list: so the answers are shaped."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _priced(
    courses: Sequence[Mapping[str, Any]], network: Network, question: SearchRequest, book: FareBook
) -> Iterator[Candidate]:
    passes = deducting_passes(question.passes, question.on, question.bus_policy)
    for course in courses:
        rides = _rides(network, course.get("Route", {}))
        if rides is None or _avoided(network, rides, question.avoid):
            continue
        route = Route(network, tuple(joined_rides(rides)))
        if closed_stations(route, question.on):
            continue
        try:
            charge = charge_ride(route, passes, book)
        except (NoFareBetween, NoTariffOnDate):
            continue
        minutes = _minutes(course["Route"])
        trains = trains_of(route, network)
        changes = sum(1 for one in trains if one.kind == "train") - 1
        yield Candidate(route, minutes, changes, charge, _message_of(course), trains)


def _avoided(network: Network, rides: Sequence[Ride], avoid: frozenset[str]) -> bool:
    return any(network.lines[ride.line].operator in avoid for ride in rides)


def _rides(network: Network, route: Mapping[str, Any]) -> list[Ride] | None:
    """The course over our lines, None where one of its lines is none of ours."""
    points = [point.get("Station", {}).get("Name", "") for point in _many(route.get("Point"))]
    found: list[Ride] = []
    for line, start, end in zip(_many(route.get("Line")), points, points[1:], strict=False):
        if _kind(line) in WALKS:
            continue
        ride = _ride(network, str(line.get("Name", "")), start, end)
        if ride is None:
            return None
        found.append(ride)
    return found or None


def _kind(line: Mapping[str, Any]) -> str:
    kind = line.get("Type", "")
    return str(kind.get("text", "") if isinstance(kind, dict) else kind)


def _ride(network: Network, line_name: str, start: str, end: str) -> Ride | None:
    """The ride over our line whose name is contained in the given one; the longest such name."""
    wanted = plain_name(line_name)
    ends = [stations_named(network, _without_suffix(name)) for name in (start, end)]
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


def _without_suffix(name: str) -> str:
    """渋谷(東京メトロ) and 渋谷／都営 are 渋谷."""
    folded = unicodedata.normalize("NFKC", name)
    return folded.partition("(")[0].partition("/")[0]


def _minutes(route: Mapping[str, Any]) -> int:
    return sum(int(route.get(part, 0)) for part in ("timeOnBoard", "timeWalk", "timeOther"))


def _message_of(course: Mapping[str, Any]) -> int | None:
    """The fare that the answer tells for the whole course."""
    prices = {price.get("kind"): price.get("Oneway") for price in _many(course.get("Price"))}
    fare = prices.get("FareSummary")
    return int(fare) if fare else None


def _normalized(network: Network, place: Sequence[int]) -> str:
    return network.stations[place[0]].name
