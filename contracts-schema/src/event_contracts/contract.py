"""Contract events: the life of a contract near its last instalment."""

from datetime import date, datetime
from typing import ClassVar, Literal

from event_contracts.event import Event, Part

Category = Literal["early_payoff", "cash_settlement", "re_split", "vehicle_return"]
Urgency = Literal["white", "yellow", "red", "grey"]
Basis = Literal["cash_decided", "payoff", "return", "resplit", "tfc"]


class Vehicle(Part):
    """The vehicle under contract."""

    model: str
    registration_no: str
    first_registered_on: date


class ContractEvent(Event):
    """A fact about one contract of a dealer."""

    aggregate_type: ClassVar[str] = "contract"
    aggregate_key: ClassVar[str] = "contract_no"

    contract_no: str


class ContractFacts(ContractEvent):
    """The contract data that other services may need. The customer's name is personal data."""

    personal: ClassVar[tuple[str, ...]] = ("customer_name",)

    product_code: str
    final_on: date
    vehicle: Vehicle
    store_code: str
    staff_code: str | None
    receivable_purchased: bool
    tfc_handled: bool
    customer_name: str


class ContractRegistered(ContractFacts):
    """A contract was registered."""

    wire_type: ClassVar[str] = "contract.registered.v1"


class ContractUpdated(ContractFacts):
    """A contract's data changed; the event carries its complete current state."""

    wire_type: ClassVar[str] = "contract.updated.v1"


class SelectionRecorded(ContractEvent):
    """The customer's selection was recorded for the first time."""

    wire_type: ClassVar[str] = "contract.selection_recorded.v1"

    category: Category
    own_replacement: bool
    vehicle_code: str | None = None
    late: bool
    deadline_on: date
    confirmation_received_on: date | None = None


class SelectionChanged(ContractEvent):
    """The selection changed; `after` is None if it was withdrawn."""

    wire_type: ClassVar[str] = "contract.selection_changed.v1"

    before: Category | None
    after: Category | None


class ReplacementRecorded(ContractEvent):
    """It was recorded whether the customer buys the next vehicle from this dealer."""

    wire_type: ClassVar[str] = "contract.replacement_recorded.v1"

    own_replacement: bool
    vehicle_code: str | None = None
    learned_from: Literal["result_entry", "payoff_inquiry"]


class NoteSaved(ContractEvent):
    """The store's memo was saved; its text is not published."""

    wire_type: ClassVar[str] = "contract.note_saved.v1"

    note_version: int
    length: int


class PaymentConfirmationPrinted(ContractEvent):
    """The form on which the customer confirms the payment method was printed."""

    wire_type: ClassVar[str] = "contract.payment_confirmation_printed.v1"

    document_id: str


class PayoffRequested(ContractEvent):
    """The dealer requested the early payoff."""

    wire_type: ClassVar[str] = "contract.payoff_requested.v1"

    requested_at: datetime


class ResplitApplied(ContractEvent):
    """A re-split screening was applied for."""

    wire_type: ClassVar[str] = "contract.resplit_applied.v1"

    instalments: int
    yearly_rate: str
    first_instalment_yen: int
    monthly_yen: int


class FinalHandlingCompleted(ContractEvent):
    """The final handling of the contract is complete."""

    wire_type: ClassVar[str] = "contract.final_handling_completed.v1"

    basis: Basis


class FinalHandlingReopened(ContractEvent):
    """A completed contract needs handling again."""

    wire_type: ClassVar[str] = "contract.final_handling_reopened.v1"

    basis: Basis


class AssignmentChangeRegistered(ContractEvent):
    """A change of the store or staff in charge of the contract was registered."""

    wire_type: ClassVar[str] = "contract.assignment_change_registered.v1"

    change_id: str
    from_store: str
    to_store: str
    from_staff: str | None
    to_staff: str | None
    registered_on: date
    hidden_from_old_store_on: date | None
    reflect_earliest_on: date
    reflect_latest_on: date
    replaces_change_id: str | None = None
    batch_id: str | None = None


class AssignmentChangeCancelled(ContractEvent):
    """A registered change was cancelled by the dealer, or rejected by the finance company."""

    wire_type: ClassVar[str] = "contract.assignment_change_cancelled.v1"

    change_id: str
    reason: Literal["cancelled", "replaced", "rejected_by_tfc"]


class AssignmentChangeReflected(ContractEvent):
    """The new store and staff are in force."""

    wire_type: ClassVar[str] = "contract.assignment_change_reflected.v1"

    change_id: str
    reflected_on: date
    store_code: str
    staff_code: str | None
    transferred_in: bool


class AssignmentChangeOverdue(ContractEvent):
    """A registered change is overdue: it should have been reflected by now."""

    wire_type: ClassVar[str] = "contract.assignment_change_overdue.v1"

    change_id: str
    business_days: int


class UrgencyChanged(ContractEvent):
    """An open contract reached the next urgency level; emitted on the first day of that level."""

    wire_type: ClassVar[str] = "contract.urgency_changed.v1"

    before: Urgency
    after: Urgency
    changed_on: date


class CustomerErased(ContractEvent):
    """The customer's personal data was erased; each service erases its own copy."""

    wire_type: ClassVar[str] = "contract.customer_erased.v1"

    erased_at: datetime


class CustomerListExported(Event):
    """A customer list was exported as CSV."""

    wire_type: ClassVar[str] = "customer_list.exported.v1"
    aggregate_type: ClassVar[str] = "customer_list"
    aggregate_key: ClassVar[str] = "export_id"

    export_id: str
    rows: int
    filter_hash: str
