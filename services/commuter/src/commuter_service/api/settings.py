"""システム設定 and 権限マスタ, and what a person may do here at all (R11, R19, R22, R27)."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commuter_service import queries
from commuter_service.actions.company import (
    RIGHT_FIELDS,
    SETTING_FIELDS,
    Rights,
    SettingInput,
    save_rights,
    save_setting,
)
from commuter_service.api.dependencies import ACCOUNTING, EMPLOYEES, Body, Ctx, Text, Version
from commuter_service.api.pass_bodies import Number
from commuter_service.models import CompanySetting, Permission
from commuter_service.request_context import RequestContext
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.pass_retention import Retention
from commuter_service.rules.route_search_policy import Media
from fare_engine.routing.candidates import USUAL_WEIGHTS
from fare_engine.rules.bus_policy import BusPolicy
from shared.http import etag
from shared.refusals import refuses

router = APIRouter()
Weight = Annotated[int, Field(ge=0, le=1000)]


class CompanyBody(Body):
    """システム設定 > 基本情報."""

    applications_allowed: bool
    retention_days: int
    admin_mail: Text | None = None
    bus_policy: BusPolicy = BusPolicy.RAIL_ONLY
    warning_blocks: bool = False
    amount_change_allowed: bool = True
    approvers: list[Text] = Field(default=[], max_length=10)
    media: Media = Media.BOTH
    without_pass_allowed: bool = True
    roundabout_blocks: bool = False
    yen_per_minute: Weight = USUAL_WEIGHTS.yen_per_minute
    yen_per_change: Weight = USUAL_WEIGHTS.yen_per_change
    delegate_entry: bool = False
    ending_notice_days: Number = 0


class RightsBody(Body):
    """The boxes of 権限マスタ for one employee."""

    pass_master: bool = False
    edit_at_approval: bool = False
    edit_after_approval: bool = False
    mail: Text | None = None


class OwnRights(BaseModel):
    """What a person may do."""

    pass_master: bool
    edit_at_approval: bool
    edit_after_approval: bool
    accounting: bool
    approver: bool


class Me(BaseModel):
    """The signed-in person, and what waits for them."""

    employee_id: str
    name: str
    rights: OwnRights
    applications_allowed: bool
    delegate_entry: bool
    blocked_by_unconfirmed_pass: bool
    slips_to_approve: int


class EmployeeLine(BaseModel):
    """A person of the company."""

    employee_id: str
    name: str
    store_code: str | None


class Employees(BaseModel):
    """The company's people."""

    items: list[EmployeeLine]


class CompanyAnswer(BaseModel):
    """システム設定 with its version."""

    version: int
    applications_allowed: bool
    retention_days: int
    admin_mail: str | None
    bus_policy: BusPolicy
    warning_blocks: bool
    amount_change_allowed: bool
    approvers: list[str]
    media: Media
    without_pass_allowed: bool
    roundabout_blocks: bool
    yen_per_minute: int
    yen_per_change: int
    delegate_entry: bool
    ending_notice_days: int
    retention_choices: list[int]


class RightsAnswer(BaseModel):
    """What is ticked for one employee, with its version."""

    employee_id: str
    version: int
    pass_master: bool
    edit_at_approval: bool
    edit_after_approval: bool
    mail: str | None


class RightsLine(RightsAnswer):
    """The same with the name."""

    name: str


class RightsList(BaseModel):
    """権限マスタ."""

    items: list[RightsLine]


@router.get("/me", dependencies=[EMPLOYEES])
async def show_me(ctx: Ctx) -> Me:
    """The own rights, and whether an unconfirmed pass blocks the look-up (R22, R27)."""
    wanted = queries.slips_to_approve(ctx.employee_id, ctx.dealer_id)
    blocked = await queries.has_unconfirmed_pass(ctx.tx, ctx.employee_id)
    ticked = {name: getattr(ctx.permission, name) for name in RIGHT_FIELDS if name != "mail"}
    return Me(
        employee_id=ctx.employee_id,
        name=ctx.name,
        rights=OwnRights(
            **ticked,
            accounting=ctx.accounting,
            approver=ctx.employee_id in ctx.setting.approvers,
        ),
        applications_allowed=ctx.setting.applications_allowed,
        delegate_entry=ctx.accounting and ctx.setting.delegate_entry,
        blocked_by_unconfirmed_pass=blocked,
        slips_to_approve=await queries.count_where(ctx.tx, wanted),
    )


@router.get("/employees", dependencies=[EMPLOYEES])
@refuses(RightMissing)
async def list_employees(ctx: Ctx) -> Employees:
    """The company's people by reading, for those who administer passes or rights."""
    if not ctx.accounting:
        ctx.need_pass_master()
    found = await queries.employees_of(ctx.tx, ctx.dealer_id)
    return Employees(
        items=[
            EmployeeLine(employee_id=one.employee_id, name=one.name, store_code=one.store_code)
            for one in sorted(found, key=lambda one: one.name_kana or f"\uffff{one.name}")
        ]
    )


@router.get("/settings", dependencies=[ACCOUNTING])
async def show_setting(ctx: Ctx, response: Response) -> CompanyAnswer:
    """What the company decided."""
    return _setting(ctx.setting, response)


@router.put("/settings", dependencies=[ACCOUNTING])
@refuses(RightMissing)
async def change_setting(
    typed: CompanyBody, version: Version, ctx: Ctx, response: Response
) -> CompanyAnswer:
    """Change the settings; invalid fields are named and nothing is stored (R11, R30)."""
    wanted = SettingInput(
        **typed.model_dump(exclude={"admin_mail", "approvers"}),
        admin_mail=(typed.admin_mail or "").strip() or None,
        approvers=tuple(typed.approvers),
    )
    return _setting(await save_setting(ctx, wanted, version), response)


@router.get("/permissions", dependencies=[ACCOUNTING])
async def list_permissions(ctx: Ctx) -> RightsList:
    """権限マスタ: every employee with what is ticked."""
    ticked = await queries.permissions_of(ctx.tx, ctx.dealer_id)
    employees = await queries.employees_of(ctx.tx, ctx.dealer_id)
    items = []
    for one in employees:
        row = ticked.get(one.employee_id) or await _none(ctx, one.employee_id)
        items.append(RightsLine(**_rights(row), name=one.name))
    return RightsList(items=items)


@router.put("/permissions/{employee_id}", dependencies=[ACCOUNTING])
@refuses(RightMissing)
async def change_permission(
    employee_id: Text, typed: RightsBody, version: Version, ctx: Ctx, response: Response
) -> RightsAnswer:
    """Tick or untick."""
    rights = Rights(
        typed.pass_master,
        typed.edit_at_approval,
        typed.edit_after_approval,
        (typed.mail or "").strip() or None,
    )
    done = await save_rights(ctx, employee_id, rights, version)
    response.headers.update(etag(done.version))
    return RightsAnswer(**_rights(done))


async def _none(ctx: RequestContext, employee_id: str) -> Permission:
    return await queries.permission_of(ctx.tx, ctx.dealer_id, employee_id)


def _setting(setting: CompanySetting, response: Response) -> CompanyAnswer:
    response.headers.update(etag(setting.version))
    shown = {name: getattr(setting, name) for name in SETTING_FIELDS}
    choices = [int(days) for days in Retention]
    return CompanyAnswer(version=setting.version, **shown, retention_choices=choices)


def _rights(row: Permission) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in RIGHT_FIELDS}
    return {"employee_id": row.employee_id, "version": row.version, **shown}
