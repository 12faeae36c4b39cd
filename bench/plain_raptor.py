"""RAPTOR written plainly in Python, as a peer of our search by rounds.

Delling, Pajor, Werneck: Round-Based Public Transit Routing (2012), over the same services. Without
a timetable a train comes after the usual wait. Tenths of a minute; the wait for the first train is
included.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fare_engine.network.network import SAME_PLACE_MINUTES, Network
from fare_engine.network.services import TrainRide, patterns_of

MOST_TRAINS = 5
FAR = 10**6


@dataclass(frozen=True, slots=True)
class PlainJourney:
    """The quickest journey with its number of trains."""

    time: int
    rides: tuple[TrainRide, ...]

    @property
    def minutes10(self) -> int:
        """Without the wait for the first train."""
        return self.time - self.rides[0].wait


class PlainRaptor:
    """The services of a network by the stations where they are boarded."""

    def __init__(self, network: Network) -> None:
        self.patterns = patterns_of(network)
        self.boardings: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, pattern in enumerate(self.patterns):
            for position, hop in enumerate(pattern.hops):
                self.boardings[hop.start].append((number, position))
        self.changes = [
            [
                (station, SAME_PLACE_MINUTES * 10),
                *[(other, max(10 * walk, 1)) for other, walk in others.items()],
            ]
            for station, others in enumerate(network.interchanges)
        ]

    def journeys(self, starts: Sequence[int], ends: Sequence[int]) -> list[PlainJourney]:
        """The journeys of which none is slower than one with fewer trains."""
        ready = dict.fromkeys(starts, 0)
        came: list[dict[int, tuple[int, TrainRide]]] = []
        walked: list[dict[int, int]] = [{start: start for start in starts}]
        best = dict.fromkeys(starts, 0)
        found: list[PlainJourney] = []
        target = FAR
        while ready and len(came) < MOST_TRAINS:
            came.append(self._ridden(ready, best, target))
            reached = [(came[-1][end][0], end) for end in ends if end in came[-1]]
            if reached:
                target, end = min(reached)
                found.append(PlainJourney(target, self._rides(came, walked, end)))
            ready, before = self._changed(came[-1])
            walked.append(before)
        return found

    def _ridden(
        self, ready: dict[int, int], best: dict[int, int], target: int
    ) -> dict[int, tuple[int, TrainRide]]:
        """Where one more train leads sooner than before, and by which ride."""
        queue: dict[int, int] = {}
        for station in ready:
            for number, position in self.boardings[station]:
                queue[number] = min(queue.get(number, FAR), position)
        came: dict[int, tuple[int, TrainRide]] = {}
        for number, first in queue.items():
            pattern = self.patterns[number]
            minutes, boarded, board = pattern.minutes10, FAR, first
            for position in range(first, len(pattern.hops)):
                hop = pattern.hops[position]
                here = ready.get(hop.start)
                if here is not None:
                    fresh = here + pattern.waits[position] - minutes[position]
                    if fresh < boarded:
                        boarded, board = fresh, position
                time = boarded + minutes[position + 1]
                if time < best.get(hop.end, FAR) and time < target:
                    best[hop.end] = time
                    came[hop.end] = time, TrainRide(pattern, board, position + 1)
        return came

    def _changed(
        self, came: dict[int, tuple[int, TrainRide]]
    ) -> tuple[dict[int, int], dict[int, int]]:
        ready: dict[int, int] = {}
        before: dict[int, int] = {}
        for station, (time, _) in came.items():
            for other, walk in self.changes[station]:
                if time + walk < ready.get(other, FAR):
                    ready[other], before[other] = time + walk, station
        return ready, before

    def _rides(
        self,
        came: Sequence[dict[int, tuple[int, TrainRide]]],
        walked: Sequence[dict[int, int]],
        end: int,
    ) -> tuple[TrainRide, ...]:
        rides = []
        for arrivals, before in zip(reversed(came), reversed(walked[: len(came)]), strict=True):
            ride = arrivals[end][1]
            rides.append(ride)
            end = before[ride.start]
        return tuple(reversed(rides))
