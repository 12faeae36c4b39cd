"""Commands on a return application: the actions of B3, each with all that its actor enters."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from returns_service.rules.approval_route import ApprovalSetting
from returns_service.rules.return_form import ResultForm, ReturnForm
from shared.roles import Role


class Action(StrEnum):
    """The verbs of B3."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REMAND = "remand"
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    HOLD = "hold"
    RELEASE = "release"
    START_CONTACT = "start_contact"
    FINISH_CONTACT = "finish_contact"
    COMPLETE = "complete"
    EDIT_DEALER_NOTE = "edit_dealer_note"
    TAKE_OVER = "take_over"


@dataclass(frozen=True, kw_only=True)
class Submit:
    """起票・送信 (T1); `setting` is the dealer's setting of today."""

    action: ClassVar[Action] = Action.SUBMIT
    setting: ApprovalSetting


@dataclass(frozen=True, kw_only=True)
class _OnVersion:
    """An action on an application of which the actor saw `expected_version`."""

    expected_version: int


@dataclass(frozen=True, kw_only=True)
class Approve(_OnVersion):
    """承認 (T2, T4, T6, T8).

    `overwrite` is ③ as the approver changed it (D114), `approver_mail` 連絡先3 of the approval
    dialog; return_form checks both.
    """

    action: ClassVar[Action] = Action.APPROVE
    overwrite: ResultForm | None = None
    approver_mail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Remand(_OnVersion):
    """差戻し (T3, T5, T7, T9, T17); `dealer_note` is 貴社連絡欄, for the HQ approver only."""

    action: ClassVar[Action] = Action.REMAND
    comment: str | None = None
    dealer_note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Correct(_OnVersion):
    """訂正 (T10), a new submission under the dealer's `setting` of today (A-31).

    `form` is the whole form again; return_form checks it.
    """

    action: ClassVar[Action] = Action.CORRECT
    setting: ApprovalSetting
    form: ReturnForm = field(default_factory=ReturnForm)


@dataclass(frozen=True, kw_only=True)
class Withdraw(_OnVersion):
    """取下げ (T11)."""

    action: ClassVar[Action] = Action.WITHDRAW


@dataclass(frozen=True, kw_only=True)
class Accept(_OnVersion):
    """受付 by TFC (T12)."""

    action: ClassVar[Action] = Action.ACCEPT


@dataclass(frozen=True, kw_only=True)
class Hold(_OnVersion):
    """保留 by TFC (T13), with its reason."""

    action: ClassVar[Action] = Action.HOLD
    reason: str


@dataclass(frozen=True, kw_only=True)
class Release(_OnVersion):
    """保留 ends (T14)."""

    action: ClassVar[Action] = Action.RELEASE


@dataclass(frozen=True, kw_only=True)
class StartContact(_OnVersion):
    """TFC begins to write 連絡事項 (T15)."""

    action: ClassVar[Action] = Action.START_CONTACT


@dataclass(frozen=True, kw_only=True)
class FinishContact(_OnVersion):
    """TFC has written 連絡事項 (T16)."""

    action: ClassVar[Action] = Action.FINISH_CONTACT
    message: str


@dataclass(frozen=True, kw_only=True)
class Complete(_OnVersion):
    """完了 by TFC (T18)."""

    action: ClassVar[Action] = Action.COMPLETE


@dataclass(frozen=True, kw_only=True)
class EditDealerNote(_OnVersion):
    """The HQ approver writes 貴社連絡欄 (T21); blank empties it."""

    action: ClassVar[Action] = Action.EDIT_DEALER_NOTE
    dealer_note: str


@dataclass(frozen=True)
class NewOriginator:
    """Who is to take an application over (T22); HQ has no store."""

    user_id: str
    role: Role
    dealer_code: str
    store_code: str | None
    active: bool


@dataclass(frozen=True, kw_only=True)
class TakeOver(_OnVersion):
    """HQ hands the application to a new originator (T22, A-22), under today's `setting`.

    `name`, `mobile` and `mail` are those of the new originator (連絡先2, 連絡先3).
    """

    action: ClassVar[Action] = Action.TAKE_OVER
    setting: ApprovalSetting
    new_originator: NewOriginator
    name: str = ""
    mobile: str | None = None
    mail: str | None = None


Command = (
    Submit
    | Approve
    | Remand
    | Correct
    | Withdraw
    | Accept
    | Hold
    | Release
    | StartContact
    | FinishContact
    | Complete
    | EditDealerNote
    | TakeOver
)
