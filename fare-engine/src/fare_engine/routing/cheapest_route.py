"""Which way is the cheapest after the passes (F22)? Exact over fares, not over kilometres.

A fare does not add up along the tracks, so the steps of this search are whole fares: from any
station of a fare system to any other of it, free steps along a pass, and changes. It goes in
rounds, one paid fare each, over all stations at once. After a paid step the same system may be
paid again only behind a pass or another system, or the search would find split tickets, which
cannot be claimed (F13). A transfer discount (F19) is taken where both neighbours charge: `PAID`
says that the run has been paid for, `OWED` that the one before was, `GIVEN` that the discount
has been had.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fare_engine.fares.fares_between_stations import FareBook
from fare_engine.network.network import NOT_SEARCHED, Ride
from fare_engine.routing.cheapest_route_graph import (
    CENT,
    NEVER,
    STEP,
    Costs,
    covered_at,
    detours_of,
    nodes_of,
    prices,
)
from fare_engine.routing.quickest_ride import ride_inside
from fare_engine.routing.route_text import CommuterPass, Route

MOST_FARES = 9
NONE, PAID, OWED, GIVEN = range(4)
STATES = 4


@dataclass(frozen=True, slots=True)
class _Round:
    """Costs of every step of a round, by state and node.

    `board`: standing fresh from a change, `stay`: alighted from a pass; after one fare from there
    `paid`, or `met` where a pass begins (its tracks not entered before); after riding on passes
    `free`.
    """

    board: Costs
    stay: Costs
    paid: Costs
    met: Costs
    free: Costs


def cheapest_path(
    book: FareBook,
    ends: tuple[Sequence[int], Sequence[int]],
    passes: Sequence[CommuterPass],
    avoid: frozenset[str],
    limit_yen: int,
) -> Route | None:
    """The cheapest way between two places, if it costs less than the limit.

    `passes` deduct on the book's day. A known way's charge is a good limit: the nearer, the faster.
    """
    return _Search(book, passes, avoid).way(ends, min(limit_yen * CENT, NEVER))


def prepare_fares(book: FareBook) -> int:
    """Work out the cheapest fare between all stations without passes; the bytes that it takes.

    No way can cost less, so a search that knows it looks only where it may still pay. A few seconds
    for each day and medium; `cheapest_path` finds the same without it, slower.
    """
    search = _Search(book, (), NOT_SEARCHED)
    size = len(search.nodes.stations)
    reach = book.remembered(("reach",), lambda _: np.stack([search.reach(n) for n in range(size)]))
    return int(reach.nbytes)


class _Search:
    def __init__(
        self, book: FareBook, passes: Sequence[CommuterPass], avoid: frozenset[str]
    ) -> None:
        self.book = book
        self.nodes = nodes_of(book.network)
        self.cents, self.discounts = prices(book, avoid)
        self.legs = [
            (leg, np.array([self.nodes.at[system, station] for station in leg.stations]))
            for one in passes
            for leg in one.route.legs
            if isinstance(leg, Ride)
            and (system := book.network.lines[leg.line].system) in self.cents
        ]
        self.covered = frozenset[int]().union(*(one.route.tracks for one in passes))
        self.detours = detours_of(book.network, self.covered)
        self.reached_for: Costs | None = book.known(("reach",))
        self.rounds: list[_Round] = []

    def way(self, ends: tuple[Sequence[int], Sequence[int]], limit: int) -> Route | None:
        starts, goals = (
            np.array([node for station in end for node in self.nodes.here[station]]) for end in ends
        )
        board, stay = self._nowhere(), self._nowhere()
        board[NONE, starts] = 0
        least = self._least(goals)
        board[board + least >= limit] = NEVER
        cheapest, found = np.minimum(board, stay), None
        for _ in range(MOST_FARES if board.min() < NEVER else 0):
            paid, met = self._pay(board, stay, limit)
            for layer in (paid, met):
                layer[:, starts] = NEVER  # a walk at the start shall not look like a ride
            free = self._ride_free(np.minimum(board, met)) if self.legs else self._nowhere()
            free[:, starts] = NEVER
            self.rounds.append(_Round(board, stay, paid, met, free))
            reached = np.minimum(paid, free)
            arrived = int(reached[:, goals].min(initial=NEVER))
            if arrived < limit:
                limit, found = arrived, (len(self.rounds) - 1, arrived)
            board, stay = self._change(reached), self._stay(free)
            for layer in (board, stay):
                layer[:, goals] = NEVER  # nor a walk at the end
                layer[(layer >= cheapest) | (layer + least >= limit)] = NEVER
            ready = np.minimum(board, stay)
            if ready.min() >= NEVER:
                break
            cheapest = np.minimum(cheapest, ready)
        return self._route(*found, goals) if found else None

    def reach(self, start: int) -> Costs:
        """The least cost at every node from standing at one, without passes."""
        board = self._nowhere()
        board[NONE, start] = 0
        cheapest = board.copy()
        for _ in range(MOST_FARES):
            paid, _ = self._pay(board, board, NEVER)
            board = self._change(paid)
            board[board >= cheapest] = NEVER
            cheapest = np.minimum(cheapest, np.minimum(paid, board))
            if board.min() >= NEVER:
                break
        least: Costs = cheapest.min(axis=0)
        return least

    def _least(self, goals: NDArray[np.int64]) -> Costs:
        """What is left to pay at least, by state and node; 0 where nothing was prepared.

        A discount in sight may come off; so may one between fares before and behind a pass.
        """
        if self.reached_for is None:
            return np.zeros((STATES, 1), np.int32)
        reach = self.reached_for
        most = max((off for _, off in self.discounts.values()), default=0)
        least: Costs = reach[:, goals].min(axis=1)
        if self.legs:
            ends = np.unique(np.concatenate([nodes for _, nodes in self.legs]))
            alighted = [twin for end in ends for twin in (end, *self.nodes.twins[end])]
            origins, changed = self.nodes.changes
            behind = np.concatenate([alighted, changed[np.isin(origins, alighted)]])
            lines = self.book.network.lines
            discounted = any(lines[leg.line].system in self.discounts for leg, _ in self.legs)
            by_pass = reach[:, ends].min(axis=1) + least[behind].min()
            least = np.minimum(least, by_pass - (2 * most if discounted else 0))
        by_state: Costs = np.stack([least, *[least - most] * (STATES - 1)])
        return np.maximum(by_state, 0)

    def _nowhere(self) -> Costs:
        return np.full((STATES, len(self.nodes.stations)), NEVER, np.int32)

    def _pay(self, board: Costs, stay: Costs, limit: int) -> tuple[Costs, Costs]:
        """One paid fare from wherever one may board: to anywhere, and to where passes begin."""
        paid = self._nowhere()
        met = self._nowhere() if self.legs else paid
        for layer in (board, stay) if self.legs else (board,):
            for system, state, rows in self._alive(layer, limit):
                part, detour = self.nodes.systems[system], self.detours.get(system)
                after, off = self._paid_state(system, state)
                cost = layer[state, part][rows] - off
                hops = cost[:, None] + self.cents[system][rows]
                if detour is not None and layer is stay:
                    hops += detour[rows]
                np.minimum(paid[after, part], hops.min(axis=0), out=paid[after, part])
                if detour is not None:
                    hops += detour.T[rows]
                    np.minimum(met[after, part], hops.min(axis=0), out=met[after, part])
        return paid, met

    def _alive(self, layer: Costs, limit: int) -> Iterator[tuple[str, int, NDArray[np.int64]]]:
        """System, state and positions in the system wherever a cost is below the limit."""
        for state in range(STATES if self.discounts else 1):
            nodes = np.flatnonzero(layer[state] < limit)
            if not len(nodes):
                continue
            start = 0
            stops = np.searchsorted(nodes, self.nodes.bounds).tolist()
            for (system, part), stop in zip(self.nodes.systems.items(), stops, strict=True):
                if start < stop and system in self.cents:
                    yield system, state, nodes[start:stop] - part.start
                start = stop

    def _paid_state(self, system: str, state: int) -> tuple[int, int]:
        """The state after a paid fare, and the discount on it."""
        if system not in self.discounts:
            return NONE, 0
        if state == OWED:
            return GIVEN, self.discounts[system][1]
        return (GIVEN if state == GIVEN else PAID), 0

    def _ride_free(self, reached: Costs) -> Costs:
        """Along the passes, leg after leg, as long as that leads further."""
        free = self._nowhere()
        further = bool(self.legs)
        while further:
            further = False
            for leg, nodes in self.legs:
                states = self._states(self.book.network.lines[leg.line].system)
                known = free[states, nodes]
                here = np.minimum(reached[states, nodes], known)
                if here.min() >= NEVER:
                    continue
                first, second = np.partition(here, 1, axis=1)[:, :2].T[:, :, None]
                onward = np.where(here == first, second, first) + STEP  # from another station
                if (onward < known).any():
                    free[states, nodes] = np.minimum(onward, known)
                    further = len(self.legs) > 1
        return free

    def _states(self, system: str) -> slice:
        return slice(STATES if system in self.discounts else 1)

    def _stay(self, free: Costs) -> Costs:
        """Where a fare may begin behind a pass: there, or at another name of the station."""
        stay = free.copy()
        if self.legs:
            for node in np.flatnonzero(free.min(axis=0) < NEVER):
                for twin in self.nodes.twins[node]:
                    np.minimum(stay[:, twin], free[:, node] + STEP, out=stay[:, twin])
        return stay

    def _change(self, reached: Costs) -> Costs:
        """Where one may board next: at the neighbours of other systems."""
        board = self._nowhere()
        board[NONE] = self._arrive(reached.min(axis=0))
        for system, (other, _) in self.discounts.items():
            part, goal = self.nodes.systems[system], self.nodes.systems[other]
            for state, after in ((PAID, OWED), (GIVEN, GIVEN)):
                if reached[state, part].min() < NEVER:
                    here = self._nowhere()[NONE]
                    here[part] = reached[state, part]
                    there = self._arrive(here)[goal]
                    np.minimum(board[after, goal], there, out=board[after, goal])
        return board

    def _arrive(self, cost: Costs) -> Costs:
        """The cost at every node after one change."""
        goals, firsts = self.nodes.arrivals
        there: Costs = self._nowhere()[NONE]
        there[goals] = np.minimum.reduceat(cost[self.nodes.changes[0]], firsts) + STEP
        return there

    # The way back: which step led to a cost? The costs themselves tell.

    def _route(self, last: int, cost: int, goals: NDArray[np.int64]) -> Route:
        at, number = self.rounds[last], last
        layer = at.paid if at.paid[:, goals].min() == cost else at.free
        state, position = (int(i) for i in np.argwhere(layer[:, goals] == cost)[0])
        node = int(goals[position])
        legs: list[Ride] = []
        while number or layer is not at.board:
            if layer is at.board or layer is at.stay:
                before = self.rounds[number - 1]
                step = self._alighted if layer is at.stay else self._changed
                state, node, layer = step(before, state, node, int(layer[state, node]))
                at, number = before, number - 1
            elif layer is at.free:
                node, layer, ride = self._freed_from(at, state, node)
                legs.insert(0, ride)
            else:
                end, meets = node, layer is at.met
                state, node, layer = self._paid_from(at, state, node, meets=meets)
                legs[:0] = self._inside(node, end, stays=layer is at.stay, meets=meets)
        return Route(self.book.network, tuple(legs))

    def _paid_from(
        self, at: _Round, state: int, node: int, *, meets: bool
    ) -> tuple[int, int, Costs]:
        """State, node and layer where the paid fare to a node began."""
        system = self._system(node)
        part, detour = self.nodes.systems[system], self.detours.get(system)
        column = node - part.start
        wanted = (at.met if meets else at.paid)[state, node]
        for before in range(STATES):
            after, off = self._paid_state(system, before)
            for layer in (at.board, at.stay):
                costs = layer[before, part] + self.cents[system][:, column] - off
                if detour is not None:
                    costs += detour[:, column] if layer is at.stay else 0
                    costs += detour.T[:, column] if meets else 0
                rows = np.flatnonzero(costs == wanted)
                if after == state and len(rows):
                    return before, part.start + int(rows[0]), layer
        raise AssertionError("a cost without an origin")

    def _freed_from(self, at: _Round, state: int, node: int) -> tuple[int, Costs, Ride]:
        """Node and layer where the free ride to a node began, and the ride."""
        for leg, nodes in self.legs:
            for position in np.flatnonzero(nodes == node):
                for layer in (at.met, at.board, at.free):
                    rows = np.flatnonzero(layer[state, nodes] + STEP == at.free[state, node])
                    if len(rows):
                        origin = int(rows[0])
                        return int(nodes[origin]), layer, _part(leg, origin, int(position))
        raise AssertionError("a cost without an origin")

    def _alighted(self, at: _Round, state: int, node: int, cost: int) -> tuple[int, int, Costs]:
        """State, node and layer of the round before, where the rider left a pass."""
        ends = [other for other in self.nodes.twins[node] if at.free[state, other] + STEP == cost]
        return state, node if at.free[state, node] == cost else ends[0], at.free

    def _changed(self, at: _Round, state: int, node: int, cost: int) -> tuple[int, int, Costs]:
        """State, node and layer of the round before, from where the rider changed to a node."""
        origins, goals = self.nodes.changes
        before = {NONE: range(STATES), OWED: (PAID,), GIVEN: (GIVEN,)}.get(state, ())
        for origin in origins[goals == node].tolist():
            for layer in (at.paid, at.free):
                for one in before:
                    if layer[one, origin] + STEP == cost and self._keeps(state, origin, node):
                        return one, origin, layer
        raise AssertionError("a cost without an origin")

    def _keeps(self, after: int, origin: int, node: int) -> bool:
        """Whether a change between two nodes may turn the one state into the other."""
        if after == NONE:
            return True
        return self.discounts.get(self._system(origin), ("",))[0] == self._system(node)

    def _system(self, node: int) -> str:
        return next(s for s, part in self.nodes.systems.items() if part.start <= node < part.stop)

    def _inside(self, origin: int, end: int, *, stays: bool, meets: bool) -> tuple[Ride, ...]:
        """The ride of a paid fare; the fare does not depend on it, what a pass covers does."""
        a, b = self.nodes.stations[origin], self.nodes.stations[end]
        network = self.book.network
        barred = frozenset[int]()
        if stays:
            barred |= covered_at(network, a, self.covered)
        if meets:
            barred |= covered_at(network, b, self.covered)
        return ride_inside(network, self._system(end), a, b, barred)


def _part(leg: Ride, i: int, j: int) -> Ride:
    if i < j:
        return Ride(leg.line, leg.stations[i : j + 1], leg.edges[i:j])
    return Ride(leg.line, leg.stations[j : i + 1][::-1], leg.edges[j:i][::-1])
