"""Assignment endpoints (店舗・スタッフ変更) for managers and headquarters (D124-D144)."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts_service import customer_list, queries
from contracts_service.actions.assignment import (
    ActOnChanges,
    ChangeContext,
    NothingPending,
    cancel_change,
    check_changes,
    register_changes,
)
from contracts_service.api.dependencies import LEADERS, Ctx, RequestContext, Text, locked_contract
from contracts_service.api.results import Body, with_etag
from contracts_service.contract_detail import ContractDetail
from contracts_service.rules.assignment_change import (
    Assignment,
    AssignmentLocked,
    ChangeDecision,
    ChangeFacts,
    MoveReason,
    Outcome,
    PendingChange,
    RegisterChange,
    change_refusal,
)
from contracts_service.rules.bulk_search import read_bulk_search
from contracts_service.rules.contract_access import ContractNotFound
from contracts_service.rules.products import Product, ProductNotTransferable
from contracts_service.rules.search_limit import (
    ROWS_AT_ONCE,
    ROWS_SHOWN,
    SearchLimit,
    SearchScreen,
    search_limit,
)
from contracts_service.rules.search_text import folded_contract_no
from shared.concurrency import VersionConflict
from shared.errors import FieldError, FormErrors, Refusal, problem_of
from shared.http import expected_version
from shared.openapi import Problem
from shared.refusals import refuses

router = APIRouter()

Version = Annotated[int, Depends(expected_version)]


class ChangeBody(Body):
    """異動 sets the store, 変更 the staff; an empty field leaves it unchanged."""

    to_store: Text | None = None
    to_staff: Text | None = None
    reason: MoveReason | None = None

    def command(self) -> RegisterChange:
        """The command for the rules."""
        return RegisterChange(
            to_store=self.to_store or None, to_staff=self.to_staff or None, reason=self.reason
        )


class BulkRow(ChangeBody):
    """A checked row; with `version` it is refused if the contract changed since."""

    contract_no: Text
    version: int | None = None


class BulkBody(Body):
    """The checked rows on 「変更」."""

    rows: list[BulkRow] = Field(max_length=ROWS_AT_ONCE)
    all_or_nothing: bool = False


class BulkQuery(BaseModel):
    """The keys of the bulk search (D132, D157); `whole`: more rows than are shown at first."""

    model_config = ConfigDict(extra="forbid")

    customer_name: Text = ""
    inspection_month: Text = ""
    registration_no: Text = ""
    model_code: Text = ""
    from_staff: Text = ""
    from_store: Text = ""
    staff_left: Text = ""
    whole: bool = False


class Decided(BaseModel):
    """The outcome of 「異動」/「変更」, and the resulting days."""

    outcome: Outcome
    hidden_from_old_store_on: date | None
    reflect_earliest_on: date | None
    reflect_latest_on: date | None


class ChangeAnswer(Decided):
    """The outcome, with the contract after the change."""

    contract: ContractDetail


@dataclass(slots=True, kw_only=True)
class BulkRowShown(customer_list.ListRow):
    """A row of the bulk screen; `not_possible` says why it cannot be chosen today.

    `moves_to_store` and `moves_to_staff`: what 変更中 will change, where it does.
    """

    version: int
    product_code: str
    transferable: bool
    not_possible: str | None
    moves_to_store: str | None
    moves_to_staff: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSearchAnswer(SearchLimit):
    """The rows found, and the advice if not all are shown; `at_once` can be shown on request."""

    at_once: int
    rows: list[BulkRowShown]


class BulkRowResult(BaseModel):
    """The outcome of one row: registered with its days, or refused with the reason."""

    contract_no: str
    registered: bool
    outcome: Outcome | None = None
    hidden_from_old_store_on: date | None = None
    reflect_earliest_on: date | None = None
    reflect_latest_on: date | None = None
    problem: Problem | None = None


class BulkAnswer(BaseModel):
    """The numbers of registered and refused rows, and each of them."""

    accepted: int
    refused: int
    rows: list[BulkRowResult]


class Transfers(BaseModel):
    """The number of contracts that are moving between stores."""

    leaving: int
    coming: int


async def _change_context(ctx: RequestContext) -> ChangeContext:
    return ChangeContext(
        who=ctx.who.person_id,
        now=ctx.now,
        places=await queries.places(ctx.tx, ctx.viewer.dealer_code),
        exceptions=await queries.calendar_exceptions(ctx.tx),
        reflected_by=ctx.policy.reflection,
    )


@router.post("/contracts/{contract_no}/assignment-change", dependencies=[LEADERS])
@refuses(ContractNotFound, AssignmentLocked, ProductNotTransferable)
async def change_assignment(
    contract_no: Text, body: ChangeBody, version: Version, ctx: Ctx, response: Response
) -> ChangeAnswer:
    """「異動」 and 「変更」 of one contract; repeated on the same day, it adds to the first."""
    contract = await locked_contract(ctx, contract_no, version)
    number = contract.contract_no
    change_ctx = await _change_context(ctx)
    decision = await register_changes(
        ctx.tx, {number: contract}, {number: body.command()}, change_ctx
    )
    if refusal := decision.refused.get(number):
        raise refusal
    return ChangeAnswer(
        **_decided(decision.accepted[number]),
        contract=await with_etag(ctx, contract, response),
    )


@router.post("/contracts/{contract_no}/assignment-change/check", dependencies=[LEADERS])
@refuses(ContractNotFound, AssignmentLocked, ProductNotTransferable)
async def check_assignment_change(
    contract_no: Text, body: ChangeBody, version: Version, ctx: Ctx
) -> Decided:
    """確認 before 「異動」 and 「変更」: every error at once; nothing is registered."""
    contract = await locked_contract(ctx, contract_no, version)
    number = contract.contract_no
    decision = await check_changes(
        ctx.tx, {number: contract}, {number: body.command()}, await _change_context(ctx)
    )
    if refusal := decision.refused.get(number):
        raise refusal
    return Decided.model_validate(_decided(decision.accepted[number]))


@router.delete("/contracts/{contract_no}/assignment-change", dependencies=[LEADERS])
@refuses(ContractNotFound, NothingPending, AssignmentLocked)
async def cancel_assignment_change(
    contract_no: Text, version: Version, ctx: Ctx, response: Response
) -> ContractDetail:
    """Cancel what was registered today (D143)."""
    contract = await locked_contract(ctx, contract_no, version)
    await cancel_change(ctx.tx, contract, now=ctx.now)
    return await with_etag(ctx, contract, response)


@router.get("/assignment-changes/search", dependencies=[LEADERS])
async def search_for_bulk_change(
    query: Annotated[BulkQuery, Query()], ctx: Ctx
) -> BulkSearchAnswer:
    """The first hundred contracts for the bulk screen, or the whole result (D132-D134, D138)."""
    at_most = ROWS_AT_ONCE if query.whole else ROWS_SHOWN
    search = read_bulk_search(query.model_dump(exclude={"whole"}))
    seen = customer_list.visible_to(ctx.viewer, today=ctx.today)
    condition = customer_list.bulk_search_condition(seen, search, today=ctx.today)
    found = await customer_list.find(ctx.tx, condition, at_most=at_most)
    limit = search_limit(
        found.total, role=ctx.viewer.role, screen=SearchScreen.BULK_CHANGE, at_most=at_most
    )
    products = await queries.products(ctx.tx)
    pending = await queries.pending_by_id(ctx.tx, (row.pending_change_id for row in found.rows))
    rows = [
        _row_shown(
            row,
            products[row.product_code],
            pending.get(row.pending_change_id) if row.pending_change_id else None,
            ctx,
        )
        for row in found.rows
    ]
    return BulkSearchAnswer(**_fields(limit), rows=rows, at_once=ROWS_AT_ONCE)


def _row_shown(
    row: customer_list.ListedContract,
    product: Product,
    pending: PendingChange | None,
    ctx: RequestContext,
) -> BulkRowShown:
    current = Assignment(store_code=row.store_code, staff_code=row.staff_code)
    refusal = change_refusal(
        ChangeFacts(product=product, current=current, pending=pending), today=ctx.today
    )
    return BulkRowShown(
        **_fields(customer_list.row_of(row, today=ctx.today, policy=ctx.policy)),
        version=row.version,
        product_code=row.product_code,
        transferable=product.transferable,
        not_possible=refusal.message if refusal else None,
        moves_to_store=pending.to_store if pending else None,
        moves_to_staff=pending.to_staff if pending else None,
    )


class ClosedStore(BaseModel):
    """A closed store that still has customers, and the store that takes them over."""

    code: str
    name: str
    successor: str | None
    contracts: int


@router.get("/assignment-changes/closed-stores", dependencies=[LEADERS])
async def list_closed_stores(ctx: Ctx) -> list[ClosedStore]:
    """The dealer's closed stores that still have contracts visible to this person (C4, D130)."""
    stores = await queries.stores(ctx.tx, ctx.viewer.dealer_code)
    closed = {store.store_code: store for store in stores if store.unused}
    seen = customer_list.visible_to(ctx.viewer, today=ctx.today)
    left = await customer_list.count_by_store(ctx.tx, seen, closed.keys())
    return [
        ClosedStore(
            code=code, name=closed[code].name, successor=closed[code].successor, contracts=number
        )
        for code, number in sorted(left.items())
    ]


@router.post("/assignment-changes", dependencies=[LEADERS], response_model_exclude_unset=True)
async def change_in_bulk(body: BulkBody, ctx: Ctx) -> BulkAnswer:
    """「変更」: register every checked row that can be, with a reason for each other one (D137)."""
    return await _bulk(body, ctx, register_changes)


@router.post("/assignment-changes/check", dependencies=[LEADERS], response_model_exclude_unset=True)
async def check_bulk_change(body: BulkBody, ctx: Ctx) -> BulkAnswer:
    """確認 before 「変更」: the same answer for each checked row; nothing is registered."""
    return await _bulk(body, ctx, check_changes)


async def _bulk(body: BulkBody, ctx: RequestContext, act: ActOnChanges) -> BulkAnswer:
    rows = {folded_contract_no(row.contract_no): row for row in body.rows}
    if len(rows) < len(body.rows):
        message = "同じ契約が2回指定されています"
        raise FormErrors(FieldError("rows", "ROW_TWICE", message))
    contracts = await queries.contracts_locked(ctx.tx, ctx.viewer, rows, today=ctx.today)
    stale: dict[str, Refusal] = {
        number: VersionConflict(contracts[number].version)
        for number, row in rows.items()
        if number in contracts and row.version not in {None, contracts[number].version}
    }
    if stale and (body.all_or_nothing or len(stale) == len(rows)):
        accepted, refused = dict[str, ChangeDecision](), stale
    else:
        decision = await act(
            ctx.tx,
            contracts,
            {number: row.command() for number, row in rows.items() if number not in stale},
            await _change_context(ctx),
            all_or_nothing=body.all_or_nothing,
        )
        accepted, refused = dict(decision.accepted), stale | dict(decision.refused)
    return BulkAnswer(
        accepted=len(accepted),
        refused=len(refused),
        rows=[_row_result(number, accepted, refused) for number in rows],
    )


@router.get("/transfers-in-progress", dependencies=[LEADERS])
async def count_transfers(ctx: Ctx) -> Transfers:
    """The number of contracts moving between stores, leaving and coming; no names (A-26)."""
    row = await queries.transfers_in_progress(ctx.tx, ctx.viewer, today=ctx.today)
    return Transfers(leaving=row.leaving, coming=row.coming)


def _decided(decision: ChangeDecision) -> dict[str, object]:
    return {
        "outcome": decision.outcome,
        "hidden_from_old_store_on": decision.hidden_from_old_store_on,
        "reflect_earliest_on": decision.reflect_earliest_on,
        "reflect_latest_on": decision.reflect_latest_on,
    }


def _row_result(
    number: str, accepted: dict[str, ChangeDecision], refused: dict[str, Refusal]
) -> BulkRowResult:
    if number in accepted:
        return BulkRowResult(contract_no=number, registered=True, **_decided(accepted[number]))
    if number not in refused:  # all or nothing, and another row was refused
        return BulkRowResult(contract_no=number, registered=False)
    problem = Problem.model_validate(problem_of(refused[number]))
    return BulkRowResult(contract_no=number, registered=False, problem=problem)


def _fields(value: customer_list.ListRow | SearchLimit) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
