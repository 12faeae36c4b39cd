"""Refusals of a step of a return application (D1, B4); each error states the fact."""

from returns_service.rules.return_status import Status
from shared.errors import Kind, Refusal


class ReturnNotVisible(Refusal):
    """The application lies outside the actor's scope; its existence is not revealed (D1, D2)."""

    code = "RETURN_NOT_VISIBLE"
    kind = Kind.NOT_FOUND
    message = "該当する申込がありません"


class RoleMayNot(Refusal):
    """The role never takes this action (D1)."""

    code = "ROLE_MAY_NOT"
    kind = Kind.FORBIDDEN
    message = "この操作を行う権限がありません"


class SubstituteMayNot(Refusal):
    """A substitute approver takes only the steps of an approver."""

    code = "SUBSTITUTE_MAY_NOT"
    kind = Kind.FORBIDDEN
    message = "代理承認者が行えるのは承認者の操作のみです"


class NotTheOriginator(Refusal):
    """Correction and withdrawal belong to the originator alone (D121)."""

    code = "NOT_THE_ORIGINATOR"
    kind = Kind.FORBIDDEN
    message = "訂正・取下げは起票者のみ可能です"


class DealerNoteIsForHqApprover(Refusal):
    """貴社連絡欄 is written by the HQ approver alone (D115, A-19)."""

    code = "DEALER_NOTE_IS_FOR_HQ_APPROVER"
    kind = Kind.FORBIDDEN
    message = "貴社連絡欄に入力できるのは本部承認者のみです"


class StatusRefusal(Refusal):
    """A refusal with the status in which the application is now."""

    kind = Kind.CONFLICT

    def __init__(self, status: Status | None) -> None:
        self.status = status
        super().__init__(
            self.message.format(status=status.label_ja if status else "未起票"),
            current_status=status.value if status else None,
        )


class ReturnAlreadyDecided(StatusRefusal):
    """The application is 完了 or 取下げ; nothing follows (D123)."""

    code = "RETURN_ALREADY_DECIDED"
    message = "ステータスが「{status}」のため、操作できません"


class StepNotPossible(StatusRefusal):
    """No one may take this action in this status (B4)."""

    code = "STEP_NOT_POSSIBLE"
    message = "ステータスが「{status}」のため、この操作はできません"


class NotYourStep(StatusRefusal):
    """The action is open, but to another person."""

    code = "NOT_YOUR_STEP"
    message = "ステータスが「{status}」のため、手続者ではない方は操作できません"


class OwnItem(Refusal):
    """No one approves or remands what they originated, not as a substitute either."""

    code = "OWN_ITEM"
    kind = Kind.CONFLICT
    message = "ご自身が起票した申込の承認・差戻しはできません"


class ReasonMissing(Refusal):
    """TFC remands and holds only with a reason (T13, T17)."""

    code = "REASON_MISSING"
    kind = Kind.INVALID
    message = "理由を入力してください"


class ContactMessageMissing(Refusal):
    """The entry of 連絡事項 ends with a text (T16)."""

    code = "CONTACT_MESSAGE_MISSING"
    kind = Kind.INVALID
    message = "連絡事項を入力してください"


class NewOriginatorNotSuitable(Refusal):
    """The item goes to active staff or the manager of its store, or to HQ of its dealer (T22)."""

    code = "NEW_ORIGINATOR_NOT_SUITABLE"
    kind = Kind.INVALID
    message = "引継ぎ先は、起票店舗の有効なスタッフ・店長または本部の担当者を指定してください"
