"""Customer data from the dealers' systems: a pending change, a sold replacement (D64, C4).

A dealer's message applies to its own contracts only.
"""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.actions.entry_history import Recorder
from contracts_service.models import Contract, CustomerChangeRelease
from contracts_service.queries import ContractUnknown
from contracts_service.rules.customer_change_block import release_block
from shared.roles import Role
from shared.trace_context import new_id


async def set_pending(tx: AsyncSession, dealer_id: str, contract_no: str, *, pending: bool) -> None:
    """A change of name or address started or was completed. Raises ContractUnknown."""
    contract = await _own(tx, dealer_id, contract_no)
    contract.customer_change_pending = pending
    contract.version += 1


async def release(
    tx: AsyncSession, contract: Contract, role: Role, reason: str, recorder: Recorder
) -> None:
    """Headquarters lifts the block and gives a reason. Raises RoleMayNot, FormErrors."""
    tx.add(
        CustomerChangeRelease(
            release_id=new_id(),
            dealer_id=contract.dealer_id,
            contract_no=contract.contract_no,
            reason=release_block(role, reason),
            released_at=recorder.now,
            released_by=recorder.who,
        )
    )
    contract.customer_change_pending = False
    contract.version += 1


async def suggest_replacement(
    tx: AsyncSession, dealer_id: str, contract_no: str, vehicle_code: str, ordered_on: date
) -> None:
    """Record that the customer ordered a car here. Raises ContractUnknown."""
    contract = await _own(tx, dealer_id, contract_no)
    contract.sold_vehicle_code, contract.sold_on = vehicle_code, ordered_on
    contract.version += 1


async def _own(tx: AsyncSession, dealer_id: str, contract_no: str) -> Contract:
    contract = await queries.contract_of_event(tx, contract_no)
    if contract.dealer_id != dealer_id:
        raise ContractUnknown(contract_no)
    return contract
