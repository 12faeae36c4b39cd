"""Return steps: `apply_step` takes one, `preview_step` only checks it (T2-T18, T21, T22).

The row stays locked until the commit, so of any number of simultaneous steps on one version
exactly one is taken; the others are refused with the version and status that it made.
"""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actions.application_columns import set_report, set_route
from returns_service.actions.return_events import events_for
from returns_service.actions.return_history import history_line
from returns_service.actions.step_result import StepResult
from returns_service.actor import RequestContext
from returns_service.departed_people import capacities_left
from returns_service.mapping import entry_to_json, report_of, return_facts
from returns_service.models import Application, Approval
from returns_service.queries import (
    application_by_id,
    approval_flow_of,
    approvals_of,
    contract_of,
)
from returns_service.rules.approval_route import Level
from returns_service.rules.delegation import decide_as
from returns_service.rules.mail_notice import Addresses, RemandNotice, remand_notice
from returns_service.rules.received_on_doubt import received_on_doubt
from returns_service.rules.return_approval import By, Outcome
from returns_service.rules.return_commands import Approve, Command, Complete, Correct, TakeOver
from returns_service.rules.return_eligibility import needs_separate_procedure, product_of
from returns_service.rules.return_form import (
    Change,
    ReturnReport,
    changes,
    check_approver_mail,
    check_form,
    check_overwrite,
)
from returns_service.rules.return_refusals import ReturnNotVisible
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared import outbox
from shared.roles import Role


@dataclass(frozen=True, kw_only=True)
class StepPlan:
    """A step that may be taken, with all its checks passed; nothing is written yet.

    `report` is what the application keeps of its form after the step, `changes` how it differs.
    """

    application: Application
    command: Command
    outcome: Outcome
    actor: Actor
    report: ReturnReport
    changes: tuple[Change, ...]
    approver_mail: str | None
    doubts: tuple[str, ...]


async def preview_step(ctx: RequestContext, application_id: str, command: Command) -> StepPlan:
    """What `apply_step` would do, with all its checks and refusals; writes nothing (D94, D122).

    The row is locked. Raises a refusal of return_approval, or FormErrors.
    """
    application = await application_by_id(ctx.tx, application_id, lock=True)
    if application is None:
        raise ReturnNotVisible
    outcome, actor = decide_as(return_facts(application), command, ctx.who.actors)
    mail = None
    if isinstance(command, Approve) and actor.role is not Role.HQ:
        mail = check_approver_mail(command.approver_mail)
    before = report_of(application)
    after = _report_after(ctx, command, outcome, before)
    return StepPlan(
        application=application,
        command=command,
        outcome=outcome,
        actor=actor,
        report=after,
        changes=changes(before, after),
        approver_mail=mail,
        doubts=await _doubts(ctx, application, before, after),
    )


async def _doubts(
    ctx: RequestContext, application: Application, before: ReturnReport, after: ReturnReport
) -> tuple[str, ...]:
    """What may be a slip in ③ where the step changes it (D90)."""
    if before.result == after.result:
        return ()
    contract = await contract_of(ctx.tx, application)
    doubt = received_on_doubt(
        after.result.received_on,
        today=ctx.today,
        first_registered_on=contract.first_registered_on if contract else None,
    )
    return (doubt,) if doubt else ()


def _report_after(
    ctx: RequestContext, command: Command, outcome: Outcome, before: ReturnReport
) -> ReturnReport:
    """The report as the command changes it. Raises FormErrors."""
    match command:
        case Correct(form=form):
            role = outcome.route.originator
            return check_form(form, originator=role, today=ctx.today, reasons=ctx.reasons)
        case Approve(overwrite=overwrite) if overwrite is not None:
            return check_overwrite(before, overwrite, today=ctx.today, reasons=ctx.reasons)
        case TakeOver(mobile=mobile, mail=mail):
            return replace(before, contact_2=mobile, contact_3=check_approver_mail(mail))
        case _:
            return before


async def apply_step(ctx: RequestContext, application_id: str, command: Command) -> StepResult:
    """Take a step of B3 with its history and events. Raises as `preview_step`."""
    tx = ctx.tx
    plan = await preview_step(ctx, application_id, command)
    application, outcome = plan.application, plan.outcome
    from_status, from_originator_id = Status(application.status), application.originator_id
    note_changed = _write(ctx, plan)
    if isinstance(command, Approve):
        tx.add(_approval(ctx, plan))
    if isinstance(command, Complete):
        await _refresh_procedure(tx, application)
    remand, recipient_id = await _remand(tx, application, outcome)
    result = StepResult(
        application=application,
        action=command.action,
        outcome=outcome,
        actor=plan.actor,
        actor_name=ctx.who.name,
        at=ctx.now,
        from_status=from_status,
        from_originator_id=from_originator_id,
        changes=plan.changes,
        note_changed=note_changed,
        remand=remand,
        recipient_id=recipient_id,
        store_notice=await store_notice(tx, application, outcome),
    )
    await record_step(tx, result)
    return result


async def record_step(tx: AsyncSession, result: StepResult) -> None:
    """Add the history line and the events of a step."""
    tx.add(history_line(result))
    await tx.flush()
    await outbox.add_many(tx, events_for(result), now=result.at)


def _write(ctx: RequestContext, plan: StepPlan) -> bool:
    """Write the step on the application; whether it changed 貴社連絡欄."""
    application, outcome, command, now = plan.application, plan.outcome, plan.command, ctx.now
    application.version += 1
    application.updated_at = now
    if outcome.moves:
        application.status = outcome.status.value
        application.status_version += 1
        application.entered_at = now
        if outcome.sets_requested_at:
            application.requested_at = now
    if isinstance(command, Correct | TakeOver):
        application.round += 1
        application.originator_id = outcome.originator_id
        set_route(application, outcome.route)
    if isinstance(command, TakeOver):
        application.originator_name = command.name
    note = outcome.dealer_note
    note_changed = note is not None and note != (application.dealer_note or "")
    if note_changed:
        application.dealer_note = note or None
        application.dealer_note_version += 1
    set_report(application, plan.report)
    return note_changed


def _approval(ctx: RequestContext, plan: StepPlan) -> Approval:
    """The approval to keep: by whom, for whom, on which entry, with which mail address."""
    application, actor = plan.application, plan.actor
    return Approval(
        application_id=application.application_id,
        version=application.version,
        dealer_id=application.dealer_id,
        round=application.round,
        level="hq" if actor.role is Role.HQ else "store",
        approver_id=actor.user_id,
        approver_name=ctx.who.name,
        on_behalf_of=actor.acting_for,
        mail=plan.approver_mail,
        approved_at=ctx.now,
        entry=entry_to_json(plan.report),
    )


async def _refresh_procedure(tx: AsyncSession, application: Application) -> None:
    """A receivable may have been purchased since the application was sent (D78)."""
    contract = await contract_of(tx, application)
    if contract is not None:
        application.separate_procedure = needs_separate_procedure(
            product_of(contract.product_code), receivable_purchased=contract.receivable_purchased
        )


async def store_notice(tx: AsyncSession, application: Application, outcome: Outcome) -> bool:
    """Whether the store's approvers wait for this step and the dealer wants them notified."""
    if outcome.approval_requested is not Level.STORE:
        return False
    flow = await approval_flow_of(tx, application.dealer_id)
    return flow is not None and flow.store_approver_notice


async def _remand(
    tx: AsyncSession, application: Application, outcome: Outcome
) -> tuple[RemandNotice | None, str | None]:
    """Whether a remand reaches its recipient by mail (A-29, A-30), and who that is, if known."""
    if outcome.remanded_to is None:
        return None, None
    flow = await approval_flow_of(tx, application.dealer_id)
    approvals = await approvals_of(tx, application.application_id)
    last = {approval.level: approval for approval in approvals}
    at_store, at_hq = last.get("store"), last.get("hq")
    left = await capacities_left(tx, application, at_store)
    addresses = Addresses(
        originator=application.contact_3,
        store_approver=at_store.mail if at_store else None,
        hq_approvers=tuple(flow.hq_mails) if flow else (),
        left=left,
    )
    notice = remand_notice(outcome, addresses)
    if outcome.remanded_to is By.ORIGINATOR:
        return notice, application.originator_id
    approval = at_hq if outcome.remanded_to is By.HQ_APPROVER else at_store
    return notice, approval.approver_id if approval else None
