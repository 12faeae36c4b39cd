"""Finance company events about contracts: contract data, and what was done about them.

Events about return applications are in `tfc_returns`.
"""

from datetime import date, datetime
from typing import ClassVar

from event_contracts.contract import Category
from event_contracts.event import Event, Part


class TfcEvent(Event):
    """A fact that the finance company's core system publishes."""

    aggregate_type: ClassVar[str] = "tfc"


class TfcContractEvent(TfcEvent):
    """A finance company's fact about one contract."""

    aggregate_key: ClassVar[str] = "contract_no"

    contract_no: str


class Loan(Part):
    """The figures of a loan; a lease has none of them. The rate is in percent per year."""

    last_instalment_yen: int | None = None
    balance_yen: int | None = None
    instalments: int | None = None
    monthly_yen: int | None = None
    yearly_rate_percent: float | None = None


class Car(Part):
    """The vehicle; `whole_month`: only the month of its registration is known."""

    model_code: str | None = None
    model: str
    registration_no: str
    first_registered_on: date
    whole_month: bool = False
    commercial: bool = False


class Customer(Part):
    """The contract's customer: personal data."""

    name: str
    name_kana: str | None = None
    postal_code: str | None = None
    address: str
    phone: str | None = None


class TfcContractFacts(TfcContractEvent):
    """A contract in the finance company's records; `final_on` of a lease is its end."""

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
    """A contract became due for final handling."""

    wire_type: ClassVar[str] = "tfc.contract_imported.v1"


class TfcContractUpdated(TfcContractFacts):
    """A contract's data changed; the event carries its complete current state."""

    wire_type: ClassVar[str] = "tfc.contract_updated.v1"


class TfcHandlingFlagged(TfcContractEvent):
    """The finance company handles the customer itself, for example after a total loss."""

    wire_type: ClassVar[str] = "tfc.contract_tfc_handling_flagged.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    reason: str


class TfcHandlingCleared(TfcContractEvent):
    """The dealer handles the customer again."""

    wire_type: ClassVar[str] = "tfc.contract_tfc_handling_cleared.v1"


class ReceivablePurchased(TfcContractEvent):
    """The receivable was purchased: a return needs a separate procedure."""

    wire_type: ClassVar[str] = "tfc.receivable_purchased.v1"


class EarlyPayoffInquired(TfcContractEvent):
    """The cost of an early payoff was inquired, possibly with the intended replacement."""

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
    """The finance company corrected the customer's selection; None withdraws it."""

    wire_type: ClassVar[str] = "tfc.selection_changed.v1"

    category: Category | None


class ResplitScreened(TfcContractEvent):
    """The re-split screening is finished."""

    wire_type: ClassVar[str] = "tfc.resplit_screened.v1"

    approved: bool


class SeparateProcedureCompleted(TfcContractEvent):
    """The separate procedure of the return is complete."""

    wire_type: ClassVar[str] = "tfc.separate_procedure_completed.v1"


class TfcCompletedFinalHandling(TfcContractEvent):
    """The finance company completed the final handling itself."""

    wire_type: ClassVar[str] = "tfc.final_handling_completed.v1"

    basis: str


class AssignmentReflected(TfcContractEvent):
    """A registered change of store or staff is reflected in the finance company's records."""

    wire_type: ClassVar[str] = "tfc.assignment_reflected.v1"

    change_id: str
    reflected_on: date


class AssignmentRejected(TfcContractEvent):
    """A registered change of store or staff was rejected."""

    wire_type: ClassVar[str] = "tfc.assignment_rejected.v1"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    change_id: str
    reason: str


class ProductMasterUpdated(TfcEvent):
    """A finance product was added, or its options changed; `dealer_id` is `*`."""

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
        """A key that cannot collide with contract numbers."""
        return f"product-{self.product_code}"


class BusinessCalendarUpdated(TfcEvent):
    """Days of one year that differ from the general calendar; `dealer_id` is `*`."""

    wire_type: ClassVar[str] = "tfc.business_calendar_updated.v1"
    aggregate_key: ClassVar[str] = "year"

    year: int
    closed_on: tuple[date, ...] = ()
    open_on: tuple[date, ...] = ()

    @property
    def aggregate_id(self) -> str:
        """A key that cannot collide with contract numbers."""
        return f"calendar-{self.year}"
