"""What looks wrong with a claim? The same trip twice, a roundabout way, a pass paid again.

Findings are hints for the approver; none of them stops a slip.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

ROUNDABOUT_PERCENT = 20


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
    claim: Claim, cheapest_yen: int, *, percent: int = ROUNDABOUT_PERCENT
) -> ClaimFinding | None:
    """A ride that costs more than the cheapest way by more than a given percentage."""
    if claim.amount_yen * 100 <= cheapest_yen * (100 + percent):
        return None
    more = claim.amount_yen - cheapest_yen
    words = f"最も安い経路({cheapest_yen:,}円)より{more:,}円高い経路です"
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
