"""Slip succession: who goes on with a slip when its approver or its applicant has left (D157).

Accounting names another approver for one who has left, and takes over a slip that came back to an
applicant who has left. While the person is still there, nobody takes a slip out of their hands.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from commuter_service.rules.slip_approval import SlipState, SlipStatus
from shared.errors import FieldError, FormErrors, Kind, Refusal


class Departure(StrEnum):
    """Who has left, so that the slip does not move."""

    APPROVER = "approver_left"
    APPLICANT = "applicant_left"

    @property
    def label_ja(self) -> str:
        """The words on the screen."""
        return {Departure.APPROVER: "承認者が退職", Departure.APPLICANT: "申請者が退職"}[self]


BACK = frozenset({SlipStatus.REMANDED, SlipStatus.WITHDRAWN})
"""The slip is with its applicant again, and accounting knows it since its submission."""


class NobodyLeft(Refusal):
    """The slip is in the hands of somebody who is still there."""

    code: ClassVar[str] = "NOBODY_LEFT"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "承認者・申請者とも在籍しているため、引継ぎはできません"


@dataclass(frozen=True, slots=True)
class Successor:
    """The person who is to approve instead."""

    employee_id: str
    active: bool


def departure_of(
    state: SlipState, *, approver_left: bool, applicant_left: bool
) -> Departure | None:
    """Why a slip does not move; None if it can."""
    if state.status is SlipStatus.PENDING and approver_left:
        return Departure.APPROVER
    return Departure.APPLICANT if state.status in BACK and applicant_left else None


def chain_with(
    state: SlipState, successor: Successor | None, *, owner: str, entered_by: str | None
) -> tuple[str, ...]:
    """The chain with the successor in the place of the approver who has left.

    Raises FormErrors: nobody named, somebody who has left, or who has to do with the slip already.
    """
    if successor is None:
        raise _refused("APPROVER_MISSING", "新しい承認者を選んでください")
    if not successor.active:
        raise _refused("APPROVER_LEFT", "退職した方は承認者にできません")
    if successor.employee_id in {owner, entered_by, *state.chain}:
        raise _refused("APPROVER_NOT_SUITABLE", "申請者・入力者・ほかの承認者は選べません")
    before, after = state.chain[: state.step], state.chain[state.step + 1 :]
    return (*before, successor.employee_id, *after)


def _refused(code: str, message: str) -> FormErrors:
    return FormErrors(FieldError("approver_id", code, message))
