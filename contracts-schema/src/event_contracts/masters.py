"""What does the contracts service tell of the masters? Stores and staff as they are now.

Mail addresses stay at home; the telephones at work are told, for a return form opens with them.
"""

from typing import ClassVar, Literal

from event_contracts.event import Event


class StoreUpdated(Event):
    """A store of a dealer is new or changed; an `unused` one must not be chosen any more."""

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
    """A member of a dealer's staff is new, changed, or has left (`active` is false)."""

    wire_type: ClassVar[str] = "staff.updated.v1"
    aggregate_type: ClassVar[str] = "staff"
    aggregate_key: ClassVar[str] = "staff_code"

    staff_code: str
    name: str
    store_code: str | None
    role: Literal["sales", "manager", "hq"]
    active: bool = True
    mobile: str | None = None

    @property
    def aggregate_id(self) -> str:
        """Staff codes are unique within a dealer only."""
        return f"{self.dealer_id}-{self.staff_code}"
