"""Events of the commuter service: commuter passes and expense slips; no routes, no names."""

from datetime import date
from typing import ClassVar, Literal

from event_contracts.event import Event

SlipStatus = Literal["pending", "remanded", "withdrawn", "approved", "rejected", "settled"]


class PassEvent(Event):
    """A fact about one commuter pass of one employee."""

    aggregate_type: ClassVar[str] = "commuter_pass"
    aggregate_key: ClassVar[str] = "pass_id"

    pass_id: str
    employee_id: str


class PassRegistered(PassEvent):
    """An administrator registered or changed the pass; it is in force at once."""

    wire_type: ClassVar[str] = "commuter_pass.registered.v1"


class PassApplied(PassEvent):
    """The employee applied for the pass; it has no effect until it is confirmed."""

    wire_type: ClassVar[str] = "commuter_pass.applied.v1"

    applied_on: date


class PassConfirmed(PassEvent):
    """The pass is in force; passes that were confirmed together have one `decision_id`."""

    wire_type: ClassVar[str] = "commuter_pass.confirmed.v1"

    decision_id: str


class PassRejected(PassEvent):
    """The application was rejected."""

    wire_type: ClassVar[str] = "commuter_pass.rejected.v1"


class PassWithdrawn(PassEvent):
    """The employee withdrew the application."""

    wire_type: ClassVar[str] = "commuter_pass.withdrawn.v1"


class PassEnding(PassEvent):
    """The pass ends soon and nothing of its holder follows it; once for each last day."""

    wire_type: ClassVar[str] = "commuter_pass.ending.v1"

    ends_on: date


class PassPurged(PassEvent):
    """The pass ended long enough ago and is deleted."""

    wire_type: ClassVar[str] = "commuter_pass.purged.v1"


class SlipMoved(Event):
    """A slip has a new status; the amount is what the employee claims, in yen.

    `step` is what was done (submit, approve, hand_on, remand, withdraw, reject, settle; more
    may follow); `move_id` names it: the recipients of a mail are asked for by it. Events
    from before these fields have neither, and cause no mail.
    """

    wire_type: ClassVar[str] = "slip.moved.v1"
    aggregate_type: ClassVar[str] = "slip"
    aggregate_key: ClassVar[str] = "slip_id"

    slip_id: str
    employee_id: str
    status: SlipStatus
    total_yen: int
    step: str | None = None
    move_id: str | None = None


class SubmissionRequested(Event):
    """Accounting closes a month and asks an employee to submit; `slips` of theirs are not yet."""

    wire_type: ClassVar[str] = "expense_month.submission_requested.v1"
    aggregate_type: ClassVar[str] = "expense_month"
    aggregate_key: ClassVar[str] = "employee_id"

    month: str
    employee_id: str
    slips: int
