"""Event base class: a frozen fact about one aggregate of one dealer.

Building an event refuses unknown fields; reading one (`registry.read`) ignores them, so that a
newer writer may add optional fields without breaking an older reader.
"""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A nested part of an event's payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ERASED = "（消去済み）"
"""Replaces a customer's name, address or a text about them after erasure."""


class Event(Part):
    """A fact on the wire. `wire_type` is `<stream>.<past tense>.v<version>`.

    `personal` lists the fields that may identify a customer; they are blanked on erasure.
    """

    wire_type: ClassVar[str]
    aggregate_type: ClassVar[str]
    aggregate_key: ClassVar[str]
    personal: ClassVar[tuple[str, ...]] = ()

    dealer_id: str

    @property
    def aggregate_id(self) -> str:
        """The id of the aggregate that defines the event's order."""
        return str(getattr(self, self.aggregate_key))
