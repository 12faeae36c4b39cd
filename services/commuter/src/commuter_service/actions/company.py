"""Company settings changed: システム設定, 権限マスタ, and who works here."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.announce_endings import set_ending_timer
from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.actions.delete_expired_passes import set_purge_timer
from commuter_service.models import CompanySetting, Employee, Permission
from commuter_service.queries import employee_by_id, permission_of, setting_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.company_setting import RightMissing, check_setting
from commuter_service.rules.route_search_policy import Media
from fare_engine.routing.candidates import USUAL_WEIGHTS
from fare_engine.rules.bus_policy import BusPolicy
from shared.auth import Principal
from shared.concurrency import check_version
from shared.errors import FieldError, FormErrors
from shared.mail_address import is_mail_address


@dataclass(frozen=True, slots=True)
class SettingInput:
    """What stands on システム設定."""

    applications_allowed: bool
    retention_days: int
    admin_mail: str | None
    bus_policy: BusPolicy
    warning_blocks: bool
    amount_change_allowed: bool
    approvers: tuple[str, ...]
    media: Media = Media.BOTH
    without_pass_allowed: bool = True
    roundabout_blocks: bool = False
    yen_per_minute: int = USUAL_WEIGHTS.yen_per_minute
    yen_per_change: int = USUAL_WEIGHTS.yen_per_change
    delegate_entry: bool = False
    ending_notice_days: int = 0


@dataclass(frozen=True, slots=True)
class Rights:
    """The person's permissions on 権限マスタ, and their address for mails about applications."""

    pass_master: bool
    edit_at_approval: bool
    edit_after_approval: bool
    mail: str | None


SETTING_FIELDS = tuple(SettingInput.__dataclass_fields__)
RIGHT_FIELDS = tuple(Rights.__dataclass_fields__)


async def save_setting(ctx: RequestContext, typed: SettingInput, version: int) -> CompanySetting:
    """Change the company's decisions. Raises RightMissing, VersionConflict, FormErrors."""
    _need_accounting(ctx)
    kept = await setting_of(ctx.tx, ctx.dealer_id, lock=True)
    check_version(kept.version, version)
    check_setting(
        typed.retention_days,
        typed.admin_mail,
        kept.admin_mail,
        typed.approvers,
        ending_notice_days=typed.ending_notice_days,
    )
    for approver in typed.approvers:
        await employee_by_id(ctx.tx, ctx.dealer_id, approver)
    before = {name: _json_values(getattr(kept, name)) for name in SETTING_FIELDS}
    for name in SETTING_FIELDS:
        value = getattr(typed, name)
        setattr(kept, name, list(value) if isinstance(value, tuple) else value)
    kept.version += 1
    ctx.tx.add(kept)
    after = {name: _json_values(getattr(kept, name)) for name in SETTING_FIELDS}
    changed = [name for name in SETTING_FIELDS if before[name] != after[name]]
    add_audit_entry(
        ctx,
        uuid5(NAMESPACE_URL, f"urn:madoguchi:setting:{ctx.dealer_id}"),
        ctx.employee_id,
        "setting",
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    await set_purge_timer(ctx.tx, ctx.dealer_id, now=ctx.now)
    if kept.ending_notice_days:
        await set_ending_timer(ctx.tx, ctx.dealer_id, now=ctx.now)
    return kept


async def save_rights(
    ctx: RequestContext, employee_id: str, rights: Rights, version: int
) -> Permission:
    """Tick or untick what an employee may do (R27). Raises RightMissing, FormErrors ..."""
    _need_accounting(ctx)
    await employee_by_id(ctx.tx, ctx.dealer_id, employee_id)
    if rights.mail and not is_mail_address(rights.mail):
        message = "メールアドレスの形式が正しくありません"
        raise FormErrors(FieldError("mail", "MAIL_UNREADABLE", message))
    kept = await permission_of(ctx.tx, ctx.dealer_id, employee_id)
    check_version(kept.version, version)
    before = {name: getattr(kept, name) for name in RIGHT_FIELDS}
    for name in RIGHT_FIELDS:
        setattr(kept, name, getattr(rights, name))
    kept.version += 1
    ctx.tx.add(kept)
    subject = uuid5(NAMESPACE_URL, f"urn:madoguchi:permission:{employee_id}")
    after = {name: getattr(kept, name) for name in RIGHT_FIELDS}
    shown = {name for name in RIGHT_FIELDS if name != "mail"}
    add_audit_entry(
        ctx,
        subject,
        employee_id,
        "rights",
        before={name: before[name] for name in shown},
        after={name: after[name] for name in shown},
    )
    return kept


async def upsert_visitor(
    tx: AsyncSession, known: Employee | None, who: Principal, dealer_id: str
) -> None:
    """Know an employee who asks: name and store if the master has none yet, the present mail."""
    if known is None:
        new = {"employee_id": who.person_id, "dealer_id": dealer_id, "name": who.name}
        now = {"mail": who.mail, "active": True, "store_code": who.store}
        await tx.execute(insert(Employee).values(**new, **now).on_conflict_do_nothing())
        return
    if who.mail and known.mail != who.mail:
        known.mail = who.mail
    if who.store and not known.store_code:
        known.store_code = who.store


def _need_accounting(ctx: RequestContext) -> None:
    if not ctx.accounting:
        raise RightMissing("管理者の権限がありません")


def _json_values(value: object) -> object:
    return str(value) if isinstance(value, StrEnum) else value
