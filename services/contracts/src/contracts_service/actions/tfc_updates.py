"""Finance company updates of contracts (C5).

Applies its contract data; its settlements, screenings and corrections may complete the contract.
"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.actions.contract_event import contract_event
from contracts_service.actions.contract_import import import_contract, staged_line
from contracts_service.actions.entry_history import (
    Recorder,
    append_entry,
    publish_replacement,
    publish_selection_change,
    set_replacement,
)
from contracts_service.actions.final_handling import settle_completion
from contracts_service.models import Contract
from contracts_service.rule_facts import replacement_of, selection_of
from contracts_service.rules.calendar_days import first_of_month
from contracts_service.rules.import_row import ContractRow
from contracts_service.rules.replacement_mark import (
    ReplacementEntry,
    ReplacementSource,
    latest_replacement,
)
from contracts_service.rules.resplit import selection_after_screening
from contracts_service.rules.search_text import folded_contract_no
from contracts_service.rules.selection import OTHER_VEHICLE, Replacement, Selection
from event_contracts.contract import ContractUpdated
from event_contracts.tfc import EarlyPayoffInquired, TfcContractFacts
from shared import outbox

TFC = "TFC"


async def apply_contract_facts(tx: AsyncSession, event: TfcContractFacts, *, now: datetime) -> None:
    """Import a contract from the finance company's event."""
    product, car, customer = (
        await queries.product(tx, event.product_code),
        event.vehicle,
        event.customer,
    )
    rate = event.loan.yearly_rate_percent
    row = ContractRow(
        dealer_code=event.dealer_id,
        contract_no=folded_contract_no(event.contract_no),
        product_code=event.product_code,
        final_on=event.final_on,
        is_lease=product.is_lease,
        **event.loan.model_dump(exclude={"yearly_rate_percent"}),
        yearly_rate_percent=None if rate is None else Decimal(str(rate)),
        model_code=car.model_code,
        model=car.model,
        registration_no=car.registration_no,
        first_registered_month=first_of_month(car.first_registered_on),
        first_registered_on=None if car.whole_month else car.first_registered_on,
        commercial=car.commercial,
        customer_name=customer.name,
        customer_name_kana=customer.name_kana,
        postal_code=customer.postal_code,
        address=customer.address,
        phone=customer.phone,
        store_code=event.store_code,
        staff_code=event.staff_code,
        receivable_purchased=event.receivable_purchased,
        tfc_handled=event.tfc_handled,
        customer_change_pending=event.customer_change_pending,
    )
    await import_contract(tx, staged_line(0, row), now=now)


async def set_tfc_handling(
    tx: AsyncSession, contract_no: str, *, handled: bool, now: datetime
) -> None:
    """Set or clear the finance company's own handling, shown blue (D38)."""
    contract = await queries.contract_of_event(tx, contract_no)
    if contract.tfc_handled is not handled:
        contract.tfc_handled = handled
        await _publish_facts(tx, contract, now)


async def record_purchase(tx: AsyncSession, contract_no: str, *, now: datetime) -> None:
    """The receivable was purchased: a return no longer completes the contract by itself (D78)."""
    contract = await queries.contract_of_event(tx, contract_no)
    if not contract.receivable_purchased:
        contract.receivable_purchased = True
        await _publish_facts(tx, contract, now)
        await settle_completion(tx, contract, now=now)


async def record_inquiry(tx: AsyncSession, event: EarlyPayoffInquired, *, now: datetime) -> None:
    """Record the replacement named in a payoff inquiry; the latest statement counts (D31)."""
    contract = await queries.contract_of_event(tx, event.contract_no)
    if event.own_replacement is None:
        return
    code = (event.vehicle_code or OTHER_VEHICLE) if event.own_replacement else None
    text = event.other_text if code == OTHER_VEHICLE else None
    stated = Replacement(event.own_replacement, code, text)
    source = ReplacementSource.PAYOFF_INQUIRY
    entries = [ReplacementEntry(replacement=stated, source=source, recorded_at=event.inquired_at)]
    known = replacement_of(contract)
    if known and contract.replacement_recorded_at and contract.replacement_source:
        entries.append(
            ReplacementEntry(
                replacement=known,
                source=ReplacementSource(contract.replacement_source),
                recorded_at=contract.replacement_recorded_at,
            )
        )
    if latest_replacement(entries) is stated and stated != known:
        set_replacement(contract, stated, source, event.inquired_at)
        append_entry(tx, contract, Recorder(TFC, source.value, now))
        await publish_replacement(tx, contract, now)


async def record_settlement(tx: AsyncSession, contract_no: str, *, now: datetime) -> None:
    """The early payoff is settled: it becomes the selection, whatever was entered (D70)."""
    contract = await queries.contract_of_event(tx, contract_no)
    contract.payoff_settled = True
    await _choose(tx, contract, Selection.EARLY_PAYOFF, Recorder(TFC, "payoff_settled", now))


async def correct_selection(
    tx: AsyncSession, contract_no: str, category: str | None, *, now: datetime
) -> None:
    """The finance company corrects the selection, at any time (D80)."""
    contract = await queries.contract_of_event(tx, contract_no)
    chosen = Selection(category) if category else None
    await _choose(tx, contract, chosen, Recorder(TFC, "tfc_correction", now))


async def record_screening(
    tx: AsyncSession, contract_no: str, *, approved: bool, now: datetime
) -> None:
    """The screening of a re-split is finished; a rejection restores the earlier selection (D50)."""
    contract = await queries.contract_of_event(tx, contract_no)
    previous = contract.selection_before_resplit
    chosen = selection_after_screening(
        approved=approved,
        current=selection_of(contract),
        previous=Selection(previous) if previous else None,
    )
    contract.resplit_approved = approved
    contract.selection_before_resplit = None
    await _choose(tx, contract, chosen, Recorder(TFC, "resplit_screened", now))


async def complete_separate_procedure(tx: AsyncSession, contract_no: str, *, now: datetime) -> None:
    """The separate procedure after the return is complete (D78)."""
    contract = await queries.contract_of_event(tx, contract_no)
    contract.separate_procedure_completed = True
    contract.version += 1
    await settle_completion(tx, contract, now=now)


async def complete_by_tfc(tx: AsyncSession, contract_no: str, *, now: datetime) -> None:
    """The finance company completed the final handling itself."""
    contract = await queries.contract_of_event(tx, contract_no)
    contract.completed_by_tfc = True
    contract.version += 1
    await settle_completion(tx, contract, now=now)


async def _choose(
    tx: AsyncSession, contract: Contract, chosen: Selection | None, recorder: Recorder
) -> None:
    before = contract.selection
    contract.selection = chosen.value if chosen else None
    append_entry(tx, contract, recorder)
    await publish_selection_change(tx, contract, before, recorder.now)
    await settle_completion(tx, contract, now=recorder.now)


async def _publish_facts(tx: AsyncSession, contract: Contract, now: datetime) -> None:
    contract.version += 1
    await outbox.add(tx, contract_event(ContractUpdated, contract), now=now)
