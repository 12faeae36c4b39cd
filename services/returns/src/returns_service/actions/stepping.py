"""How is a step of an application taken? Lock, decide, write, tell: T2-T18, T21, T22.

The row stays locked until the commit, so of any number of simultaneous steps on one version
exactly one is taken, and the others learn the version and status that it made.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actions.telling import Happened, write_down
from returns_service.entries import as_entry, report_of, return_facts, set_report, set_route
from returns_service.models import Application, Approval
from returns_service.people import Acting
from returns_service.queries import (
    application_by_id,
    approval_flow_of,
    approvals_of,
    contract_of,
)
from returns_service.rules.mail_hint import (
    Addresses,
    RemandHint,
    approver_hint,
    remand_hint,
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
from returns_service.rules.standing_in import decide_for
from shared.roles import Role


@dataclass(frozen=True)
class Words:
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
class Taken:
    """A step that was taken, and what the screen should say about mails."""

    application: Application
    outcome: Outcome
    ask_approver: str | None
    remand: RemandHint | None = None


NO_WORDS = Words()


@dataclass
class _Taking:
    """One step on its way."""

    acting: Acting
    application: Application
    command: Command
    outcome: Outcome
    actor: Actor
    words: Words
    before: ReturnReport
    after: ReturnReport = field(init=False)
    approver_mail: str | None = None

    def __post_init__(self) -> None:
        self.after = self.before


@dataclass(frozen=True)
class Possible:
    """A step that may be taken: the status that follows, and what it changes of the entry."""

    status: Status
    changes: tuple[Change, ...]


async def check_step(
    acting: Acting, application_id: str, command: Command, words: Words = NO_WORDS
) -> Possible:
    """What `take_step` would do, with all its checks and refusals; writes nothing (D94, D122)."""
    taking = await _begin(acting, application_id, command, words)
    return Possible(taking.outcome.status, changes(taking.before, taking.after))


async def _begin(acting: Acting, application_id: str, command: Command, words: Words) -> _Taking:
    """All that is decided before anything is written; the row is kept from others meanwhile."""
    application = await application_by_id(acting.tx, application_id, lock=True)
    if application is None:
        raise ReturnNotVisible
    outcome, actor = decide_for(return_facts(application), command, acting.who.actors)
    taking = _Taking(acting, application, command, outcome, actor, words, report_of(application))
    _check_entry(taking)
    return taking


async def take_step(
    acting: Acting, application_id: str, command: Command, words: Words = NO_WORDS
) -> Taken:
    """Take a step of B3; a refusal of return_approval or FormErrors leaves all as it was."""
    tx = acting.tx
    taking = await _begin(acting, application_id, command, words)
    application, outcome = taking.application, taking.outcome
    happened = _move(taking, Status(application.status))
    if command.action is Action.APPROVE:
        tx.add(_approval(taking))
    if command.action is Action.COMPLETE:
        await _refresh_procedure(tx, application)
    hint = (
        remand_hint(outcome, await addresses_of(tx, application)) if outcome.remanded_to else None
    )
    if hint:
        happened = replace(
            happened,
            recipient_id=await _recipient(tx, application, outcome),
            recipient_has_address=hint.mail_will_be_sent,
        )
    await write_down(tx, happened)
    return Taken(application, outcome, approver_hint(outcome), hint)


def _check_entry(taking: _Taking) -> None:
    """Check what was typed with the step; sets `after` and `approver_mail`. Raises FormErrors."""
    words, acting = taking.words, taking.acting
    if taking.command.action is Action.APPROVE and taking.actor.role is not Role.HQ:
        taking.approver_mail = check_approver_mail(words.approver_mail)
    if taking.command.action is Action.CORRECT:
        form = words.correction or ReturnForm()
        role = taking.outcome.route.originator
        taking.after = check_form(form, originator=role, today=acting.today, reasons=acting.reasons)
    elif words.overwrite is not None:
        taking.after = check_overwrite(
            taking.before, words.overwrite, today=acting.today, reasons=acting.reasons
        )
    elif taking.command.action is Action.TAKE_OVER:
        taking.after = replace(
            taking.before,
            contact_2=words.new_mobile,
            contact_3=check_approver_mail(words.new_mail),
        )


def _move(taking: _Taking, before: Status) -> Happened:
    """Write the step on the application; returns what happened."""
    application, outcome, now = taking.application, taking.outcome, taking.acting.now
    action, originator_before = taking.command.action, application.originator_id
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
        application.originator_name = taking.words.new_name
    said = outcome.dealer_note
    note_changed = said is not None and said != (application.dealer_note or "")
    if note_changed:
        application.dealer_note = said or None
        application.dealer_note_version += 1
    set_report(application, taking.after)
    return Happened(
        application=application,
        action=action,
        outcome=outcome,
        actor=taking.actor,
        actor_name=taking.acting.who.name,
        before=before,
        now=now,
        originator_before=originator_before,
        changes=changes(taking.before, taking.after),
        note_changed=note_changed,
    )


def _approval(taking: _Taking) -> Approval:
    """The approval as it is kept: by whom, for whom, on which entry, reached by which mail."""
    at_hq = taking.actor.role is Role.HQ
    application = taking.application
    return Approval(
        application_id=application.application_id,
        version=application.version,
        dealer_id=application.dealer_id,
        round=application.round,
        level="hq" if at_hq else "store",
        approver_id=taking.actor.user_id,
        approver_name=taking.acting.who.name,
        on_behalf_of=taking.actor.acting_for,
        mail=taking.approver_mail,
        approved_at=taking.acting.now,
        entry=as_entry(taking.after),
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
