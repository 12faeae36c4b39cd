"""Subscribers of the interchange: the steps of an application that become webhooks."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.customer_erasure import CustomerTracesErased
from event_contracts.returns import (
    ReturnCompleted,
    ReturnEvent,
    ReturnRemanded,
    ReturnStatusChanged,
    ReturnWithdrawn,
)
from interchange_service.actions.customer_erasure import erase_customer
from interchange_service.actions.schedule_webhook import schedule_messages
from interchange_service.models import DEPARTED_STAFF
from interchange_service.rules.webhooks import HORIZON, REMANDED_TO, EventFilter, Step, is_timely
from shared.departed_staff import keep_departed_staff
from shared.worker import Delivery, Subscribers


async def erase_customer_messages(
    event: CustomerTracesErased, on: Delivery, tx: AsyncSession
) -> None:
    """A customer was erased; refused messages may name them."""
    await erase_customer(tx, event.dealer_id, event.contract_no, event.words, now=on.now)


def subscribers_with(horizon: timedelta = HORIZON) -> Subscribers:
    """The interchange's subscribers; what is older than `horizon` is not sent."""
    subscribers = Subscribers()
    keep_departed_staff(subscribers, DEPARTED_STAFF)
    subscribers.on(CustomerTracesErased)(erase_customer_messages)

    async def schedule(
        event: ReturnEvent, on: Delivery, tx: AsyncSession, kind: EventFilter, status: str
    ) -> None:
        if not is_timely(on.occurred_at, now=on.now, imported=event.imported, horizon=horizon):
            return
        step = Step(
            event_id=on.event_id,
            kind=kind,
            dealer_id=event.dealer_id,
            application_id=event.application_id,
            contract_no=event.contract_no,
            status=status,
            version=on.sequence,
            occurred_at=on.occurred_at,
        )
        await schedule_messages(tx, step, now=on.now)

    @subscribers.on(ReturnStatusChanged)
    async def schedule_status(event: ReturnStatusChanged, on: Delivery, tx: AsyncSession) -> None:
        await schedule(event, on, tx, EventFilter.STATUS_CHANGED, event.to_status)

    @subscribers.on(ReturnCompleted)
    async def schedule_completion(event: ReturnCompleted, on: Delivery, tx: AsyncSession) -> None:
        await schedule(event, on, tx, EventFilter.COMPLETED, "COMPLETED")

    @subscribers.on(ReturnRemanded)
    async def schedule_remand(event: ReturnRemanded, on: Delivery, tx: AsyncSession) -> None:
        await schedule(event, on, tx, EventFilter.REMANDED, REMANDED_TO[event.to_level])

    @subscribers.on(ReturnWithdrawn)
    async def schedule_withdrawal(event: ReturnWithdrawn, on: Delivery, tx: AsyncSession) -> None:
        await schedule(event, on, tx, EventFilter.WITHDRAWN, "WITHDRAWN")

    return subscribers
