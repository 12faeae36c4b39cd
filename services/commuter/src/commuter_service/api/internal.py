"""Recipients of mails about passes and slips, for the notifier at the time of sending.

Addresses are returned to services only; events never carry them (R29, R30, R32).
"""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service import queries
from commuter_service.actions.slip_items import total_yen
from commuter_service.api.dependencies import SERVICES, Day
from commuter_service.api.slip_desk import MonthInPath, first_of
from commuter_service.models import AuditEntry, Employee, Pass, Slip
from commuter_service.passes.endings import still_ends
from commuter_service.rules.pass_mail_recipients import application_recipients
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.slips.closing import unsubmitted_by_owner
from fare_engine.routing.route_words import section_of
from shared.db import EVERY_DEALER
from shared.http import NotFound, database_of
from shared.refusals import refuses

router = APIRouter(prefix="/internal", dependencies=[SERVICES])


async def _tx(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).transaction(EVERY_DEALER) as tx:
        yield tx


class Recipients(BaseModel):
    """Applicant and administrators of a pass with their addresses."""

    pass_id: str
    dealer_id: str
    applicant_name: str
    applicant_mail: str | None
    applicant_left: bool = False
    applied_on: date | None
    reason: str | None
    administrator_mails: list[str]


class SlipPerson(BaseModel):
    """A person of a slip: address, declined mails, and whether they have left (D158)."""

    person_id: str
    name: str
    mail: str | None
    declined: list[str]
    left: bool = False


class SlipMove(BaseModel):
    """One step of a slip: by whom and when, with the comment."""

    step: str
    by: str
    at: datetime
    comment: str | None


class SlipRecipients(BaseModel):
    """All that a mail about a slip says, and to whom, as of now.

    `approver` is who must approve now; `is_latest`: the slip has not moved on since `move`.
    """

    slip_id: str
    dealer_id: str
    title: str
    kind_japanese: str
    total_yen: int
    status: str
    status_japanese: str
    submitted_at: datetime | None
    applicant: SlipPerson
    approver: SlipPerson | None
    move: SlipMove
    is_latest: bool


@router.get("/slips/{slip_id}/moves/{move_id}/recipients")
@refuses(NotFound)
async def read_slip_recipients(
    slip_id: UUID, move_id: UUID, tx: Annotated[AsyncSession, Depends(_tx, scope="function")]
) -> SlipRecipients:
    """Applicant and present approver with their addresses, and what was done in the move."""
    slip, move = await tx.get(Slip, slip_id), await tx.get(AuditEntry, move_id)
    if slip is None or move is None or move.subject_id != slip_id:
        raise NotFound
    status = SlipStatus(slip.status)
    waits_for = slip.chain[slip.step] if status is SlipStatus.PENDING else None
    return SlipRecipients(
        slip_id=str(slip_id),
        dealer_id=slip.dealer_id,
        title=slip.title,
        kind_japanese=queries.kind_of(slip).value,
        total_yen=total_yen(await queries.items_of(tx, slip_id)),
        status=status.value,
        status_japanese=status.label_ja,
        submitted_at=slip.submitted_at,
        applicant=await _person(tx, slip.dealer_id, slip.employee_id),
        approver=await _person(tx, slip.dealer_id, waits_for) if waits_for else None,
        move=SlipMove(step=move.action, by=move.actor_name, at=move.at, comment=move.said),
        is_latest=await queries.latest_move_of(tx, slip_id) == move_id,
    )


async def _person(tx: AsyncSession, dealer_id: str, employee_id: str) -> SlipPerson:
    known = await tx.get(Employee, employee_id)
    preference = await queries.mail_preference_of(tx, dealer_id, employee_id)
    return SlipPerson(
        person_id=employee_id,
        name=known.name if known else employee_id,
        mail=known.mail if known else None,
        declined=preference.declined,
        left=known is not None and not known.active,
    )


class SubmissionRecipient(BaseModel):
    """An employee who is asked to submit, and how many slips of the month are not submitted now."""

    employee_id: str
    dealer_id: str
    name: str
    mail: str | None
    month: str
    unsubmitted: int
    left: bool = False


@router.get("/employees/{employee_id:key}/months/{month:key}/recipients")
@refuses(NotFound)
async def read_submission_recipient(
    employee_id: str,
    month: MonthInPath,
    tx: Annotated[AsyncSession, Depends(_tx, scope="function")],
) -> SubmissionRecipient:
    """The employee with their address and their unsubmitted slips of a month, as of now (R96)."""
    known = await tx.get(Employee, employee_id)
    if known is None:
        raise NotFound
    owners = await unsubmitted_by_owner(tx, known.dealer_id, first_of(month))
    return SubmissionRecipient(
        employee_id=employee_id,
        dealer_id=known.dealer_id,
        name=known.name,
        mail=known.mail,
        month=month,
        left=not known.active,
        unsubmitted=sum(one.slips for one in owners if one.employee_id == employee_id),
    )


class EndingRecipient(BaseModel):
    """The holder of a pass that ends; `ends`: it still does, and nothing follows it."""

    pass_id: str
    dealer_id: str
    section: str
    ends_on: date
    holder: SlipPerson
    ends: bool


@router.get("/passes/{pass_id}/endings/{ends_on:key}/recipients")
@refuses(NotFound)
async def read_ending_recipient(
    pass_id: UUID, ends_on: Day, tx: Annotated[AsyncSession, Depends(_tx, scope="function")]
) -> EndingRecipient:
    """The holder with their address and wish, and whether the pass still ends, as of now (R122)."""
    found = await queries.passes_where(tx, Pass.pass_id == pass_id)
    if not found:
        raise NotFound
    record = found[0]
    return EndingRecipient(
        pass_id=str(pass_id),
        dealer_id=record.held.dealer_id,
        section=section_of((record.confirmed or record.newest).route),
        ends_on=ends_on,
        holder=await _person(tx, record.held.dealer_id, record.held.employee_id),
        ends=await still_ends(tx, record, ends_on),
    )


@router.get("/passes/{pass_id}/recipients")
@refuses(NotFound)
async def read_recipients(
    pass_id: UUID, tx: Annotated[AsyncSession, Depends(_tx, scope="function")]
) -> Recipients:
    """Applicant and administrators with their addresses, as of now."""
    held = await tx.get(Pass, pass_id)
    if held is None:
        raise NotFound
    applicant = await tx.get(Employee, held.employee_id)
    return Recipients(
        pass_id=str(pass_id),
        dealer_id=held.dealer_id,
        applicant_name=applicant.name if applicant else held.employee_id,
        applicant_mail=applicant.mail if applicant else None,
        applicant_left=applicant is not None and not applicant.active,
        applied_on=held.applied_on,
        reason=held.reason,
        administrator_mails=list(await _administrators(tx, held.dealer_id)),
    )


async def _administrators(tx: AsyncSession, dealer_id: str) -> tuple[str, ...]:
    """Everybody with the permission, by the address ticked with it or the own one, and admin."""
    setting = await queries.setting_of(tx, dealer_id)
    ticked = (await queries.permissions_of(tx, dealer_id)).values()
    permitted = []
    for one in ticked:
        if one.pass_master:
            known = await tx.get(Employee, one.employee_id)
            if known is not None and not known.active:
                continue
            permitted.append(one.mail or (known.mail if known else None))
    addresses = [mail for mail in permitted if mail]
    if setting.admin_mail is None:
        return application_recipients(addresses[:-1], addresses[-1]) if addresses else ()
    return application_recipients(addresses, setting.admin_mail)
