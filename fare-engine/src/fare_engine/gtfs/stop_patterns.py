"""Stop patterns of a feed: which stops do the trips of each route serve, in which order?

Directions, platforms and days are left out: a fare needs none of them.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fare_engine.gtfs.archive import FeedArchive, FeedUnreadable
from fare_engine.gtfs.notices import Notices

BUS_TYPES = frozenset((3, 11, *range(200, 210), *range(700, 717), 800, *range(1500, 1508), 1700))
UNKNOWN_TIME = -1
FIELDS = 4  # sequence, stop, arrival, departure
LAT, LON = 90.0, 180.0


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop with its position in degrees, None where the feed has none."""

    id: str
    name: str
    position: tuple[float, float] | None
    zone: str
    parent: str


@dataclass(frozen=True, slots=True)
class FeedRoute:
    """A route with its operator and the name that riders read."""

    id: str
    agency: str
    operator: str
    title: str
    is_bus: bool


@dataclass(frozen=True, slots=True)
class StopPattern:
    """Stops that trips of a route serve in this order, and the seconds that the ride takes."""

    route: FeedRoute
    stops: tuple[Stop, ...]
    seconds: int


def read_stops(archive: FeedArchive) -> dict[str, Stop]:
    """All stops by id. A platform without a name has its station's."""
    stops, parents = {}, {}
    columns = ("stop_id", "stop_name", "stop_lat", "stop_lon"), ("zone_id", "parent_station")
    for row, (stop, name, lat, lon, zone, parent) in archive.rows("stops", *columns):
        stops[stop] = Stop(stop, name, _position(row, lat, lon), zone, parent)
        parents[stop] = parent, row
    for stop, (parent, row) in parents.items():
        if not stops[stop].name:
            if parent not in stops or not stops[parent].name:
                raise FeedUnreadable.at("stops", row, "停留所の名前(stop_name)がありません")
            one = stops[stop]
            stops[stop] = Stop(stop, stops[parent].name, one.position, one.zone, parent)
    return stops


def read_routes(archive: FeedArchive, notices: Notices) -> dict[str, FeedRoute]:
    """All routes by id; those of an unknown agency are left out."""
    agencies: dict[str, str] = {}
    for row, (name, agency) in archive.rows("agency", ("agency_name",), ("agency_id",)):
        if not name:
            raise FeedUnreadable.at("agency", row, "事業者の名前(agency_name)がありません")
        agencies[agency] = name.replace("/", "／")  # a fare system is written operator/table
    only = next(iter(agencies.values())) if len(agencies) == 1 else ""
    routes = {}
    columns = ("route_id", "route_type"), ("agency_id", "route_long_name", "route_short_name")
    for row, (route, kind, agency, long, short) in archive.rows("routes", *columns):
        operator = agencies.get(agency, only)
        if not operator:
            notices.add(
                "routes",
                row,
                "事業者(agency_id)がagency.txtにないため、路線を取り込みませんでした",
                "agency_idをagency.txtと合わせてください",
                example=long or short or route,
            )
            continue
        if not kind.isascii() or not kind.isdigit():
            raise FeedUnreadable.at("routes", row, f"route_type「{kind}」は数字ではありません")
        is_bus = int(kind) in BUS_TYPES
        routes[route] = FeedRoute(route, agency, operator, long or short or operator, is_bus)
    return routes


def read_patterns(
    archive: FeedArchive,
    routes: Mapping[str, FeedRoute],
    stops: Mapping[str, Stop],
    notices: Notices,
) -> list[StopPattern]:
    """Each different sequence of stops of a route once, in the order of trips.txt."""
    trips = {trip: route for _, (route, trip) in archive.rows("trips", ("route_id", "trip_id"))}
    ids = list(stops)
    calls = _calls(archive, trips, {stop: i for i, stop in enumerate(ids)}, notices)
    found: dict[tuple[str, tuple[int, ...]], StopPattern] = {}
    for trip, route in trips.items():
        if trip not in calls or route not in routes:
            continue
        ordered = sorted(_in_fours(calls.pop(trip)))
        key = route, tuple([stop for _, stop, _, _ in ordered])
        if key not in found:
            served = tuple([stops[ids[i]] for i in key[1]])
            seconds = _duration(ordered[0][3], ordered[-1][2])
            found[key] = StopPattern(routes[route], served, seconds)
    served_routes = {pattern.route.id for pattern in found.values()}
    for unserved in routes.values():
        if unserved.id not in served_routes:
            notices.add(
                "trips",
                0,
                "便(trips.txtとstop_times.txt)のない路線は取り込みませんでした",
                "便のある版を使ってください",
                example=unserved.title,
            )
    return list(found.values())


def _calls(
    archive: FeedArchive, trips: Mapping[str, str], index: Mapping[str, int], notices: Notices
) -> dict[str, "array[int]"]:
    """Per trip its calls in fours (see FIELDS); whole numbers in arrays keep long feeds small."""
    calls: dict[str, array[int]] = {}
    columns = ("trip_id", "stop_id", "stop_sequence"), ("arrival_time", "departure_time")
    for row, (trip, stop, sequence, arrival, departure) in archive.rows("stop_times", *columns):
        if trip not in trips:
            notices.add(
                "stop_times",
                row,
                "便(trip_id)がtrips.txtにないため、時刻を使いませんでした",
                "trips.txtと合わせてください",
                example=trip,
            )
            continue
        if stop not in index:
            raise FeedUnreadable.at("stop_times", row, f"stop_id「{stop}」がstops.txtにありません")
        try:
            call = (int(sequence), index[stop], _seconds(arrival), _seconds(departure))
            calls.setdefault(trip, array("i")).extend(call)
        except (ValueError, OverflowError):
            raise FeedUnreadable.at(
                "stop_times",
                row,
                f"順序「{sequence}」か時刻「{arrival}」「{departure}」が正しくありません",
            ) from None
    return calls


def _in_fours(calls: "array[int]") -> Iterator[tuple[int, int, int, int]]:
    return zip(*(calls[i::FIELDS] for i in range(FIELDS)), strict=True)


def _seconds(text: str) -> int:
    """Seconds after midnight, more than a day's for trips past it; UNKNOWN_TIME if empty."""
    if not text:
        return UNKNOWN_TIME
    hours, minutes, *seconds = text.split(":")  # some feeds leave the seconds out
    return int(hours) * 3600 + int(minutes) * 60 + (int(seconds[0]) if seconds else 0)


def _duration(departure: int, arrival: int) -> int:
    """Seconds, a minute at least; 0 where the feed has no times."""
    if UNKNOWN_TIME in (departure, arrival):
        return 0
    return max(60, arrival - departure)


def _position(row: int, lat: str, lon: str) -> tuple[float, float] | None:
    if not lat and not lon:
        return None
    try:
        position = float(lat), float(lon)
    except ValueError:
        position = (LAT + 1, 0.0)
    if not (abs(position[0]) <= LAT and abs(position[1]) <= LON):
        raise FeedUnreadable.at("stops", row, f"緯度・経度「{lat}, {lon}」が正しくありません")
    return position
