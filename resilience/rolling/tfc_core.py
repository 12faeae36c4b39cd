"""TFC core: publishes events on contracts to the exchange, in order per contract."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from event_contracts import tfc
from shared.clock import SystemClock
from shared.envelope import Envelope
from shared.rabbitmq import RabbitTransport

SOURCE = "/tfc"


@dataclass(slots=True)
class FinanceCompany:
    """Flags contracts as handled by TFC and clears them again, in turn.

    `numbers` has the last sequence number by contract; an unconfirmed batch is published again.
    """

    transport: RabbitTransport
    contracts: Sequence[tuple[str, str]]
    numbers: dict[str, int] = field(default_factory=dict)
    published: int = 0

    async def run(self, events_per_s: float) -> None:
        """Publish `events_per_s` events per second until cancelled."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            due = int((loop.time() - began) * events_per_s) - self.published
            if due > 0:
                await self.publish(min(due, 100))
            await asyncio.sleep(0.05)

    async def publish(self, count: int) -> None:
        """Publish the next events, and retry those that the broker did not confirm."""
        events = [self._next() for _ in range(count)]
        while events:
            confirmed = await self.transport.publish(events)
            events = [event for event in events if event.event_id not in confirmed]
        self.published += count

    def streams(self) -> dict[str, int]:
        """The last sequence number of each stream."""
        return {f"{SOURCE}/tfc/{no}": number for no, number in self.numbers.items()}

    def _next(self) -> Envelope:
        at = sum(self.numbers.values()) % len(self.contracts)
        contract_no, dealer = self.contracts[at]
        number = self.numbers[contract_no] = self.numbers.get(contract_no, 0) + 1
        names = {"dealer_id": dealer, "contract_no": contract_no}
        event: tfc.TfcContractEvent = (
            tfc.TfcHandlingFlagged(**names, reason="total loss")
            if number % 2
            else tfc.TfcHandlingCleared(**names)
        )
        return Envelope(
            event_id=uuid4(),
            source=SOURCE,
            type=event.wire_type,
            aggregate_type=event.aggregate_type,
            aggregate_id=contract_no,
            sequence=number,
            dealer_id=dealer,
            occurred_at=SystemClock().now(),
            payload=event.model_dump_json().encode(),
        )
