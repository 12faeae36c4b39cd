"""What a closed month takes R92-R95."""

from datetime import date

import pytest

from commuter_service.rules.month_closing import (
    MonthClosed,
    MonthNotOver,
    MonthStateUnchanged,
    ReopeningReasonMissing,
    check_closing,
    check_month,
    check_reopening,
    last_day_of,
    month_of,
)
from commuter_service.rules.slip_approval import (
    CommentMissing,
    SlipActor,
    SlipState,
    SlipStatus,
    SlipStep,
    SlipStepNotPossible,
    step_slip,
)

JULY = date(2026, 7, 1)
S, T = SlipStatus, SlipStep
TAKEN = [
    # status, step, taken by a closed month
    (S.DRAFT, T.SUBMIT, False),
    (S.REMANDED, T.SUBMIT, False),
    (S.PENDING, T.APPROVE, False),
    (S.APPROVED, T.EDIT, False),
    (S.APPROVED, T.REJECT, False),
    (S.SETTLED, T.UNSETTLE, False),
    (S.APPROVED, T.SETTLE, True),  # payment follows the closing
    (S.PENDING, T.EDIT, True),
    (S.PENDING, T.REMAND, True),
    (S.PENDING, T.WITHDRAW, True),
    (S.DRAFT, T.EDIT, True),
    (S.DRAFT, T.DELETE, True),
    (S.SETTLED, T.COPY, True),
]


@pytest.mark.rule("R94", "R92")
@pytest.mark.parametrize(("status", "step", "taken"), TAKEN)
def test_what_a_closed_month_takes(status: SlipStatus, step: SlipStep, taken: bool) -> None:
    def check(closed: set[date]) -> None:
        check_month(step, status, [date(2026, 6, 30), date(2026, 7, 31), None], closed)

    check(set())
    check({date(2026, 8, 1), date(2025, 7, 1)})
    if taken:
        check({JULY})
    else:
        with pytest.raises(MonthClosed, match="2026年7月は締め済み"):
            check({JULY})


@pytest.mark.rule("R94")
@pytest.mark.parametrize(
    ("day", "taken"),
    [
        (date(2026, 6, 30), True),
        (date(2026, 7, 1), False),
        (date(2026, 7, 31), False),
        (date(2026, 8, 1), True),
    ],
)
def test_the_days_of_a_closed_month(day: date, taken: bool) -> None:
    if taken:
        check_month(T.SUBMIT, S.DRAFT, [day], {JULY})
    else:
        with pytest.raises(MonthClosed):
            check_month(T.SUBMIT, S.DRAFT, [day], {JULY})
    assert month_of(day) <= day <= last_day_of(month_of(day))


@pytest.mark.rule("R93")
def test_a_month_is_closed_when_it_is_over_and_once() -> None:
    with pytest.raises(MonthNotOver):
        check_closing(JULY, closed=False, today=date(2026, 7, 31))
    check_closing(JULY, closed=False, today=date(2026, 8, 1))
    with pytest.raises(MonthStateUnchanged):
        check_closing(JULY, closed=True, today=date(2026, 8, 1))


@pytest.mark.rule("R95")
def test_a_reopening_says_why() -> None:
    check_reopening(JULY, "領収書が届いたため", closed=True)
    with pytest.raises(ReopeningReasonMissing):
        check_reopening(JULY, "　", closed=True)
    with pytest.raises(MonthStateUnchanged):
        check_reopening(JULY, "理由", closed=False)


@pytest.mark.rule("R92")
@pytest.mark.parametrize("status", SlipStatus)
def test_accounting_alone_undoes_a_settlement(status: SlipStatus) -> None:
    state = SlipState(status, ("M100",), 0)
    accounting = SlipActor(accounting=True)
    if status is not S.SETTLED:
        with pytest.raises(SlipStepNotPossible):
            step_slip(state, T.UNSETTLE, accounting, comment="二重")
        return
    assert step_slip(state, T.UNSETTLE, accounting, comment="二重").status is S.APPROVED
    with pytest.raises(CommentMissing):
        step_slip(state, T.UNSETTLE, accounting)
    for other in (SlipActor(is_owner=True), SlipActor(is_next_approver=True)):
        with pytest.raises(SlipStepNotPossible):
            step_slip(state, T.UNSETTLE, other, comment="二重")
