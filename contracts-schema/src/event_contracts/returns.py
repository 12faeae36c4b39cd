"""Return events: each step of a return application, and the approval settings."""

from datetime import date, datetime
from typing import ClassVar, Literal

from event_contracts.event import Event

Level = Literal["store", "hq"]
Holder = Literal["originator", "store", "hq"]
Status = Literal[
    "STAFF_REMANDED",
    "STORE_PENDING",
    "STORE_REMANDED",
    "HQ_PENDING",
    "HQ_REMANDED",
    "REQUESTED",
    "TFC_PROCESSING",
    "TFC_HOLD",
    "TFC_CONTACT",
    "COMPLETED",
    "WITHDRAWN",
]


class ReturnEvent(Event):
    """A fact about one return application; addresses and telephone numbers are not published.

    `imported` marks the initial load of earlier data: no mail is sent for it.
    """

    aggregate_type: ClassVar[str] = "return"
    aggregate_key: ClassVar[str] = "application_id"

    application_id: str
    contract_no: str
    store_code: str
    originator_id: str
    imported: bool = False


class ApplicationSubmitted(ReturnEvent):
    """A vehicle was reported as returned, or as finally not returned."""

    wire_type: ClassVar[str] = "return.application_submitted.v1"

    result: Literal["returned", "not_returned"]
    received_on: date | None = None
    unreturned_reason: str | None = None
    completion_mail_opt_in: bool
    route: tuple[Level, ...]
    separate_procedure: bool


class ApprovalRequested(ReturnEvent):
    """The application waits for an approval of `level`."""

    wire_type: ClassVar[str] = "return.approval_requested.v1"

    level: Level
    entered_at: datetime


class ReturnApproved(ReturnEvent):
    """A step of the route was approved; `changed_fields` lists what the approver overwrote."""

    wire_type: ClassVar[str] = "return.approved.v1"

    level: Level
    approver_id: str
    on_behalf_of: str | None = None
    changed_fields: tuple[str, ...] = ()


class ReturnRemanded(ReturnEvent):
    """The application was remanded by one step."""

    wire_type: ClassVar[str] = "return.remanded.v1"

    from_level: Literal["tfc", "hq", "store"]
    to_level: Holder
    recipient_id: str | None = None
    recipient_has_address: bool


class ReturnCorrected(ReturnEvent):
    """The originator resubmitted it; the approvals in `approvals_voided` are void."""

    wire_type: ClassVar[str] = "return.corrected.v1"

    from_status: Status
    changed_fields: tuple[str, ...]
    approvals_voided: tuple[Level, ...]


class ReturnWithdrawn(ReturnEvent):
    """The originator withdrew the application for good."""

    wire_type: ClassVar[str] = "return.withdrawn.v1"

    from_status: Status


class ReturnRequested(ReturnEvent):
    """The dealer's approvals are complete; the finance company is asked to process it."""

    wire_type: ClassVar[str] = "return.requested.v1"

    requested_at: datetime
    result: Literal["returned", "not_returned"]
    received_on: date | None = None
    unreturned_reason: str | None = None
    application_version: int


class ReturnAcceptedByTfc(ReturnEvent):
    """The finance company accepted the application."""

    wire_type: ClassVar[str] = "return.accepted_by_tfc.v1"


class ReturnPutOnHold(ReturnEvent):
    """The finance company put the application on hold."""

    wire_type: ClassVar[str] = "return.put_on_hold.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    reason: str


class ReturnHoldReleased(ReturnEvent):
    """The finance company released the hold."""

    wire_type: ClassVar[str] = "return.hold_released.v1"


class ContactEntryStarted(ReturnEvent):
    """The finance company started to write a message to the dealer."""

    wire_type: ClassVar[str] = "return.contact_entry_started.v1"


class ContactEntered(ReturnEvent):
    """The finance company's message to the dealer is complete."""

    wire_type: ClassVar[str] = "return.contact_entered.v1"
    personal: ClassVar[tuple[str, ...]] = ("message",)

    message: str


class ReturnCompleted(ReturnEvent):
    """The finance company completed the application."""

    wire_type: ClassVar[str] = "return.completed.v1"

    completed_at: datetime
    result: Literal["returned", "not_returned"]
    separate_procedure: bool
    completion_mail_opt_in: bool


class ReturnStatusChanged(ReturnEvent):
    """The status was set, possibly to the same value. Lists and timers follow it.

    The finance company's next message must name this `application_version`.
    `store_approver_notice` is true if the dealer wants its store approvers to be notified.
    """

    wire_type: ClassVar[str] = "return.status_changed.v1"

    from_status: Status | None
    to_status: Status
    entered_at: datetime
    status_version: int
    application_version: int | None = None
    store_approver_notice: bool = False


class DealerNoteChanged(ReturnEvent):
    """Headquarters changed its note to the stores; its text is not published."""

    wire_type: ClassVar[str] = "return.dealer_note_changed.v1"

    note_version: int


class OriginatorTakenOver(ReturnEvent):
    """Headquarters assigned the application to another originator."""

    wire_type: ClassVar[str] = "return.originator_taken_over.v1"

    from_id: str
    to_id: str


class ReturnCustomerErased(ReturnEvent):
    """The customer's personal data in a finished application was erased."""

    wire_type: ClassVar[str] = "return.customer_erased.v1"


class TfcEventRejected(ReturnEvent):
    """A message of the finance company did not fit the application's current status."""

    wire_type: ClassVar[str] = "return.tfc_event_rejected.v1"

    action: str
    application_version: int
    current_version: int
    current_status: Status


class ApprovalFlowUpdated(Event):
    """A dealer's approval steps changed; the approvers' addresses are not published."""

    wire_type: ClassVar[str] = "approval_flow.updated.v1"
    aggregate_type: ClassVar[str] = "approval_flow"
    aggregate_key: ClassVar[str] = "dealer_id"

    store_approval: bool
    hq_approval: bool
    store_approver_notice: bool = False
