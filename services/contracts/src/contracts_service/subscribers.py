"""Event subscriptions of the contracts service, one function per event type."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.actions import assignment, customer_change, master_data, tfc_updates
from contracts_service.actions.final_handling import return_ended, return_submitted
from contracts_service.rules.products import Product
from event_contracts import dealer, tfc
from event_contracts.returns import ApplicationSubmitted, ReturnCompleted, ReturnWithdrawn
from shared.mail_address import is_mail_address
from shared.worker import Delivery, Subscribers

SUBSCRIBERS = Subscribers()


@SUBSCRIBERS.on(ApplicationSubmitted)
async def record_return_submitted(
    event: ApplicationSubmitted, delivery: Delivery, tx: AsyncSession
) -> None:
    """The contract has an open return application (D60, D81)."""
    await return_submitted(tx, event.contract_no, event.application_id, now=delivery.now)


@SUBSCRIBERS.on(ReturnWithdrawn)
async def record_return_withdrawn(
    event: ReturnWithdrawn, delivery: Delivery, tx: AsyncSession
) -> None:
    """The return application was withdrawn; the selection may change again (D60)."""
    names = (event.contract_no, event.application_id)
    await return_ended(tx, *names, completed=False, now=delivery.now)


@SUBSCRIBERS.on(ReturnCompleted)
async def complete_by_return(event: ReturnCompleted, delivery: Delivery, tx: AsyncSession) -> None:
    """The finance company completed the return, and with it the contract (A-08, D78)."""
    names = (event.contract_no, event.application_id)
    await return_ended(tx, *names, completed=True, now=delivery.now)


@SUBSCRIBERS.on(tfc.TfcContractImported, tfc.TfcContractUpdated)
async def apply_contract_facts(
    event: tfc.TfcContractFacts, delivery: Delivery, tx: AsyncSession
) -> None:
    """A contract is new or changed in the finance company's records."""
    await tfc_updates.apply_contract_facts(tx, event, now=delivery.now)


@SUBSCRIBERS.on(tfc.TfcHandlingFlagged)
async def flag_tfc_handling(
    event: tfc.TfcHandlingFlagged, delivery: Delivery, tx: AsyncSession
) -> None:
    """The row becomes blue (D38)."""
    await tfc_updates.set_tfc_handling(tx, event.contract_no, handled=True, now=delivery.now)


@SUBSCRIBERS.on(tfc.TfcHandlingCleared)
async def clear_tfc_handling(
    event: tfc.TfcHandlingCleared, delivery: Delivery, tx: AsyncSession
) -> None:
    """The row has its normal colour again (D38)."""
    await tfc_updates.set_tfc_handling(tx, event.contract_no, handled=False, now=delivery.now)


@SUBSCRIBERS.on(tfc.ReceivablePurchased)
async def record_purchase(
    event: tfc.ReceivablePurchased, delivery: Delivery, tx: AsyncSession
) -> None:
    """A return needs a separate procedure from now on (D78)."""
    await tfc_updates.record_purchase(tx, event.contract_no, now=delivery.now)


@SUBSCRIBERS.on(tfc.EarlyPayoffInquired)
async def record_inquiry(
    event: tfc.EarlyPayoffInquired, delivery: Delivery, tx: AsyncSession
) -> None:
    """The inquiry may set 代替 (D31)."""
    await tfc_updates.record_inquiry(tx, event, now=delivery.now)


@SUBSCRIBERS.on(tfc.EarlyPayoffCompleted)
async def complete_by_payoff(
    event: tfc.EarlyPayoffCompleted, delivery: Delivery, tx: AsyncSession
) -> None:
    """The settlement completes the contract (D70)."""
    await tfc_updates.record_settlement(tx, event.contract_no, now=delivery.now)


@SUBSCRIBERS.on(tfc.SelectionCorrected)
async def correct_selection(
    event: tfc.SelectionCorrected, delivery: Delivery, tx: AsyncSession
) -> None:
    """The finance company corrects the selection at any time (D80)."""
    names = (event.contract_no, event.category)
    await tfc_updates.correct_selection(tx, *names, now=delivery.now)


@SUBSCRIBERS.on(tfc.ResplitScreened)
async def record_screening(
    event: tfc.ResplitScreened, delivery: Delivery, tx: AsyncSession
) -> None:
    """An approval completes the contract, a rejection restores the earlier selection (D50)."""
    approved = event.approved
    await tfc_updates.record_screening(tx, event.contract_no, approved=approved, now=delivery.now)


@SUBSCRIBERS.on(tfc.SeparateProcedureCompleted)
async def complete_separate_procedure(
    event: tfc.SeparateProcedureCompleted, delivery: Delivery, tx: AsyncSession
) -> None:
    """Together with a completed return this completes the contract (D78)."""
    await tfc_updates.complete_separate_procedure(tx, event.contract_no, now=delivery.now)


@SUBSCRIBERS.on(tfc.TfcCompletedFinalHandling)
async def complete_by_tfc(
    event: tfc.TfcCompletedFinalHandling, delivery: Delivery, tx: AsyncSession
) -> None:
    """Completes the contract, whatever was entered (A-08)."""
    await tfc_updates.complete_by_tfc(tx, event.contract_no, now=delivery.now)


@SUBSCRIBERS.on(tfc.AssignmentReflected)
async def reflect_assignment(
    event: tfc.AssignmentReflected, delivery: Delivery, tx: AsyncSession
) -> None:
    """A registered change is reflected in the finance company's records (D141)."""
    change = (event.contract_no, UUID(event.change_id), event.reflected_on)
    await assignment.reflect_change(tx, *change, now=delivery.now)


@SUBSCRIBERS.on(tfc.AssignmentRejected)
async def reject_assignment(
    event: tfc.AssignmentRejected, delivery: Delivery, tx: AsyncSession
) -> None:
    """A registered change was rejected (D141)."""
    change = (event.contract_no, UUID(event.change_id), event.reason)
    await assignment.reject_change(tx, *change, now=delivery.now)


@SUBSCRIBERS.on(tfc.ProductMasterUpdated)
async def upsert_product(event: tfc.ProductMasterUpdated, _: Delivery, tx: AsyncSession) -> None:
    """What a finance product allows (D76-D79)."""
    product = Product(
        code=event.product_code,
        **event.model_dump(exclude={"dealer_id", "product_code"}),
    )
    await master_data.upsert_products(tx, [product])


@SUBSCRIBERS.on(tfc.BusinessCalendarUpdated)
async def upsert_calendar(
    event: tfc.BusinessCalendarUpdated, _: Delivery, tx: AsyncSession
) -> None:
    """The finance company's own days of one year (D141)."""
    await master_data.upsert_calendar(
        tx, event.year, closed_on=event.closed_on, open_on=event.open_on
    )


@SUBSCRIBERS.on(dealer.StaffMasterUpdated)
async def upsert_staff_member(
    event: dealer.StaffMasterUpdated, delivery: Delivery, tx: AsyncSession
) -> None:
    """A staff member was added, changed or removed (C4); an address must be one to send to."""
    mail = event.mail if event.mail and is_mail_address(event.mail) else None
    await master_data.upsert_staff(tx, [{**event.model_dump(), "mail": mail}], now=delivery.now)


@SUBSCRIBERS.on(dealer.StoreMasterUpdated)
async def upsert_store(
    event: dealer.StoreMasterUpdated, delivery: Delivery, tx: AsyncSession
) -> None:
    """A store was added, changed or closed; a closed one must not be chosen either (D130).

    Its successor is offered as the destination of its customers (C4).
    """
    unused = event.unused or not event.active
    row = event.model_dump(include={"dealer_id", "store_code", "name", "phone"})
    await master_data.upsert_stores(tx, [{**row, "unused": unused}], now=delivery.now)
    await master_data.set_successor(tx, event.dealer_id, event.store_code, event.successor)


@SUBSCRIBERS.on(dealer.ReplacementVehicleMasterUpdated)
async def upsert_vehicle(
    event: dealer.ReplacementVehicleMasterUpdated, _: Delivery, tx: AsyncSession
) -> None:
    """A model in this dealer's own pulldown (D55)."""
    await master_data.upsert_vehicles(tx, [event.model_dump()])


@SUBSCRIBERS.on(dealer.CustomerChangeStarted)
async def block_results(event: dealer.CustomerChangeStarted, _: Delivery, tx: AsyncSession) -> None:
    """Results wait for the change of the customer's name or address (D64)."""
    names = (event.dealer_id, event.contract_no)
    await customer_change.set_pending(tx, *names, pending=True)


@SUBSCRIBERS.on(dealer.CustomerChangeCompleted)
async def unblock_results(
    event: dealer.CustomerChangeCompleted, _: Delivery, tx: AsyncSession
) -> None:
    """The change is complete (D64)."""
    names = (event.dealer_id, event.contract_no)
    await customer_change.set_pending(tx, *names, pending=False)


@SUBSCRIBERS.on(dealer.ReplacementSold)
async def suggest_replacement(event: dealer.ReplacementSold, _: Delivery, tx: AsyncSession) -> None:
    """A suggestion for 自社代替; a user confirms it (C4)."""
    sold = (event.vehicle_code, event.ordered_on)
    await customer_change.suggest_replacement(tx, event.dealer_id, event.contract_no, *sold)
