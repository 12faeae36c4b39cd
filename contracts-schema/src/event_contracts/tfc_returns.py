"""What does the finance company's core tell? Its steps on returns, and changes it works on.

A message about a return names the `application_version` that the core knows (the last
`return.status_changed` or `return.requested` said it); one that comes too late is answered with
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
    """It took the application up."""

    wire_type: ClassVar[str] = "tfc_return.accepted.v1"


class TfcReturnOnHold(TfcReturnEvent):
    """It lets the application rest."""

    wire_type: ClassVar[str] = "tfc_return.on_hold.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    reason: str


class TfcReturnHoldReleased(TfcReturnEvent):
    """It goes on."""

    wire_type: ClassVar[str] = "tfc_return.hold_released.v1"


class TfcReturnContactEntryStarted(TfcReturnEvent):
    """It writes a message to the dealer."""

    wire_type: ClassVar[str] = "tfc_return.contact_entry_started.v1"


class TfcReturnContactEntered(TfcReturnEvent):
    """The message to the dealer is written."""

    wire_type: ClassVar[str] = "tfc_return.contact_entered.v1"
    personal: ClassVar[tuple[str, ...]] = ("message",)

    message: str


class TfcReturnRemanded(TfcReturnEvent):
    """It sends the application back."""

    wire_type: ClassVar[str] = "tfc_return.remanded.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    reason_code: str
    reason: str


class TfcReturnCompleted(TfcReturnEvent):
    """It has finished the application."""

    wire_type: ClassVar[str] = "tfc_return.completed.v1"

    completed_on: date


class TfcChangeApplicationUpdated(Event):
    """An application that the finance company itself keeps is new or has another status."""

    wire_type: ClassVar[str] = "tfc_change_application.updated.v1"
    aggregate_type: ClassVar[str] = "tfc_change_application"
    aggregate_key: ClassVar[str] = "change_id"

    change_id: str
    contract_no: str
    kind: Literal["address_change", "name_change", "other"]
    status: Status
    updated_at: datetime
    requested_at: datetime | None = None
