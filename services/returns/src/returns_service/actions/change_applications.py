"""Applications that TFC keeps (住所変更, 氏名変更, その他): rows of the list (D99)."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.tfc_returns import TfcChangeApplicationUpdated
from returns_service.models import ChangeApplication
from returns_service.queries import contract_by_number
from returns_service.rules.progress_list import name_key, number_key


async def upsert_change_application(tx: AsyncSession, event: TfcChangeApplicationUpdated) -> None:
    """Keep the row as it is now, at its contract's store."""
    contract = await contract_by_number(tx, event.dealer_id, event.contract_no)
    name = contract.customer_name if contract else ""
    values = {
        "store_code": contract.store_code if contract else "",
        "contract_no": event.contract_no,
        "contract_key": number_key(event.contract_no),
        "customer_name": name,
        "name_key": name_key(name),
        "kind": event.kind.upper(),
        "status": event.status,
        "requested_at": event.requested_at,
        "updated_at": event.updated_at,
    }
    await tx.execute(
        insert(ChangeApplication)
        .values(change_id=event.change_id, dealer_id=event.dealer_id, **values)
        .on_conflict_do_update(index_elements=["change_id"], set_=values)
    )
