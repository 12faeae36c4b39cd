"""システム設定 and 権限マスタ, and what a person may do here at all (R11, R19, R22, R27)."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

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
from commuter_service.rules.look_up_policy import Media
from commuter_service.rules.pass_purge import Retention
from shared.http import etag

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


@router.get("/me", dependencies=[EMPLOYEES])
async def show_me(acting: Visiting) -> dict[str, Any]:
    """The own rights, and whether an unconfirmed pass blocks the look-up (R22, R27)."""
    wanted = queries.slips_to_approve(acting.employee_id, acting.dealer_id)
    blocked = await queries.has_unconfirmed_pass(acting.tx, acting.employee_id)
    return {
        "employee_id": acting.employee_id,
        "name": acting.name,
        "rights": {
            **{name: getattr(acting.permission, name) for name in RIGHT_FIELDS if name != "mail"},
            "accounting": acting.accounting,
            "approver": acting.employee_id in acting.setting.approvers,
        },
        "applications_allowed": acting.setting.applications_allowed,
        "blocked_by_unconfirmed_pass": blocked,
        "slips_to_approve": await queries.count_where(acting.tx, wanted),
    }


@router.get("/employees", dependencies=[EMPLOYEES])
async def list_employees(acting: Visiting) -> dict[str, Any]:
    """The company's people, for those who administer passes or rights."""
    if not acting.accounting:
        acting.need_pass_master()
    found = await queries.employees_of(acting.tx, acting.dealer_id)
    return {"items": [{"employee_id": one.employee_id, "name": one.name} for one in found]}


@router.get("/settings", dependencies=[ACCOUNTING])
async def show_setting(acting: Visiting, response: Response) -> dict[str, Any]:
    """What the company decided."""
    return _setting(acting.setting, response)


@router.put("/settings", dependencies=[ACCOUNTING])
async def change_setting(
    typed: CompanyTyped, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """Decide anew; wrong fields are named and nothing is kept (R11, R30)."""
    wanted = SettingTyped(
        **typed.model_dump(exclude={"admin_mail", "approvers"}),
        admin_mail=(typed.admin_mail or "").strip() or None,
        approvers=tuple(typed.approvers),
    )
    return _setting(await save_setting(acting, wanted, version), response)


@router.get("/permissions", dependencies=[ACCOUNTING])
async def list_permissions(acting: Visiting) -> dict[str, Any]:
    """権限マスタ: every employee with what is ticked."""
    ticked = await queries.permissions_of(acting.tx, acting.dealer_id)
    employees = await queries.employees_of(acting.tx, acting.dealer_id)
    items = []
    for one in employees:
        row = ticked.get(one.employee_id) or await _none(acting, one.employee_id)
        items.append({**_rights(row), "name": one.name})
    return {"items": items}


@router.put("/permissions/{employee_id}", dependencies=[ACCOUNTING])
async def change_permission(
    employee_id: Text, typed: RightsTyped, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """Tick or untick."""
    rights = Rights(
        typed.pass_master,
        typed.edit_at_approval,
        typed.edit_after_approval,
        (typed.mail or "").strip() or None,
    )
    done = await save_rights(acting, employee_id, rights, version)
    response.headers.update(etag(done.version))
    return _rights(done)


async def _none(acting: Acting, employee_id: str) -> Permission:
    return await queries.permission_of(acting.tx, acting.dealer_id, employee_id)


def _setting(setting: CompanySetting, response: Response) -> dict[str, Any]:
    response.headers.update(etag(setting.version))
    shown = {name: getattr(setting, name) for name in SETTING_FIELDS}
    return {"version": setting.version, **shown, "retention_choices": [int(n) for n in Retention]}


def _rights(row: Permission) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in RIGHT_FIELDS}
    return {"employee_id": row.employee_id, "version": row.version, **shown}
