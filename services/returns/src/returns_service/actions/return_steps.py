"""How is a step of an application taken? Lock, decide, write, tell: T2-T18, T21, T22.

The row stays locked until the commit, so of any number of simultaneous steps on one version
exactly one is taken, and the others learn the version and status that it made.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actions.return_history import StepRecord, record_step
from returns_service.actor import RequestContext
from returns_service.mapping import entry_to_json, report_of, return_facts, set_report, set_route
from returns_service.models import Application, Approval
from returns_service.queries import (
    application_by_id,
    approval_flow_of,
    approvals_of,
    contract_of,
)
from returns_service.rules.delegation import decide_as
from returns_service.rules.mail_notice import (
    Addresses,
    RemandNotice,
    approver_notice,
    remand_notice,
)
from returns_service.rules.return_approval import By, Outcome
from returns_service.rules.return_commands import Action, Command
from returns_service.rules.return_eligibility import needs_separate_procedure, product_of
from returns_service.rules.return_form import (
    Change,
    ResultForm,
    ReturnForm,
    ReturnReport,
    changes,
    check_approver_mail,
    check_form,
    check_overwrite,
)
from returns_service.rules.return_refusals import ReturnNotVisible
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared.roles import Role


@dataclass(frozen=True)
class StepInput:
    """What comes with a command besides the command itself.

    `overwrite`: ③ as an approver changed it. `correction`: the whole form of a correction.
    `approver_mail`: 連絡先3 of the approval dialog. `new_name`, `new_mobile`, `new_mail`: name and
    contacts of whoever takes over.
    """

    overwrite: ResultForm | None = None
    correction: ReturnForm | None = None
    approver_mail: str | None = None
    new_name: str = ""
    new_mobile: str | None = None
    new_mail: str | None = None


@dataclass(frozen=True)
class StepResult:
    """A step that was taken, and what the screen should say about mails."""

    application: Application
    outcome: Outcome
    ask_approver: str | None
    remand: RemandNotice | None = None


NO_INPUT = StepInput()


@dataclass
class _StepContext:
    """One step on its way."""

    ctx: RequestContext
    application: Application
    command: Command
    outcome: Outcome
    actor: Actor
    step_input: StepInput
    before: ReturnReport
    after: ReturnReport = field(init=False)
    approver_mail: str | None = None

    def __post_init__(self) -> None:
        self.after = self.before


@dataclass(frozen=True)
class StepPreview:
    """A step that may be taken: the status that follows, and what it changes of the entry."""

    status: Status
    changes: tuple[Change, ...]


async def check_step(
    ctx: RequestContext, application_id: str, command: Command, step_input: StepInput = NO_INPUT
) -> StepPreview:
    """What `apply_step` would do, with all its checks and refusals; writes nothing (D94, D122)."""
    context = await _begin(ctx, application_id, command, step_input)
    return StepPreview(context.outcome.status, changes(context.before, context.after))


async def _begin(
    ctx: RequestContext, application_id: str, command: Command, step_input: StepInput
) -> _StepContext:
    """All that is decided before anything is written; the row is kept from others meanwhile."""
    application = await application_by_id(ctx.tx, application_id, lock=True)
    if application is None:
        raise ReturnNotVisible
    outcome, actor = decide_as(return_facts(application), command, ctx.who.actors)
    context = _StepContext(
        ctx, application, command, outcome, actor, step_input, report_of(application)
    )
    _check_entry(context)
    return context


async def apply_step(
    ctx: RequestContext, application_id: str, command: Command, step_input: StepInput = NO_INPUT
) -> StepResult:
    """Take a step of B3; a refusal of return_approval or FormErrors leaves all as it was."""
    tx = ctx.tx
    context = await _begin(ctx, application_id, command, step_input)
    application, outcome = context.application, context.outcome
    record = _move(context, Status(application.status))
    if command.action is Action.APPROVE:
        tx.add(_approval(context))
    if command.action is Action.COMPLETE:
        await _refresh_procedure(tx, application)
    hint = (
        remand_notice(outcome, await addresses_of(tx, application)) if outcome.remanded_to else None
    )
    if hint:
        record = replace(
            record,
            recipient_id=await _recipient(tx, application, outcome),
            recipient_has_address=hint.mail_will_be_sent,
        )
    await record_step(tx, record)
    return StepResult(application, outcome, approver_notice(outcome), hint)


def _check_entry(context: _StepContext) -> None:
    """Check what was typed with the step; sets `after` and `approver_mail`. Raises FormErrors."""
    step_input, ctx = context.step_input, context.ctx
    if context.command.action is Action.APPROVE and context.actor.role is not Role.HQ:
        context.approver_mail = check_approver_mail(step_input.approver_mail)
    if context.command.action is Action.CORRECT:
        form = step_input.correction or ReturnForm()
        role = context.outcome.route.originator
        context.after = check_form(form, originator=role, today=ctx.today, reasons=ctx.reasons)
    elif step_input.overwrite is not None:
        context.after = check_overwrite(
            context.before, step_input.overwrite, today=ctx.today, reasons=ctx.reasons
        )
    elif context.command.action is Action.TAKE_OVER:
        context.after = replace(
            context.before,
            contact_2=step_input.new_mobile,
            contact_3=check_approver_mail(step_input.new_mail),
        )


def _move(context: _StepContext, before: Status) -> StepRecord:
    """Write the step on the application; returns what happened."""
    application, outcome, now = context.application, context.outcome, context.ctx.now
    action, originator_before = context.command.action, application.originator_id
    application.version += 1
    application.updated_at = now
    if outcome.moves:
        application.status = outcome.status.value
        application.status_version += 1
        application.entered_at = now
        if outcome.sets_requested_at:
            application.requested_at = now
    if action in {Action.CORRECT, Action.TAKE_OVER}:
        application.round += 1
        application.originator_id = outcome.originator_id
        set_route(application, outcome.route)
    if action is Action.TAKE_OVER:
        application.originator_name = context.step_input.new_name
    said = outcome.dealer_note
    note_changed = said is not None and said != (application.dealer_note or "")
    if note_changed:
        application.dealer_note = said or None
        application.dealer_note_version += 1
    set_report(application, context.after)
    return StepRecord(
        application=application,
        action=action,
        outcome=outcome,
        actor=context.actor,
        actor_name=context.ctx.who.name,
        before=before,
        now=now,
        originator_before=originator_before,
        changes=changes(context.before, context.after),
        note_changed=note_changed,
    )


def _approval(context: _StepContext) -> Approval:
    """The approval as it is kept: by whom, for whom, on which entry, reached by which mail."""
    at_hq = context.actor.role is Role.HQ
    application = context.application
    return Approval(
        application_id=application.application_id,
        version=application.version,
        dealer_id=application.dealer_id,
        round=application.round,
        level="hq" if at_hq else "store",
        approver_id=context.actor.user_id,
        approver_name=context.ctx.who.name,
        on_behalf_of=context.actor.acting_for,
        mail=context.approver_mail,
        approved_at=context.ctx.now,
        entry=entry_to_json(context.after),
    )


async def _refresh_procedure(tx: AsyncSession, application: Application) -> None:
    """A receivable may have been purchased since the application was sent (D78)."""
    contract = await contract_of(tx, application)
    if contract is not None:
        application.separate_procedure = needs_separate_procedure(
            product_of(contract.product_code), receivable_purchased=contract.receivable_purchased
        )


async def addresses_of(tx: AsyncSession, application: Application) -> Addresses:
    """The mail addresses that are known now (A-29, A-30)."""
    flow = await approval_flow_of(tx, application.dealer_id)
    approvals = await approvals_of(tx, application.application_id)
    by_store = [approval for approval in approvals if approval.level == "store"]
    return Addresses(
        originator=application.contact_3,
        store_approver=by_store[-1].mail if by_store else None,
        hq_approvers=tuple(flow.hq_mails) if flow else (),
    )


async def _recipient(tx: AsyncSession, application: Application, outcome: Outcome) -> str | None:
    """Who receives a remand, as far as it is a known person: the last approver of the level."""
    if outcome.remanded_to is By.ORIGINATOR:
        return application.originator_id
    level = "hq" if outcome.remanded_to is By.HQ_APPROVER else "store"
    approvals = await approvals_of(tx, application.application_id)
    of_level: list[Any] = [a.approver_id for a in approvals if a.level == level]
    return of_level[-1] if of_level else None
