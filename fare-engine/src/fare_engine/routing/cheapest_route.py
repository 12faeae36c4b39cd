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

from fare_engine.fares.tariffs import FareBook
from fare_engine.network.network import Ride
from fare_engine.routing.cheapest_route_graph import (
    CENT,
    NEVER,
    STEP,
    Costs,
    covered_at,
)
from fare_engine.routing.cheapest_route_matrix import arrivals, priced_core
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
    return _Search(book, passes, avoid, ends).way(min(limit_yen * CENT, NEVER))


def prepare_fares(book: FareBook) -> int:
    """Work out the fares between all stations of the book; the bytes that this takes.

    Otherwise the first question of a day and medium does.
    """
    priced = priced_core(book, (), frozenset())
    return sum(one.nbytes for one in (*priced.cents.values(), priced.hops, priced.bound))


class _Search:
    def __init__(
        self,
        book: FareBook,
        passes: Sequence[CommuterPass],
        avoid: frozenset[str],
        ends: tuple[Sequence[int], Sequence[int]],
    ) -> None:
        self.book = book
        lines = book.network.lines
        legs = tuple(
            leg
            for one in passes
            for leg in one.route.legs
            if isinstance(leg, Ride) and _is_allowed(lines[leg.line].system, avoid)
        )
        self.covered = frozenset[int]().union(*(one.route.tracks for one in passes))
        self.priced = priced_core(book, legs, self.covered)
        self.core = self.priced.core
        every = self.core.all
        starts, goals = ([node for one in end for node in every.here[one]] for end in ends)
        more = [node for node in dict.fromkeys((*starts, *goals)) if node not in self.core.id_of]
        self.ids = {**self.core.id_of, **{n: len(self.core.nodes) + i for i, n in enumerate(more)}}
        self.nodes = [*self.core.nodes.tolist(), *more]
        self.starts, self.goals = (
            np.array([self.ids[node] for node in end], np.int64) for end in (starts, goals)
        )
        self.hops, self.detour = self.priced.with_ends(more)
        self.detour_back = self.detour.back
        self.off = np.append(self.priced.off, [self._off(self._owner(node)) for node in more])
        self.off = self.off.astype(np.int32)
        self.barred = self._barred(avoid, more)
        self.legs = [
            (leg, np.array([self.ids[every.at[lines[leg.line].system, s]] for s in leg.stations]))
            for leg in legs
            if lines[leg.line].system in self.priced.cents
        ]
        self.rounds: list[_Round] = []

    def _barred(self, avoid: frozenset[str], more: Sequence[int]) -> NDArray[np.bool_]:
        """Which ids belong to systems to avoid."""
        barred = np.zeros(len(self.nodes), bool)
        for system, part in self.core.systems.items():
            if not _is_allowed(system, avoid):
                barred[part] = True
        size = len(self.core.nodes)
        barred[size:] = [not _is_allowed(self._owner(node), avoid) for node in more]
        return barred

    def way(self, limit: int) -> Route | None:
        """The cheapest way between the ends below a limit."""
        board, stay = self._nowhere(), self._nowhere()
        board[NONE, self.starts] = 0
        board[:, self.barred] = NEVER
        least = self._least()
        board[board + least >= limit] = NEVER
        cheapest, found = np.minimum(board, stay), None
        for _ in range(MOST_FARES if board.min() < NEVER else 0):
            paid, met = self._pay(board, stay, limit)
            for layer in (paid, met):
                layer[:, self.starts] = NEVER  # a walk at the start shall not look like a ride
            free = self._ride_free(np.minimum(board, met)) if self.legs else self._nowhere()
            free[:, self.starts] = NEVER
            self.rounds.append(_Round(board, stay, paid, met, free))
            reached = np.minimum(paid, free)
            arrived = int(reached[:, self.goals].min(initial=NEVER))
            if arrived < limit:
                limit, found = arrived, (len(self.rounds) - 1, arrived)
            board, stay = self._change(reached), self._stay(free)
            for layer in (board, stay):
                layer[:, self.goals] = NEVER  # nor a walk at the end
                layer[(layer >= cheapest) | (layer + least >= limit)] = NEVER
            ready = np.minimum(board, stay)
            if ready.min() >= NEVER:
                break
            cheapest = np.minimum(cheapest, ready)
        return self._route(*found) if found else None

    def _least(self) -> Costs:
        """What is left to pay at least, by state and id; a discount in sight may come off."""
        places, bound, size = self.core.places[0], self.priced.bound, len(self.core.nodes)
        hops = self.hops.core if len(self.nodes) == size else None
        from_place = np.full(len(bound), NEVER, np.int32)
        for goal in self.goals:
            if goal < size:
                np.minimum(from_place, bound[:, places[goal]], out=from_place)
                continue
            column = self.hops.columns[:, goal - size] - (self.off[:size] + 1) // 2
            near = np.flatnonzero(column < NEVER - NEVER // 2)
            if len(near):
                last = (bound[:, places[near]] + column[near]).min(axis=1)
                np.minimum(from_place, last, out=from_place)
        least = from_place[places]
        if hops is None:
            half = (self.off[size:] + 1) // 2
            rows = self.hops.rows
            onward = (rows[:, :size] + least).min(axis=1, initial=NEVER)
            direct = rows[:, self.goals].min(axis=1, initial=NEVER)
            least = np.append(least, np.minimum(onward, direct) - half).astype(np.int32)
        most = int(self.off.max(initial=0))
        by_state: Costs = np.stack([least, *[least - most] * (STATES - 1)])
        return np.maximum(by_state, 0)

    def _nowhere(self) -> Costs:
        return np.full((STATES, len(self.nodes)), NEVER, np.int32)

    def _pay(self, board: Costs, stay: Costs, limit: int) -> tuple[Costs, Costs]:
        """One paid fare from wherever one may board: to anywhere, and to where passes begin."""
        paid = self._nowhere()
        met = self._nowhere() if self.legs else paid
        for layer in (board, stay) if self.legs else (board,):
            for state, after, ids in self._alive(layer, limit):
                cost = layer[state, ids]
                if (state, after) == (OWED, GIVEN):
                    cost = cost - self.off[ids]
                hops = cost[:, None] + self.hops.from_ids(ids)
                if layer is stay:
                    hops += self.detour.from_ids(ids)
                np.minimum(paid[after], hops.min(axis=0), out=paid[after])
                if self.legs:
                    hops += self.detour_back.from_ids(ids)
                    np.minimum(met[after], hops.min(axis=0), out=met[after])
        return paid, met

    def _alive(self, layer: Costs, limit: int) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
        """State, the state after a paid fare, and the ids wherever a cost is below the limit."""
        for state in range(STATES):
            ids = np.flatnonzero(layer[state] < limit)
            if not len(ids):
                continue
            with_partner = self.off[ids] > 0
            for some, system in ((ids[~with_partner], False), (ids[with_partner], True)):
                if len(some):
                    yield state, _paid_state(state, discounted=system), some

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
        return slice(STATES if system in self.priced.discounts else 1)

    def _stay(self, free: Costs) -> Costs:
        """Where a fare may begin behind a pass: there, or at another name of the station."""
        stay = free.copy()
        if self.legs:
            for node in np.flatnonzero(free.min(axis=0) < NEVER).tolist():
                for twin in self._twins(node):
                    np.minimum(stay[:, twin], free[:, node] + STEP, out=stay[:, twin])
        return stay

    def _change(self, reached: Costs) -> Costs:
        """Where one may board next: at the neighbours of other systems."""
        board = self._nowhere()
        board[NONE] = arrivals(reached.min(axis=0), self.core.changes)
        if self.priced.discounts:
            for state, after in ((PAID, OWED), (GIVEN, GIVEN)):
                if reached[state].min() < NEVER:
                    there = arrivals(reached[state], self.priced.discounted)
                    np.minimum(board[after], there, out=board[after])
        board[:, self.barred] = NEVER
        return board

    # The way back: which step led to a cost? The costs themselves tell.

    def _route(self, last: int, cost: int) -> Route:
        at, number, goals = self.rounds[last], last, self.goals
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
        wanted = (at.met if meets else at.paid)[state, node]
        column = self.hops.to_id(node) + (self.detour_back.to_id(node) if meets else 0)
        from_stay = column + self.detour.to_id(node)
        for before in range(STATES):
            after = _paid_state(before, discounted=self.off[node] > 0)
            off = self.off if (before, after) == (OWED, GIVEN) else 0
            for layer, costs in ((at.board, column), (at.stay, from_stay)):
                rows = np.flatnonzero(layer[before] + costs - off == wanted)
                if after == state and len(rows):
                    return before, int(rows[0]), layer
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
        ends = [other for other in self._twins(node) if at.free[state, other] + STEP == cost]
        return state, node if at.free[state, node] == cost else ends[0], at.free

    def _changed(self, at: _Round, state: int, node: int, cost: int) -> tuple[int, int, Costs]:
        """State, node and layer of the round before, from where the rider changed to a node."""
        origins, goals = self.core.changes.origins, self.core.changes.goals
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
        return self.priced.discounts.get(self._system(origin), ("",))[0] == self._system(node)

    def _off(self, system: str) -> int:
        return self.priced.discounts.get(system, ("", 0))[1]

    def _owner(self, node: int) -> str:
        return self.core.all.owner[node]

    def _system(self, one: int) -> str:
        return self._owner(self.nodes[one])

    def _twins(self, one: int) -> list[int]:
        """The other names of a station, by their ids."""
        return [self.ids[twin] for twin in self.core.all.twins[self.nodes[one]] if twin in self.ids]

    def _inside(self, origin: int, end: int, *, stays: bool, meets: bool) -> tuple[Ride, ...]:
        """The ride of a paid fare; the fare does not depend on it, what a pass covers does."""
        a, b = (self.core.all.stations[self.nodes[one]] for one in (origin, end))
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


def _is_allowed(system: str, avoid: frozenset[str]) -> bool:
    return avoid.isdisjoint((system, system.partition("/")[0]))


def _paid_state(state: int, *, discounted: bool) -> int:
    """The state after a paid fare of a system, with or without a partner in a discount."""
    if not discounted:
        return NONE
    return GIVEN if state in {OWED, GIVEN} else PAID
