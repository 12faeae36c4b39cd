"""Matrices of the search for the cheapest route: what a fare costs between the nodes that matter.

A route changes only at stations where another fare system is near, and joins a pass only at its
stations: a quarter of all nodes, the *core*. The ends of a question are added to it. A lower bound
of what is left to pay, between places, keeps the search to nodes where it may still pay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from fare_engine.fares.tariffs import FareBook
from fare_engine.network.network import Network, Ride
from fare_engine.routing.cheapest_route_graph import (
    NEVER,
    STEP,
    Costs,
    Nodes,
    detours_of,
    nodes_of,
    prices,
)

Ids = NDArray[np.int64]
KEPT = 32  # sets of passes whose matrices are kept: 2 MB each


@dataclass(frozen=True)
class Changes:
    """Changes between ids, ordered by their goals."""

    origins: Ids
    goals: Ids

    @cached_property
    def firsts(self) -> Ids:
        """Where the changes to each goal begin."""
        return np.flatnonzero(np.diff(self.goals, prepend=-1))

    @cached_property
    def reached(self) -> Ids:
        """Every goal once."""
        return self.goals[self.firsts]


@dataclass(frozen=True)
class Core:
    """The nodes that matter, by rising number in `nodes_of`; an id is a position in `nodes`."""

    all: Nodes
    nodes: Ids
    id_of: Mapping[int, int]
    systems: Mapping[str, slice]
    changes: Changes

    @cached_property
    def stations(self) -> Sequence[int]:
        """Stations by id."""
        return [self.all.stations[node] for node in self.nodes.tolist()]

    @cached_property
    def positions(self) -> Mapping[str, Ids]:
        """Positions of a system's core nodes among all of its nodes."""
        return {
            system: self.nodes[part] - self.all.systems[system].start
            for system, part in self.systems.items()
        }

    @cached_property
    def places(self) -> tuple[Ids, Ids]:
        """Number of the place by id, and by number the place of the network."""
        place_of = self.all.network.place_of
        numbers, places = np.unique([place_of[one] for one in self.stations], return_inverse=True)
        return places, numbers


@dataclass(frozen=True)
class Matrix:
    """Costs between core nodes and between them and the ends of a question, which come last."""

    core: Costs
    columns: Costs  # from core nodes to ends
    rows: Costs  # from ends to all

    def from_ids(self, ids: Ids) -> Costs:
        """One row for each id, the ends last."""
        size = len(self.core)
        if not len(self.rows):
            return self.core[ids]
        inner = ids[ids < size]
        found: Costs = np.concatenate((self.core[inner], self.columns[inner]), axis=1)
        if len(inner) < len(ids):
            found = np.concatenate((found, self.rows[ids[len(inner) :] - size]))
        return found

    def to_id(self, one: int) -> Costs:
        """The column of an id."""
        size = len(self.core)
        inner = self.core[:, one] if one < size else self.columns[:, one - size]
        return np.concatenate((inner, self.rows[:, one]))

    @property
    def back(self) -> "Matrix":
        """The same in the other direction."""
        size = len(self.core)
        corner = self.rows[:, size:]
        rows = np.concatenate((self.columns.T, corner.T), axis=1)
        return Matrix(self.core.T, self.rows[:, :size].T, rows)


@dataclass(frozen=True)
class Priced:
    """The core with its fares in hundredths of a yen, and what a pass bars."""

    core: Core
    cents: Mapping[str, Costs]
    hops: Costs
    detours: Mapping[str, Costs]
    detour: Costs
    discounts: Mapping[str, tuple[str, int]]
    discounted: Changes  # between partners of a discount
    bound: Costs  # between places, at least

    @cached_property
    def off(self) -> Costs:
        """The discount on a fare behind its partner's, by id."""
        return _off(self.core, self.discounts)

    def with_ends(self, ends: Sequence[int]) -> tuple[Matrix, Matrix]:
        """Fares and detours between the core and further nodes."""
        return (
            _extended(self.core, self.hops, ends, self.cents, NEVER),
            _extended(self.core, self.detour, ends, self.detours, 0),
        )


@lru_cache(maxsize=KEPT)
def priced_core(book: FareBook, legs: tuple[Ride, ...], covered: frozenset[int]) -> Priced:
    """The matrices for rides with passes: their legs, and the tracks that these cover."""
    network = book.network
    core = core_of(network, legs)
    cents, discounts = prices(book, frozenset())
    detours = detours_of(network, covered)
    origins, goals = core.changes.origins, core.changes.goals
    partner = np.zeros(len(origins), bool)
    for system, (other, _) in discounts.items():
        a, b = core.systems[system], core.systems[other]
        partner |= (origins >= a.start) & (origins < a.stop) & (goals >= b.start) & (goals < b.stop)
    hops = _dense(core, cents, NEVER)
    bound = _bound(core, hops - (_off(core, discounts)[:, None] + 1) // 2, legs)
    detour = _dense(core, detours, 0)
    between = Changes(origins[partner], goals[partner])
    return Priced(core, cents, hops, detours, detour, discounts, between, bound)


@lru_cache(maxsize=KEPT)
def core_of(network: Network, legs: tuple[Ride, ...]) -> Core:
    """The nodes with changes, and those of passes with their other names."""
    every = nodes_of(network)
    on_pass = {
        every.at[network.lines[leg.line].system, station]
        for leg in legs
        for station in leg.stations
    }
    twins = {twin for node in on_pass for twin in every.twins[node]}
    origins, goals = every.changes
    nodes = np.union1d(np.union1d(origins, goals), np.array(sorted(on_pass | twins), np.int64))
    id_of = {node: i for i, node in enumerate(nodes.tolist())}
    systems = {
        system: slice(*np.searchsorted(nodes, (part.start, part.stop)).tolist())
        for system, part in every.systems.items()
    }
    changes = Changes(np.searchsorted(nodes, origins), np.searchsorted(nodes, goals))
    return Core(every, nodes, id_of, systems, changes)


def _dense(core: Core, of_systems: Mapping[str, Costs], elsewhere: int) -> Costs:
    found = np.full((len(core.nodes), len(core.nodes)), elsewhere, np.int32)
    for system, matrix in of_systems.items():
        part, own = core.systems[system], core.positions[system]
        found[part, part] = matrix[np.ix_(own, own)]
    return found


def _extended(
    core: Core, inner: Costs, ends: Sequence[int], of_systems: Mapping[str, Costs], elsewhere: int
) -> Matrix:
    size = len(core.nodes)
    columns = np.full((size, len(ends)), elsewhere, np.int32)
    rows = np.full((len(ends), size + len(ends)), elsewhere, np.int32)
    owners = [core.all.owner[node] for node in ends]
    for i, (end, system) in enumerate(zip(ends, owners, strict=True)):
        matrix = of_systems.get(system)
        if matrix is None:
            continue
        part, own = core.systems[system], core.positions[system]
        start = core.all.systems[system].start
        columns[part, i] = matrix[own, end - start]
        rows[i, part] = matrix[end - start, own]
        for j, other in enumerate(ends):
            if owners[j] == system:
                rows[i, size + j] = matrix[end - start, other - start]
    return Matrix(inner, columns, rows)


def _off(core: Core, discounts: Mapping[str, tuple[str, int]]) -> Costs:
    off = np.zeros(len(core.nodes), np.int32)
    for system, (_, yen) in discounts.items():
        off[core.systems[system]] = yen
    return off


def _bound(core: Core, hops: Costs, legs: Iterable[Ride]) -> Costs:
    """What a ride costs at least from place to place: changes and passes cost nothing.

    A discount is taken off half of each of the two fares, which is more than is ever given.
    """
    places, numbers = core.places
    order = np.argsort(places, kind="stable")
    firsts = np.searchsorted(places[order], np.arange(len(numbers)))
    by_row = np.minimum.reduceat(hops[order], firsts, axis=0)
    bound: Costs = np.minimum.reduceat(by_row[:, order], firsts, axis=1)
    bound[places[core.changes.origins], places[core.changes.goals]] = 0
    network = core.all.network
    for leg in legs:
        on_leg = np.searchsorted(numbers, [network.place_of[one] for one in leg.stations])
        bound[np.ix_(on_leg, on_leg)] = 0
    np.fill_diagonal(bound, 0)
    for via in range(len(bound)):
        np.minimum(bound, bound[:, via, None] + bound[via], out=bound)
    return bound


def arrivals(cost: Costs, changes: Changes) -> Costs:
    """The least cost at every id after one of the changes."""
    there = np.full(len(cost), NEVER, np.int32)
    if len(changes.goals):
        least = np.minimum.reduceat(cost[changes.origins], changes.firsts)
        there[changes.reached] = least + STEP
    return there
