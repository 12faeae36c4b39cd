"""Contract detail (顧客詳細): the read-only contract, the memo, and the actions (D46-D48)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.models import AssignmentChange, Contract, Memo
from contracts_service.policy import Policy
from contracts_service.rule_facts import (
    completion_of,
    entry_facts,
    replacement_of,
    row_facts,
    selection_of,
)
from contracts_service.rules.assignment_change import CHANGING, MoveReason
from contracts_service.rules.completion import CompletionBasis, completion_mark
from contracts_service.rules.contract_access import Action, Viewer, role_refusal
from contracts_service.rules.contract_actions import (
    ContractFacts,
    OfferedAction,
    contract_actions,
)
from contracts_service.rules.inspection import DISCLAIMER, next_inspection_month
from contracts_service.rules.products import Product, needs_separate_procedure
from contracts_service.rules.replacement_mark import ReplacementMark, replacement_mark
from contracts_service.rules.resplit import resplit_opens_on
from contracts_service.rules.result_deadline import (
    change_limit_on,
    entry_is_late,
    result_due_on,
)
from contracts_service.rules.result_entry import choice_is_final
from contracts_service.rules.row_colour import RowColour, row_colour
from contracts_service.rules.selection import Selection


@dataclass(frozen=True, slots=True)
class CodedName:
    """A code with its name; both empty or None where nothing is assigned."""

    code: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """Amounts paid and amounts still owed."""

    last_instalment_yen: int | None
    balance_yen: int | None
    instalments: int | None
    monthly_yen: int | None
    yearly_rate_percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleDetail:
    """The vehicle; months as 2022-03."""

    model_code: str | None
    model: str
    registration_no: str
    first_registered_month: str
    first_registered_on: date | None
    commercial: bool
    inspection_month: str
    inspection_disclaimer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The customer's name and address."""

    name: str
    name_kana: str | None
    postal_code: str | None
    address: str
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDetail:
    """The result as entered, its deadlines, and the state of an entry made today."""

    selection: Selection | None
    selection_label: str
    own_replacement: bool | None
    vehicle_code: str | None
    other_text: str | None
    replacement_mark: ReplacementMark
    late: bool
    confirmation_received_on: date | None
    completed: bool
    completed_mark: str
    completed_on: date | None
    completion_basis: CompletionBasis | None
    result_due_on: date
    change_limit_on: date
    entry_would_be_late: bool
    entry_would_be_final: bool
    resplit_opens_on: date
    vehicle_label: str
    payoff_requested_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAssignment:
    """A registered change of store or staff that waits for its reflection."""

    status: str
    change_id: str
    to_store: str | None
    to_staff: str | None
    reason: str | None
    registered_on: date
    reflect_earliest_on: date
    reflect_latest_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedAssignment:
    """The last change that the finance company rejected."""

    to_store: str | None
    to_staff: str | None
    registered_by: str
    rejected_on: date | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacementSuggestion:
    """The vehicle ordered here, as reported by the dealer's own system."""

    vehicle_code: str
    ordered_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoDetail:
    """The memo with its own version; 0 before the first save."""

    text: str
    version: int
    saved_at: datetime | None
    saved_by: str | None
    editable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAction(OfferedAction):
    """An action with its button label."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetail:
    """The response of 顧客詳細."""

    contract_no: str
    version: int
    product: CodedName
    final_on: date
    final_on_label: str
    loan: Loan
    vehicle: VehicleDetail
    customer: Customer
    store: CodedName
    staff: CodedName
    staff_left: bool
    receivable_purchased: bool
    separate_procedure: bool
    tfc_handled: bool
    customer_change_pending: bool
    result: ResultDetail
    colour: RowColour
    open_return_id: str | None
    pending_change: PendingAssignment | None
    rejected_change: RejectedAssignment | None
    replacement_suggestion: ReplacementSuggestion | None
    memo: MemoDetail
    actions: list[LabelledAction]


async def contract_detail(
    tx: AsyncSession, contract: Contract, viewer: Viewer, *, today: date, policy: Policy
) -> ContractDetail:
    """The contract as this viewer sees it today."""
    product = await queries.product(tx, contract.product_code)
    pending = await queries.pending_row(tx, contract)
    memo = await queries.memo_of(tx, contract.contract_no)
    store = await queries.store_of(tx, contract.dealer_id, contract.store_code)
    person = None
    if contract.staff_code:
        person = await queries.person(tx, contract.dealer_id, contract.staff_code)
    return ContractDetail(
        contract_no=contract.contract_no,
        version=contract.version,
        product=CodedName(product.code, product.name),
        final_on=contract.final_on,
        final_on_label="リース満了年月日" if product.is_lease else "最終回年月日",
        loan=_loan(contract),
        vehicle=_vehicle(contract, today),
        customer=_customer(contract),
        store=CodedName(contract.store_code, store.name if store else ""),
        staff=CodedName(contract.staff_code, person.name if person else ""),
        staff_left=person is not None and not person.active,
        receivable_purchased=contract.receivable_purchased,
        separate_procedure=needs_separate_procedure(
            product, receivable_purchased=contract.receivable_purchased
        ),
        tfc_handled=contract.tfc_handled,
        customer_change_pending=contract.customer_change_pending,
        result=_result(contract, today, await _next_car(tx, contract)),
        colour=row_colour(row_facts(contract), today=today, green_days=policy.green_days),
        open_return_id=contract.open_return_id,
        pending_change=_pending(pending),
        rejected_change=_rejected(await queries.last_rejection(tx, contract)),
        replacement_suggestion=_suggestion(contract),
        memo=visible_memo(memo, viewer),
        actions=_actions(contract, product, pending, viewer, today),
    )


def visible_memo(memo: Memo | None, viewer: Viewer) -> MemoDetail:
    """The memo as this viewer sees it."""
    return MemoDetail(
        text=memo.text if memo else "",
        version=memo.version if memo else 0,
        saved_at=memo.saved_at if memo else None,
        saved_by=memo.saved_by if memo else None,
        editable=role_refusal(viewer.role, Action.WRITE_NOTE) is None,
    )


async def _next_car(tx: AsyncSession, contract: Contract) -> str:
    code = contract.replacement_vehicle_code
    return await queries.vehicle_label(tx, contract.dealer_id, code) if code else ""


def _actions(
    contract: Contract,
    product: Product,
    pending: AssignmentChange | None,
    viewer: Viewer,
    today: date,
) -> list[LabelledAction]:
    facts = ContractFacts(
        product=product,
        final_on=contract.final_on,
        assignment=queries.assignment_of(contract),
        pending_change=queries.as_pending(pending) if pending else None,
        selection=selection_of(contract),
        completion=completion_of(contract),
        tfc_handled=contract.tfc_handled,
        return_open=contract.open_return_id is not None,
    )
    return [
        LabelledAction(
            button=action.button,
            enabled=action.enabled,
            code=action.code,
            reason=action.reason,
            label=action.button.label,
        )
        for action in contract_actions(facts, role=viewer.role, today=today)
    ]


def _suggestion(contract: Contract) -> ReplacementSuggestion | None:
    if contract.sold_vehicle_code is None:
        return None
    return ReplacementSuggestion(
        vehicle_code=contract.sold_vehicle_code, ordered_on=contract.sold_on
    )


def _loan(contract: Contract) -> Loan:
    return Loan(
        last_instalment_yen=contract.last_instalment_yen,
        balance_yen=contract.balance_yen,
        instalments=contract.instalments,
        monthly_yen=contract.monthly_yen,
        yearly_rate_percent=contract.yearly_rate_percent,
    )


def _vehicle(contract: Contract, today: date) -> VehicleDetail:
    month = next_inspection_month(contract.first_registered_month, today=today)
    return VehicleDetail(
        model_code=contract.model_code,
        model=contract.model,
        registration_no=contract.registration_no,
        first_registered_month=f"{contract.first_registered_month:%Y-%m}",
        first_registered_on=contract.first_registered_on,
        commercial=contract.commercial,
        inspection_month=f"{month:%Y-%m}",
        inspection_disclaimer=DISCLAIMER,
    )


def _customer(contract: Contract) -> Customer:
    return Customer(
        name=contract.customer_name,
        name_kana=contract.customer_name_kana,
        postal_code=contract.postal_code,
        address=contract.address,
        phone=contract.phone,
    )


def _result(contract: Contract, today: date, vehicle_label: str) -> ResultDetail:
    selection, replacement = selection_of(contract), replacement_of(contract)
    completion = completion_of(contract)
    return ResultDetail(
        selection=selection,
        selection_label=selection.label if selection else "",
        own_replacement=contract.own_replacement,
        vehicle_code=contract.replacement_vehicle_code,
        other_text=contract.replacement_other_text,
        replacement_mark=replacement_mark(
            replacement, completed=completion is not None, tfc_handled=contract.tfc_handled
        ),
        late=contract.late,
        confirmation_received_on=contract.confirmation_received_on,
        completed=completion is not None,
        completed_mark=completion_mark(completion),
        completed_on=contract.completed_on,
        completion_basis=completion,
        result_due_on=result_due_on(contract.final_on),
        change_limit_on=change_limit_on(contract.final_on),
        entry_would_be_late=entry_is_late(contract.final_on, today=today),
        entry_would_be_final=choice_is_final(entry_facts(contract), today=today),
        resplit_opens_on=resplit_opens_on(contract.final_on),
        vehicle_label=vehicle_label,
        payoff_requested_at=contract.payoff_requested_at,
    )


def _pending(pending: AssignmentChange | None) -> PendingAssignment | None:
    if pending is None:
        return None
    return PendingAssignment(
        status=CHANGING,
        change_id=str(pending.change_id),
        to_store=pending.to_store,
        to_staff=pending.to_staff,
        reason=MoveReason(pending.reason).label if pending.reason else None,
        registered_on=pending.registered_on,
        reflect_earliest_on=pending.reflect_earliest_on,
        reflect_latest_on=pending.reflect_latest_on,
    )


def _rejected(change: AssignmentChange | None) -> RejectedAssignment | None:
    if change is None:
        return None
    return RejectedAssignment(
        to_store=change.to_store,
        to_staff=change.to_staff,
        registered_by=change.registered_by,
        rejected_on=change.settled_on,
        reason=change.rejected_because,
    )
