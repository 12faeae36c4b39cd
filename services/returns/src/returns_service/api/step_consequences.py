"""What follows a step, for the dialog before it: the answer and where its facts come from."""

from typing import Literal

from fastapi import APIRouter

from returns_service.actor import RequestContext
from returns_service.api import schemas
from returns_service.api.dependencies import Ctx, dealers_and_tfc
from returns_service.api.request_bodies import Code
from returns_service.api.return_detail import application_in_sight
from returns_service.departed_people import capacities_left
from returns_service.mapping import return_facts
from returns_service.models import Application
from returns_service.queries import (
    approval_flow_of,
    approvals_of,
    approver_names,
    store_approver_mails,
)
from returns_service.rules import return_commands as commands
from returns_service.rules.delegation import decide_as
from returns_service.rules.mail_notice import Addresses
from returns_service.rules.return_approval import Outcome
from returns_service.rules.return_refusals import ReturnNotVisible
from returns_service.rules.step_consequences import Mailing, People, consequence_of
from shared.errors import Refusal
from shared.refusals import refuses
from shared.roles import Role

router = APIRouter()
_TEXT = "-"
"""Stands for the reason or message that the person has not written yet."""
StepName = Literal[
    "approve", "remand", "withdraw", "accept", "hold", "release",
    "start_contact", "finish_contact", "complete",
]  # fmt: skip


def _command(step: StepName, version: int) -> commands.Command:
    known: dict[str, commands.Command] = {
        "approve": commands.Approve(expected_version=version),
        "remand": commands.Remand(expected_version=version, comment=_TEXT),
        "withdraw": commands.Withdraw(expected_version=version),
        "accept": commands.Accept(expected_version=version),
        "hold": commands.Hold(expected_version=version, reason=_TEXT),
        "release": commands.Release(expected_version=version),
        "start_contact": commands.StartContact(expected_version=version),
        "finish_contact": commands.FinishContact(expected_version=version, message=_TEXT),
        "complete": commands.Complete(expected_version=version),
    }
    return known[step]


@router.get("/applications/{application_id}/consequence", dependencies=[dealers_and_tfc])
@refuses(ReturnNotVisible)
async def show_consequence(
    application_id: Code, step: StepName, ctx: Ctx
) -> schemas.ConsequenceAnswer:
    """Who receives the application after a step, and whether a mail goes out (D96, D120).

    Of a step that is not possible now it says nothing; the step itself gives the reason.
    """
    found = await application_in_sight(ctx.tx, application_id, ctx.who)
    command = _command(step, found.version)
    try:
        outcome, _ = decide_as(return_facts(found), command, ctx.who.actors)
    except Refusal:
        return schemas.ConsequenceAnswer(receiver=None, mail=False, message="")
    return await consequence(ctx, found, command.action, outcome)


async def consequence(
    ctx: RequestContext, application: Application, action: commands.Action, outcome: Outcome
) -> schemas.ConsequenceAnswer:
    """The same for a step that was checked; the application may not be stored yet."""
    tx, dealer = ctx.tx, application.dealer_id
    flow = await approval_flow_of(tx, dealer)
    given = await approvals_of(tx, application.application_id) if application.application_id else ()
    last = {approval.level: approval for approval in given}
    at_store, at_hq = last.get("store"), last.get("hq")
    managers = await approver_names(tx, dealer, Role.MANAGER, application.store_code)
    headquarters = await approver_names(tx, dealer, Role.HQ, None)
    back = outcome.remanded_to is not None
    people = People(
        originator=application.originator_name,
        store_approvers=[at_store.approver_name] if back and at_store else managers,
        hq_approvers=[at_hq.approver_name] if back and at_hq else headquarters,
    )
    wished = flow is not None and flow.store_approver_notice
    mailing = Mailing(
        Addresses(
            originator=application.contact_3,
            store_approver=at_store.mail if at_store else None,
            hq_approvers=tuple(flow.hq_mails) if flow else (),
            left=await capacities_left(tx, application, at_store),
        ),
        store_notice=await store_approver_mails(tx, application, today=ctx.today) if wished else (),
        completion_mail=application.completion_mail,
    )
    found = consequence_of(action, outcome, people, mailing)
    return schemas.ConsequenceAnswer(
        receiver=found.receiver, mail=found.mail, message=found.message
    )
