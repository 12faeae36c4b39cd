"""Which tracks join which stations, and which are one station or one track in the tariff?"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise

from fare_engine.data_tables import (
    Interchange,
    Interval,
    NetworkTables,
)
from fare_engine.network.checks import NetworkTableBroken, check_network_tables
from fare_engine.network.normalize import plain_name

SAME_PLACE_MINUTES = 5
# Operators whose fares are reckoned through with those of another one, except on lines with a
# table of their own.
JOINT_FARES = {"JR東海": "JR東日本"}
# Fare systems that need a charge on top; they are ridden only where a route text says so.
NOT_SEARCHED = frozenset({"JR東海/新幹線"})
USUAL_SPEED = 90  # seconds per km, where the table has none


@dataclass(frozen=True, slots=True)
class Station:
    """A station of one operator. Equal names of other operators are other stations."""

    id: int
    operator: str
    name: str
    kana: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Edge:
    """The track between two neighbouring stations of a line, usable in both directions.

    `track` is the id of the edge that stands for it in tariff and pass: itself, or the edge of the
    line that shares the section. `calc_km10` are its converted kilometres on a local line of JR,
    else equal to `km10`.
    """

    id: int
    line: int
    a: int
    b: int
    km10: int
    track: int
    calc_km10: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line: stations in order, `edges[i]` between `stops[i]` and `stops[i + 1]`.

    `system` names the fare system: one through fare is charged inside one system only.
    """

    id: int
    operator: str
    name: str
    system: str
    stops: tuple[int, ...]
    edges: tuple[int, ...]

    @property
    def is_loop(self) -> bool:
        """Whether the line ends where it starts."""
        return self.stops[0] == self.stops[-1]

    @property
    def is_guest(self) -> bool:
        """Whether the line's fares are reckoned through with those of another operator's lines."""
        return self.system.partition("/")[0] != self.operator

    @property
    def title(self) -> str:
        """Name with the operator in front, as route texts spell it."""
        return f"{self.operator}/{self.name}"


@dataclass(frozen=True, slots=True)
class Ride:
    """A ride along one line: n + 1 stations and the n edges between them."""

    line: int
    stations: tuple[int, ...]
    edges: tuple[int, ...]


class Network:
    """The network, all parts by integer id. Built once, never changed."""

    def __init__(self, tables: NetworkTables) -> None:
        check_network_tables(tables)
        self.tables = tables
        self.stations: list[Station] = []
        self.lines: list[Line] = []
        self.edges: list[Edge] = []
        self.station_ids: dict[tuple[str, str], int] = {}
        self._add_lines()
        self._share_tracks()
        self.interchanges: list[dict[int, int]] = [{} for _ in self.stations]
        self.fare_node = list(range(len(self.stations)))
        self._join_stations()
        self.place_of = self._places()

    @cached_property
    def lines_at(self) -> list[list[int]]:
        """Line ids by station id."""
        found: list[list[int]] = [[] for _ in self.stations]
        for line in self.lines:
            for stop in dict.fromkeys(line.stops):
                found[stop].append(line.id)
        return found

    @cached_property
    def track_of(self) -> list[int]:
        """Track by edge id."""
        return [edge.track for edge in self.edges]

    @cached_property
    def system_of(self) -> list[str]:
        """Fare system by line id."""
        return [line.system for line in self.lines]

    @cached_property
    def nearby(self) -> list[tuple[int, ...]]:
        """Stations that one or two changes on foot lead to, nearest first, by station id."""
        return [
            tuple(
                other
                for other in dict.fromkeys(
                    [*near, *(far for station in near for far in self.interchanges[station])]
                )
                if other != here
            )
            for here, near in enumerate(self.interchanges)
        ]

    @cached_property
    def places(self) -> dict[int, tuple[int, ...]]:
        """Stations by place: equal names of several operators that are one place."""
        found: dict[int, list[int]] = defaultdict(list)
        for station, place in enumerate(self.place_of):
            found[place].append(station)
        return {place: tuple(stations) for place, stations in found.items()}

    @cached_property
    def ambiguous_names(self) -> dict[str, str]:
        """Plain name to the sentence that tells its places apart."""
        return {plain_name(row.station): row.why for row in self.tables.ambiguous_names}

    @cached_property
    def days_of(self) -> dict[int, tuple[date, date]]:
        """First and last day in use, of the stations that have one."""
        return {
            self.station(row.operator, row.station): (
                row.opened or date.min,
                row.closed or date.max,
            )
            for row in self.tables.station_dates
        }

    @cached_property
    def bus_lines(self) -> frozenset[int]:
        """Ids of the lines that are buses."""
        rows = self.tables.bus_lines
        return frozenset(self._line_ids[row.operator, row.line] for row in rows)

    @cached_property
    def far_platforms(self) -> dict[tuple[int, int], int]:
        """Minutes that a change takes longer than others, by station and line that ends there."""
        return {
            (self.station(row.operator, row.station), self._line_ids[row.operator, row.line]): (
                row.minutes - SAME_PLACE_MINUTES
            )
            for row in self.tables.far_platforms
        }

    @cached_property
    def lines_also_called(self) -> dict[str, frozenset[int]]:
        """Line ids by the plain form of another name that people type."""
        found: dict[str, set[int]] = defaultdict(set)
        for row in self.tables.line_aliases:
            found[plain_name(row.alias)].add(self._line_ids[row.operator, row.line])
        return {alias: frozenset(lines) for alias, lines in found.items()}

    @cached_property
    def operators(self) -> tuple[str, ...]:
        """Operators in table order."""
        return tuple(dict.fromkeys(line.operator for line in self.lines))

    @cached_property
    def seconds_per_km(self) -> list[int]:
        """Average speed by line id."""
        speeds = {(row.operator, row.line): row.seconds_per_km for row in self.tables.travel_speeds}
        return [
            speeds.get((line.operator, line.name)) or speeds.get((line.operator, ""), USUAL_SPEED)
            for line in self.lines
        ]

    def line_named(self, operator: str, name: str) -> Line:
        """The line of an operator, by its exact name."""
        return self.lines[self._line_ids[operator, name]]

    def along(self, line: Line, start: int, end: int) -> Ride | None:
        """The ride along a line, the shorter way round on a loop; None if it does not serve both.

        Equal ends give the whole loop, or nothing on other lines.
        """
        rides = [
            self._between(line, i, j)
            for i in _positions(line.stops, start)
            for j in _positions(line.stops, end)
            if i != j
        ]
        if line.is_loop and start != end:
            rides += [self._over_the_seam(line, i, j) for i, j in _seam_pairs(line, start, end)]
        return min(rides, key=self.ride_km10, default=None)

    def ride_km10(self, ride: Ride) -> int:
        """Length of a ride in tenths of a kilometre."""
        return sum(self.edges[edge].km10 for edge in ride.edges)

    def station(self, operator: str, name: str) -> int:
        """Id of a station by its exact name; raises NetworkTableBroken where a table is wrong."""
        try:
            return self.station_ids[operator, name]
        except KeyError:
            raise NetworkTableBroken(f"{operator} has no station {name}") from None

    def _between(self, line: Line, i: int, j: int) -> Ride:
        if i < j:
            return Ride(line.id, line.stops[i : j + 1], line.edges[i:j])
        return Ride(line.id, line.stops[j : i + 1][::-1], line.edges[j:i][::-1])

    def _over_the_seam(self, line: Line, i: int, j: int) -> Ride:
        """From position i past the end of the loop to position j < i, or the reverse of that."""
        late, early = max(i, j), min(i, j)
        stops = (*line.stops[late:], *line.stops[1 : early + 1])
        edges = (*line.edges[late:], *line.edges[:early])
        return Ride(line.id, stops, edges) if i > j else Ride(line.id, stops[::-1], edges[::-1])

    def _add_lines(self) -> None:
        kana = {row.station: row.kana for row in self.tables.readings}
        own_table = {(row.operator, row.line): row.table for row in self.tables.line_tables}
        self._line_ids: dict[tuple[str, str], int] = {}
        for (operator, name), rows in _by_line(self.tables.intervals).items():
            for row in rows:
                key = (operator, row.station)
                if key not in self.station_ids:
                    self.station_ids[key] = len(self.stations)
                    station = Station(len(self.stations), *key, kana[row.station])
                    self.stations.append(station)
            line_id = self._line_ids[operator, name] = len(self.lines)
            stops = tuple(self.station_ids[operator, row.station] for row in rows)
            table = own_table.get((operator, name))
            self.lines.append(
                Line(
                    line_id,
                    operator,
                    name,
                    f"{operator}/{table}" if table else JOINT_FARES.get(operator, operator),
                    stops,
                    tuple(self._add_edges(line_id, stops, rows)),
                )
            )

    def _add_edges(
        self, line: int, stops: Sequence[int], rows: Sequence[Interval]
    ) -> Iterable[int]:
        for ends, (before, after) in zip(pairwise(stops), pairwise(rows), strict=True):
            edge, km10 = len(self.edges), after.km10 - before.km10
            calc = km10
            if before.calc_km10 is not None and after.calc_km10 is not None:
                calc = after.calc_km10 - before.calc_km10
            self.edges.append(Edge(edge, line, *ends, km10, edge, calc))
            yield edge

    def _share_tracks(self) -> None:
        for row in self.tables.shared_tracks:
            other = self.line_named(row.operator, row.counts_as)
            tracks = {_ends(self.edges[edge]): edge for edge in other.edges}
            for edge_id in self.section(row.operator, row.line, row.station_a, row.station_b):
                edge = self.edges[edge_id]
                if _ends(edge) not in tracks:
                    raise NetworkTableBroken(f"{row.line} and {row.counts_as} share no such track")
                self.edges[edge_id] = replace(edge, track=tracks[_ends(edge)])

    def section(self, operator: str, line: str, a: str, b: str) -> tuple[int, ...]:
        """Edges of a line between two stations given by name."""
        ride = self.along(
            self.line_named(operator, line), self.station(operator, a), self.station(operator, b)
        )
        if ride is None:
            raise NetworkTableBroken(f"{operator} {line} has no section {a}-{b}")
        return ride.edges

    @cached_property
    def _apart(self) -> frozenset[frozenset[int]]:
        """Pairs of stations that bear one name and are two places, even if one walks between."""
        return frozenset(
            frozenset(
                (
                    self.station(row.operator_a, row.station_a),
                    self.station(row.operator_b, row.station_b),
                )
            )
            for row in self.tables.interchanges
            if row.kind == "apart"
        )

    def _join_stations(self) -> None:
        by_name: dict[str, list[Station]] = defaultdict(list)
        for station in self.stations:
            by_name[plain_name(station.name)].append(station)
        for namesakes in by_name.values():
            for one in namesakes:
                for other in namesakes:
                    if one is not other and frozenset((one.id, other.id)) not in self._apart:
                        self.interchanges[one.id][other.id] = SAME_PLACE_MINUTES
        for row in self.tables.interchanges:
            if row.kind != "apart":
                self._join(row)

    def _join(self, row: Interchange) -> None:
        a = self.station(row.operator_a, row.station_a)
        b = self.station(row.operator_b, row.station_b)
        minutes = SAME_PLACE_MINUTES if row.walk_minutes is None else row.walk_minutes
        self.interchanges[a][b] = self.interchanges[b][a] = minutes
        if row.kind == "one_station":
            self.fare_node[b] = self.fare_node[a]

    def _places(self) -> list[int]:
        place_of = list(range(len(self.stations)))
        for station in self.stations:
            for other in self.interchanges[station.id]:
                if frozenset((station.id, other)) in self._apart:
                    continue
                if plain_name(self.stations[other].name) == plain_name(station.name):
                    place_of[station.id] = min(place_of[station.id], other)
        return place_of


def _by_line(intervals: Iterable[Interval]) -> dict[tuple[str, str], list[Interval]]:
    lines: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    for row in intervals:
        lines[row.operator, row.line].append(row)
    return lines


def _positions(stops: Sequence[int], station: int) -> list[int]:
    return [position for position, stop in enumerate(stops) if stop == station]


def _seam_pairs(line: Line, start: int, end: int) -> Iterable[tuple[int, int]]:
    if line.stops[0] not in (start, end):
        for i in _positions(line.stops, start):
            for j in _positions(line.stops, end):
                yield i, j


def _ends(edge: Edge) -> frozenset[int]:
    return frozenset((edge.a, edge.b))
