"""定期区間マスタ for administrators, 個人設定 > 定期区間 for everybody (R1-R10, R19-R28)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from commuter_service import queries
from commuter_service.actions import passes as actions
from commuter_service.actions.pass_prices import prices_of
from commuter_service.actions.passes import Confirmation
from commuter_service.api.dependencies import EMPLOYEES, Body, Ctx, Key, Version
from commuter_service.api.pass_bodies import (
    CheckedPass,
    ConfirmBody,
    DraftPass,
    EmployeeQuery,
    EmployeesWithPasses,
    EmployeeWithPasses,
    EndBody,
    Health,
    ManyBody,
    MyPasses,
    Offer,
    OwnPass,
    PassActions,
    PassBody,
    PassDetail,
    Passes,
    PassQuery,
    ReasonBody,
    Registration,
    TroubledPass,
)
from commuter_service.api.refusal_groups import PASS_CONTENT, PASS_EDIT, PERIOD
from commuter_service.models import Pass
from commuter_service.passes.employee_list import employees_named, page_of_employees
from commuter_service.passes.employee_passes import read_pass
from commuter_service.passes.schemas import (
    adjacent_passes,
    audit_json,
    condition_of,
    has_bus,
    overlaps_and_gaps,
    pass_answer,
    price_line,
)
from commuter_service.provider_rides import route_words
from commuter_service.queries import PassRecord
from commuter_service.request_context import RequestContext
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.pass_application import (
    ApplicationsNotAllowed,
    CsvRegistrationRefused,
    NotYourPass,
    PassStatus,
    PassStep,
    PassStepNotPossible,
    ReasonMissing,
    RouteNotDecided,
    check_count,
)
from commuter_service.rules.pass_health import problems_of
from fare_engine.routing.route_words import section_of
from fare_engine.rules.bus_policy import BUS_NOTICE
from shared.concurrency import VersionConflict
from shared.http import NotFound, etag, idempotent
from shared.refusals import refuses

router = APIRouter(dependencies=[EMPLOYEES])


def one_by_one(request: Request) -> None:
    """Anything but JSON is a file, and files are refused with the manual's sentence (R2)."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind != "application/json":
        raise CsvRegistrationRefused


@router.get("/passes")
@refuses(RightMissing)
async def list_passes(query: Annotated[PassQuery, Query()], ctx: Ctx) -> Passes:
    """定期区間マスタ: every pass of the company, or of one employee, or in one state."""
    ctx.need_pass_master()
    wanted = queries.passes_of_company(ctx.dealer_id, query.employee_id, query.status)
    return await _listed(ctx, await queries.passes_where(ctx.tx, *wanted))


@router.get("/passes/employees")
@refuses(RightMissing)
async def list_employees_with_passes(
    query: Annotated[EmployeeQuery, Query()], ctx: Ctx
) -> EmployeesWithPasses:
    """定期区間マスタ: the company's employees with their passes, those without one too."""
    ctx.need_pass_master()
    wanted = employees_named(ctx.dealer_id, query.text)
    found = await page_of_employees(ctx.tx, wanted, query.after, query.size + 1)
    page = found[: query.size]
    ids = [one.employee_id for one in page]
    passes = await _listed(ctx, await queries.passes_where(ctx.tx, Pass.employee_id.in_(ids)))
    items = [
        EmployeeWithPasses(
            employee_id=one.employee_id,
            number=one.employee_id.removeprefix(f"{ctx.dealer_id}-"),
            name=one.name,
            name_kana=one.name_kana,
            store_code=one.store_code,
            passes=[held for held in passes.items if held.employee_id == one.employee_id],
        )
        for one in page
    ]
    more = page[-1].employee_id if len(found) > query.size else None
    return EmployeesWithPasses(
        items=items, next=more, count=await queries.count_where(ctx.tx, wanted)
    )


@router.get("/my-passes")
async def list_my_passes(ctx: Ctx) -> MyPasses:
    """個人設定 > 定期区間: the own passes, and whether one may apply (R19)."""
    records = await queries.passes_of(ctx.tx, ctx.employee_id)
    found = await _listed(ctx, records)
    items = []
    for record, answer in zip(records, found.items, strict=True):
        waits = record.status is PassStatus.APPLIED
        overlaps = adjacent_passes(record, records).overlaps if waits else []
        items.append(OwnPass(**dict(answer), overlaps=overlaps))
    allowed = ctx.setting.applications_allowed
    reason = None if allowed else NOT_ALLOWED
    return MyPasses(items=items, apply=Offer(enabled=allowed, reason=reason))


NOT_ALLOWED = "個人による定期区間の申請は許可されていません"


@router.get("/passes/health")
@refuses(RightMissing)
async def check_health(ctx: Ctx) -> Health:
    """Which passes need care: route gone, ending in 30 days, unconfirmed for a week (R39)."""
    ctx.need_pass_master()
    records = await queries.passes_where(ctx.tx, Pass.dealer_id == ctx.dealer_id)
    names = await queries.employee_names(ctx.tx, (r.held.employee_id for r in records))
    network = ctx.tariffs.network
    items = [
        TroubledPass(
            trouble=finding.trouble,
            words=finding.words,
            held=pass_answer(record, names, network),
        )
        for record in records
        for finding in problems_of(condition_of(record, network, today=ctx.today), today=ctx.today)
    ]
    return Health(items=items)


@router.post("/passes/check")
@refuses(RightMissing, *PASS_CONTENT)
async def check_pass(typed: DraftPass, ctx: Ctx) -> CheckedPass:
    """What a pass would meet before it is kept: overlaps, gaps, the bus notice (R8, R10)."""
    employee_id = typed.employee_id or ctx.employee_id
    if employee_id != ctx.employee_id:
        ctx.need_pass_master()
    content = typed.content()
    if not content.route:
        raise RouteNotDecided("乗換案内で経路を決定してください")
    route = str(read_pass(ctx.tariffs.network, content.route))
    others = await queries.passes_of(ctx.tx, employee_id)
    bus = has_bus(route, ctx.tariffs.network)
    return CheckedPass(
        **dict(overlaps_and_gaps(content.period, others)),
        route=route,
        section=section_of(route),
        route_words=route_words(route),
        period=str(content.period),
        guaranteed=not bus,
        notices=[BUS_NOTICE] if bus else [],
    )


@router.post("/passes", status_code=201, dependencies=[Depends(one_by_one)])
@refuses(RightMissing, CsvRegistrationRefused, *PASS_EDIT)
async def register_pass(
    typed: Registration | list[Registration], ctx: Ctx, response: Response, key: Key = None
) -> PassDetail:
    """確定 by an administrator, one pass at a time (R1, R2)."""
    if isinstance(typed, list):
        check_count(len(typed))
        typed = typed[0]
    wanted = typed
    employee = await queries.employee_by_id(ctx.tx, ctx.dealer_id, wanted.employee_id)

    async def act() -> PassDetail:
        content = wanted.content()
        return await _saved(ctx, await actions.register_pass(ctx, employee, content))

    return _tagged(await _idempotent(ctx, key, wanted, act), response)


@router.post("/my-passes", status_code=201, dependencies=[Depends(one_by_one)])
@refuses(CsvRegistrationRefused, ApplicationsNotAllowed, *PASS_EDIT)
async def apply_for_pass(
    typed: PassBody | list[PassBody], ctx: Ctx, response: Response, key: Key = None
) -> PassDetail:
    """申請 of an own pass (R20); the administrators are mailed (R29)."""
    if isinstance(typed, list):
        check_count(len(typed))
        typed = typed[0]
    wanted = typed

    async def act() -> PassDetail:
        return await _saved(ctx, await actions.apply_for_pass(ctx, wanted.content()))

    return _tagged(await _idempotent(ctx, key, wanted, act), response)


@router.get("/passes/{pass_id:key}")
@refuses(RightMissing)
async def show_pass(pass_id: UUID, ctx: Ctx, response: Response) -> PassDetail:
    """閲覧: a pass with what it meets and its trail; own ones, or all with the permission."""
    found = await queries.passes_where(
        ctx.tx, Pass.pass_id == pass_id, Pass.dealer_id == ctx.dealer_id
    )
    if not found:
        raise NotFound
    if found[0].held.employee_id != ctx.employee_id:
        ctx.need_pass_master()
    return _tagged(await _saved(ctx, found[0]), response)


@router.put("/passes/{pass_id}")
@refuses(*PASS_EDIT)
async def rewrite_pass(
    pass_id: UUID, typed: PassBody, version: Version, ctx: Ctx, response: Response
) -> PassDetail:
    """編集 and 確定 by an administrator."""
    done = await actions.rewrite_pass(ctx, pass_id, version, typed.content(), PassStep.REGISTER)
    return _tagged(await _saved(ctx, done), response)


@router.put("/my-passes/{pass_id}")
@refuses(ApplicationsNotAllowed, *PASS_EDIT)
async def apply_for_pass_again(
    pass_id: UUID, typed: PassBody, version: Version, ctx: Ctx, response: Response
) -> PassDetail:
    """編集 and 申請 by its holder: unconfirmed again (R24)."""
    done = await actions.rewrite_pass(ctx, pass_id, version, typed.content(), PassStep.APPLY)
    return _tagged(await _saved(ctx, done), response)


@router.post("/passes/{pass_id}/confirmation")
@refuses(NotYourPass, PassStepNotPossible, *PERIOD)
async def confirm_pass(
    pass_id: UUID, typed: ConfirmBody, version: Version, ctx: Ctx, response: Response
) -> PassDetail:
    """確定 from the view or the editor (R9, R26, R28)."""
    one = Confirmation(pass_id, version, typed.ends_on)
    (done,) = await actions.confirm_passes(ctx, [one])
    return _tagged(await _saved(ctx, done), response)


@router.post("/passes/confirmations")
@refuses(NotYourPass, PassStepNotPossible, *PERIOD, VersionConflict)
async def confirm_passes(typed: ManyBody, ctx: Ctx) -> Passes:
    """確定 from the list: all that are ticked, or none (R26, R33)."""
    wanted = {one.pass_id: one for one in typed.passes}
    ticked = [Confirmation(one.pass_id, one.version, one.ends_on) for one in wanted.values()]
    return await _listed(ctx, await actions.confirm_passes(ctx, ticked))


@router.post("/passes/{pass_id}/rejection")
@refuses(NotYourPass, PassStepNotPossible, ReasonMissing)
async def reject_application(
    pass_id: UUID, typed: ReasonBody, version: Version, ctx: Ctx, response: Response
) -> PassDetail:
    """差戻し of an application, with a reason (R25)."""
    done = await actions.reject_application(ctx, pass_id, version, typed.reason)
    return _tagged(await _saved(ctx, done), response)


@router.post("/my-passes/{pass_id}/withdrawal")
@refuses(NotYourPass, PassStepNotPossible)
async def withdraw_application(
    pass_id: UUID, version: Version, ctx: Ctx, response: Response
) -> PassDetail:
    """取下げ of the own application (R25)."""
    done = await actions.withdraw_application(ctx, pass_id, version)
    return _tagged(await _saved(ctx, done), response)


@router.post("/my-passes/{pass_id}/end")
@refuses(ApplicationsNotAllowed, *PASS_EDIT)
async def apply_for_pass_end(
    pass_id: UUID, typed: EndBody, version: Version, ctx: Ctx, response: Response
) -> PassDetail:
    """終了日 of an own pass, as proposed where two overlap; confirmed like any change (R8, R9)."""
    done = await actions.apply_for_end(ctx, pass_id, version, typed.ends_on)
    return _tagged(await _saved(ctx, done), response)


@router.post("/passes/{pass_id}/end")
@refuses(RightMissing, *PASS_EDIT)
async def end_pass(
    pass_id: UUID, typed: EndBody, version: Version, ctx: Ctx, response: Response
) -> PassDetail:
    """終了日 of a pass in force, as proposed where two overlap (R8)."""
    done = await actions.end_pass(ctx, pass_id, version, typed.ends_on)
    return _tagged(await _saved(ctx, done), response)


async def _idempotent(
    ctx: RequestContext, key: str | None, typed: Body, act: Callable[[], Awaitable[PassDetail]]
) -> PassDetail:
    async def acted() -> dict[str, Any]:
        return (await act()).model_dump(mode="json")

    answer = await idempotent(
        ctx.tx,
        owner=ctx.employee_id,
        key=key,
        fingerprint=typed.model_dump_json(),
        act=acted,
    )
    return PassDetail.model_validate(answer)


def _tagged(answer: PassDetail, response: Response) -> PassDetail:
    response.headers.update(etag(answer.version))
    return answer


async def _saved(ctx: RequestContext, record: PassRecord) -> PassDetail:
    await ctx.tx.flush()
    held = record.held
    names = await queries.employee_names(ctx.tx, [held.employee_id])
    others = await queries.passes_of(ctx.tx, held.employee_id)
    return PassDetail(
        **dict(pass_answer(record, names, ctx.tariffs.network)),
        **dict(adjacent_passes(record, others)),
        prices=[price_line(row) for row in await prices_of(ctx.tx, held.pass_id)],
        trail=audit_json(await queries.audit_entries_of(ctx.tx, held.pass_id)),
        actions=_actions(ctx, record),
    )


def _actions(ctx: RequestContext, record: PassRecord) -> PassActions:
    """The actions available to this person; callers who may not see the pass are refused before."""
    waits = record.status is PassStatus.APPLIED
    own = record.held.employee_id == ctx.employee_id
    return PassActions(
        confirm=ctx.has_pass_master and waits,
        reject=ctx.has_pass_master and waits,
        edit=ctx.has_pass_master,
        apply=own and ctx.setting.applications_allowed,
        withdraw=own and waits,
    )


async def _listed(ctx: RequestContext, records: list[PassRecord]) -> Passes:
    names = await queries.employee_names(ctx.tx, (r.held.employee_id for r in records))
    return Passes(items=[pass_answer(record, names, ctx.tariffs.network) for record in records])
