"""Master data events of the contracts service: current stores and staff.

Mail addresses are not published; work telephone numbers are, since a return form shows them.
"""

from typing import ClassVar, Literal

from event_contracts.event import Event


class StoreUpdated(Event):
    """A store was added or changed; an `unused` one must no longer be selected."""

    wire_type: ClassVar[str] = "store.updated.v1"
    aggregate_type: ClassVar[str] = "store"
    aggregate_key: ClassVar[str] = "store_code"

    store_code: str
    name: str
    unused: bool = False
    phone: str | None = None
    dealer_name: str | None = None

    @property
    def aggregate_id(self) -> str:
        """Store codes are unique within a dealer only."""
        return f"{self.dealer_id}-{self.store_code}"


class StaffUpdated(Event):
    """A staff member was added or changed, or has left (`active` is false)."""

    wire_type: ClassVar[str] = "staff.updated.v1"
    aggregate_type: ClassVar[str] = "staff"
    aggregate_key: ClassVar[str] = "staff_code"

    staff_code: str
    name: str
    store_code: str | None
    role: Literal["sales", "manager", "hq"]
    active: bool = True
    mobile: str | None = None
    name_kana: str | None = None

    @property
    def aggregate_id(self) -> str:
        """Staff codes are unique within a dealer only."""
        return f"{self.dealer_id}-{self.staff_code}"


class StaffAccessChanged(Event):
    """A staff member has left and loses all access, or has come back (`active` is true)."""

    wire_type: ClassVar[str] = "staff_access.changed.v1"
    aggregate_type: ClassVar[str] = "staff_access"
    aggregate_key: ClassVar[str] = "staff_code"

    staff_code: str
    active: bool

    @property
    def aggregate_id(self) -> str:
        """Staff codes are unique within a dealer only."""
        return f"{self.dealer_id}-{self.staff_code}"
