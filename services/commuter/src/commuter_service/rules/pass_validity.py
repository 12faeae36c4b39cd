"""Pass validity: which deduct on a day (R5, R7, R8, R16, R21, R34, R36, R37).

Confirmed ones of the employee alone, valid on the item's day; today plays no part. An item that was
imported from an IC card is never deducted: the card has done it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fare_engine.rules.period import Period


@dataclass(frozen=True, slots=True)
class PassFacts:
    """One version of a pass; `confirmed` versions only have legal effect."""

    pass_id: str
    version: int
    employee_id: str
    period: Period
    confirmed: bool = True

    @property
    def key(self) -> tuple[str, int]:
        """Identity of this version."""
        return self.pass_id, self.version


def valid_passes(
    passes: Iterable[PassFacts], employee_id: str, item_on: date, *, from_ic_card: bool = False
) -> tuple[PassFacts, ...]:
    """The passes to deduct, in the given order; several at once all deduct (R8)."""
    if from_ic_card:
        return ()
    return tuple(
        one
        for one in passes
        if one.confirmed and one.employee_id == employee_id and item_on in one.period
    )
