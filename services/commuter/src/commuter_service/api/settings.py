"""システム設定 and 権限マスタ, and what a person may do here at all (R11, R19, R22, R27)."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commuter_service import queries
from commuter_service.acting import Acting
from commuter_service.actions.company import (
    RIGHT_FIELDS,
    SETTING_FIELDS,
    Rights,
    SettingTyped,
    save_rights,
    save_setting,
)
from commuter_service.api.visit import (
    ACCOUNTING,
    EMPLOYEES,
    Text,
    Typed,
    Version,
    Visiting,
)
from commuter_service.models import CompanySetting, Permission
from commuter_service.rules.bus_policy import BusPolicy
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.look_up_policy import Media
from commuter_service.rules.pass_purge import Retention
from shared.http import etag
from shared.refusals import refuses

router = APIRouter()


class CompanyTyped(Typed):
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


class RightsTyped(Typed):
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
    blocked_by_unconfirmed_pass: bool
    slips_to_approve: int


class EmployeeLine(BaseModel):
    """A person of the company."""

    employee_id: str
    name: str


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
async def show_me(acting: Visiting) -> Me:
    """The own rights, and whether an unconfirmed pass blocks the look-up (R22, R27)."""
    wanted = queries.slips_to_approve(acting.employee_id, acting.dealer_id)
    blocked = await queries.has_unconfirmed_pass(acting.tx, acting.employee_id)
    ticked = {name: getattr(acting.permission, name) for name in RIGHT_FIELDS if name != "mail"}
    return Me(
        employee_id=acting.employee_id,
        name=acting.name,
        rights=OwnRights(
            **ticked,
            accounting=acting.accounting,
            approver=acting.employee_id in acting.setting.approvers,
        ),
        applications_allowed=acting.setting.applications_allowed,
        blocked_by_unconfirmed_pass=blocked,
        slips_to_approve=await queries.count_where(acting.tx, wanted),
    )


@router.get("/employees", dependencies=[EMPLOYEES])
@refuses(RightMissing)
async def list_employees(acting: Visiting) -> Employees:
    """The company's people, for those who administer passes or rights."""
    if not acting.accounting:
        acting.need_pass_master()
    found = await queries.employees_of(acting.tx, acting.dealer_id)
    return Employees(
        items=[EmployeeLine(employee_id=one.employee_id, name=one.name) for one in found]
    )


@router.get("/settings", dependencies=[ACCOUNTING])
async def show_setting(acting: Visiting, response: Response) -> CompanyAnswer:
    """What the company decided."""
    return _setting(acting.setting, response)


@router.put("/settings", dependencies=[ACCOUNTING])
@refuses(RightMissing)
async def change_setting(
    typed: CompanyTyped, version: Version, acting: Visiting, response: Response
) -> CompanyAnswer:
    """Decide anew; wrong fields are named and nothing is kept (R11, R30)."""
    wanted = SettingTyped(
        **typed.model_dump(exclude={"admin_mail", "approvers"}),
        admin_mail=(typed.admin_mail or "").strip() or None,
        approvers=tuple(typed.approvers),
    )
    return _setting(await save_setting(acting, wanted, version), response)


@router.get("/permissions", dependencies=[ACCOUNTING])
async def list_permissions(acting: Visiting) -> RightsList:
    """権限マスタ: every employee with what is ticked."""
    ticked = await queries.permissions_of(acting.tx, acting.dealer_id)
    employees = await queries.employees_of(acting.tx, acting.dealer_id)
    items = []
    for one in employees:
        row = ticked.get(one.employee_id) or await _none(acting, one.employee_id)
        items.append(RightsLine(**_rights(row), name=one.name))
    return RightsList(items=items)


@router.put("/permissions/{employee_id}", dependencies=[ACCOUNTING])
@refuses(RightMissing)
async def change_permission(
    employee_id: Text, typed: RightsTyped, version: Version, acting: Visiting, response: Response
) -> RightsAnswer:
    """Tick or untick."""
    rights = Rights(
        typed.pass_master,
        typed.edit_at_approval,
        typed.edit_after_approval,
        (typed.mail or "").strip() or None,
    )
    done = await save_rights(acting, employee_id, rights, version)
    response.headers.update(etag(done.version))
    return RightsAnswer(**_rights(done))


async def _none(acting: Acting, employee_id: str) -> Permission:
    return await queries.permission_of(acting.tx, acting.dealer_id, employee_id)


def _setting(setting: CompanySetting, response: Response) -> CompanyAnswer:
    response.headers.update(etag(setting.version))
    shown = {name: getattr(setting, name) for name in SETTING_FIELDS}
    choices = [int(days) for days in Retention]
    return CompanyAnswer(version=setting.version, **shown, retention_choices=choices)


def _rights(row: Permission) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in RIGHT_FIELDS}
    return {"employee_id": row.employee_id, "version": row.version, **shown}
