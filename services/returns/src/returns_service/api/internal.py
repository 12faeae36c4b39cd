"""Recipients of mails about an application, read by the notifier when it sends (D96, D146-D150).

Addresses are given to services only; events never carry them.
"""

from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends

from returns_service.api import serializers
from returns_service.api.dependencies import Tx, services
from returns_service.api.request_bodies import Code
from returns_service.api.schemas import PersonAnswer, RecipientsAnswer
from returns_service.departed_people import people_who_left
from returns_service.models import Application, Approval, Store
from returns_service.queries import (
    application_by_id,
    approval_flow_of,
    approvals_of,
    history_of,
    store_approver_mails,
)
from returns_service.rules.return_refusals import ReturnNotVisible
from returns_service.rules.return_status import Status
from shared.clock import Clock, jst_day
from shared.http import clock_of
from shared.refusals import refuses

router = APIRouter(prefix="/internal")


@router.get("/applications/{application_id}/recipients", dependencies=[services])
@refuses(ReturnNotVisible)
async def read_recipients(
    application_id: Code, tx: Tx, clock: Annotated[Clock, Depends(clock_of)]
) -> RecipientsAnswer:
    """Originator, approvers and their addresses (A-27, A-29, A-30).

    `store_approver` approved this application; `store_approver_mails` are of those who may.
    """
    found = await application_by_id(tx, application_id)
    if found is None:
        raise ReturnNotVisible
    flow = await approval_flow_of(tx, found.dealer_id)
    store = await tx.get(Store, (found.dealer_id, found.store_code))
    notice = flow is not None and flow.store_approver_notice
    approvals = await approvals_of(tx, application_id)
    at_store = [approval for approval in approvals if approval.level == "store"]
    people = {found.originator_id, *(approval.approver_id for approval in approvals)}
    left = await people_who_left(tx, found.dealer_id, people)
    return RecipientsAnswer(
        application_id=application_id,
        dealer_id=found.dealer_id,
        dealer_name=store.dealer_name if store else None,
        store_name=store.name if store else None,
        originator_name=found.originator_name,
        submitted_at=found.submitted_at,
        contract_no=found.contract_no,
        separate_procedure=found.separate_procedure,
        status=Status(found.status),
        status_japanese=Status(found.status).label_ja,
        status_version=found.status_version,
        completion_mail=found.completion_mail,
        originator=_originator(found, left),
        store_approver=_approver(at_store[-1], left) if at_store else None,
        store_approver_notice=notice,
        store_approver_mails=await _store_recipients(tx, found, clock) if notice else [],
        hq_approver_mails=flow.hq_mails if flow else [],
        round_approvers=_of_last_round(found, approvals, left),
        last_remand=serializers.last_remand(await history_of(tx, application_id)),
    )


def _originator(found: Application, left: Collection[str]) -> PersonAnswer:
    person, role = found.originator_id, found.originator_role
    return PersonAnswer(person_id=person, role=role, mail=found.contact_3, left=person in left)


async def _store_recipients(tx: Tx, found: Application, clock: Clock) -> list[str]:
    return list(await store_approver_mails(tx, found, today=jst_day(clock.now())))


def _approver(approval: Approval, left: Collection[str]) -> PersonAnswer:
    role, person = (
        "hq_approver" if approval.level == "hq" else "store_approver",
        approval.approver_id,
    )
    return PersonAnswer(person_id=person, role=role, mail=approval.mail, left=person in left)


def _of_last_round(
    found: Application, approvals: Sequence[Approval], left: Collection[str]
) -> list[PersonAnswer]:
    """The last approver of each level of the route since the last sending (D146)."""
    last = {a.level: a for a in approvals if a.round == found.round}
    return [_approver(last[level], left) for level in found.levels if level in last]
