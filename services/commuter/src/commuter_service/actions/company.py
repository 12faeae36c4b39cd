"""How are the company's decisions changed: システム設定, 権限マスタ, and who works here?"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.acting import Acting
from commuter_service.actions.purging import set_purge_timer
from commuter_service.models import CompanySetting, Employee, Permission
from commuter_service.queries import employee_by_id, permission_of, setting_of
from commuter_service.rules.bus_policy import BusPolicy
from commuter_service.rules.company_setting import RightMissing, check_setting, is_mail
from commuter_service.rules.look_up_policy import Media
from shared.auth import Principal
from shared.errors import FieldError, FormErrors
from shared.versions import check_version


@dataclass(frozen=True, slots=True)
class SettingTyped:
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


@dataclass(frozen=True, slots=True)
class Rights:
    """What is ticked on 権限マスタ, and where the person hears of applications."""

    pass_master: bool
    edit_at_approval: bool
    edit_after_approval: bool
    mail: str | None


SETTING_FIELDS = tuple(SettingTyped.__dataclass_fields__)
RIGHT_FIELDS = tuple(Rights.__dataclass_fields__)


async def save_setting(acting: Acting, typed: SettingTyped, version: int) -> CompanySetting:
    """Change the company's decisions. Raises RightMissing, VersionConflict, FormErrors."""
    _need_accounting(acting)
    kept = await setting_of(acting.tx, acting.dealer_id, lock=True)
    check_version(kept.version, version)
    check_setting(typed.retention_days, typed.admin_mail, kept.admin_mail, typed.approvers)
    for approver in typed.approvers:
        await employee_by_id(acting.tx, acting.dealer_id, approver)
    before = {name: _plain(getattr(kept, name)) for name in SETTING_FIELDS}
    for name in SETTING_FIELDS:
        value = getattr(typed, name)
        setattr(kept, name, list(value) if isinstance(value, tuple) else value)
    kept.version += 1
    acting.tx.add(kept)
    after = {name: _plain(getattr(kept, name)) for name in SETTING_FIELDS}
    changed = [name for name in SETTING_FIELDS if before[name] != after[name]]
    acting.note(
        uuid5(NAMESPACE_URL, f"urn:madoguchi:setting:{acting.dealer_id}"),
        acting.employee_id,
        "setting",
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    await set_purge_timer(acting.tx, acting.dealer_id, now=acting.now)
    return kept


async def save_rights(acting: Acting, employee_id: str, rights: Rights, version: int) -> Permission:
    """Tick or untick what an employee may do (R27). Raises RightMissing, FormErrors ..."""
    _need_accounting(acting)
    await employee_by_id(acting.tx, acting.dealer_id, employee_id)
    if rights.mail and not is_mail(rights.mail):
        message = "メールアドレスの形式が正しくありません"
        raise FormErrors(FieldError("mail", "MAIL_UNREADABLE", message))
    kept = await permission_of(acting.tx, acting.dealer_id, employee_id)
    check_version(kept.version, version)
    before = {name: getattr(kept, name) for name in RIGHT_FIELDS}
    for name in RIGHT_FIELDS:
        setattr(kept, name, getattr(rights, name))
    kept.version += 1
    acting.tx.add(kept)
    subject = uuid5(NAMESPACE_URL, f"urn:madoguchi:permission:{employee_id}")
    after = {name: getattr(kept, name) for name in RIGHT_FIELDS}
    shown = {name for name in RIGHT_FIELDS if name != "mail"}
    acting.note(
        subject,
        employee_id,
        "rights",
        before={name: before[name] for name in shown},
        after={name: after[name] for name in shown},
    )
    return kept


async def know_visitor(tx: AsyncSession, who: Principal, dealer_id: str) -> None:
    """Know an employee who asks: the name if the master has none yet, and the present mail."""
    known = await tx.get(Employee, who.person_id)
    if known is None:
        new = {"employee_id": who.person_id, "dealer_id": dealer_id, "name": who.name}
        await tx.execute(
            insert(Employee).values(**new, mail=who.mail, active=True).on_conflict_do_nothing()
        )
    elif who.mail and known.mail != who.mail:
        known.mail = who.mail


def _need_accounting(acting: Acting) -> None:
    if not acting.accounting:
        raise RightMissing("管理者の権限がありません")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, StrEnum) else value
