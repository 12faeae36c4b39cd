"""Submission of a new application, 起票 (D76-D95, T1)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actions.application_columns import set_report, set_route
from returns_service.actions.return_steps import record_step, store_notice
from returns_service.actions.step_result import StepResult
from returns_service.actor import Person, RequestContext
from returns_service.mapping import contract_facts
from returns_service.models import OPEN, Application, Contract
from returns_service.queries import contract_by_number, earlier_returns, setting_of
from returns_service.rules.progress_list import name_key, number_key
from returns_service.rules.received_on_doubt import received_on_doubt
from returns_service.rules.return_approval import Outcome, decide
from returns_service.rules.return_commands import Submit
from returns_service.rules.return_eligibility import (
    Eligibility,
    ReturnAlreadyUnderWay,
    check_eligibility,
)
from returns_service.rules.return_form import ReturnForm, ReturnReport, check_form
from returns_service.rules.return_visibility import sees_contract
from shared.http import NotFound


@dataclass(frozen=True)
class Checked:
    """A form that may be sent: what will be kept, and what follows."""

    contract: Contract
    eligibility: Eligibility
    report: ReturnReport
    outcome: Outcome
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class Submitted:
    """An application that was sent."""

    step: StepResult
    eligibility: Eligibility


async def contract_in_sight(ctx: RequestContext, contract_no: str) -> Contract:
    """The contract, if this person sees it now. Raises NotFound."""
    actor = ctx.who.self_actor
    found = await contract_by_number(ctx.tx, actor.dealer_code or "", contract_no)
    if found is None or not sees_contract(
        actor,
        dealer_code=found.dealer_id,
        store_code=found.store_code,
        hidden_from_on=found.hidden_from_on,
        today=ctx.today,
    ):
        raise NotFound
    return found


async def check_submission(ctx: RequestContext, contract_no: str, form: ReturnForm) -> Checked:
    """All that stands against sending, checked alike at 確認 and at OK (D94); writes nothing.

    Raises NotFound, a refusal of return_eligibility or return_approval, or FormErrors.
    """
    actor = ctx.who.self_actor
    contract = await contract_in_sight(ctx, contract_no)
    setting = await setting_of(ctx.tx, contract.dealer_id)
    outcome = decide(None, Submit(setting=setting), actor)
    earlier = await earlier_returns(ctx.tx, contract_no)
    eligibility = check_eligibility(contract_facts(contract), earlier)
    report = check_form(form, originator=actor.role, today=ctx.today, reasons=ctx.reasons)
    doubt = received_on_doubt(
        report.result.received_on,
        today=ctx.today,
        first_registered_on=contract.first_registered_on,
    )
    return Checked(contract, eligibility, report, outcome, (doubt,) if doubt else ())


async def submit_application(ctx: RequestContext, contract_no: str, form: ReturnForm) -> Submitted:
    """Send a new application (T1). Raises as `check_submission`."""
    checked = await check_submission(ctx, contract_no, form)
    application = application_of(checked, ctx.who, now=ctx.now)
    number = await ctx.tx.scalar(select(func.nextval("application_number")))
    application.application_id = f"RA-{number:08}"
    await _insert(ctx.tx, application)
    step = StepResult(
        application=application,
        action=Submit.action,
        outcome=checked.outcome,
        actor=ctx.who.self_actor,
        actor_name=ctx.who.name,
        at=ctx.now,
        store_notice=await store_notice(ctx.tx, application, checked.outcome),
    )
    await record_step(ctx.tx, step)
    return Submitted(step, checked.eligibility)


async def _insert(tx: AsyncSession, application: Application) -> None:
    """Insert unless the contract has an open application, also one that is being sent right now."""
    values = {
        column.key: getattr(application, column.key)
        for column in Application.__table__.columns
        if column.computed is None
    }
    inserted = await tx.execute(
        insert(Application)
        .values(values)
        .on_conflict_do_nothing(index_elements=["contract_no"], index_where=text(OPEN))
        .returning(Application.application_id)
    )
    if inserted.first() is None:
        raise ReturnAlreadyUnderWay


def application_of(checked: Checked, person: Person, *, now: datetime) -> Application:
    """The application as it would be stored, without its number."""
    contract, outcome = checked.contract, checked.outcome
    application = Application(
        dealer_id=contract.dealer_id,
        store_code=contract.store_code,
        contract_no=contract.contract_no,
        contract_key=number_key(contract.contract_no),
        customer_name=contract.customer_name,
        name_key=name_key(contract.customer_name),
        originator_id=outcome.originator_id,
        originator_name=person.name,
        round=1,
        status=outcome.status.value,
        status_version=1,
        version=1,
        entered_at=now,
        submitted_at=now,
        requested_at=now if outcome.sets_requested_at else None,
        updated_at=now,
        separate_procedure=checked.eligibility.separate_procedure,
        dealer_note=None,
        dealer_note_version=0,
    )
    set_route(application, outcome.route)
    set_report(application, checked.report)
    return application
