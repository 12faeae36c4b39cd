"""Mail scheduling: one row of the ledger per cause, kind and recipient.

The row's id is computed from what makes it unique, and the Message-ID from the row's id: an event
that is received twice finds its row already there (D155).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.models import Mail
from notifier_service.rules.recipients import Facts, MailKind, Recipient, primary_role
from shared.trace_context import current_context


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a mail is due: `key` is an event's id, or application and status version of a stay."""

    key: str
    dealer_id: str
    application_id: str
    contract_no: str


def mail_id_of(key: str, kind: str, role: str, place: int) -> UUID:
    """The id of the one row for a cause, a kind of mail and a recipient."""
    return uuid5(NAMESPACE_URL, f"urn:madoguchi:mail:{key}/{kind}/{role}/{place}")


async def schedule_mail(
    tx: AsyncSession, cause: Cause, kind: MailKind, facts: Facts, *, now: datetime
) -> UUID | None:
    """Make a mail due at once; None if it is in the ledger already."""
    role = primary_role(kind, facts)
    work = current_context()
    row = {
        "mail_id": mail_id_of(cause.key, kind, role, 1),
        "dealer_id": cause.dealer_id,
        "mail_kind": kind.value,
        "cause": cause.key,
        "subject_id": cause.application_id,
        "contract_no": cause.contract_no,
        "recipient_role": role,
        "place": 1,
        "facts": {k: v for k, v in asdict(facts).items() if v is not None},
        "planned_at": now,
        "correlation_id": work.correlation_id,
        "traceparent": work.traceparent,
    }
    return next(iter(await _add(tx, [row])), None)


async def schedule_for_others(
    tx: AsyncSession, lead: Mail, others: Sequence[Recipient], *, now: datetime
) -> None:
    """Give each further recipient of a mail a row of its own, with the address known now."""
    rows = [
        {
            "mail_id": mail_id_of(lead.cause, lead.mail_kind, other.role, other.place),
            "dealer_id": lead.dealer_id,
            "mail_kind": lead.mail_kind,
            "cause": lead.cause,
            "subject_id": lead.subject_id,
            "contract_no": lead.contract_no,
            "recipient_role": other.role,
            "place": other.place,
            "address": other.address,
            "facts": lead.facts,
            "planned_at": now,
            "correlation_id": lead.correlation_id,
            "traceparent": lead.traceparent,
        }
        for other in others
    ]
    if rows:
        await _add(tx, rows)


async def _add(tx: AsyncSession, rows: Sequence[Mapping[str, object]]) -> Sequence[UUID]:
    added = await tx.execute(
        insert(Mail).values(rows).on_conflict_do_nothing().returning(Mail.mail_id)
    )
    return added.scalars().all()
