"""Audit log of CSV exports and printed forms (D19, D51)."""

import hashlib
from datetime import datetime

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.actions.entry_history import Recorder
from contracts_service.models import Contract, CustomerListExport
from contracts_service.rules.contract_access import Viewer
from event_contracts.contract import CustomerListExported, PaymentConfirmationPrinted
from shared import outbox
from shared.trace_context import new_id


async def log_export(
    tx: AsyncSession, viewer: Viewer, asked: dict[str, str], rows: int, recorder: Recorder
) -> None:
    """Log a CSV export with its search conditions; the event carries only their hash."""
    export_id = new_id()
    tx.add(
        CustomerListExport(
            export_id=export_id,
            dealer_id=viewer.dealer_code,
            store_code=viewer.store_code,
            exported_at=recorder.now,
            exported_by=recorder.who,
            conditions=asked,
            rows=rows,
        )
    )
    written = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
    exported = CustomerListExported(
        dealer_id=viewer.dealer_code,
        export_id=str(export_id),
        rows=rows,
        filter_hash=hashlib.sha256(written).hexdigest(),
    )
    await outbox.add(tx, exported, now=recorder.now)


async def log_print(tx: AsyncSession, contract: Contract, *, now: datetime) -> str:
    """Log the printing of the payment confirmation; returns the document number."""
    document_id = str(new_id())
    printed = PaymentConfirmationPrinted(
        dealer_id=contract.dealer_id, contract_no=contract.contract_no, document_id=document_id
    )
    await outbox.add(tx, printed, now=now)
    return document_id
