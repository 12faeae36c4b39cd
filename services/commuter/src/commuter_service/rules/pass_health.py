"""Pass health: passes whose route is gone, that end soon or wait for long (R39)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from fare_engine.rules.period import Period

EXPIRING_DAYS = 30
UNCONFIRMED_DAYS = 7


class PassProblem(StrEnum):
    """What is the matter; the value is the stable code."""

    ROUTE_GONE = "ROUTE_GONE"
    EXPIRING = "EXPIRING"
    UNCONFIRMED = "UNCONFIRMED"


@dataclass(frozen=True, slots=True)
class PassCondition:
    """What is known of a pass: its period in force, its application, and why it is unreadable."""

    period: Period | None
    applied_on: date | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble, in a sentence that says what to do."""

    trouble: PassProblem
    words: str


def problems_of(
    condition: PassCondition,
    *,
    today: date,
    expiring_days: int = EXPIRING_DAYS,
    unconfirmed_days: int = UNCONFIRMED_DAYS,
) -> Iterator[Finding]:
    """What is the matter with a pass today; its last day within the given days is "soon"."""
    if condition.unreadable:
        words = f"{condition.unreadable} 定期区間を再登録してください。"
        yield Finding(PassProblem.ROUTE_GONE, words)
    end = condition.period.ends_on if condition.period else None
    if end is not None and today <= end <= today + timedelta(days=expiring_days):
        words = f"{end:%Y/%m/%d}に終了します。続けて使う場合は新しい定期区間を登録してください。"
        yield Finding(PassProblem.EXPIRING, words)
    applied = condition.applied_on
    if applied is not None and (today - applied).days > unconfirmed_days:
        words = f"{applied:%Y/%m/%d}の申請が未確定です。確定または差戻しをしてください。"
        yield Finding(PassProblem.UNCONFIRMED, words)
