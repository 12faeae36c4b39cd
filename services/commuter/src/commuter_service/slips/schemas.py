"""Slip responses, with the explanation object as the engine gave it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from commuter_service.actions.slip_items import receipts_yen, total_yen
from commuter_service.actions.slips import actor_of, chain_now, state_of
from commuter_service.models import AuditEntry, Employee, Slip, SlipItem
from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.passes.schemas import PassAnswer, TrailLine, audit_json
from commuter_service.provider_rides import route_words
from commuter_service.queries import kind_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.invoice_basis import CostKind, InvoiceBasis, invoice_needed
from commuter_service.rules.month_closing import MonthClosed, check_month
from commuter_service.rules.pass_warning import (
    DeductionWarning,
    WarningBlocksSubmission,
    check_submission,
)
from commuter_service.rules.receipt_required import receipt_needed
from commuter_service.rules.route_search_policy import Media
from commuter_service.rules.slip_approval import STEP_NAMES, SlipStatus, SlipStep, refusal_of
from commuter_service.rules.slip_kind import USES_SEARCH
from commuter_service.slips.pass_warnings import warnings_of
from commuter_service.slips.receipt_schemas import ReceiptAnswer, receipt_answer
from commuter_service.slips.receipts import KeptReceipt
from fare_engine.fares.explanation_model import Explanation, Notice, PassUse
from fare_engine.fares.itinerary import ItineraryLeg, itinerary
from fare_engine.routing.candidates import Label
from fare_engine.routing.route_words import section_of
from fare_engine.rules.fare_rounding import Medium
from shared.clock import jst_day

_EXPLANATION = TypeAdapter(Explanation)
STEP_WORDS = {step.value: words for step, words in STEP_NAMES.items()} | {"hand_on": "引継ぎ"}
SAVED = frozenset({"save", "auto_save"})
SOURCES = {"typed": "手入力", "look_up": "乗換案内", "ic_card": "ICカード"}


class SlipHead(BaseModel):
    """What every view of a slip shows."""

    slip_id: str
    version: int
    employee_id: str
    employee_name: str
    kind: str
    kind_japanese: str
    title: str
    status: str
    status_japanese: str
    updated_at: datetime
    submitted_at: datetime | None
    copied_from: str | None
    entered_by_name: str | None


class SlipLine(SlipHead):
    """A slip in a list: its items, how many of them bear a warning, and who of it has left."""

    items: int
    total_yen: int
    warnings: int
    departed_japanese: str | None = None


class DeductedPass(BaseModel):
    """A pass that meets the ride of an item, and what became of it."""

    section: str
    period: str
    why: str
    guaranteed: bool


class Journey(BaseModel):
    """The candidate that was decided: minutes to the arrival, changes to another train, labels."""

    minutes: int
    changes: int
    labels: list[Label]


class SlipItemAnswer(BaseModel):
    """A line of a slip with its warnings as of now, and its ride as people read it."""

    item_id: str
    item_on: date | None
    purpose: str
    source: str
    source_japanese: str
    words: str
    route: str | None
    section: str | None
    route_words: list[str]
    medium: str | None
    round_trip: bool
    amount_yen: int | None
    through_yen: int | None
    deduction_yen: int
    receipt: bool
    searched_on: date | None
    without_pass_reason: str | None
    cost_kind: CostKind
    payee: str
    registration_no: str
    no_invoice_reason: str
    invoice_basis: InvoiceBasis | None
    invoice_needed: bool
    receipt_needed: bool
    no_receipt_reason: str
    receipts: list[ReceiptAnswer]
    warnings: list[Notice]
    explanation: Explanation | None
    itinerary: tuple[ItineraryLeg, ...]
    journey: Journey | None
    passes: list[DeductedPass]


Place = Literal["done", "present", "to_come"]


class ApproverAnswer(BaseModel):
    """A place of the approval chain; `approved_on` since the last submission."""

    employee_id: str
    name: str
    state: Place
    approved_on: date | None


class SlipAction(BaseModel):
    """A step with whether it is possible now, and why not."""

    action: SlipStep
    label: str
    enabled: bool
    reason: str | None


class SlipAnswer(SlipHead):
    """A whole slip; `passes` are those of its owner that are in force or waiting.

    `blocked`: why its owner may neither look up nor submit now. `media`: what the company accepts.
    `closed_months`: first days of the closed months in which it has items. `department`: what
    accounting calls the store of its owner.
    """

    submitted_on: date | None
    employee_number: str
    store_code: str | None
    department: str | None
    purpose: str
    trip_from: date | None
    trip_to: date | None
    uses_look_up: bool
    media: list[Medium]
    blocked: str | None
    closed_months: list[date]
    items: list[SlipItemAnswer]
    total_yen: int
    through_total_yen: int
    receipts_yen: int
    chain: list[ApproverAnswer]
    actions: list[SlipAction]
    trail: list[TrailLine]
    passes: list[PassAnswer]


def slip_line(
    ctx: RequestContext,
    slip: Slip,
    items: Sequence[SlipItem],
    passes: EmployeePasses,
    names: dict[str, str],
) -> SlipLine:
    """A slip in a list."""
    warned = sum(1 for item in items if warnings_of(slip, item, passes, ctx.tariffs))
    return SlipLine(
        **dict(_head(slip, names)), items=len(items), total_yen=total_yen(items), warnings=warned
    )


@dataclass(frozen=True, slots=True)
class SlipFacts:
    """What surrounds a slip that is shown whole."""

    items: Sequence[SlipItem]
    receipts: Mapping[UUID, Sequence[KeptReceipt]]
    passes: EmployeePasses
    names: dict[str, str]
    employee: Employee
    department: str | None
    trail: Sequence[AuditEntry]
    standing: Sequence[PassAnswer]
    blocked: str | None
    closed: Sequence[date]


def slip_answer(ctx: RequestContext, slip: Slip, facts: SlipFacts) -> SlipAnswer:
    """A whole slip: items with warnings as of now, totals, the chain, what may be done."""
    items, approved = facts.items, _approvals(facts.trail)
    shown = [_item(ctx, slip, item, facts) for item in items]
    return SlipAnswer(
        **dict(_head(slip, facts.names)),
        submitted_on=jst_day(slip.submitted_at) if slip.submitted_at else None,
        employee_number=slip.employee_id.removeprefix(f"{slip.dealer_id}-"),
        store_code=facts.employee.store_code,
        department=facts.department,
        purpose=slip.purpose,
        trip_from=slip.trip_from,
        trip_to=slip.trip_to,
        uses_look_up=kind_of(slip) in USES_SEARCH,
        media=Media(ctx.setting.media).accepted,
        blocked=facts.blocked,
        closed_months=list(facts.closed),
        items=shown,
        total_yen=total_yen(items),
        through_total_yen=sum(item.through_yen or item.amount_yen or 0 for item in items),
        receipts_yen=receipts_yen(items),
        chain=[
            ApproverAnswer(
                employee_id=one,
                name=facts.names.get(one, one),
                state=_place(slip, number),
                approved_on=approved.get(one),
            )
            for number, one in enumerate(slip.chain)
        ],
        actions=_actions(ctx, slip, facts, facts.blocked or _warning_block(ctx, shown)),
        trail=audit_json(_trail_for(ctx, slip, facts.trail), STEP_WORDS),
        passes=list(facts.standing),
    )


def _head(slip: Slip, names: dict[str, str]) -> SlipHead:
    return SlipHead(
        slip_id=str(slip.slip_id),
        version=slip.version,
        employee_id=slip.employee_id,
        employee_name=names.get(slip.employee_id, slip.employee_id),
        kind=slip.kind,
        kind_japanese=kind_of(slip).value,
        title=slip.title,
        status=slip.status,
        status_japanese=SlipStatus(slip.status).label_ja,
        updated_at=slip.updated_at,
        submitted_at=slip.submitted_at,
        copied_from=str(slip.copied_from) if slip.copied_from else None,
        entered_by_name=names.get(slip.entered_by, slip.entered_by) if slip.entered_by else None,
    )


def _item(ctx: RequestContext, slip: Slip, item: SlipItem, facts: SlipFacts) -> SlipItemAnswer:
    warnings = warnings_of(slip, item, facts.passes, ctx.tariffs)
    receipts = facts.receipts.get(item.item_id, ())
    explanation = item.explanation and _EXPLANATION.validate_python(item.explanation)
    return SlipItemAnswer(
        item_id=str(item.item_id),
        item_on=item.item_on,
        purpose=item.purpose,
        source=item.source,
        source_japanese=SOURCES[item.source],
        words=item.words,
        route=item.route,
        section=section_of(item.route) if item.route else None,
        route_words=route_words(item.route) if item.route else [],
        medium=item.medium,
        round_trip=item.round_trip,
        amount_yen=item.amount_yen,
        through_yen=item.through_yen,
        deduction_yen=explanation.deduction_yen if explanation else 0,
        receipt=item.receipt,
        searched_on=item.searched_on,
        without_pass_reason=item.without_pass_reason,
        cost_kind=CostKind(item.cost_kind),
        payee=item.payee,
        registration_no=item.registration_no,
        no_invoice_reason=item.no_invoice_reason,
        invoice_basis=InvoiceBasis(item.invoice_basis) if item.invoice_basis else None,
        invoice_needed=invoice_needed(CostKind(item.cost_kind), item.amount_yen),
        receipt_needed=receipt_needed(item.amount_yen),
        no_receipt_reason=item.no_receipt_reason,
        receipts=[receipt_answer(one) for one in receipts],
        warnings=[Notice(one.value, one.message) for one in warnings],
        explanation=explanation or None,
        itinerary=itinerary(explanation) if explanation else (),
        journey=Journey.model_validate(item.journey) if item.journey else None,
        passes=_deducted(explanation) if explanation else [],
    )


def _place(slip: Slip, number: int) -> Place:
    status = SlipStatus(slip.status)
    if status in {SlipStatus.APPROVED, SlipStatus.SETTLED, SlipStatus.REJECTED}:
        return "done"
    if number < slip.step:
        return "done"
    return "present" if number == slip.step and status is SlipStatus.PENDING else "to_come"


def _deducted(explanation: Explanation) -> list[DeductedPass]:
    """The passes that meet the ride on its day."""
    return [
        DeductedPass(
            section=section_of(one.route),
            period=one.period,
            why=one.why,
            guaranteed=one.guaranteed,
        )
        for one in explanation.passes
        if one.use not in {PassUse.NOT_ON_ROUTE, PassUse.NOT_VALID_ON_DAY}
    ]


def _trail_for(
    ctx: RequestContext, slip: Slip, trail: Sequence[AuditEntry]
) -> Iterator[AuditEntry]:
    """The trail without what its owner saved on the way, which tells nobody else anything."""
    own = ctx.employee_id in {slip.employee_id, slip.entered_by}
    return (line for line in trail if own or line.action not in SAVED)


def _approvals(trail: Sequence[AuditEntry]) -> Mapping[str, date]:
    """The day on which each of the chain approved, since the last submission."""
    found: dict[str, date] = {}
    for line in trail:
        if line.action == SlipStep.SUBMIT:
            found.clear()
        elif line.action == SlipStep.APPROVE:
            found[line.actor] = jst_day(line.at)
    return found


def _month_block(step: SlipStep, slip: Slip, facts: SlipFacts) -> str | None:
    """Why a closed month refuses a step, before anybody presses it (R94)."""
    days = [item.item_on for item in facts.items]
    try:
        check_month(step, SlipStatus(slip.status), days, facts.closed)
    except MonthClosed as fact:
        return fact.message
    return None


def _warning_block(ctx: RequestContext, items: Sequence[SlipItemAnswer]) -> str | None:
    """Why the company's setting refuses the slip as it stands (R54)."""
    standing = [DeductionWarning(one.code) for item in items for one in item.warnings]
    try:
        check_submission(standing, company_blocks=ctx.setting.warning_blocks)
    except WarningBlocksSubmission as fact:
        return fact.message
    return None


def _actions(
    ctx: RequestContext, slip: Slip, facts: SlipFacts, blocked: str | None
) -> list[SlipAction]:
    """Every step with whether it is possible now, and why not."""
    actor, state = actor_of(ctx, slip), state_of(slip)
    found = []
    for step in SlipStep:
        refusal = refusal_of(state, step, actor, approvers=chain_now(ctx, slip))
        reason = refusal.message if refusal else _month_block(step, slip, facts)
        if step is SlipStep.SUBMIT:
            reason = reason or blocked
        found.append(
            SlipAction(action=step, label=step.label_ja, enabled=reason is None, reason=reason)
        )
    return found
