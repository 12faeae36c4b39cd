"""Result, payoff, re-split and memo endpoints of one contract (D47, D50, D52-D72)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts_service import queries
from contracts_service.actions import customer_change
from contracts_service.actions.entry_history import Recorder
from contracts_service.actions.memo import save_memo
from contracts_service.actions.result_entry import (
    apply_for_resplit,
    record_result,
    request_payoff,
    resplit_trial,
)
from contracts_service.api.dependencies import (
    DEALER,
    HQ,
    STORE_WORK,
    Ctx,
    RequestContext,
    Text,
    locked_contract,
)
from contracts_service.contract_detail import (
    ContractDetail,
    MemoDetail,
    contract_detail,
    visible_memo,
)
from contracts_service.models import Contract
from contracts_service.rule_facts import resplit_facts
from contracts_service.rules.calendar_days import months_before
from contracts_service.rules.contract_access import ContractNotFound, RoleMayNot
from contracts_service.rules.instalment_schedule import Instalment, remaining_schedule
from contracts_service.rules.payoff import Owed, quote_payoff
from contracts_service.rules.resplit import (
    ResplitClosed,
    ResplitNotOpenYet,
    ResplitPlan,
    ScreeningRunning,
    resplit_refusal,
)
from contracts_service.rules.result_entry import (
    ChangeLimitPassed,
    CustomerChangePending,
    EntryHasEnded,
    Exit,
    FirstEntryTooLate,
    HandlingCompleted,
    PayoffNotSelected,
    Recorded,
    RecordResult,
    ReturnInProgress,
)
from contracts_service.rules.selection import Selection
from contracts_service.rules.tfc_handling import TfcHandles
from shared.errors import FieldError, FormErrors
from shared.http import etag, expected_version, idempotent
from shared.refusals import refuses

router = APIRouter(prefix="/contracts/{contract_no}")

Version = Annotated[int, Depends(expected_version)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


class Body(BaseModel):
    """A request body; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


LongText = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")]


class MemoBody(Body):
    """自由記入欄."""

    text: LongText


class ResultBody(Body):
    """The fields of 進捗・結果入力 on 決定."""

    categories: list[Selection] = Field(
        default=[], max_length=4, examples=[[Selection.VEHICLE_RETURN]]
    )
    own_replacement: bool | None = None
    vehicle_code: Text | None = Field(None, examples=["PRIUS"])
    other_text: Text | None = None
    confirmation_received: bool = False
    confirmation_received_on: date | None = None
    unchangeable_confirmed: bool = False
    doubts_confirmed: bool = False


class ResplitBody(Body):
    """The number of instalments."""

    instalments: int = Field(ge=1, le=1000, examples=[24])


class ReleaseBody(Body):
    """The reason why headquarters lifts the block."""

    reason: LongText


class LabelledExit(BaseModel):
    """A button of 早期完済確認画面."""

    exit: Exit
    label: str


class ResultAnswer(BaseModel):
    """The outcome of 決定, and the contract after it."""

    recorded: Recorded
    late: bool
    exits: list[LabelledExit]
    contract: ContractDetail


class PayoffRequest(BaseModel):
    """The payoff request that was sent to the finance company."""

    contract_no: str
    requested_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Quotation(BaseModel):
    """The amount that settles a contract on a day."""

    model_config = ConfigDict(from_attributes=True)

    settled_on: date
    principal_yen: int
    interest_days: int
    interest_yen: int
    fee_yen: int
    total_yen: int


class BalancePoint(BaseModel):
    """The balance after an instalment; number 0 is the last day of the contract."""

    number: int
    on: date
    balance_yen: int


class PlanAnswer(BaseModel):
    """A plan of 再分割 with its balance over time; `terms` are the offered instalment counts."""

    principal_yen: int
    yearly_rate_percent: Decimal
    instalments: int
    terms: Sequence[int]
    first_yen: int
    level_yen: int
    interest_yen: int
    total_yen: int
    schedule: Sequence[Instalment]
    balance_points: list[BalancePoint]


class ResplitAnswer(BaseModel):
    """The plan applied for, and the contract after it."""

    plan: PlanAnswer
    contract: ContractDetail


RESPLIT_REFUSALS = (
    *(TfcHandles, ResplitNotOpenYet, ResplitClosed, HandlingCompleted, ReturnInProgress),
)


async def with_etag(ctx: RequestContext, contract: Contract, response: Response) -> ContractDetail:
    """The contract after the action, with its version as ETag."""
    await ctx.tx.flush()
    response.headers.update(etag(contract.version))
    return await contract_detail(ctx.tx, contract, ctx.viewer, today=ctx.today, policy=ctx.policy)


def recorder_of(ctx: RequestContext) -> Recorder:
    """The caller as the source of a statement."""
    return Recorder(ctx.who.person_id, "result_entry", ctx.now)


@router.put("/memo", dependencies=[STORE_WORK])
@refuses(ContractNotFound)
async def put_memo(
    contract_no: Text, body: MemoBody, version: Version, ctx: Ctx, response: Response
) -> MemoDetail:
    """Save 自由記入欄; If-Match names the memo's own version, 0 before the first."""
    contract = await locked_contract(ctx, contract_no)
    memo = await save_memo(ctx.tx, contract, body.text, expected=version, recorder=recorder_of(ctx))
    response.headers.update(etag(memo.version))
    return visible_memo(memo, ctx.viewer)


@router.post("/result", dependencies=[DEALER])
@refuses(ContractNotFound, TfcHandles, EntryHasEnded, ChangeLimitPassed, FirstEntryTooLate)
@refuses(HandlingCompleted, ReturnInProgress, CustomerChangePending)
async def enter_result(
    contract_no: Text, body: ResultBody, version: Version, ctx: Ctx, response: Response
) -> ResultAnswer:
    """「決定」: record selection and replacement; 早期完済 offers its two exits."""
    contract = await locked_contract(ctx, contract_no, version)
    command = RecordResult(
        categories=frozenset(body.categories), **body.model_dump(exclude={"categories"})
    )
    decision = await record_result(
        ctx.tx, contract, command, recorder=recorder_of(ctx), policy=ctx.policy
    )
    return ResultAnswer(
        recorded=decision.recorded,
        late=decision.late,
        exits=[LabelledExit(exit=one, label=one.label) for one in decision.exits],
        contract=await with_etag(ctx, contract, response),
    )


@router.post("/payoff-request", dependencies=[DEALER], response_model=PayoffRequest)
@refuses(ContractNotFound, TfcHandles, PayoffNotSelected)
async def ask_for_payoff(contract_no: Text, ctx: Ctx, key: Key = None) -> dict[str, str]:
    """「早期完済受付へ」: request the early payoff from the finance company (D69)."""
    contract = await locked_contract(ctx, contract_no)

    async def act() -> dict[str, str]:
        await request_payoff(ctx.tx, contract, now=ctx.now)
        return {"contract_no": contract.contract_no, "requested_at": ctx.now.isoformat()}

    owner = f"{ctx.who.person_id}/payoff-request"
    return await idempotent(ctx.tx, owner=owner, key=key, fingerprint=contract.contract_no, act=act)


@router.get("/payoff-quotation", dependencies=[DEALER])
@refuses(ContractNotFound)
async def read_payoff_quotation(
    contract_no: Text, ctx: Ctx, settled_on: date | None = None
) -> Quotation:
    """The amount that settles the contract on a day (default: today); not binding."""
    contract = await queries.contract_for(ctx.tx, ctx.viewer, contract_no, today=ctx.today)
    if contract.balance_yen is None or contract.yearly_rate_percent is None:
        message = "この契約には支払予定がないため、一括金は照会できません"
        raise FormErrors(FieldError("settled_on", "NO_SCHEDULE", message))
    schedule = remaining_schedule(
        balance_yen=contract.balance_yen,
        monthly_yen=contract.monthly_yen or 0,
        yearly_rate_percent=contract.yearly_rate_percent,
        final_on=contract.final_on,
        today=ctx.today,
    )
    since = months_before(schedule[0].due_on, 1) if schedule else contract.final_on
    quotation = quote_payoff(
        schedule,
        owed=Owed(principal_yen=contract.balance_yen, since=since),
        settled_on=settled_on or ctx.today,
        yearly_rate_percent=contract.yearly_rate_percent,
        fee_yen=ctx.policy.payoff_fee_yen,
    )
    return Quotation.model_validate(quotation)


@router.post("/resplit-trial", dependencies=[DEALER])
@refuses(ContractNotFound, *RESPLIT_REFUSALS)
async def try_resplit(contract_no: Text, body: ResplitBody, ctx: Ctx) -> PlanAnswer:
    """A trial plan with its balance over time; nothing is stored (D50)."""
    contract = await queries.contract_for(ctx.tx, ctx.viewer, contract_no, today=ctx.today)
    if refusal := resplit_refusal(resplit_facts(contract), today=ctx.today):
        raise refusal
    return _plan(contract, resplit_trial(contract, body.instalments, ctx.policy), ctx)


@router.post("/resplit-application", dependencies=[DEALER])
@refuses(ContractNotFound, *RESPLIT_REFUSALS, ScreeningRunning)
async def apply_resplit(
    contract_no: Text, body: ResplitBody, version: Version, ctx: Ctx, response: Response
) -> ResplitAnswer:
    """Apply for the screening of a plan; the selection becomes 再分割 (D50)."""
    contract = await locked_contract(ctx, contract_no, version)
    plan = await apply_for_resplit(
        ctx.tx,
        contract,
        body.instalments,
        recorder=Recorder(ctx.who.person_id, "resplit_application", ctx.now),
        policy=ctx.policy,
    )
    return ResplitAnswer(
        plan=_plan(contract, plan, ctx), contract=await with_etag(ctx, contract, response)
    )


@router.post("/customer-change-release", dependencies=[HQ])
@refuses(ContractNotFound, RoleMayNot)
async def release_customer_change(
    contract_no: Text, body: ReleaseBody, version: Version, ctx: Ctx, response: Response
) -> ContractDetail:
    """Headquarters lifts the block of a customer change that never completed (D64)."""
    contract = await locked_contract(ctx, contract_no, version)
    role = ctx.viewer.role
    await customer_change.release(ctx.tx, contract, role, body.reason, recorder_of(ctx))
    return await with_etag(ctx, contract, response)


def _plan(contract: Contract, plan: ResplitPlan, ctx: RequestContext) -> PlanAnswer:
    principal = contract.last_instalment_yen or 0
    points = [BalancePoint(number=0, on=contract.final_on, balance_yen=principal)]
    points += [
        BalancePoint(number=row.number, on=row.due_on, balance_yen=row.balance_yen)
        for row in plan.schedule
    ]
    return PlanAnswer(
        principal_yen=principal,
        yearly_rate_percent=ctx.policy.resplit_rate_percent,
        instalments=len(plan.schedule),
        terms=ctx.policy.resplit_terms,
        first_yen=plan.first_yen,
        level_yen=plan.level_yen,
        interest_yen=plan.interest_yen,
        total_yen=plan.total_yen,
        schedule=plan.schedule,
        balance_points=points,
    )
