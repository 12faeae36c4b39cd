"""Pass retention: when an ended pass is deleted; it deducts until then (R11-R18, R65).

A pass with an end is deleted a set number of days after it: on day end + N it is gone, the day
before it still counts (the manual leaves the boundary open; this is our reading). A pass without an
end stays for ever. What a slip deducted before stays deducted (R17); only a new look-up misses it.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import IntEnum
from typing import ClassVar

from commuter_service.rules.pass_validity import PassFacts
from fare_engine.rules.period import Period
from shared.errors import Refusal


class Retention(IntEnum):
    """Days that an ended pass is kept; the company chooses one."""

    DAYS_40 = 40
    DAYS_60 = 60
    DAYS_90 = 90
    DAYS_180 = 180


USUAL_RETENTION = Retention.DAYS_90


class RetentionNotOffered(Refusal):
    """The number of days is none of the four."""

    code: ClassVar[str] = "RETENTION_NOT_OFFERED"


def retention(days: int) -> Retention:
    """Read a company's choice; RetentionNotOffered."""
    try:
        return Retention(days)
    except ValueError:
        raise RetentionNotOffered(
            "終了した定期区間の削除は40日・60日・90日・180日から選択してください"
        ) from None


def deleted_on(period: Period, kept: Retention) -> date | None:
    """First day on which the pass is gone; None: never."""
    return None if period.ends_on is None else period.ends_on + timedelta(days=kept)


def is_available(period: Period, kept: Retention, *, today: date) -> bool:
    """Whether a look-up of today still finds the pass."""
    gone = deleted_on(period, kept)
    return gone is None or today < gone


def due_for_purge(
    passes: Iterable[PassFacts], kept: Retention, *, today: date
) -> tuple[PassFacts, ...]:
    """The passes to delete now. Run twice, the second time finds nothing (R18)."""
    return tuple(one for one in passes if not is_available(one.period, kept, today=today))
