"""Claim findings: the same trip twice, a roundabout way, a pass paid again.

Findings are hints for the approver; none of them stops a slip.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

ROUNDABOUT_PERCENT = 20
# What a rider would accept to ride cheaper, compared with the fastest way.
MINUTES_MORE = 10
CHANGES_MORE = 1


class ClaimFault(StrEnum):
    """The stable code of a finding."""

    SAME_TRIP_TWICE = "SAME_TRIP_TWICE"
    ROUNDABOUT = "ROUNDABOUT"
    TYPED_ON_PASS = "TYPED_ON_PASS"  # noqa: S105 - a commuter pass


@dataclass(frozen=True, slots=True)
class Claim:
    """One item of an employee: `route` of a looked-up ride, `words` of a typed one; yen claimed."""

    item_id: str
    slip_id: str
    on: date | None
    route: str = ""
    words: str = ""
    amount_yen: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """A way to ride: its trains in words, minutes, changes, and yen after the passes."""

    words: str
    minutes: int
    changes: int
    yen: int


@dataclass(frozen=True, slots=True)
class ClaimFinding:
    """A fault of one item, with a sentence."""

    item_id: str
    fault: ClaimFault
    words: str


def same_trips(claims: Sequence[Claim], others: Iterable[Claim]) -> Iterator[ClaimFinding]:
    """Claims whose ride, on the same day in the same direction, stands a second time.

    `others` are the same employee's items, on whatever slip; a claim is not its own copy.
    """
    known = [*others]
    for claim in claims:
        if claim.on is None or not claim.route:
            continue
        twins = [
            one
            for one in known
            if one.item_id != claim.item_id and (one.on, one.route) == (claim.on, claim.route)
        ]
        if twins:
            words = f"{claim.on:%Y/%m/%d}の同じ経路が{len(twins) + 1}件請求されています"
            yield ClaimFinding(claim.item_id, ClaimFault.SAME_TRIP_TWICE, words)


def roundabout(
    claim: Claim, ridden: Way, others: Iterable[Way], *, percent: int = ROUNDABOUT_PERCENT
) -> ClaimFinding | None:
    """A ride that costs more than a reasonable way by more than a given percentage.

    Reasonable is a way that takes little longer than the fastest and needs one change more at most.
    The fastest way and the one with the fewest changes are never roundabout.
    """
    ways = [ridden, *others]
    fastest = min(ways, key=lambda way: (way.minutes, way.changes))
    if ridden.minutes == fastest.minutes or ridden.changes == min(way.changes for way in ways):
        return None
    reasonable = [
        way
        for way in ways
        if way.minutes <= fastest.minutes + MINUTES_MORE
        and way.changes <= fastest.changes + CHANGES_MORE
    ]
    cheapest = min(reasonable, key=lambda way: (way.yen, way.minutes))
    if ridden.yen * 100 <= cheapest.yen * (100 + percent):
        return None
    words = (
        f"{cheapest.words}なら{cheapest.yen:,}円({cheapest.minutes}分、乗換{cheapest.changes}回)です。"
        f"申請の経路は{ridden.yen - cheapest.yen:,}円高く、{ridden.minutes}分、"
        f"乗換{ridden.changes}回です"
    )
    return ClaimFinding(claim.item_id, ClaimFault.ROUNDABOUT, words)


def typed_amount_on_pass(claim: Claim, sections: Iterable[tuple[str, str]]) -> ClaimFinding | None:
    """A typed claim that names both ends of a pass valid on its day; `sections` are those ends."""
    if claim.route or not claim.words or claim.amount_yen == 0:
        return None
    for start, end in sections:
        if start in claim.words and end in claim.words:
            words = f"定期区間({start}―{end})と同じ区間が手入力で請求されています"
            return ClaimFinding(claim.item_id, ClaimFault.TYPED_ON_PASS, words)
    return None
