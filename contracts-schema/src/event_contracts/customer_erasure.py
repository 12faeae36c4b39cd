"""Customer erasure: the words by which services that have no contract find the customer's traces.

The words are personal data. They stand in the log only until every subscriber could read them:
the contracts service overwrites them soon after (docs/retention.md).
"""

from typing import ClassVar

from event_contracts.event import Event


class CustomerTracesErased(Event):
    """A customer was erased: erase free texts and messages that name them or their contract."""

    wire_type: ClassVar[str] = "customer_erasure.requested.v1"
    aggregate_type: ClassVar[str] = "customer_erasure"
    aggregate_key: ClassVar[str] = "contract_no"
    personal: ClassVar[tuple[str, ...]] = ("words",)

    contract_no: str
    words: tuple[str, ...] = ()
