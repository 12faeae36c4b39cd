"""What does the finance company tell of contracts? Their facts, and what it did about them.

Reports on return applications are in `tfc_returns`.
"""

from datetime import date, datetime
from typing import ClassVar

from event_contracts.contract import Category
from event_contracts.event import Event, Part


class TfcEvent(Event):
    """A fact that the finance company's core publishes."""

    aggregate_type: ClassVar[str] = "tfc"


class TfcContractEvent(TfcEvent):
    """Such a fact about one contract."""

    aggregate_key: ClassVar[str] = "contract_no"

    contract_no: str


class Loan(Part):
    """The figures of a contract; a lease has none of them. The rate is percent a year."""

    last_instalment_yen: int | None = None
    balance_yen: int | None = None
    instalments: int | None = None
    monthly_yen: int | None = None
    yearly_rate_percent: float | None = None


class Car(Part):
    """The vehicle; where only the month of its registration is known, `whole_month` says so."""

    model_code: str | None = None
    model: str
    registration_no: str
    first_registered_on: date
    whole_month: bool = False
    commercial: bool = False


class Customer(Part):
    """Who made the contract: personal data."""

    name: str
    name_kana: str | None = None
    postal_code: str | None = None
    address: str
    phone: str | None = None


class TfcContractFacts(TfcContractEvent):
    """A contract as the finance company keeps it; `final_on` of a lease is its end."""

    personal: ClassVar[tuple[str, ...]] = ("customer",)

    product_code: str
    final_on: date
    loan: Loan
    vehicle: Car
    customer: Customer
    store_code: str
    staff_code: str | None = None
    receivable_purchased: bool = False
    tfc_handled: bool = False
    customer_change_pending: bool = False


class TfcContractImported(TfcContractFacts):
    """A contract came up for final handling."""

    wire_type: ClassVar[str] = "tfc.contract_imported.v1"


class TfcContractUpdated(TfcContractFacts):
    """A contract's facts changed; all of them as they are now."""

    wire_type: ClassVar[str] = "tfc.contract_updated.v1"


class TfcHandlingFlagged(TfcContractEvent):
    """The finance company deals with the customer itself, after a total loss for example."""

    wire_type: ClassVar[str] = "tfc.contract_tfc_handling_flagged.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    reason: str


class TfcHandlingCleared(TfcContractEvent):
    """The dealer deals with the customer again."""

    wire_type: ClassVar[str] = "tfc.contract_tfc_handling_cleared.v1"


class ReceivablePurchased(TfcContractEvent):
    """The claim was bought: a return needs a procedure of its own."""

    wire_type: ClassVar[str] = "tfc.receivable_purchased.v1"


class EarlyPayoffInquired(TfcContractEvent):
    """Somebody asked what an early payoff costs, and perhaps said what car comes next."""

    wire_type: ClassVar[str] = "tfc.early_payoff_inquired.v1"
    personal: ClassVar[tuple[str, ...]] = ("other_text",)

    inquired_at: datetime
    own_replacement: bool | None = None
    vehicle_code: str | None = None
    other_text: str | None = None


class EarlyPayoffCompleted(TfcContractEvent):
    """The early payoff was settled."""

    wire_type: ClassVar[str] = "tfc.early_payoff_completed.v1"

    settled_on: date


class SelectionCorrected(TfcContractEvent):
    """The finance company set the customer's choice right; None takes it back."""

    wire_type: ClassVar[str] = "tfc.selection_changed.v1"

    category: Category | None


class ResplitScreened(TfcContractEvent):
    """The screening of a re-split has ended."""

    wire_type: ClassVar[str] = "tfc.resplit_screened.v1"

    approved: bool


class SeparateProcedureCompleted(TfcContractEvent):
    """What had to be settled beside the return is settled."""

    wire_type: ClassVar[str] = "tfc.separate_procedure_completed.v1"


class TfcCompletedFinalHandling(TfcContractEvent):
    """The finance company completed the final handling by itself."""

    wire_type: ClassVar[str] = "tfc.final_handling_completed.v1"

    basis: str


class AssignmentReflected(TfcContractEvent):
    """A registered change of store or staff is in the finance company's books."""

    wire_type: ClassVar[str] = "tfc.assignment_reflected.v1"

    change_id: str
    reflected_on: date


class AssignmentRejected(TfcContractEvent):
    """A registered change of store or staff was refused."""

    wire_type: ClassVar[str] = "tfc.assignment_rejected.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    change_id: str
    reason: str


class ProductMasterUpdated(TfcEvent):
    """A finance product is new or allows something else; `dealer_id` is `*`."""

    wire_type: ClassVar[str] = "tfc.product_master_updated.v1"
    aggregate_key: ClassVar[str] = "product_code"

    product_code: str
    name: str
    return_allowed: bool
    separate_procedure: bool
    transferable: bool
    is_lease: bool = False

    @property
    def aggregate_id(self) -> str:
        """Apart from contract numbers."""
        return f"product-{self.product_code}"


class BusinessCalendarUpdated(TfcEvent):
    """Days that differ from the general calendar, all of one year; `dealer_id` is `*`."""

    wire_type: ClassVar[str] = "tfc.business_calendar_updated.v1"
    aggregate_key: ClassVar[str] = "year"

    year: int
    closed_on: tuple[date, ...] = ()
    open_on: tuple[date, ...] = ()

    @property
    def aggregate_id(self) -> str:
        """Apart from contract numbers."""
        return f"calendar-{self.year}"
