"""What does the contracts service tell? The life of a contract near its last instalment."""

from datetime import date, datetime
from typing import ClassVar, Literal

from event_contracts.event import Event, Part

Category = Literal["early_payoff", "cash_settlement", "re_split", "vehicle_return"]
Urgency = Literal["white", "yellow", "red", "grey"]
Basis = Literal["cash_decided", "payoff", "return", "resplit", "tfc"]


class Vehicle(Part):
    """The car under contract."""

    model: str
    registration_no: str
    first_registered_on: date


class ContractEvent(Event):
    """A fact about one contract of a dealer."""

    aggregate_type: ClassVar[str] = "contract"
    aggregate_key: ClassVar[str] = "contract_no"

    contract_no: str


class ContractFacts(ContractEvent):
    """All that another service may need of a contract. The customer's name is personal data."""

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
    """A contract came in."""

    wire_type: ClassVar[str] = "contract.registered.v1"


class ContractUpdated(ContractFacts):
    """A contract's facts changed; the event carries all of them as they are now."""

    wire_type: ClassVar[str] = "contract.updated.v1"


class SelectionRecorded(ContractEvent):
    """The customer's choice was entered for the first time."""

    wire_type: ClassVar[str] = "contract.selection_recorded.v1"

    category: Category
    own_replacement: bool
    vehicle_code: str | None = None
    late: bool
    deadline_on: date
    confirmation_received_on: date | None = None


class SelectionChanged(ContractEvent):
    """The choice became another one; `after` is None where it was taken back."""

    wire_type: ClassVar[str] = "contract.selection_changed.v1"

    before: Category | None
    after: Category | None


class ReplacementRecorded(ContractEvent):
    """Whether the customer buys the next car here became known."""

    wire_type: ClassVar[str] = "contract.replacement_recorded.v1"

    own_replacement: bool
    vehicle_code: str | None = None
    learned_from: Literal["result_entry", "payoff_inquiry"]


class NoteSaved(ContractEvent):
    """The store's memo was saved; its text stays at home."""

    wire_type: ClassVar[str] = "contract.note_saved.v1"

    note_version: int
    length: int


class PaymentConfirmationPrinted(ContractEvent):
    """The form on which the customer confirms the way of payment was printed."""

    wire_type: ClassVar[str] = "contract.payment_confirmation_printed.v1"

    document_id: str


class PayoffRequested(ContractEvent):
    """The dealer goes on to the early payoff."""

    wire_type: ClassVar[str] = "contract.payoff_requested.v1"

    requested_at: datetime


class ResplitApplied(ContractEvent):
    """A screening for a re-split was asked for."""

    wire_type: ClassVar[str] = "contract.resplit_applied.v1"

    instalments: int
    yearly_rate: str
    first_instalment_yen: int
    monthly_yen: int


class FinalHandlingCompleted(ContractEvent):
    """Nothing more is to be done for the last instalment."""

    wire_type: ClassVar[str] = "contract.final_handling_completed.v1"

    basis: Basis


class FinalHandlingReopened(ContractEvent):
    """A completed contract needs handling again."""

    wire_type: ClassVar[str] = "contract.final_handling_reopened.v1"

    basis: Basis


class AssignmentChangeRegistered(ContractEvent):
    """Another store or another member of staff will look after the contract."""

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
    """A registered change was taken back, or refused by the finance company."""

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
    """A change should have been reflected by now."""

    wire_type: ClassVar[str] = "contract.assignment_change_overdue.v1"

    change_id: str
    business_days: int


class UrgencyChanged(ContractEvent):
    """An open contract came nearer to its last day, or passed it; told on the first such day."""

    wire_type: ClassVar[str] = "contract.urgency_changed.v1"

    before: Urgency
    after: Urgency
    changed_on: date


class CustomerErased(ContractEvent):
    """Who the customer was is forgotten for good; each service erases what it keeps of them."""

    wire_type: ClassVar[str] = "contract.customer_erased.v1"

    erased_at: datetime


class CustomerListExported(Event):
    """Somebody took a customer list out as CSV."""

    wire_type: ClassVar[str] = "customer_list.exported.v1"
    aggregate_type: ClassVar[str] = "customer_list"
    aggregate_key: ClassVar[str] = "export_id"

    export_id: str
    rows: int
    filter_hash: str
