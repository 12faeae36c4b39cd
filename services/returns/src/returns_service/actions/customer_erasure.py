"""Erasure of a customer: the name in all rows of the contract, and all free text.

Status, dates, approvals and actors stay. The notifier, which owns the mails about the applications,
subscribes to `return.customer_erased`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, cast, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.event import ERASED
from event_contracts.returns import ReturnCustomerErased
from returns_service.actions.return_events import base_of
from returns_service.models import (
    Application,
    Approval,
    ChangeApplication,
    Contract,
    HistoryLine,
    ReportedCar,
)
from returns_service.rules.progress_list import name_key
from shared import outbox
from shared.personal_data import erase_personal_data

WRITTEN = ("contact_1", "contact_2", "contact_3")


class ApplicationStillOpen(RuntimeError):
    """A contract's customer was erased while an application was being sent; tried again later."""


async def erase_customer(tx: AsyncSession, contract_no: str, *, now: datetime) -> None:
    """Erase the customer of a contract. Raises ApplicationStillOpen."""
    applications = list(
        await tx.scalars(
            select(Application)
            .where(Application.contract_no == contract_no)
            .order_by(Application.application_id)
            .with_for_update()
        )
    )
    if still_open := [a.application_id for a in applications if not a.is_past]:
        raise ApplicationStillOpen(", ".join(still_open))
    contract = await tx.get(Contract, contract_no, with_for_update=True)
    names = {row.customer_name for row in (*applications, contract) if row is not None}
    ids = [application.application_id for application in applications]
    await _erase_names(tx, contract_no)
    await _erase_texts(tx, ids)
    if contract is not None:
        await _erase_reported_cars(tx, contract)
    await erase_personal_data(tx, contract_no, "return", ids, names)
    erased = [ReturnCustomerErased(**base_of(application)) for application in applications]
    await outbox.add_many(tx, erased, now=now)


async def _erase_names(tx: AsyncSession, contract_no: str) -> None:
    name = {"customer_name": ERASED, "name_key": name_key(ERASED)}
    gone = dict.fromkeys(("dealer_note", *WRITTEN))
    await tx.execute(
        update(Contract).where(Contract.contract_no == contract_no).values(customer_name=ERASED)
    )
    await tx.execute(
        update(Application).where(Application.contract_no == contract_no).values({**name, **gone})
    )
    await tx.execute(
        update(ChangeApplication).where(ChangeApplication.contract_no == contract_no).values(name)
    )


async def _erase_texts(tx: AsyncSession, ids: list[str]) -> None:
    blank = dict.fromkeys(WRITTEN)
    await tx.execute(
        update(Approval)
        .where(Approval.application_id.in_(ids))
        .values(mail=None, entry=Approval.entry.op("||")(cast(literal(blank, JSONB), JSONB)))
    )
    await tx.execute(
        update(HistoryLine)
        .where(HistoryLine.application_id.in_(ids))
        .values(
            comment=case((HistoryLine.comment.is_not(None), ERASED)),
            changes=text("""(
                SELECT coalesce(jsonb_agg(c - 'before' - 'after'
                    || jsonb_build_object('before', NULL, 'after', NULL)), '[]')
                FROM jsonb_array_elements(changes) AS c)"""),
        )
    )


async def _erase_reported_cars(tx: AsyncSession, contract: Contract) -> None:
    plate = name_key(contract.registration_no)
    of_contract = or_(
        ReportedCar.contract_no == contract.contract_no, ReportedCar.registration_key == plate
    )
    await tx.execute(
        update(ReportedCar)
        .where(ReportedCar.dealer_id == contract.dealer_id, of_contract)
        .values(place=None)
    )


async def erase_refused_messages(tx: AsyncSession, contract_no: str, words: Sequence[str]) -> None:
    """Empty the messages that this service refused and that name the customer."""
    await erase_personal_data(tx, contract_no, "return", (), words)
