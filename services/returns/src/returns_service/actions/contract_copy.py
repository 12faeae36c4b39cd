"""Copy of contracts: what the contracts service's events say of them.

Applications stay with the store that sent them, wherever their contract moves (A-34).
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.contract import Category, ContractFacts
from returns_service.models import Application, ChangeApplication, Contract
from returns_service.rules.progress_list import name_key
from returns_service.rules.return_eligibility import Selection

_SELECTIONS: dict[Category, Selection] = {
    "early_payoff": Selection.EARLY_PAYOFF,
    "cash_settlement": Selection.CASH,
    "re_split": Selection.RESPLIT,
    "vehicle_return": Selection.RETURN,
}


RENAMED = tuple(
    text(f"""
        UPDATE {table.__tablename__} AS written
        SET customer_name = now.customer_name, name_key = now.name_key
        FROM unnest(CAST(:contract_nos AS text[]), CAST(:names AS text[]), CAST(:keys AS text[]))
             AS now (contract_no, customer_name, name_key)
        WHERE written.contract_no = now.contract_no
          AND written.customer_name <> now.customer_name
    """)  # noqa: S608 - names of our own tables
    for table in (Application, ChangeApplication)
)


async def upsert_contracts(tx: AsyncSession, events: Sequence[ContractFacts]) -> None:
    """Keep the facts as they are now; a changed customer name shows in the lists at once.

    Of several events of one contract the last one counts.
    """
    newest = {event.contract_no: event for event in events}
    row = insert(Contract)
    facts = [_facts(event) for event in newest.values()]
    overwritten = {name: row.excluded[name] for name in facts[0] if name != "contract_no"}
    await tx.execute(
        row.on_conflict_do_update(index_elements=["contract_no"], set_=overwritten), facts
    )
    names = {
        "contract_nos": list(newest),
        "names": [event.customer_name for event in newest.values()],
        "keys": [name_key(event.customer_name) for event in newest.values()],
    }
    for renamed in RENAMED:
        await tx.execute(renamed, names)


def _facts(event: ContractFacts) -> dict[str, object]:
    return {
        "contract_no": event.contract_no,
        "dealer_id": event.dealer_id,
        "product_code": event.product_code,
        "final_on": event.final_on,
        "vehicle_model": event.vehicle.model,
        "registration_no": event.vehicle.registration_no,
        "first_registered_on": event.vehicle.first_registered_on,
        "store_code": event.store_code,
        "staff_code": event.staff_code,
        "receivable_purchased": event.receivable_purchased,
        "tfc_handled": event.tfc_handled,
        "customer_name": event.customer_name,
    }


async def set_selection(tx: AsyncSession, contract_no: str, category: Category | None) -> None:
    """Keep what the customer chose (D80); None: the choice was taken back."""
    selection = _SELECTIONS[category].value if category else None
    await _update(tx, contract_no, selection=selection)


async def set_completion(tx: AsyncSession, contract_no: str, basis: str | None) -> None:
    """Keep by what the final handling is complete; None: it is open again."""
    await _update(tx, contract_no, completed_by=basis)


async def hide_from_old_store(
    tx: AsyncSession, contract_no: str, change_id: str, *, hidden_from_on: date | None
) -> None:
    """Hide a moving contract from its old store from a day on (D142)."""
    await _update(tx, contract_no, pending_change_id=change_id, hidden_from_on=hidden_from_on)


async def show_to_old_store(tx: AsyncSession, contract_no: str, change_id: str) -> None:
    """Undo `hide_from_old_store`, unless a newer change has replaced this one already."""
    await tx.execute(
        update(Contract)
        .where(Contract.contract_no == contract_no, Contract.pending_change_id == change_id)
        .values(pending_change_id=None, hidden_from_on=None)
    )


async def move_contract(
    tx: AsyncSession, contract_no: str, *, store_code: str, staff_code: str | None
) -> None:
    """Put the new store and person in force."""
    await _update(
        tx,
        contract_no,
        store_code=store_code,
        staff_code=staff_code,
        pending_change_id=None,
        hidden_from_on=None,
    )


async def _update(tx: AsyncSession, contract_no: str, **values: object) -> None:
    await tx.execute(update(Contract).where(Contract.contract_no == contract_no).values(values))
