"""Why may a person not take a step of a return application? D1, B4; each error states the fact."""

from typing import ClassVar

from returns_service.rules.refusal import Kind, Refused
from returns_service.rules.return_status import Status


class ReturnNotVisible(Refused):
    """The application lies outside the actor's scope; its existence is not revealed (D1, D2)."""

    code: ClassVar[str] = "RETURN_NOT_VISIBLE"
    kind: ClassVar[Kind] = Kind.MISSING
    says: ClassVar[str] = "該当する申込がありません"


class RoleMayNot(Refused):
    """The role never takes this action (D1)."""

    code: ClassVar[str] = "ROLE_MAY_NOT"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    says: ClassVar[str] = "この操作を行う権限がありません"


class SubstituteMayNot(Refused):
    """A substitute approver takes only the steps of an approver."""

    code: ClassVar[str] = "SUBSTITUTE_MAY_NOT"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    says: ClassVar[str] = "代理承認者が行えるのは承認者の操作のみです"


class NotTheOriginator(Refused):
    """Correction and withdrawal belong to the originator alone (D121)."""

    code: ClassVar[str] = "NOT_THE_ORIGINATOR"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    says: ClassVar[str] = "訂正・取下げは起票者のみ可能です"


class DealerNoteIsForHqApprover(Refused):
    """貴社連絡欄 is written by the HQ approver alone (D115, A-19)."""

    code: ClassVar[str] = "DEALER_NOTE_IS_FOR_HQ_APPROVER"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    says: ClassVar[str] = "貴社連絡欄に入力できるのは本部承認者のみです"


class StatusRefusal(Refused):
    """A refusal that tells the status in which the application is now."""

    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, status: Status | None) -> None:
        self.status = status
        super().__init__(self.says.format(status=status.japanese if status else "未起票"))


class ReturnAlreadyDecided(StatusRefusal):
    """The application is 完了 or 取下げ; nothing follows (D123)."""

    code: ClassVar[str] = "RETURN_ALREADY_DECIDED"
    says: ClassVar[str] = "ステータスが「{status}」のため、操作できません"


class StepNotPossible(StatusRefusal):
    """Nobody may take this action in this status (B4)."""

    code: ClassVar[str] = "STEP_NOT_POSSIBLE"
    says: ClassVar[str] = "ステータスが「{status}」のため、この操作はできません"


class NotYourStep(StatusRefusal):
    """The action is open, but to somebody else."""

    code: ClassVar[str] = "NOT_YOUR_STEP"
    says: ClassVar[str] = "ステータスが「{status}」のため、手続者ではない方は操作できません"


class OwnItem(Refused):
    """Nobody approves or remands what he originated, not as a substitute either."""

    code: ClassVar[str] = "OWN_ITEM"
    kind: ClassVar[Kind] = Kind.CONFLICT
    says: ClassVar[str] = "ご自身が起票した申込の承認・差戻しはできません"


class VersionConflict(Refused):
    """Somebody else was faster: the application is newer than what the actor saw."""

    code: ClassVar[str] = "VERSION_CONFLICT"
    kind: ClassVar[Kind] = Kind.CONFLICT
    says: ClassVar[str] = "他の方が先に更新しました（現在のステータス：{status}）"

    def __init__(self, *, current: int, status: Status) -> None:
        self.current = current
        self.status = status
        super().__init__(self.says.format(status=status.japanese))


class ReasonMissing(Refused):
    """TFC remands and holds only with a reason (T13, T17)."""

    code: ClassVar[str] = "REASON_MISSING"
    kind: ClassVar[Kind] = Kind.INVALID
    says: ClassVar[str] = "理由を入力してください"


class ContactMessageMissing(Refused):
    """The entry of 連絡事項 ends with a text (T16)."""

    code: ClassVar[str] = "CONTACT_MESSAGE_MISSING"
    kind: ClassVar[Kind] = Kind.INVALID
    says: ClassVar[str] = "連絡事項を入力してください"


class NewOriginatorNotSuitable(Refused):
    """The item goes to active staff or the manager of its store, or to HQ of its dealer (T22)."""

    code: ClassVar[str] = "NEW_ORIGINATOR_NOT_SUITABLE"
    kind: ClassVar[Kind] = Kind.INVALID
    says: ClassVar[str] = (
        "引継ぎ先は、起票店舗の有効なスタッフ・店長または本部の担当者を指定してください"
    )
