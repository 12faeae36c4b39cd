"""How does a pass come into force and go out of it again (R1-R10, R19-R28, R33)?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from commuter_service.acting import Acting
from commuter_service.actions.purging import set_purge_timer
from commuter_service.models import Employee, HeldPass, PassVersion
from commuter_service.own_passes import read_pass_route
from commuter_service.queries import PassRecord, pass_locked, period_of
from commuter_service.rules.pass_application import (
    Actor,
    PassState,
    PassStatus,
    PassStep,
    RouteNotDecided,
    step_pass,
)
from commuter_service.rules.pass_period import Period
from event_contracts.commuter import (
    PassApplied,
    PassConfirmed,
    PassEvent,
    PassRegistered,
    PassRejected,
    PassWithdrawn,
)
from shared import outbox
from shared.context import new_id
from shared.versions import check_version


@dataclass(frozen=True, slots=True)
class PassContent:
    """What a pass says: the decided route as text, and its validity."""

    route: str
    period: Period


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One pass to confirm, as the administrator saw it; an end may be set with it (R9)."""

    pass_id: UUID
    version: int
    ends_on: date | None = None


async def register_pass(acting: Acting, employee: Employee, content: PassContent) -> PassRecord:
    """An administrator's registration, in force at once and without a mail (R1, R33)."""
    acting.need_pass_master()
    return await _new(acting, employee.employee_id, content, PassStep.REGISTER)


async def apply_for_pass(acting: Acting, content: PassContent) -> PassRecord:
    """An employee's application for an own pass; without effect until confirmed (R20, R21)."""
    return await _new(acting, acting.employee_id, content, PassStep.APPLY)


async def rewrite_pass(
    acting: Acting, pass_id: UUID, version: int, content: PassContent, step: PassStep
) -> PassRecord:
    """Change a pass: REGISTER as administrator, in force at once; APPLY as its holder (R24).

    An application that an administrator changes is thereby confirmed, and its applicant told (R26).
    """
    record = await _locked(acting, pass_id, version)
    after = _stepped(acting, record, step, has_route=bool(content.route))
    before = _said(record.shown)
    written = _version(acting, record.held, content)
    acting.tx.add(written)
    told = None
    if step is PassStep.REGISTER and record.status is PassStatus.APPLIED:
        step, told = PassStep.CONFIRM, _confirmed(record.held, str(new_id()))
    await _settle(acting, record, after, step, before, _said(written), told)
    in_force = written if after.status is CONFIRMED else record.confirmed
    return PassRecord(record.held, written, in_force)


async def confirm_passes(acting: Acting, wanted: Sequence[Confirmation]) -> list[PassRecord]:
    """Put applications into force, several as one decision with one mail (R26, R28, R33).

    One that is in force already stays as it is. Raises VersionConflict, and then none is.
    """
    decision_id = str(new_id())
    done = []
    for one in sorted(wanted, key=lambda confirmation: confirmation.pass_id):
        record = await _locked(acting, one.pass_id, one.version)
        after = _stepped(acting, record, PassStep.CONFIRM)
        if record.status is CONFIRMED:
            done.append(record)
            continue
        before, version = _said(record.confirmed), record.newest
        if one.ends_on is not None:
            period = Period(version.starts_on, one.ends_on)
            version = _version(acting, record.held, PassContent(version.route, period))
            acting.tx.add(version)
        told = _confirmed(record.held, decision_id)
        await _settle(acting, record, after, PassStep.CONFIRM, before, _said(version), told)
        done.append(PassRecord(record.held, version, version))
    return done


async def withdraw_application(acting: Acting, pass_id: UUID, version: int) -> PassRecord:
    """The applicant takes it back; the last confirmed version stands again (R25)."""
    return await _end_application(acting, pass_id, version, PassStep.WITHDRAW)


async def reject_application(
    acting: Acting, pass_id: UUID, version: int, reason: str
) -> PassRecord:
    """The administrator turns it down with a reason, which the applicant is mailed (R25)."""
    return await _end_application(acting, pass_id, version, PassStep.REJECT, reason)


async def end_pass(acting: Acting, pass_id: UUID, version: int, ends_on: date) -> PassRecord:
    """Give a pass in force an end, as proposed where two overlap (R8)."""
    acting.need_pass_master()
    record = await _locked(acting, pass_id, version)
    in_force = record.shown
    content = PassContent(in_force.route, Period(in_force.starts_on, ends_on))
    return await rewrite_pass(acting, pass_id, version, content, PassStep.REGISTER)


CONFIRMED = PassStatus.CONFIRMED


async def _new(
    acting: Acting, employee_id: str, content: PassContent, step: PassStep
) -> PassRecord:
    held = HeldPass(
        pass_id=new_id(),
        dealer_id=acting.dealer_id,
        employee_id=employee_id,
        version=0,
        status="applied",
        newest=0,
        confirmed=None,
        applied_on=None,
        reason=None,
    )
    nothing = PassState(None)
    actor = Actor(employee_id == acting.employee_id, acting.has_pass_master)
    allowed = acting.setting.applications_allowed
    after = step_pass(
        nothing, step, actor, applications_allowed=allowed, has_route=bool(content.route)
    )
    version = _version(acting, held, content)
    acting.tx.add(held)
    await acting.tx.flush()
    acting.tx.add(version)
    record = PassRecord(held, version, None)
    await _settle(acting, record, after, step, {}, _said(version))
    return PassRecord(held, version, version if after.status is CONFIRMED else None)


async def _end_application(
    acting: Acting, pass_id: UUID, version: int, step: PassStep, reason: str = ""
) -> PassRecord:
    record = await _locked(acting, pass_id, version)
    after = _stepped(acting, record, step, reason=reason)
    held, before = record.held, _said(record.newest)
    held.reason = reason.strip() or None
    await _settle(acting, record, after, step, before, _said(record.confirmed))
    return PassRecord(held, record.newest, record.confirmed)


async def _locked(acting: Acting, pass_id: UUID, version: int) -> PassRecord:
    record = await pass_locked(acting.tx, acting.dealer_id, pass_id)
    check_version(record.held.version, version)
    return record


def _stepped(
    acting: Acting,
    record: PassRecord,
    step: PassStep,
    *,
    has_route: bool = True,
    reason: str = "",
) -> PassState:
    held = record.held
    return step_pass(
        PassState(record.status, held.confirmed is not None),
        step,
        Actor(held.employee_id == acting.employee_id, acting.has_pass_master),
        applications_allowed=acting.setting.applications_allowed,
        has_route=has_route,
        reason=reason,
    )


def _version(acting: Acting, held: HeldPass, content: PassContent) -> PassVersion:
    """The next version of a pass. Raises what is wrong with its route."""
    if not content.route.strip():
        raise RouteNotDecided("乗換案内で経路を決定してください")
    route = read_pass_route(content.route)
    held.newest += 1
    return PassVersion(
        pass_id=held.pass_id,
        number=held.newest,
        dealer_id=held.dealer_id,
        route=str(route),
        starts_on=content.period.starts_on,
        ends_on=content.period.ends_on,
        has_bus=route.has_bus,
        made_at=acting.now,
        made_by=acting.employee_id,
    )


async def _settle(  # noqa: PLR0913, PLR0917 - the step with what it changed
    acting: Acting,
    record: PassRecord,
    after: PassState,
    step: PassStep,
    before: dict[str, Any],
    now: dict[str, Any],
    event: PassEvent | None = None,
) -> None:
    """Write the state after a step, its line of the trail, its event, and the purge it may need."""
    held = record.held
    assert after.status is not None
    held.status = after.status.name.lower()
    held.version += 1
    if step in {PassStep.REGISTER, PassStep.CONFIRM}:
        held.confirmed, held.reason = held.newest, None
        await set_purge_timer(acting.tx, held.dealer_id, now=acting.now)
    if step is PassStep.APPLY:
        held.applied_on, held.reason = acting.today, None
    acting.note(
        held.pass_id, held.employee_id, step.value, before=before, after=now, said=held.reason
    )
    await outbox.add(acting.tx, event or _told(acting, held, step), now=acting.now)


def _told(acting: Acting, held: HeldPass, step: PassStep) -> PassEvent:
    named = _named(held)
    match step:
        case PassStep.APPLY:
            return PassApplied(**named, applied_on=acting.today)
        case PassStep.WITHDRAW:
            return PassWithdrawn(**named)
        case PassStep.REJECT:
            return PassRejected(**named)
        case _:
            return PassRegistered(**named)


def _confirmed(held: HeldPass, decision_id: str) -> PassConfirmed:
    return PassConfirmed(**_named(held), decision_id=decision_id)


def _named(held: HeldPass) -> dict[str, str]:
    return {
        "dealer_id": held.dealer_id,
        "pass_id": str(held.pass_id),
        "employee_id": held.employee_id,
    }


def _said(version: PassVersion | None) -> dict[str, Any]:
    if version is None:
        return {}
    return {"route": version.route, "period": str(period_of(version)), "number": version.number}
