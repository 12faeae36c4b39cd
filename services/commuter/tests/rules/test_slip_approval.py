"""The life of a slip, and who moves it R23, R58-R60."""

from itertools import product

import pytest

from commuter_service.rules.slip_approval import (
    AmountChangeNotAllowed,
    CommentMissing,
    FlowChanged,
    NoApprover,
    SlipActor,
    SlipRightMissing,
    SlipState,
    SlipStatus,
    SlipStep,
    SlipStepNotPossible,
    approval_chain,
    check_total,
    refusal_of,
    step_slip,
)

S, T = SlipStatus, SlipStep
CHAIN = ("M", "H")
OWNER = SlipActor(is_owner=True)
APPROVER = SlipActor(is_next_approver=True)
EDITOR = SlipActor(is_next_approver=True, edit_at_approval=True)
ACCOUNTING = SlipActor(accounting=True)
CORRECTOR = SlipActor(accounting=True, edit_after_approval=True)
ACTORS = {"owner": OWNER, "approver": APPROVER, "editor": EDITOR, "accounting": ACCOUNTING,
          "corrector": CORRECTOR, "nobody": SlipActor()}  # fmt: skip
HOME = (S.DRAFT, S.REMANDED, S.WITHDRAWN)
# Everything that is possible; all else is refused.
POSSIBLE = {
    *((status, step, "owner") for status in HOME for step in (T.EDIT, T.DELETE, T.SUBMIT)),
    *((status, T.COPY, "owner") for status in S),
    (S.PENDING, T.WITHDRAW, "owner"),
    *((S.PENDING, step, who) for step in (T.APPROVE, T.REMAND) for who in ("approver", "editor")),
    (S.PENDING, T.EDIT, "editor"),
    *((S.APPROVED, step, who) for step in (T.REJECT, T.SETTLE)
      for who in ("accounting", "corrector")),
    *((S.SETTLED, T.UNSETTLE, who) for who in ("accounting", "corrector")),
    (S.APPROVED, T.EDIT, "corrector"),
}  # fmt: skip


def state(status: SlipStatus, step: int = 0) -> SlipState:
    return SlipState(status, CHAIN, step)


@pytest.mark.rule("R23", "R58", "R59")
@pytest.mark.parametrize("who", ACTORS)
def test_everybody_tries_everything_everywhere(who: str) -> None:
    for status, step in product(S, T):
        refusal = refusal_of(state(status), step, ACTORS[who], approvers=CHAIN)
        assert (refusal is None) is ((status, step, who) in POSSIBLE), (status, step)


@pytest.mark.rule("R23")
def test_one_or_two_approvals_are_needed() -> None:
    sent = step_slip(state(S.DRAFT), T.SUBMIT, OWNER, approvers=CHAIN)
    assert sent == SlipState(S.PENDING, CHAIN, 0)
    first = step_slip(sent, T.APPROVE, APPROVER)
    assert first == SlipState(S.PENDING, CHAIN, 1)
    assert step_slip(first, T.APPROVE, APPROVER).status is S.APPROVED
    alone = step_slip(state(S.DRAFT), T.SUBMIT, OWNER, approvers=("H",))
    assert step_slip(alone, T.APPROVE, APPROVER).status is S.APPROVED


@pytest.mark.rule("R23")
def test_nobody_approves_an_own_slip() -> None:
    assert approval_chain(["M", "H"], "E") == ("M", "H")
    assert approval_chain(["M", "H"], "M") == ("H",)
    for approvers in ([], ["M"]):
        with pytest.raises(NoApprover):
            approval_chain(approvers, "M")


@pytest.mark.rule("R58")
def test_a_remanded_slip_begins_again_with_the_chain_of_then() -> None:
    second = SlipState(S.PENDING, CHAIN, 1)
    remanded = step_slip(second, T.REMAND, APPROVER, comment="日付")
    assert remanded.status is S.REMANDED
    assert step_slip(remanded, T.SUBMIT, OWNER, approvers=("H",)) == SlipState(S.PENDING, ("H",), 0)
    with pytest.raises(CommentMissing):
        step_slip(second, T.REMAND, APPROVER, comment=" ")


@pytest.mark.rule("R59", "R60")
def test_edits_at_and_after_approval_take_their_rights() -> None:
    for status, actor in ((S.PENDING, APPROVER), (S.APPROVED, ACCOUNTING)):
        with pytest.raises(SlipRightMissing):
            step_slip(state(status), T.EDIT, actor, approvers=CHAIN)
    with pytest.raises(SlipStepNotPossible):
        step_slip(state(S.SETTLED), T.EDIT, CORRECTOR, approvers=CHAIN)
    for changed in (("M",), ("H", "M"), ()):
        with pytest.raises(FlowChanged):
            step_slip(state(S.PENDING), T.EDIT, EDITOR, approvers=changed)


@pytest.mark.rule("R60")
def test_the_total_stays_where_the_company_says_so() -> None:
    check_total(1000, 1000, change_allowed=False)
    check_total(1000, 999, change_allowed=True)
    for after in (999, 1001):
        with pytest.raises(AmountChangeNotAllowed):
            check_total(1000, after, change_allowed=False)
