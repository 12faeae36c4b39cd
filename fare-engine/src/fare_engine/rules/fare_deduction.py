"""How much of one through fare is left to pay when parts of the ride lie on a pass (F1-F7, F21)?

A run is the part of a ride that one operator charges as one fare: positions 0..n along it, an edge
between neighbours. A pass covers stretches of it. The traveller pays the cheapest of the through
fare and of every way to pay only parts of the run, where two paid parts must be separated by a
covered stretch that is really ridden on the pass: two tickets side by side would be a split fare,
which cannot be claimed (F13).

Paid parts begin and end at the ends of the run or of a pass's stretch, never in the middle of one:
a fare between two stations inside the pass is nobody's outside part (F12). More passes only add
choices, so one more pass never raises the charge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Stretch = tuple[int, int]
FareBetween = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class PaidParts:
    """One way to pay a run: the parts that are paid (positions from, to), in riding order."""

    parts: tuple[Stretch, ...]
    yen: int


def cheapest_payment(length: int, stretches: Sequence[Stretch], fare: FareBetween) -> PaidParts:
    """Price a run of `length` edges.

    `stretches` are the maximal stretches that each pass covers by itself, as positions; they may
    touch and overlap. `fare(i, j)` is the tariff fare in yen between two positions, symmetric.
    The through fare wins a tie, then fewer paid parts.
    """
    through = PaidParts(((0, length),), fare(0, length))
    if not stretches:
        return through
    if len(stretches) == 1:
        outside = _outside(length, stretches[0], fare)
    else:
        outside = _best_chain(length, stretches, fare)
    return outside if outside.yen < through.yen else through


def merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Join touching and overlapping stretches: what all passes together cover."""
    union: list[Stretch] = []
    for start, end in sorted(stretches):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def covered_stretches(covered: Sequence[bool]) -> list[Stretch]:
    """Maximal stretches of one pass, from the flags "this edge is on the pass"."""
    stretches: list[Stretch] = []
    start: int | None = None
    for position, flag in enumerate(covered):
        if flag and start is None:
            start = position
        elif not flag and start is not None:
            stretches.append((start, position))
            start = None
    if start is not None:
        stretches.append((start, len(covered)))
    return stretches


def outside_parts(length: int, used: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The parts of a run outside the given disjoint stretches, in riding order."""
    parts = []
    position = 0
    for start, end in used:
        if position < start:
            parts.append((position, start))
        position = end
    if position < length:
        parts.append((position, length))
    return tuple(parts)


def _preference(payment: PaidParts) -> tuple[int, int]:
    return payment.yen, len(payment.parts)


def _outside(length: int, stretch: Stretch, fare: FareBetween) -> PaidParts:
    parts = outside_parts(length, [stretch])
    return PaidParts(parts, sum(fare(i, j) for i, j in parts))


def _best_chain(length: int, stretches: Sequence[Stretch], fare: FareBetween) -> PaidParts:
    """Cheapest chain over the pass ends; `free[k]`/`paid[k]`: how point k was reached last."""
    union = merged(stretches)
    points = sorted({0, length, *(end for stretch in stretches for end in stretch)})
    free: list[PaidParts | None] = [None] * len(points)
    paid: list[PaidParts | None] = [None] * len(points)
    free[0] = PaidParts((), 0)
    for k in range(1, len(points)):
        here, before = points[k], points[k - 1]
        if any(start <= before and here <= end for start, end in union):
            free[k] = _cheaper(free[k - 1], paid[k - 1])
        for i in range(k):
            origin = free[i]
            if origin is not None:
                part = (points[i], here)
                way = PaidParts((*origin.parts, part), origin.yen + fare(*part))
                paid[k] = _cheaper(paid[k], way)
    best = _cheaper(free[-1], paid[-1])
    assert best is not None  # 0..length in one piece is always a way
    return best


def _cheaper(one: PaidParts | None, other: PaidParts | None) -> PaidParts | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=_preference)
