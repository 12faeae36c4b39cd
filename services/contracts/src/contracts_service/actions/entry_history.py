"""Entry history: each statement about selection and replacement, with its source (D31, D57)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.models import Contract, Entry
from contracts_service.rules.replacement_mark import ReplacementSource
from contracts_service.rules.selection import Replacement, Selection
from event_contracts.contract import ReplacementRecorded, SelectionChanged, SelectionRecorded
from shared import outbox
from shared.trace_context import new_id


@dataclass(frozen=True, slots=True)
class Recorder:
    """The person or system that makes a statement, its source, and the instant."""

    who: str
    source: str
    now: datetime


def append_entry(tx: AsyncSession, contract: Contract, recorder: Recorder) -> None:
    """Append the contract's current selection and replacement to its history."""
    contract.version += 1
    tx.add(
        Entry(
            entry_id=new_id(),
            dealer_id=contract.dealer_id,
            contract_no=contract.contract_no,
            at=recorder.now,
            recorded_by=recorder.who,
            action=recorder.source,
            selection=contract.selection,
            own_replacement=contract.own_replacement,
            vehicle_code=contract.replacement_vehicle_code,
            other_text=contract.replacement_other_text,
            late=contract.late,
            confirmation_received_on=contract.confirmation_received_on,
        )
    )


def set_replacement(
    contract: Contract, replacement: Replacement, source: ReplacementSource, at: datetime
) -> None:
    """Set the replacement with its source and instant."""
    contract.own_replacement = replacement.own
    contract.replacement_vehicle_code = replacement.vehicle_code
    contract.replacement_other_text = replacement.other_text
    contract.replacement_source = source.value
    contract.replacement_recorded_at = at


async def publish_first_selection(
    tx: AsyncSession, contract: Contract, *, late: bool, deadline_on: date, now: datetime
) -> None:
    """A selection was made for the first time; `late`: after `deadline_on`."""
    recorded = SelectionRecorded.model_validate(
        {
            **_names(contract),
            "category": contract.selection,
            "own_replacement": bool(contract.own_replacement),
            "vehicle_code": contract.replacement_vehicle_code,
            "confirmation_received_on": contract.confirmation_received_on,
            "late": late,
            "deadline_on": deadline_on,
        }
    )
    await outbox.add(tx, recorded, now=now)


async def publish_selection_change(
    tx: AsyncSession, contract: Contract, before: Selection | str | None, now: datetime
) -> None:
    """The selection changed; nothing is emitted if it did not."""
    if before == contract.selection:
        return
    names = {**_names(contract), "before": before, "after": contract.selection}
    await outbox.add(tx, SelectionChanged.model_validate(names), now=now)


async def publish_replacement(tx: AsyncSession, contract: Contract, now: datetime) -> None:
    """The replacement changed; emit its current value."""
    names = {
        **_names(contract),
        "own_replacement": contract.own_replacement,
        "vehicle_code": contract.replacement_vehicle_code,
        "learned_from": contract.replacement_source,
    }
    await outbox.add(tx, ReplacementRecorded.model_validate(names), now=now)


def _names(contract: Contract) -> dict[str, str]:
    return {"dealer_id": contract.dealer_id, "contract_no": contract.contract_no}
