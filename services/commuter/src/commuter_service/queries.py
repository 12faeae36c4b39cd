"""Commuter queries: passes, slips, people and settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.adapters.network_store import NEWEST
from commuter_service.models import (
    AuditEntry,
    CompanySetting,
    Employee,
    MailPreference,
    Pass,
    PassVersion,
    Permission,
    Slip,
    SlipItem,
    SourceFare,
)
from commuter_service.provider_rides import QuotedFare, QuotedFares
from commuter_service.rules.pass_application import PassStatus
from commuter_service.rules.pass_retention import USUAL_RETENTION
from commuter_service.rules.pass_validity import PassFacts
from commuter_service.rules.route_search_policy import Media
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.slip_kind import SlipKind
from fare_engine.routing.candidates import USUAL_WEIGHTS
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period
from shared.http import NotFound


@dataclass(frozen=True, slots=True)
class PassRecord:
    """A pass with the version that is shown, and the confirmed one if it has effect."""

    held: Pass
    newest: PassVersion
    confirmed: PassVersion | None

    @property
    def status(self) -> PassStatus:
        """State of the newest version."""
        return PassStatus[self.held.status.upper()]

    @property
    def shown(self) -> PassVersion:
        """What a person sees: the application while it waits, else what is in force."""
        if self.status is PassStatus.CONFIRMED and self.confirmed:
            return self.confirmed
        return self.newest

    @property
    def facts(self) -> PassFacts | None:
        """The version with legal effect, as the rules see it; None: none has."""
        one = self.confirmed
        if one is None:
            return None
        return PassFacts(str(one.pass_id), one.number, self.held.employee_id, period_of(one))


def period_of(version: PassVersion) -> Period:
    """The validity of one version."""
    return Period(version.starts_on, version.ends_on)


async def setting_of(tx: AsyncSession, dealer_id: str, *, lock: bool = False) -> CompanySetting:
    """The company's decisions, or the defaults with version 0."""
    asked = select(CompanySetting).where(CompanySetting.dealer_id == dealer_id)
    found = (await tx.execute(asked.with_for_update() if lock else asked)).scalar_one_or_none()
    return found or usual_setting(dealer_id)


def usual_setting(dealer_id: str) -> CompanySetting:
    """The setting of a company that has decided nothing yet."""
    return CompanySetting(
        dealer_id=dealer_id,
        version=0,
        applications_allowed=False,
        retention_days=int(USUAL_RETENTION),
        admin_mail=None,
        bus_policy=BusPolicy.RAIL_ONLY.value,
        warning_blocks=False,
        amount_change_allowed=True,
        approvers=[],
        media=Media.BOTH.value,
        without_pass_allowed=True,
        roundabout_blocks=False,
        yen_per_minute=USUAL_WEIGHTS.yen_per_minute,
        yen_per_change=USUAL_WEIGHTS.yen_per_change,
        delegate_entry=False,
        ending_notice_days=0,
    )


async def permission_of(tx: AsyncSession, dealer_id: str, employee_id: str) -> Permission:
    """What is ticked for an employee, or nothing with version 0."""
    return await tx.get(Permission, employee_id) or no_permission(dealer_id, employee_id)


def no_permission(dealer_id: str, employee_id: str) -> Permission:
    """Of an employee for whom nothing is ticked."""
    return Permission(
        employee_id=employee_id,
        dealer_id=dealer_id,
        version=0,
        pass_master=False,
        edit_at_approval=False,
        edit_after_approval=False,
        mail=None,
    )


@dataclass(frozen=True, slots=True)
class VisitorFacts:
    """What every request needs; `edition` names the fares in force."""

    employee: Employee | None
    setting: CompanySetting
    permission: Permission
    edition: str | None


async def visitor_facts(tx: AsyncSession, dealer_id: str, employee_id: str) -> VisitorFacts:
    """The facts of a person who asks, in one statement."""
    asked = (
        select(Employee, CompanySetting, Permission, NEWEST.scalar_subquery())
        .select_from(select(literal(1).label("one")).subquery())
        .outerjoin(CompanySetting, CompanySetting.dealer_id == dealer_id)
        .outerjoin(Permission, Permission.employee_id == employee_id)
        .outerjoin(Employee, Employee.employee_id == employee_id)
    )
    employee, setting, permission, edition = (await tx.execute(asked)).one()
    return VisitorFacts(
        employee,
        setting or usual_setting(dealer_id),
        permission or no_permission(dealer_id, employee_id),
        edition,
    )


async def mail_preference_of(
    tx: AsyncSession, dealer_id: str, employee_id: str, *, lock: bool = False
) -> MailPreference:
    """The mails that an employee declined, or none with version 0."""
    kept = await tx.get(MailPreference, employee_id, with_for_update=lock)
    return kept or MailPreference(
        employee_id=employee_id, dealer_id=dealer_id, version=0, declined=[]
    )


async def permissions_of(tx: AsyncSession, dealer_id: str) -> dict[str, Permission]:
    """Everything that is ticked at a company, by employee."""
    rows = await tx.execute(select(Permission).where(Permission.dealer_id == dealer_id))
    return {row.employee_id: row for row in rows.scalars()}


async def employees_of(tx: AsyncSession, dealer_id: str) -> Sequence[Employee]:
    """The people of a company who have not left, by their number."""
    rows = await tx.execute(
        select(Employee)
        .where(Employee.dealer_id == dealer_id, Employee.active)
        .order_by(Employee.employee_id)
    )
    return rows.scalars().all()


async def stores_of(tx: AsyncSession, dealer_id: str) -> Sequence[str]:
    """The stores of a company's people, by their code."""
    found = select(Employee.store_code).where(
        Employee.dealer_id == dealer_id, Employee.active, Employee.store_code.is_not(None)
    )
    rows = await tx.execute(found.distinct().order_by(Employee.store_code))
    return [code for code in rows.scalars() if code]


async def employee_names(tx: AsyncSession, ids: Iterable[str]) -> dict[str, str]:
    """Names by number; who is unknown is left out."""
    rows = await tx.execute(
        select(Employee.employee_id, Employee.name).where(Employee.employee_id.in_(set(ids)))
    )
    return {row.employee_id: row.name for row in rows}


async def employee_by_id(tx: AsyncSession, dealer_id: str, employee_id: str) -> Employee:
    """One of a company's people. Raises NotFound."""
    found = await tx.get(Employee, employee_id)
    if found is None or found.dealer_id != dealer_id:
        raise NotFound
    return found


async def passes_where(tx: AsyncSession, *conditions: object) -> list[PassRecord]:
    """Passes with their versions, by employee and then the order of registration."""
    found = select(Pass).where(*conditions)  # type: ignore[arg-type]
    held = (await tx.execute(found.order_by(Pass.employee_id, Pass.pass_id))).scalars()
    rows = held.all()
    versions = await tx.execute(
        select(PassVersion).where(PassVersion.pass_id.in_([row.pass_id for row in rows]))
    )
    by_key = {(one.pass_id, one.number): one for one in versions.scalars()}
    return [
        PassRecord(
            row,
            by_key[row.pass_id, row.newest],
            by_key[row.pass_id, row.confirmed] if row.confirmed else None,
        )
        for row in rows
    ]


async def passes_of(tx: AsyncSession, employee_id: str) -> list[PassRecord]:
    """All passes of an employee."""
    return await passes_where(tx, Pass.employee_id == employee_id)


async def pass_locked(tx: AsyncSession, dealer_id: str, pass_id: UUID) -> PassRecord:
    """One pass, held until the end of the transaction. Raises NotFound."""
    locked = (
        select(Pass).where(Pass.pass_id == pass_id, Pass.dealer_id == dealer_id).with_for_update()
    )
    if (await tx.execute(locked)).scalar_one_or_none() is None:
        raise NotFound
    return (await passes_where(tx, Pass.pass_id == pass_id))[0]


async def has_unconfirmed_pass(tx: AsyncSession, employee_id: str) -> bool:
    """Whether an application of the employee waits (R22)."""
    waiting = Pass.employee_id == employee_id, Pass.status == "applied"
    return (await tx.execute(select(Pass.pass_id).where(*waiting).limit(1))).first() is not None


async def slip_for(  # noqa: PLR0913 - the slip, its company, and who asks
    tx: AsyncSession,
    dealer_id: str,
    slip_id: UUID,
    employee_id: str,
    *,
    accounting: bool,
    lock: bool = False,
) -> Slip:
    """A slip that this person may see: own, to approve, or as accounting. Raises NotFound (R61)."""
    asked = select(Slip).where(Slip.slip_id == slip_id, Slip.dealer_id == dealer_id)
    slip = (await tx.execute(asked.with_for_update() if lock else asked)).scalar_one_or_none()
    if slip is None:
        raise NotFound
    handed_in = accounting and slip.submitted_at is not None
    if not (handed_in or employee_id in {slip.employee_id, slip.entered_by, *slip.chain}):
        raise NotFound
    return slip


async def items_of(tx: AsyncSession, *slip_ids: UUID) -> Sequence[SlipItem]:
    """The items of slips, in their order."""
    rows = await tx.execute(
        select(SlipItem)
        .where(SlipItem.slip_id.in_(slip_ids))
        .order_by(SlipItem.slip_id, SlipItem.position)
    )
    return rows.scalars().all()


Conditions = tuple[ColumnElement[bool], ...]
"""Which slips or passes; a list and the number that leads to it are made from the same ones."""


def own_slips(employee_id: str, dealer_id: str, status: SlipStatus | None = None) -> Conditions:
    """An employee's own slips and those that they entered for others, or those in one state."""
    theirs = (Slip.employee_id == employee_id) | (Slip.entered_by == employee_id)
    own = (Slip.dealer_id == dealer_id, theirs)
    return own if status is None else (*own, Slip.status == status)


def slips_to_approve(employee_id: str, dealer_id: str) -> Conditions:
    """The slips that wait for this approver; arrays begin with 1 in SQL."""
    next_one = Slip.chain[Slip.step + 1]
    waits = Slip.status == SlipStatus.PENDING
    return (Slip.dealer_id == dealer_id, waits, next_one == employee_id)


def slips_of_company(dealer_id: str, status: SlipStatus | None = None) -> Conditions:
    """What accounting sees: all that was handed in, or those in one state."""
    sent = (Slip.dealer_id == dealer_id, Slip.submitted_at.is_not(None))
    return sent if status is None else (*sent, Slip.status == status)


def passes_of_company(
    dealer_id: str, employee_id: str | None = None, status: str | None = None
) -> Conditions:
    """Every pass of a company, or of one employee, or in one state."""
    wanted: Conditions = (Pass.dealer_id == dealer_id,)
    if employee_id is not None:
        wanted = (*wanted, Pass.employee_id == employee_id)
    return wanted if status is None else (*wanted, Pass.status == status)


async def slips_where(tx: AsyncSession, wanted: Conditions, *, limit: int = 200) -> Sequence[Slip]:
    """These slips, the latest first."""
    found = select(Slip).where(*wanted).order_by(Slip.updated_at.desc()).limit(limit)
    return (await tx.execute(found)).scalars().all()


async def slips_awaiting(tx: AsyncSession, employee_id: str, dealer_id: str) -> Sequence[Slip]:
    """The slips that wait for this approver, the oldest first."""
    waiting = select(Slip).where(*slips_to_approve(employee_id, dealer_id))
    return (await tx.execute(waiting.order_by(Slip.submitted_at))).scalars().all()


async def count_where(tx: AsyncSession, wanted: Conditions) -> int:
    """How many slips or passes there are."""
    return await tx.scalar(select(func.count()).where(*wanted)) or 0


async def looked_up_items(
    tx: AsyncSession, dealer_id: str, first: date, last: date, employee_id: str | None = None
) -> Sequence[SlipItem]:
    """Items of submitted slips in a period that a look-up priced; both days belong to it."""
    counted = (SlipStatus.PENDING, SlipStatus.APPROVED, SlipStatus.SETTLED)
    wanted = (
        select(SlipItem)
        .join(Slip, Slip.slip_id == SlipItem.slip_id)
        .where(
            Slip.status.in_(counted),
            SlipItem.dealer_id == dealer_id,
            SlipItem.source == "look_up",
            SlipItem.item_on.between(first, last),
        )
        .order_by(SlipItem.employee_id, SlipItem.item_on, SlipItem.item_id)
    )
    if employee_id is not None:
        wanted = wanted.where(SlipItem.employee_id == employee_id)
    return (await tx.execute(wanted)).scalars().all()


async def audit_entries_of(tx: AsyncSession, subject_id: UUID) -> Sequence[AuditEntry]:
    """What happened to a pass or a slip, the oldest first."""
    lines = (
        select(AuditEntry).where(AuditEntry.subject_id == subject_id).order_by(AuditEntry.trail_id)
    )
    return (await tx.execute(lines)).scalars().all()


async def latest_move_of(tx: AsyncSession, subject_id: UUID) -> UUID | None:
    """The id of the latest entry by which a slip changed its status or its approver."""
    moves = select(AuditEntry.trail_id).where(
        AuditEntry.subject_id == subject_id, AuditEntry.after.has_key("status")
    )
    return await tx.scalar(moves.order_by(AuditEntry.trail_id.desc()).limit(1))


def kind_of(slip: Slip) -> SlipKind:
    """What a slip is for."""
    return SlipKind[slip.kind.upper()]


async def items_on_days(
    tx: AsyncSession, employee_id: str, days: Sequence[date]
) -> Sequence[SlipItem]:
    """All of an employee's items on some days, whatever slip they stand on."""
    wanted = SlipItem.employee_id == employee_id, SlipItem.item_on.in_(days)
    return (await tx.execute(select(SlipItem).where(*wanted))).scalars().all()


async def source_fares(
    tx: AsyncSession, routes: Iterable[str], on: date, medium: Medium
) -> QuotedFares:
    """What another source quoted for routes of its own, on a day in a medium."""
    chosen = select(SourceFare).where(
        SourceFare.route.in_(list(routes)),
        SourceFare.fare_on == on,
        SourceFare.medium == medium.value,
    )
    rows = (await tx.execute(chosen)).scalars()
    quoted = [QuotedFare(row.route, on, medium, row.yen, tuple(row.minutes)) for row in rows]
    return {one.key: one for one in quoted}


async def has_left(tx: AsyncSession, dealer_id: str, staff_code: str) -> bool:
    """Whether the staff master has this employee as no longer active."""
    own = Employee.dealer_id == dealer_id, Employee.employee_id == f"{dealer_id}-{staff_code}"
    return await tx.scalar(select(Employee.active).where(*own)) is False
