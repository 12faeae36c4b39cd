"""What does a closed month still take (R93-R95)?

A month is closed when it is over. It then takes no new expense: what has an item dated in it is
neither submitted nor approved, and what was approved is neither edited, rejected nor taken back out
of its settlement. Paying what was approved before remains possible, since payment follows the
closing and adds nothing to the month; so do remand, withdrawal and drafts. A person who has
something to add asks accounting to reopen the month, with a reason that stays in the trail.
"""

import calendar
from collections.abc import Collection, Iterable
from datetime import date
from typing import ClassVar

from commuter_service.rules.slip_approval import SlipStatus, SlipStep
from shared.errors import Kind, Refusal

CHANGING = frozenset({SlipStep.SUBMIT, SlipStep.APPROVE, SlipStep.REJECT, SlipStep.UNSETTLE})
"""Steps that would change what a month costs; an edit does after the final approval."""


class MonthClosed(Refusal):
    """The slip has an item dated in a closed month."""

    code: ClassVar[str] = "MONTH_CLOSED"
    kind: ClassVar[Kind] = Kind.CONFLICT


class MonthNotOver(Refusal):
    """A month is closed from the first day after it."""

    code: ClassVar[str] = "MONTH_NOT_OVER"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "まだ終わっていない月は締められません"


class MonthStateUnchanged(Refusal):
    """The month is closed already, or open already."""

    code: ClassVar[str] = "MONTH_STATE_UNCHANGED"
    kind: ClassVar[Kind] = Kind.CONFLICT


class ReopeningReasonMissing(Refusal):
    """A reopening says why."""

    code: ClassVar[str] = "REOPENING_REASON_MISSING"
    message = "締めを解除する理由を入力してください"


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def last_day_of(month: date) -> date:
    """The last day of a month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def month_words(month: date) -> str:
    """2026年7月."""
    return f"{month.year}年{month.month}月"


def check_month(
    step: SlipStep, status: SlipStatus, days: Iterable[date | None], closed: Collection[date]
) -> None:
    """Refuse a step that would change a closed month. `days`: of the items, before and after."""
    edits_books = step is SlipStep.EDIT and status is SlipStatus.APPROVED
    if step not in CHANGING and not edits_books:
        return
    shut = sorted({month_of(day) for day in days if day is not None} & set(closed))
    if shut:
        words = "・".join(map(month_words, shut))
        raise MonthClosed(
            f"{words}は締め済みのため、{step.label_ja}できません。経理に締めの解除を依頼してください"
        )


def check_closing(month: date, *, closed: bool, today: date) -> None:
    """Refuse to close a month that is not over, or that is closed."""
    if today <= last_day_of(month):
        raise MonthNotOver
    if closed:
        raise MonthStateUnchanged(f"{month_words(month)}はすでに締められています")


def check_reopening(month: date, reason: str, *, closed: bool) -> None:
    """Refuse to reopen an open month, or without a reason."""
    if not closed:
        raise MonthStateUnchanged(f"{month_words(month)}は締められていません")
    if not reason.strip():
        raise ReopeningReasonMissing
