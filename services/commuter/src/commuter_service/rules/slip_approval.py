"""Slip approval: which steps may follow, and who may take them (R23, R58-R60).

    draft → pending → (next approver …) → approved → settled
    pending → remanded | withdrawn → pending again; approved → rejected

An approval cannot be undone; the next approver remands. A slip that is submitted again takes the
chain of that moment. A settlement made by mistake is undone by accounting with a reason (R92):
settled → approved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from shared.errors import Kind, Refusal


class SlipStatus(StrEnum):
    """Where a slip stands."""

    DRAFT = "draft"
    PENDING = "pending"
    REMANDED = "remanded"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    REJECTED = "rejected"
    SETTLED = "settled"

    @property
    def label_ja(self) -> str:
        """The word on the screen."""
        return STATUS_NAMES[self]


STATUS_NAMES = {
    SlipStatus.DRAFT: "一時保存",
    SlipStatus.PENDING: "承認依頼中",
    SlipStatus.REMANDED: "差戻し",
    SlipStatus.WITHDRAWN: "取下げ",
    SlipStatus.APPROVED: "最終承認完了",
    SlipStatus.REJECTED: "否認",
    SlipStatus.SETTLED: "精算",
}
AT_HOME = frozenset({SlipStatus.DRAFT, SlipStatus.REMANDED, SlipStatus.WITHDRAWN})


class SlipStep(StrEnum):
    """What somebody wants to do with a slip."""

    EDIT = "edit"
    DELETE = "delete"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REMAND = "remand"
    REJECT = "reject"
    SETTLE = "settle"
    UNSETTLE = "unsettle"
    COPY = "copy"

    @property
    def label_ja(self) -> str:
        """The word on the button."""
        return STEP_NAMES[self]


STEP_NAMES = {
    SlipStep.EDIT: "修正",
    SlipStep.DELETE: "削除",
    SlipStep.SUBMIT: "申請",
    SlipStep.WITHDRAW: "取下げ",
    SlipStep.APPROVE: "承認",
    SlipStep.REMAND: "差戻し",
    SlipStep.REJECT: "否認",
    SlipStep.SETTLE: "精算",
    SlipStep.UNSETTLE: "精算の取消",
    SlipStep.COPY: "伝票コピー",
}


class SlipStepNotPossible(Refusal):
    """The step does not follow from the status, or is not this person's."""

    code: ClassVar[str] = "SLIP_STEP_NOT_POSSIBLE"
    kind: ClassVar[Kind] = Kind.CONFLICT


class SlipRightMissing(Refusal):
    """An edit at or after approval takes a right of its own."""

    code: ClassVar[str] = "SLIP_RIGHT_MISSING"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class FlowChanged(Refusal):
    """The company's chain is not the slip's any more: nobody edits at approval."""

    code: ClassVar[str] = "APPROVAL_FLOW_CHANGED"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "承認フローが変更されている為、修正できません"


class AmountChangeNotAllowed(Refusal):
    """The company lets no approver change what is paid."""

    code: ClassVar[str] = "AMOUNT_CHANGE_NOT_ALLOWED"
    message = "申請データ修正時の金額の変更は許可されていません"


class NoApprover(Refusal):
    """The company has nobody who could approve this person's slip."""

    code: ClassVar[str] = "NO_APPROVER"
    message = "承認者が設定されていないため申請できません。管理者に連絡してください"


class CommentMissing(Refusal):
    """A remand, a rejection and the undoing of a settlement say why."""

    code: ClassVar[str] = "COMMENT_MISSING"
    message = "理由を入力してください"


@dataclass(frozen=True, slots=True)
class SlipActor:
    """What somebody is to one slip."""

    is_owner: bool = False
    is_next_approver: bool = False
    accounting: bool = False
    edit_at_approval: bool = False
    edit_after_approval: bool = False


@dataclass(frozen=True, slots=True)
class SlipState:
    """Where a slip stands: its status, its chain, and who of the chain is next."""

    status: SlipStatus
    chain: tuple[str, ...] = ()
    step: int = 0


def approval_chain(
    approvers: Sequence[str], owner: str, entered_by: str | None = None
) -> tuple[str, ...]:
    """The chain of one submission: no one approves a slip of their own, or that they entered.

    Raises NoApprover.
    """
    chain = tuple(one for one in approvers if one not in {owner, entered_by})
    if not chain:
        raise NoApprover
    return chain


def step_slip(
    state: SlipState,
    step: SlipStep,
    actor: SlipActor,
    *,
    approvers: Sequence[str] = (),
    comment: str = "",
) -> SlipState:
    """The state after a step; EDIT, DELETE and COPY leave it. `approvers`: the company's now.

    For SUBMIT they are the chain of this slip (`approval_chain`).
    """
    refusal = refusal_of(state, step, actor, approvers=approvers)
    if refusal is not None:
        raise refusal
    if step in WITH_REASON and not comment.strip():
        raise CommentMissing
    if step is SlipStep.SUBMIT:
        return SlipState(SlipStatus.PENDING, tuple(approvers), 0)
    if step is SlipStep.APPROVE and state.step + 1 < len(state.chain):
        return SlipState(SlipStatus.PENDING, state.chain, state.step + 1)
    after = AFTER.get(step, state.status)
    return SlipState(after, state.chain, state.step)


WITH_REASON = frozenset({SlipStep.REMAND, SlipStep.REJECT, SlipStep.UNSETTLE})
AFTER = {
    SlipStep.APPROVE: SlipStatus.APPROVED,
    SlipStep.REMAND: SlipStatus.REMANDED,
    SlipStep.WITHDRAW: SlipStatus.WITHDRAWN,
    SlipStep.REJECT: SlipStatus.REJECTED,
    SlipStep.SETTLE: SlipStatus.SETTLED,
    SlipStep.UNSETTLE: SlipStatus.APPROVED,
}


def refusal_of(
    state: SlipState, step: SlipStep, actor: SlipActor, *, approvers: Sequence[str] = ()
) -> Refusal | None:
    """Why the step is not possible now; None if it is."""
    status = state.status
    if step is SlipStep.EDIT:
        return _edit_refusal(state, actor, approvers)
    possible = {
        SlipStep.DELETE: actor.is_owner and status in AT_HOME,
        SlipStep.SUBMIT: actor.is_owner and status in AT_HOME,
        SlipStep.WITHDRAW: actor.is_owner and status is SlipStatus.PENDING,
        SlipStep.APPROVE: actor.is_next_approver and status is SlipStatus.PENDING,
        SlipStep.REMAND: actor.is_next_approver and status is SlipStatus.PENDING,
        SlipStep.REJECT: actor.accounting and status is SlipStatus.APPROVED,
        SlipStep.SETTLE: actor.accounting and status is SlipStatus.APPROVED,
        SlipStep.UNSETTLE: actor.accounting and status is SlipStatus.SETTLED,
        SlipStep.COPY: actor.is_owner,
    }
    if possible[step]:
        return None
    return SlipStepNotPossible(f"{status.label_ja}の伝票に{step.label_ja}はできません")


def check_total(before_yen: int, after_yen: int, *, change_allowed: bool) -> None:
    """An approver's edit leaves the total where the company says so (R60)."""
    if before_yen != after_yen and not change_allowed:
        raise AmountChangeNotAllowed


def _edit_refusal(state: SlipState, actor: SlipActor, approvers: Sequence[str]) -> Refusal | None:
    if actor.is_owner and state.status in AT_HOME:
        return None
    if actor.is_next_approver and state.status is SlipStatus.PENDING:
        if not actor.edit_at_approval:
            return SlipRightMissing("「承認時の申請内容の修正」の権限がありません")
        return None if tuple(approvers) == state.chain else FlowChanged()
    if actor.accounting and state.status is SlipStatus.APPROVED:
        if not actor.edit_after_approval:
            return SlipRightMissing("「承認完了後の申請内容の修正」の権限がありません")
        return None
    return SlipStepNotPossible(f"{state.status.label_ja}の伝票は修正できません")
