"""What does the contracts service hear of, and what follows from it?"""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.actions.final_handling import return_ended, return_sent
from event_contracts.returns import ApplicationSubmitted, ReturnCompleted, ReturnWithdrawn
from shared.worker import Delivery, Subscribers

SUBSCRIBERS = Subscribers()


@SUBSCRIBERS.on(ApplicationSubmitted)
async def note_return_sent(
    event: ApplicationSubmitted, delivery: Delivery, tx: AsyncSession
) -> None:
    """The contract has an open return application (D60, D81)."""
    await return_sent(tx, event.contract_no, event.application_id, now=delivery.now)


@SUBSCRIBERS.on(ReturnWithdrawn)
async def note_return_withdrawn(
    event: ReturnWithdrawn, delivery: Delivery, tx: AsyncSession
) -> None:
    """The return application is gone, the choice is free again (D60)."""
    names = (event.contract_no, event.application_id)
    await return_ended(tx, *names, completed=False, now=delivery.now)


@SUBSCRIBERS.on(ReturnCompleted)
async def complete_by_return(event: ReturnCompleted, delivery: Delivery, tx: AsyncSession) -> None:
    """The finance company finished the application, and with it the contract (A-08, D78)."""
    names = (event.contract_no, event.application_id)
    await return_ended(tx, *names, completed=True, now=delivery.now)
