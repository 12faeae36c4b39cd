"""Subscribers: contracts, masters, cars, mails and the steps of TFC's core, one action for each."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import contract, customer_erasure, dealer, mail, masters, tfc_returns
from returns_service.actions import contract_copy, reported_cars, store_and_staff_copy
from returns_service.actions.change_applications import upsert_change_application
from returns_service.actions.customer_erasure import erase_customer, erase_refused_messages
from returns_service.actions.return_history import record_mail
from returns_service.actions.tfc_steps import apply_tfc_step
from returns_service.actor import TFC_CORE, RequestContext
from shared.worker import Delivery, Subscribers

SUBSCRIBERS = Subscribers()


@SUBSCRIBERS.on_list(contract.ContractRegistered, contract.ContractUpdated)
async def upsert_contracts(
    events: Sequence[tuple[contract.ContractFacts, Delivery]], tx: AsyncSession
) -> None:
    """Contracts are new or changed; an import emits thousands of these."""
    await contract_copy.upsert_contracts(tx, [event for event, _ in events])


@SUBSCRIBERS.on(contract.SelectionRecorded)
async def record_selection(
    event: contract.SelectionRecorded, _: Delivery, tx: AsyncSession
) -> None:
    """The customer chose how the contract ends (D80)."""
    await contract_copy.set_selection(tx, event.contract_no, event.category)


@SUBSCRIBERS.on(contract.SelectionChanged)
async def change_selection(event: contract.SelectionChanged, _: Delivery, tx: AsyncSession) -> None:
    """The customer chose something else, or took the choice back."""
    await contract_copy.set_selection(tx, event.contract_no, event.after)


@SUBSCRIBERS.on(contract.FinalHandlingCompleted)
async def record_completion(
    event: contract.FinalHandlingCompleted, _: Delivery, tx: AsyncSession
) -> None:
    """The final handling of a contract is complete."""
    await contract_copy.set_completion(tx, event.contract_no, event.basis)


@SUBSCRIBERS.on(contract.FinalHandlingReopened)
async def clear_completion(
    event: contract.FinalHandlingReopened, _: Delivery, tx: AsyncSession
) -> None:
    """The contract is to be handled again."""
    await contract_copy.set_completion(tx, event.contract_no, None)


@SUBSCRIBERS.on(contract.CustomerErased)
async def erase_customer_data(
    event: contract.CustomerErased, delivery: Delivery, tx: AsyncSession
) -> None:
    """The customer's personal data are erased here too."""
    await erase_customer(tx, event.contract_no, now=delivery.now)


@SUBSCRIBERS.on(customer_erasure.CustomerTracesErased)
async def erase_customer_words(
    event: customer_erasure.CustomerTracesErased, _: Delivery, tx: AsyncSession
) -> None:
    """Messages that this service refused may name the customer."""
    await erase_refused_messages(tx, event.contract_no, event.words)


@SUBSCRIBERS.on(contract.AssignmentChangeRegistered)
async def hide_from_old_store(
    event: contract.AssignmentChangeRegistered, _: Delivery, tx: AsyncSession
) -> None:
    """From the next day the old store does not see a moving contract (D142)."""
    hidden = event.hidden_from_old_store_on
    await contract_copy.hide_from_old_store(
        tx, event.contract_no, event.change_id, hidden_from_on=hidden
    )


@SUBSCRIBERS.on(contract.AssignmentChangeCancelled)
async def show_to_old_store(
    event: contract.AssignmentChangeCancelled, _: Delivery, tx: AsyncSession
) -> None:
    """The old store sees the contract again."""
    await contract_copy.show_to_old_store(tx, event.contract_no, event.change_id)


@SUBSCRIBERS.on(contract.AssignmentChangeReflected)
async def move_to_new_store(
    event: contract.AssignmentChangeReflected, _: Delivery, tx: AsyncSession
) -> None:
    """The new store and person are in force."""
    await contract_copy.move_contract(
        tx, event.contract_no, store_code=event.store_code, staff_code=event.staff_code
    )


@SUBSCRIBERS.on(masters.StoreUpdated)
async def upsert_store(event: masters.StoreUpdated, _: Delivery, tx: AsyncSession) -> None:
    """A store is new or changed."""
    await store_and_staff_copy.upsert_store(tx, event)


@SUBSCRIBERS.on(masters.StaffUpdated)
async def upsert_staff(event: masters.StaffUpdated, _: Delivery, tx: AsyncSession) -> None:
    """A person is new or changed."""
    await store_and_staff_copy.upsert_staff(tx, event)


@SUBSCRIBERS.on(
    tfc_returns.TfcReturnAccepted,
    tfc_returns.TfcReturnOnHold,
    tfc_returns.TfcReturnHoldReleased,
    tfc_returns.TfcReturnContactEntryStarted,
    tfc_returns.TfcReturnContactEntered,
    tfc_returns.TfcReturnRemanded,
    tfc_returns.TfcReturnCompleted,
)
async def apply_tfc_event(
    event: tfc_returns.TfcReturnEvent, delivery: Delivery, tx: AsyncSession
) -> None:
    """TFC's core takes a step, or is answered that it comes too late."""
    await apply_tfc_step(RequestContext(tx, delivery.now, TFC_CORE), event)


@SUBSCRIBERS.on(tfc_returns.TfcChangeApplicationUpdated)
async def update_change_application(
    event: tfc_returns.TfcChangeApplicationUpdated, _: Delivery, tx: AsyncSession
) -> None:
    """An application that TFC keeps is new or changed (D99)."""
    await upsert_change_application(tx, event)


@SUBSCRIBERS.on(mail.MailSent, mail.MailSuppressed, mail.MailFailed, mail.MailOutcomeUnknown)
async def record_mail_result(event: mail.MailEvent, delivery: Delivery, tx: AsyncSession) -> None:
    """The history shows what became of a mail."""
    await record_mail(tx, event, at=delivery.occurred_at)


@SUBSCRIBERS.on(dealer.VehicleReturned)
async def upsert_reported_car(
    event: dealer.VehicleReturned, delivery: Delivery, tx: AsyncSession
) -> None:
    """A dealer's system reports a returned car (D93)."""
    await reported_cars.upsert_reported_car(tx, event, at=delivery.occurred_at)


@SUBSCRIBERS.on(dealer.VehicleReturnCancelled)
async def delete_reported_car(
    event: dealer.VehicleReturnCancelled, _: Delivery, tx: AsyncSession
) -> None:
    """A dealer's system takes its report back."""
    await reported_cars.delete_reported_car(tx, event)
