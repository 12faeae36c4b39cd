"""Mails about slips: which step makes which mail due, and which wish of a person it belongs to.

Not in the manual. A submission, and an approval that another one must follow, ask the approver;
what else is decided is mailed to the applicant. A withdrawal is the applicant's own and makes none.
"""

from datetime import date, datetime, timedelta

from notifier_service.rules.recipients import MailKind
from shared.clock import jst_day

PENDING = "pending"

MAIL_OF_STEP = {
    "remand": MailKind.SLIP_REMANDED,
    "approve": MailKind.SLIP_APPROVED,
    "settle": MailKind.SLIP_SETTLED,
    "reject": MailKind.SLIP_REJECTED,
}

ASKS_APPROVER = frozenset({"submit", "approve", "hand_on"})
"""Steps after which another approver is next."""

WISHES = {
    "approval": frozenset({MailKind.SLIP_SUBMITTED}),
    "waiting": frozenset({MailKind.SLIP_WAITING}),
    "remanded": frozenset({MailKind.SLIP_REMANDED, MailKind.SLIP_REJECTED}),
    "approved": frozenset({MailKind.SLIP_APPROVED}),
    "settled": frozenset({MailKind.SLIP_SETTLED}),
    "pass_ending": frozenset({MailKind.PASS_ENDING}),
}
"""The mails behind each box of 個人設定 > メール通知."""


def mail_of_move(step: str | None, status: str) -> MailKind | None:
    """The mail that a step into a status makes due; None without one, or for an unknown step."""
    if status == PENDING:
        return MailKind.SLIP_SUBMITTED if step in ASKS_APPROVER else None
    return MAIL_OF_STEP.get(step or "")


def declined_mails(declined: list[str]) -> frozenset[MailKind]:
    """The mails that a person does not want, by the names of the wishes."""
    return frozenset().union(*(WISHES.get(name, frozenset()) for name in declined))


def asked_until(moved_at: datetime, waiting_days: int) -> date:
    """The day until which a step is asked for: on it the reminder goes out."""
    return jst_day(moved_at) + timedelta(days=waiting_days)
