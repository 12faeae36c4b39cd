"""Finance company events about returns: its steps, and the changes it processes.

An event about a return names the `application_version` that the core system knows, from the last
`return.status_changed` or `return.requested`; an outdated one is answered with
`return.tfc_event_rejected`.
"""

from datetime import date, datetime
from typing import ClassVar, Literal

from event_contracts.event import Event
from event_contracts.returns import Status


class TfcReturnEvent(Event):
    """A step of the finance company on one return application."""

    aggregate_type: ClassVar[str] = "tfc_return"
    aggregate_key: ClassVar[str] = "application_id"

    application_id: str
    application_version: int


class TfcReturnAccepted(TfcReturnEvent):
    """The finance company accepted the application."""

    wire_type: ClassVar[str] = "tfc_return.accepted.v1"


class TfcReturnOnHold(TfcReturnEvent):
    """The finance company put the application on hold."""

    wire_type: ClassVar[str] = "tfc_return.on_hold.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    reason: str


class TfcReturnHoldReleased(TfcReturnEvent):
    """The finance company released the hold."""

    wire_type: ClassVar[str] = "tfc_return.hold_released.v1"


class TfcReturnContactEntryStarted(TfcReturnEvent):
    """The finance company started to write a message to the dealer."""

    wire_type: ClassVar[str] = "tfc_return.contact_entry_started.v1"


class TfcReturnContactEntered(TfcReturnEvent):
    """The finance company's message to the dealer is complete."""

    wire_type: ClassVar[str] = "tfc_return.contact_entered.v1"
    personal: ClassVar[tuple[str, ...]] = ("message",)

    message: str


class TfcReturnRemanded(TfcReturnEvent):
    """The finance company remanded the application."""

    wire_type: ClassVar[str] = "tfc_return.remanded.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    reason_code: str
    reason: str


class TfcReturnCompleted(TfcReturnEvent):
    """The finance company completed the application."""

    wire_type: ClassVar[str] = "tfc_return.completed.v1"

    completed_on: date


class TfcChangeApplicationUpdated(Event):
    """A change application in the finance company's own records is new or has a new status."""

    wire_type: ClassVar[str] = "tfc_change_application.updated.v1"
    aggregate_type: ClassVar[str] = "tfc_change_application"
    aggregate_key: ClassVar[str] = "change_id"

    change_id: str
    contract_no: str
    kind: Literal["address_change", "name_change", "other"]
    status: Status
    updated_at: datetime
    requested_at: datetime | None = None
