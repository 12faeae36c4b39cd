"""Mail recipients: which mail goes to whom (`reminders.py`: after how many days). D96, D146–D150.

D152, A-27, A-29, A-30; docs/mails.md is the table of all mails; a test compares both.

A step of an application makes mails due (`mail_of_status`, M1 and M3 by their own events); who
gets them is decided at the moment of sending, from what the returns service knows then; for the
mails about commuter passes, from what the commuter service knows (R29, R30, R32).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

RecipientRole = Literal[
    "originator", "store_approver", "hq_approver", "applicant", "administrator", "approver"
]


class MailKind(StrEnum):
    """The five mails of the manual in its order, those about passes and slips, and one notice.

    N1 goes beyond the manual, for dealers who ask for it; so do the mails about slips.
    """

    COMPLETED = "M1"
    STALE = "M2"
    REMANDED = "M3"
    APPROVAL_REQUESTED = "M4"
    APPROVAL_STALE = "M5"
    PASS_APPLIED = "C1"  # noqa: S105 - a commuter pass
    PASS_CONFIRMED = "C2"  # noqa: S105
    PASS_REJECTED = "C3"  # noqa: S105
    PASS_ENDING = "C4"  # noqa: S105
    STORE_NOTICE = "N1"
    SLIP_SUBMITTED = "S1"
    SLIP_REMANDED = "S2"
    SLIP_APPROVED = "S3"
    SLIP_SETTLED = "S4"
    SLIP_WAITING = "S5"
    SLIP_REJECTED = "S6"
    SUBMISSION_REQUESTED = "S7"

    @property
    def label_ja(self) -> str:
        """The mail's name: in the manual, where it is one of the manual's."""
        return MAIL_NAMES[self]


PASS_MAILS = frozenset({MailKind.PASS_APPLIED, MailKind.PASS_CONFIRMED, MailKind.PASS_REJECTED})

SLIP_MAILS_TO_APPROVER = frozenset({MailKind.SLIP_SUBMITTED, MailKind.SLIP_WAITING})
"""They ask for an approval: once the slip has moved on, they are not sent."""
SLIP_MAILS_TO_APPLICANT = frozenset(
    {
        *(MailKind.SLIP_REMANDED, MailKind.SLIP_APPROVED),
        *(MailKind.SLIP_SETTLED, MailKind.SLIP_REJECTED),
    }
)
SLIP_MAILS = SLIP_MAILS_TO_APPROVER | SLIP_MAILS_TO_APPLICANT
OFF_WHEN_MOVED_ON = SLIP_MAILS_TO_APPROVER | {
    MailKind.SUBMISSION_REQUESTED,
    MailKind.PASS_ENDING,
}
DECLINABLE = SLIP_MAILS | {MailKind.PASS_ENDING}
"""What each person may decline on 個人設定 > メール通知."""

MAIL_NAMES = {
    MailKind.COMPLETED: "手続完了メール",
    MailKind.STALE: "手続状況確認メール",
    MailKind.REMANDED: "差戻しメール",
    MailKind.APPROVAL_REQUESTED: "承認依頼メール",
    MailKind.APPROVAL_STALE: "承認状況確認メール",
    MailKind.PASS_APPLIED: "定期区間の申請通知",
    MailKind.PASS_CONFIRMED: "定期区間の確定通知",
    MailKind.PASS_REJECTED: "定期区間の差戻し通知",
    MailKind.PASS_ENDING: "定期区間の終了予告",
    MailKind.STORE_NOTICE: "店舗承認依頼通知",
    MailKind.SLIP_SUBMITTED: "精算書の承認依頼",
    MailKind.SLIP_REMANDED: "精算書の差戻し通知",
    MailKind.SLIP_APPROVED: "精算書の承認完了通知",
    MailKind.SLIP_SETTLED: "精算書の精算通知",
    MailKind.SLIP_WAITING: "精算書の承認状況確認",
    MailKind.SLIP_REJECTED: "精算書の否認通知",
    MailKind.SUBMISSION_REQUESTED: "精算書の提出依頼",
}


class Suppression(StrEnum):
    """Why a mail that was planned is not sent."""

    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    DUPLICATE = "duplicate"
    STATUS_LEFT = "status_left"
    PERSON_LEFT = "person_left"

    @property
    def label_ja(self) -> str:
        """The reason as the screen shows it."""
        return SUPPRESSION_NAMES[self]


SUPPRESSION_NAMES = {
    Suppression.NO_ADDRESS: "宛先のメールアドレスが未登録",
    Suppression.OPTED_OUT: "このメールを希望しない",
    Suppression.DUPLICATE: "同じ宛先へ送信済み",
    Suppression.STATUS_LEFT: "ステータスが更新された",
    Suppression.PERSON_LEFT: "宛先の方が退職",
}

STALE_STATUSES = frozenset(
    {"STORE_PENDING", "HQ_PENDING", "STAFF_REMANDED", "STORE_REMANDED", "HQ_REMANDED"}
)
"""The dealer's own five: only in them does a stay grow stale (D147)."""

AWAITS_HQ = "HQ_PENDING"
AWAITS_STORE = "STORE_PENDING"

MAILS_ABOUT_A_STAY = {
    MailKind.STALE: STALE_STATUSES,
    MailKind.APPROVAL_STALE: frozenset({AWAITS_HQ}),
    MailKind.STORE_NOTICE: frozenset({AWAITS_STORE}),
}
"""The mails about a stay that must still last when they are sent."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of its cause that a mail keeps.

    `status_version` names the stay that M2, M5 and N1 are about; the levels belong to a remand;
    `move_id` names the step of a slip, `month` the one that accounting closes, `ends_on` the last
    day of a pass, `group` the reminders that may become one mail with it.
    """

    status_version: int | None = None
    from_level: str | None = None
    to_level: str | None = None
    move_id: str | None = None
    month: str | None = None
    ends_on: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class RoundApprover:
    """A person who approved in the last complete round; `level` is `store` or `hq`."""

    level: str
    address: str | None
    left: bool = False


@dataclass(frozen=True, slots=True)
class ReturnSnapshot:
    """What the returns service knows of an application at the moment of sending.

    The last fields are what the commuter service knows of a pass or a slip: `declined` are the
    mails that their recipient does not want, `moved_on` whether the slip took a further step,
    the month has no unsubmitted slip of the person any more, or the pass does not end.

    `store_approver` has approved this application, `store_approvers` may do so now; they get a
    notice where the dealer asks for it (`store_notice`). `left` are the roles whose holder has
    left the dealer: their mails stop (D158).
    """

    status: str
    status_version: int
    completion_mail: bool
    originator: str | None
    store_approver: str | None
    hq_approvers: Sequence[str]
    round_approvers: Sequence[RoundApprover]
    applicant: str | None = None
    administrators: Sequence[str] = ()
    store_notice: bool = False
    store_approvers: Sequence[str] = ()
    approver: str | None = None
    declined: frozenset[MailKind] = frozenset()
    moved_on: bool = False
    left: frozenset[RecipientRole] = frozenset()


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of a mail, or the reason why this one gets none.

    `place` numbers several holders of one role, from 1.
    """

    role: RecipientRole
    place: int
    address: str | None
    suppressed: Suppression | None = None


def mail_of_status(status: str, *, store_notice: bool) -> MailKind | None:
    """The mail that entering a status makes due at once: M4 at headquarters (D149).

    At the store there is none (D96), unless the dealer asked for a notice.
    """
    if status == AWAITS_HQ:
        return MailKind.APPROVAL_REQUESTED
    return MailKind.STORE_NOTICE if status == AWAITS_STORE and store_notice else None


def primary_role(kind: MailKind, facts: Facts) -> RecipientRole:
    """The role that a mail is planned for first; further recipients join at sending."""
    if kind is MailKind.REMANDED:
        return REMANDED_TO.get(facts.to_level or "", "originator")
    return FIRST_ROLE.get(kind, "applicant")


FIRST_ROLE: dict[MailKind, RecipientRole] = {
    MailKind.COMPLETED: "originator",
    MailKind.STALE: "originator",
    MailKind.APPROVAL_REQUESTED: "hq_approver",
    MailKind.APPROVAL_STALE: "hq_approver",
    MailKind.STORE_NOTICE: "store_approver",
    MailKind.PASS_APPLIED: "administrator",
    MailKind.SLIP_SUBMITTED: "approver",
    MailKind.SLIP_WAITING: "approver",
}
"""The others go to the applicant."""

REMANDED_TO: dict[str, RecipientRole] = {"hq": "hq_approver", "store": "store_approver"}


def suppression(kind: MailKind, facts: Facts, known: ReturnSnapshot) -> Suppression | None:
    """Why the mail is sent to no recipient at all; None if it may be sent.

    M1 depends on the originator's own address and wish (A-27), N1 on the dealer's; M2, M5 and N1
    on the stay still lasting, mails about slips and C4 on their recipient's wish.
    """
    if kind in OFF_WHEN_MOVED_ON | DECLINABLE:
        return _suppression_of_expenses(kind, known)
    if kind is MailKind.COMPLETED:
        if not known.completion_mail:
            return Suppression.OPTED_OUT
        return None if known.originator else Suppression.NO_ADDRESS
    if kind is MailKind.STORE_NOTICE and not known.store_notice:
        return Suppression.OPTED_OUT
    if kind not in MAILS_ABOUT_A_STAY:
        return None
    stays = (
        known.status in MAILS_ABOUT_A_STAY[kind] and known.status_version == facts.status_version
    )
    return None if stays else Suppression.STATUS_LEFT


def _suppression_of_expenses(kind: MailKind, known: ReturnSnapshot) -> Suppression | None:
    if kind in OFF_WHEN_MOVED_ON and known.moved_on:
        return Suppression.STATUS_LEFT
    return Suppression.OPTED_OUT if kind in known.declined & DECLINABLE else None


def recipients_for(kind: MailKind, facts: Facts, known: ReturnSnapshot) -> tuple[Recipient, ...]:
    """Who gets the mail, first the one it was planned for; never empty.

    An address that occurs twice gets one mail (D146).
    """
    if kind is MailKind.COMPLETED:
        return _each_address_once(_of_completion(known))
    if kind is MailKind.STORE_NOTICE:
        return _each_address_once(_placed("store_approver", known.store_approvers))
    return _each_address_once(_holders(primary_role(kind, facts), known))


def _of_completion(known: ReturnSnapshot) -> list[Recipient]:
    found = _holders("originator", known)
    store = [a for a in known.round_approvers if a.level != "hq"]
    found += [
        _judged("store_approver", place, one.address, left=one.left)
        for place, one in enumerate(store, 1)
    ]
    if any(a.level == "hq" for a in known.round_approvers):
        found += _holders("hq_approver", known)
    return found


def _holders(role: RecipientRole, known: ReturnSnapshot) -> list[Recipient]:
    match role:
        case "originator":
            return [_judged(role, 1, known.originator, left=role in known.left)]
        case "store_approver":
            return [_judged(role, 1, known.store_approver, left=role in known.left)]
        case "hq_approver":
            return _placed(role, known.hq_approvers)
        case "applicant":
            return [_judged(role, 1, known.applicant, left=role in known.left)]
        case "administrator":
            return _placed(role, known.administrators)
        case "approver":
            return [_judged(role, 1, known.approver, left=role in known.left)]


def _judged(role: RecipientRole, place: int, address: str | None, *, left: bool) -> Recipient:
    return Recipient(role, place, address, Suppression.PERSON_LEFT if left else None)


def _placed(role: RecipientRole, addresses: Sequence[str | None]) -> list[Recipient]:
    return [Recipient(role, n, address) for n, address in enumerate(addresses or [None], 1)]


def _each_address_once(found: Sequence[Recipient]) -> tuple[Recipient, ...]:
    seen: set[str] = set()
    judged = []
    for one in found:
        address = (one.address or "").strip()
        reason = one.suppressed or (Suppression.NO_ADDRESS if not address else None)
        if reason is None and address.casefold() in seen:
            reason = Suppression.DUPLICATE
        if reason is None:
            seen.add(address.casefold())
        judged.append(Recipient(one.role, one.place, address or None, reason))
    return tuple(judged)
