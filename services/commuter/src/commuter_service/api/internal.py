"""Recipients of mails about a pass application, for the notifier at the time of sending.

Addresses are returned to services only; events never carry them (R29, R30, R32).
"""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service import queries
from commuter_service.api.dependencies import SERVICES
from commuter_service.models import Employee, Pass
from commuter_service.rules.pass_mail_recipients import application_recipients
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
    applied_on: date | None
    reason: str | None
    administrator_mails: list[str]


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
            permitted.append(one.mail or (known.mail if known else None))
    addresses = [mail for mail in permitted if mail]
    if setting.admin_mail is None:
        return application_recipients(addresses[:-1], addresses[-1]) if addresses else ()
    return application_recipients(addresses, setting.admin_mail)
