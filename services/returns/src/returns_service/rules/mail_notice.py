"""Mail notices on the screen after a step (D96, D120, A-29, A-30).

No mail goes to a store approver who is to approve, so the user is asked to notify them; a remand
whose recipient has no address reaches them only by telephone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from returns_service.rules.return_approval import By, Outcome
from returns_service.rules.return_status import Status

ASK_APPROVER = "承認者へ承認依頼のご連絡をお願いします"
RECIPIENT_LEFT = (
    "差戻し先の方は退職しているため、メールは送信しません。本部へ引継ぎをご依頼ください"
)
TELL_RECIPIENT = "差戻し先のメールアドレスが登録されていないため、別途連絡をお願いします"


def approver_notice(outcome: Outcome) -> str | None:
    """The request to notify the approver, where a step leads to one; else None (D96)."""
    return ASK_APPROVER if outcome.approval_requested else None


@dataclass(frozen=True)
class Addresses:
    """The mail addresses known now.

    `originator` is 連絡先3 of the originator; `store_approver` that of the approval dialog, None
    before the first approval; `hq_approvers` those of 承認フロー設定. `left`: who of them
    has left and gets no mail (D158).
    """

    originator: str | None
    store_approver: str | None
    hq_approvers: Collection[str]
    left: Collection[By] = ()


@dataclass(frozen=True)
class RemandNotice:
    """Whether the mail of a remand will be sent, and the message for the user if not."""

    mail_will_be_sent: bool
    message: str | None


def remand_notice(outcome: Outcome, addresses: Addresses) -> RemandNotice | None:
    """The hint after a remand (D120); None after any other step."""
    if outcome.remanded_to in addresses.left:
        return RemandNotice(mail_will_be_sent=False, message=RECIPIENT_LEFT)
    match outcome.remanded_to:
        case None:
            return None
        case By.STORE_APPROVER:
            known = bool(addresses.store_approver)
        case By.HQ_APPROVER:
            known = any(addresses.hq_approvers)
        case _:
            known = bool(addresses.originator)
    return RemandNotice(known, None if known else TELL_RECIPIENT)


@dataclass(frozen=True)
class RemandComment:
    """One remand of an application: the status that it left, and its comment."""

    from_status: str | None
    comment: str | None


REMANDED = frozenset({Status.HQ_REMANDED, Status.STORE_REMANDED})


def passed_on_comment(remands: Sequence[RemandComment]) -> str | None:
    """The comment of the newest remand, oldest given first (D120).

    A person who passes a remand on may leave the comment blank (D118); then the one that they
    received counts, so that the recipient of M3 learns the reason.
    """
    for remand in reversed(remands):
        if remand.comment or remand.from_status not in REMANDED:
            return remand.comment
    return None
