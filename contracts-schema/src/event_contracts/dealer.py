"""Dealer events from the dealers' own systems: returned vehicles, and master data."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from event_contracts import limits
from event_contracts.event import Event

Code = Annotated[str, limits.CODE]
Name = Annotated[str, limits.NAME]
ContractNo = Annotated[str, limits.CONTRACT_NO]
Day = Annotated[date, limits.DAY]
Phone = Annotated[str, limits.PHONE]
Short = Annotated[str, limits.SHORT]
SourceId = Annotated[str, limits.KEY]


class DealerEvent(Event):
    """A fact that a dealer's system publishes; keys are unique within the dealer only."""

    aggregate_type: ClassVar[str] = "dealer"

    dealer_id: Annotated[str, limits.DEALER]

    @property
    def aggregate_id(self) -> str:
        """The dealer and the key, joined."""
        return f"{self.dealer_id}-{getattr(self, self.aggregate_key)}"


class VehicleReturned(DealerEvent):
    """A vehicle was returned to the dealer; a person still has to submit the return."""

    wire_type: ClassVar[str] = "dealer.vehicle_returned.v1"
    personal: ClassVar[tuple[str, ...]] = ("place",)
    aggregate_key: ClassVar[str] = "source_id"

    source_id: SourceId
    contract_no: ContractNo | None = None
    registration_no: Short | None = None
    received_on: Day
    place: Annotated[str, limits.PLACE] | None = None
    odometer_km: Annotated[int, limits.ODOMETER] | None = None


class VehicleReturnCancelled(DealerEvent):
    """The earlier `vehicle_returned` event was a mistake."""

    wire_type: ClassVar[str] = "dealer.vehicle_return_cancelled.v1"
    aggregate_key: ClassVar[str] = "source_id"

    source_id: SourceId


class StaffMasterUpdated(DealerEvent):
    """A staff member was added, changed or removed."""

    wire_type: ClassVar[str] = "dealer.staff_master_updated.v1"
    aggregate_key: ClassVar[str] = "staff_code"

    staff_code: Code
    name: Name
    name_kana: Short | None = None
    store_code: Code | None = None
    role: Literal["sales", "manager", "hq"]
    active: bool = True
    mobile_phone: Phone | None = None
    mail: Annotated[str, limits.MAIL] | None = None


class StoreMasterUpdated(DealerEvent):
    """A store was added, changed or closed; `successor` takes over a closed store's customers."""

    wire_type: ClassVar[str] = "dealer.store_master_updated.v1"
    aggregate_key: ClassVar[str] = "store_code"

    store_code: Code
    name: Name
    phone: Phone | None = None
    active: bool = True
    unused: bool = False
    successor: Code | None = None


class ReplacementVehicleMasterUpdated(DealerEvent):
    """A model that the dealer's customers may buy as the next vehicle."""

    wire_type: ClassVar[str] = "dealer.replacement_vehicle_master_updated.v1"
    aggregate_key: ClassVar[str] = "vehicle_code"

    vehicle_code: Code
    name: Name
    active: bool = True


class DealerContractEvent(DealerEvent):
    """A dealer's fact about one contract."""

    aggregate_key: ClassVar[str] = "contract_no"

    contract_no: ContractNo


class CustomerChangeStarted(DealerContractEvent):
    """A change of the customer's name or address has started."""

    wire_type: ClassVar[str] = "dealer.customer_change_started.v1"

    fields: tuple[Literal["address", "name"], ...] = ()


class CustomerChangeCompleted(DealerContractEvent):
    """The change of the customer's name or address is complete."""

    wire_type: ClassVar[str] = "dealer.customer_change_completed.v1"

    fields: tuple[Literal["address", "name"], ...] = ()


class ReplacementSold(DealerContractEvent):
    """The customer ordered a vehicle; a person still confirms it as the replacement."""

    wire_type: ClassVar[str] = "dealer.replacement_sold.v1"

    vehicle_code: Code
    ordered_on: Day
