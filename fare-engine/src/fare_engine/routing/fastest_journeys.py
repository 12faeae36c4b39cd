"""Fastest journeys, in rounds of one train each: the least time with one train, two, … five.

RAPTOR without departure times, over arrays. A round boards at every stop at once, after half a
headway, and takes over each stop from the stops before it; only of the patterns that serve a
station where one is ready, as long as these stations are few. All times are tenths of a minute and
include the wait for the first train, so that a rare train is not preferred for a minute.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fare_engine.network.network import SAME_PLACE_MINUTES, Network
from fare_engine.network.services import TrainRide, patterns_of

MOST_TRAINS = 5
KEPT = 64  # sets of operators to avoid whose arrays are kept
FAR = 100_000  # tenths of a minute
APART = 2 * FAR  # keeps the stops of one pattern from those of the next
CHANGE = SAME_PLACE_MINUTES * 10
FEW = 30  # stations: up to this number, the patterns that serve them are picked out

Times = NDArray[np.int32]
Flags = NDArray[np.bool_]
ValueT = TypeVar("ValueT", bound=np.generic)
Rows = NDArray[np.int64] | slice


@dataclass(frozen=True, slots=True)
class _Round:
    """Times after a train: ready to board before it, at each stop row, at each station."""

    ready: Times
    at_rows: Times
    at_stations: Times


@dataclass(frozen=True, slots=True)
class _Apart:
    """Rows that no train reaches from the row before, and the times that keep them apart.

    What boarding at a row takes, and what riding to it adds.
    """

    broken: Flags
    boarding: Times
    riding: Times


class Rounds:
    """The services of one network as arrays: a row for every stop of every pattern."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.patterns = patterns_of(network)
        nowhere = len(network.stations)
        first: list[int] = []
        board: list[int] = []
        alight: list[int] = []
        time: list[int] = []
        wait: list[int] = []
        operator: list[int] = []
        runs: list[int] = []
        names = {name: i for i, name in enumerate(network.operators)}
        for pattern in self.patterns:
            first += [len(board)] * len(pattern.minutes10)
            board += [*(hop.start for hop in pattern.hops), nowhere]
            alight += [nowhere, *(hop.end for hop in pattern.hops)]
            time += pattern.minutes10
            wait += [*pattern.waits, 0]
            operator += [-1, *(names[hop.operator] for hop in pattern.hops)]
            runs += [pattern.runs] * len(pattern.minutes10)
        self._pattern_of = np.repeat(
            np.arange(len(self.patterns)), [len(one.minutes10) for one in self.patterns]
        )
        self._first, self._board, self._alight = (np.array(of) for of in (first, board, alight))
        self._time, self._runs = np.array(time, np.int32), np.array(runs)
        self._boarding = np.array(wait, np.int32) - self._time
        self._operator = np.array(operator)
        self._serves = np.zeros((nowhere + 1, len(self.patterns)), bool)
        self._serves[self._board, self._pattern_of] = True
        self._known: dict[frozenset[str], _Apart] = {}
        self._operators = names
        self._by_station = np.argsort(self._alight, kind="stable")
        self._stops, self._starts = np.unique(self._alight[self._by_station], return_index=True)
        self._ends = np.append(self._starts[1:], len(board))
        self._row_of_stop = {int(stop): i for i, stop in enumerate(self._stops)}
        self._add_changes()

    def _add_changes(self) -> None:
        """Walks between stations; at the station itself a change takes `CHANGE`."""
        arcs = [
            (station, other, max(10 * minutes, 1))
            for station, others in enumerate(self.network.interchanges)
            for other, minutes in others.items()
        ]
        arcs.sort(key=lambda arc: arc[1])
        self._from, to, walk = np.array(arcs, np.int64).reshape(-1, 3).T
        self._walk = walk.astype(np.int32)
        self._to, self._to_starts = np.unique(to, return_index=True)
        self._to_ends = np.append(self._to_starts[1:], len(arcs))

    def search(
        self,
        starts: Sequence[int],
        avoid: frozenset[str] = frozenset(),
        *,
        ends: Sequence[int] = (),
        shut: Sequence[int] = (),
        walks: bool = False,
    ) -> "Journeys":
        """All journeys from a place, not with operators to avoid and not to stations that are shut.

        `ends`: only journeys to these are asked for. `walks`: also from the stations that it is a
        walk to.
        """
        apart = self._apart(avoid)
        goals = np.array(ends, np.int64)
        ready = np.full(len(self.network.stations) + 1, FAR, np.int32)
        ready[list(starts)] = 0
        if walks:
            ready = np.minimum(ready, self._changed(ready))
        best = ready.copy()
        best[[*shut, -1]] = 0
        rounds: list[_Round] = []
        while len(rounds) < MOST_TRAINS and ready.min() < FAR:
            rows = self._rows_from(ready)
            at = self._ridden(ready, apart, rows)
            alight = self._alight[rows]
            # Nobody comes back to where they were sooner, nor rides on when the goal was reached.
            sooner = (at < _taken(best, alight)).nonzero()[0]
            stations = np.full(len(ready), FAR, np.int32)
            np.minimum.at(stations, alight[sooner], at[sooner])
            rounds.append(_Round(ready, self._at_all_rows(at, rows), stations))
            best = np.minimum(best, stations)
            best = np.minimum(best, best[goals].min(initial=FAR))
            ready = self._changed(stations)
        return Journeys(self, apart.broken, rounds)

    def _rows_from(self, ready: Times) -> Rows:
        """The rows of the patterns that can be boarded; all of them where that is quicker."""
        stations = (ready < FAR).nonzero()[0]
        if len(stations) > FEW:
            return slice(None)
        serving: Flags = np.logical_or.reduce(self._serves[stations], axis=0)
        return _taken(serving, self._pattern_of).nonzero()[0]

    def _ridden(self, ready: Times, apart: "_Apart", rows: Rows) -> Times:
        """The earliest time at some patterns' rows, after boarding at one of those before it."""
        boarded = _taken(ready, self._board[rows])
        boarded += apart.boarding[rows]
        riding = apart.riding[rows]
        np.minimum.accumulate(boarded, out=boarded)
        at: Times = np.empty_like(boarded)
        at[:1] = FAR
        np.add(boarded[:-1], riding[1:], out=at[1:])
        np.minimum(at, FAR, out=at)
        return at

    def _at_all_rows(self, at: Times, rows: Rows) -> Times:
        if isinstance(rows, slice):
            return at
        at_rows = np.full(len(self._board), FAR, np.int32)
        at_rows[rows] = at
        return at_rows

    def _changed(self, times: Times) -> Times:
        """When one is ready to board, by station, after getting off."""
        ready: Times = times + CHANGE
        walked = _taken(times, self._from)
        walked += self._walk
        if len(walked):
            ready[self._to] = np.minimum(
                ready[self._to], np.minimum.reduceat(walked, self._to_starts)
            )
        np.minimum(ready, FAR, out=ready)
        return ready

    def _apart(self, avoid: frozenset[str]) -> "_Apart":
        """Rows that are not reached from the row before, and what keeps them apart.

        These are the first stops of patterns, and behind the hops of avoided operators.
        """
        if avoid not in self._known:
            shut = np.zeros(len(self._operators) + 1, bool)
            shut[[-1, *(self._operators[name] for name in avoid if name in self._operators)]] = True
            broken = shut[self._operator]
            apart = (np.cumsum(broken) * APART).astype(np.int32)
            while len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[avoid] = _Apart(broken, self._boarding - apart, self._time + apart)
        return self._known[avoid]

    def rides_to(self, journeys: "Journeys", station: int, trains: int) -> list[TrainRide]:
        """The rides of the best journey to a station with the given number of trains."""
        rides: list[TrainRide] = []
        for number in range(trains - 1, -1, -1):
            step = journeys.rounds[number]
            row, board = self._boarded(step, journeys.broken, station)
            pattern = self.patterns[self._pattern_of[row]]
            first = int(self._first[row])
            rides.append(TrainRide(pattern, board - first, row - first))
            station = int(self._board[board])
            if number:
                station = self._came_from(journeys.rounds[number - 1], station, step.ready)
        return rides[::-1]

    def _boarded(self, step: _Round, broken: Flags, station: int) -> tuple[int, int]:
        """The row of arrival and the row of boarding; the train that runs most often."""
        group = self._row_of_stop[station]
        rows = self._by_station[self._starts[group] : self._ends[group]]
        best = rows[step.at_rows[rows] == step.at_stations[station]]
        row = int(best[np.argmax(self._runs[best])])
        first = row - 1
        while not broken[first]:
            first -= 1
        earlier = np.arange(first, row)
        cost = step.ready[self._board[earlier]] + self._boarding[earlier] + self._time[row]
        return row, first + int(np.argmin(cost))

    def _came_from(self, before: _Round, station: int, ready: Times) -> int:
        """The station where the train before was left, to be ready at this one."""
        if before.at_stations[station] + CHANGE == ready[station]:
            return station
        group = int(np.searchsorted(self._to, station))
        arcs = slice(self._to_starts[group], self._to_ends[group])
        costs = before.at_stations[self._from[arcs]] + self._walk[arcs]
        assert costs.min() == ready[station]
        return int(self._from[arcs][np.argmin(costs)])


@dataclass(frozen=True, slots=True)
class Journeys:
    """What one search found: the best journey to every station, by the number of trains."""

    of: Rounds
    broken: Flags
    rounds: Sequence[_Round]

    def times(self, ends: Sequence[int]) -> list[int]:
        """Tenths of a minute to a place with one train, with two ...; FAR where none leads."""
        return [int(one.at_stations[list(ends)].min()) for one in self.rounds]

    def ways(self, ends: Sequence[int]) -> Iterator[list[TrainRide]]:
        """Those journeys to a place of which none with fewer trains is as quick."""
        quickest = FAR
        for trains, time in enumerate(self.times(ends), start=1):
            if time < quickest:
                quickest = time
                at = self.rounds[trains - 1].at_stations
                yield self.of.rides_to(self, min(ends, key=lambda end: int(at[end])), trains)


def _taken(values: NDArray[ValueT], at: NDArray[np.int64]) -> NDArray[ValueT]:
    """The values at positions that are known to exist: three times as fast as by brackets."""
    return values.take(at, mode="clip")


@cache
def rounds_of(network: Network) -> Rounds:
    """The arrays of a network; built once."""
    return Rounds(network)
