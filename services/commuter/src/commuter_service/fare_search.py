"""Which way is the cheapest after the passes (F22)? Exact over fares, not over kilometres.

A fare does not add up along the tracks, so the steps of this search are whole fares: from any
station to any station where the ride may leave the system (a change, a pass, the destination), and
free steps along a pass. After a paid step the same system may be paid again only behind a pass or
another system, or the search would find split tickets, which nobody may claim (F13). The transfer
discount is left to the pricing of the found way.
"""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from commuter_service.network import Network, Ride
from commuter_service.pathfinding import path_finder
from commuter_service.routes import CommuterPass, Route
from commuter_service.tariffs import FareBook, NoFareBetween, NoTariffOnDate

# A change costs nothing; a yen-fraction keeps needless ones out. Costs are in hundredths of a yen.
CENT = 100
CHANGE = 1
WAYS_INSIDE = 4

# Where the rider stands: the station, and how it was reached: by the fare system just paid, by the
# line (its id) just ridden on a pass, or FRESH: at the start or by a change.
State = tuple[int, str | int]
FRESH = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """How a state was reached: by a fare (rides None), along a pass, or by a change (rides ())."""

    origin: State
    rides: tuple[Ride, ...] | None


def cheapest_way(
    book: FareBook,
    ends: tuple[Sequence[int], Sequence[int]],
    passes: Sequence[CommuterPass],
    avoid: frozenset[str],
    limit_yen: int,
) -> Route | None:
    """The cheapest way between two places, if it costs less than the limit.

    `passes` deduct on the book's day. A known way's charge is a good limit: the nearer, the faster.
    """
    starts, goals = ends
    places = frozenset(starts), frozenset(goals)
    return _Steps(book, places, passes, avoid, limit_yen * CENT).search()


class _Steps:
    def __init__(
        self,
        book: FareBook,
        places: tuple[frozenset[int], frozenset[int]],
        passes: Sequence[CommuterPass],
        avoid: frozenset[str],
        limit: int,
    ) -> None:
        self.network = book.network
        self.book = book
        self.starts, self.goals = places
        self.avoid = avoid
        self.limit = limit
        self.free = _free_steps(passes)
        self.systems_at = _systems_at(self.network)
        # Beside the changes, a ride may leave a system at the destination or onto a pass.
        self.extra: dict[str, set[int]] = defaultdict(set)
        for station in (*self.goals, *self.free):
            for system in self.systems_at[station]:
                self.extra[system].add(station)

    def search(self) -> Route | None:
        order = itertools.count()
        origins: list[State] = [(s, FRESH) for s in self.starts if self._allowed(s)]
        cost: dict[State, int] = dict.fromkeys(origins, 0)
        came: dict[State, _Step] = {}
        queue = [(0, next(order), origin) for origin in origins]
        done: set[State] = set()
        while queue:
            spent, _, state = heapq.heappop(queue)
            if state in done:
                continue
            done.add(state)
            if state[0] in self.goals and state in came and came[state].rides != ():
                return self._route(state, came)  # the last step is a ride, not a walk
            if state[0] in self.goals:
                continue
            for price, other, rides in self._from(state, self.limit - spent):
                # Riding to and fro would make a walk at the start or the end look like a ride.
                if other[0] in self.starts:
                    continue
                if spent + price < cost.get(other, self.limit):
                    cost[other] = spent + price
                    came[other] = _Step(state, rides)
                    heapq.heappush(queue, (spent + price, next(order), other))
        return None

    def _from(
        self, state: State, left: int
    ) -> Iterator[tuple[int, State, tuple[Ride, ...] | None]]:
        station, came_by = state
        for other, rides in self.free.get(station, {}).items():
            if rides[0].line != came_by:  # no riding to and fro
                yield CHANGE, (other, rides[0].line), rides
        if came_by != FRESH:
            for other in self.network.nearby[station]:
                another = self.network.stations[other].operator
                if another != self.network.stations[station].operator and self._allowed(other):
                    yield CHANGE, (other, FRESH), ()
        for system in self.systems_at[station]:
            if system == came_by:
                continue  # the same system again would be a split ticket
            for price, other in self.book.remembered(("hops", system, station), self._hops):
                if price >= left:
                    break  # cheapest first
                yield price, (other, system), None
            yield from self._fares(system, station, self.extra[system])

    def _hops(self, key: tuple[str, str, int]) -> list[tuple[int, int]]:
        """Fares from a station to every change of its system, cheapest first."""
        _, system, station = key
        exits = _exits(self.network)[system]
        return sorted((p, other) for p, (other, _), _ in self._fares(system, station, exits))

    def _fares(
        self, system: str, station: int, others: Iterable[int]
    ) -> Iterator[tuple[int, State, None]]:
        for other in others:
            if other == station:
                continue
            try:
                yen = self.book.yen(system, station, other)
            except (NoFareBetween, NoTariffOnDate):
                continue
            yield yen * CENT + CHANGE, (other, system), None

    def _allowed(self, station: int) -> bool:
        return self.network.stations[station].operator not in self.avoid

    def _route(self, state: State, came: dict[State, _Step]) -> Route | None:
        legs: list[Ride] = []
        while state in came:
            step = came[state]
            rides = step.rides
            if rides is None:
                rides = self._shortest_inside(step.origin[0], state[0])
            legs[:0] = rides
            state = step.origin
        return Route(self.network, tuple(legs)) if legs else None

    def _shortest_inside(self, a: int, b: int) -> tuple[Ride, ...]:
        """A ride between two stations of one operator; the fare does not depend on it.

        The shortest of the quick ones: a roundabout one might enter a pass in its middle, where no
        outside part may end.
        """
        operator = self.network.stations[a].operator
        others = frozenset(self.network.operators) - {operator}
        ways = path_finder(self.network).ways((a,), (b,), WAYS_INSIDE, others)
        rides = [rides for _, rides in ways]
        return tuple(min(rides, key=self._km10)) if rides else ()

    def _km10(self, rides: Iterable[Ride]) -> int:
        return sum(self.network.ride_km10(ride) for ride in rides)


def _free_steps(passes: Iterable[CommuterPass]) -> dict[int, dict[int, tuple[Ride, ...]]]:
    """Free rides along each pass, from every station of a leg to every other station of it."""
    free: dict[int, dict[int, tuple[Ride, ...]]] = defaultdict(dict)
    for one in passes:
        for leg in one.route.legs:
            if not isinstance(leg, Ride):
                continue
            for i, a in enumerate(leg.stations):
                for j, b in enumerate(leg.stations):
                    if a != b:
                        free[a][b] = (_part(leg, i, j),)
    return free


def _part(leg: Ride, i: int, j: int) -> Ride:
    if i < j:
        return Ride(leg.line, leg.stations[i : j + 1], leg.edges[i:j])
    return Ride(leg.line, leg.stations[j : i + 1][::-1], leg.edges[j:i][::-1])


@cache
def _systems_at(network: Network) -> list[tuple[str, ...]]:
    return [
        tuple(dict.fromkeys(network.lines[line].system for line in lines))
        for lines in network.lines_at
    ]


@cache
def _exits(network: Network) -> dict[str, set[int]]:
    """Stations where a ride may change to another operator or another system, by system."""
    exits: dict[str, set[int]] = defaultdict(set)
    for station, systems in enumerate(_systems_at(network)):
        operator = network.stations[station].operator
        others = {network.stations[other].operator for other in network.nearby[station]}
        if len(systems) > 1 or others - {operator}:
            for system in systems:
                exits[system].add(station)
    return exits
