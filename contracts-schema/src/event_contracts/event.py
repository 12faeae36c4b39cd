"""What is every event? A frozen fact about one aggregate of one dealer.

Building an event refuses unknown fields; reading one (`registry.read`) ignores them, so that a
newer writer may add optional fields without breaking an older reader.
"""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A piece of an event's payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ERASED = "（消去済み）"
"""What stands where a customer's name, address or a text about them was."""


class Event(Part):
    """A fact on the wire. `wire_type` is `<stream>.<past tense>.v<version>`.

    `personal` names the fields that may say who a customer is; they go when the customer is erased.
    """

    wire_type: ClassVar[str]
    aggregate_type: ClassVar[str]
    aggregate_key: ClassVar[str]
    personal: ClassVar[tuple[str, ...]] = ()

    dealer_id: str

    @property
    def aggregate_id(self) -> str:
        """The id of the aggregate whose order this event keeps."""
        return str(getattr(self, self.aggregate_key))
