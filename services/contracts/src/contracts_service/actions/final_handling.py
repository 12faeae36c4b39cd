"""Final handling: completes or reopens a contract (D32, D70, D72, D78, A-08).

`settle_completion` is called after every change of a contract and emits the events.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.models import Contract
from contracts_service.rules.completion import CompletionFacts, completion_basis
from contracts_service.rules.products import needs_separate_procedure
from contracts_service.rules.selection import Selection
from event_contracts.contract import FinalHandlingCompleted, FinalHandlingReopened
from shared import outbox
from shared.clock import jst_day


async def settle_completion(tx: AsyncSession, contract: Contract, *, now: datetime) -> None:
    """Recompute the contract's completion from its facts, and emit the difference."""
    product = await queries.product(tx, contract.product_code)
    facts = CompletionFacts(
        selection=Selection(contract.selection) if contract.selection else None,
        payoff_settled=contract.payoff_settled,
        return_completed=contract.return_completed,
        separate_procedure_needed=needs_separate_procedure(
            product, receivable_purchased=contract.receivable_purchased
        ),
        separate_procedure_completed=contract.separate_procedure_completed,
        resplit_approved=contract.resplit_approved,
        completed_by_tfc=contract.completed_by_tfc,
    )
    before, after = contract.completion_basis, completion_basis(facts)
    if before == after:
        return
    contract.completion_basis = after
    contract.completed_on = jst_day(now) if after else None
    names = {"dealer_id": contract.dealer_id, "contract_no": contract.contract_no}
    if after:
        await outbox.add(tx, FinalHandlingCompleted(**names, basis=after.value), now=now)
    else:
        reopened = FinalHandlingReopened.model_validate({**names, "basis": before})
        await outbox.add(tx, reopened, now=now)


async def return_submitted(
    tx: AsyncSession, contract_no: str, application_id: str, *, now: datetime
) -> None:
    """A return application was submitted; the completion by an earlier one is void (D81)."""
    contract = await queries.contract_of_event(tx, contract_no)
    contract.open_return_id = application_id
    contract.return_completed = False
    contract.version += 1
    await settle_completion(tx, contract, now=now)


async def return_ended(
    tx: AsyncSession, contract_no: str, application_id: str, *, completed: bool, now: datetime
) -> None:
    """A return application was completed or withdrawn (A-08, D78)."""
    contract = await queries.contract_of_event(tx, contract_no)
    if contract.open_return_id not in {None, application_id}:
        return  # a later application is open: this one no longer counts
    contract.open_return_id = None
    contract.return_completed = contract.return_completed or completed
    contract.version += 1
    await settle_completion(tx, contract, now=now)
