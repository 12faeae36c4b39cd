"""Mail events: the outcome of each mail; addresses and texts are not published."""

from datetime import datetime
from typing import ClassVar, Literal

from event_contracts.event import Event

RecipientRole = Literal["originator", "store_approver", "hq_approver", "applicant", "administrator"]


class MailEvent(Event):
    """A fact about one mail to one recipient."""

    aggregate_type: ClassVar[str] = "mail"
    aggregate_key: ClassVar[str] = "mail_id"

    mail_id: str
    mail_kind: str
    subject_id: str


class MailSent(MailEvent):
    """The mail server accepted the mail."""

    wire_type: ClassVar[str] = "mail.sent.v1"

    recipient_role: RecipientRole
    message_id: str
    sent_at: datetime


class MailSuppressed(MailEvent):
    """The mail was suppressed and is not sent.

    `person_left`: its recipient has left the dealer; the reason is then `no_address`.
    """

    wire_type: ClassVar[str] = "mail.suppressed.v1"

    recipient_role: RecipientRole
    reason: Literal["no_address", "opted_out", "duplicate", "status_left"]
    person_left: bool = False


class MailOutcomeUnknown(MailEvent):
    """The connection broke after the text: the mail may have been sent, and is not sent again.

    If the mail server's answer becomes known later, `mail.sent` or `mail.failed` follows.
    """

    wire_type: ClassVar[str] = "mail.outcome_unknown.v1"

    recipient_role: RecipientRole
    attempts: int


class MailFailed(MailEvent):
    """The mail server rejected the mail permanently."""

    wire_type: ClassVar[str] = "mail.failed.v1"

    recipient_role: RecipientRole
    attempts: int
