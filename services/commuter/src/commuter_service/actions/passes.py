"""Commuter passes entered, confirmed, rejected, changed and ended (R1-R10, R19-R28, R33)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.actions.delete_expired_passes import set_purge_timer
from commuter_service.actions.pass_prices import prices_in, put_prices_into_force
from commuter_service.models import Employee, Pass, PassVersion
from commuter_service.passes.employee_passes import read_pass
from commuter_service.queries import PassRecord, pass_locked, period_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.pass_application import (
    Actor,
    PassState,
    PassStatus,
    PassStep,
    RouteNotDecided,
    step_pass,
)
from commuter_service.rules.pass_price import NO_PRICES, PassPrices, checked_prices
from event_contracts.commuter import (
    PassApplied,
    PassConfirmed,
    PassEvent,
    PassRegistered,
    PassRejected,
    PassWithdrawn,
)
from fare_engine.rules.period import Period
from shared import outbox
from shared.concurrency import check_version
from shared.trace_context import new_id


@dataclass(frozen=True, slots=True)
class PassContent:
    """What a pass says: the decided route as text, its validity, and its prices."""

    route: str
    period: Period
    prices: PassPrices = NO_PRICES


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One pass to confirm, as the administrator saw it; an end may be set with it (R9)."""

    pass_id: UUID
    version: int
    ends_on: date | None = None


async def register_pass(
    ctx: RequestContext, employee: Employee, content: PassContent
) -> PassRecord:
    """An administrator's registration, in force at once and without a mail (R1, R33)."""
    ctx.need_pass_master()
    return await _new(ctx, employee.employee_id, content, PassStep.REGISTER)


async def apply_for_pass(ctx: RequestContext, content: PassContent) -> PassRecord:
    """An employee's application for an own pass; without effect until confirmed (R20, R21)."""
    return await _new(ctx, ctx.employee_id, content, PassStep.APPLY)


async def rewrite_pass(
    ctx: RequestContext, pass_id: UUID, version: int, content: PassContent, step: PassStep
) -> PassRecord:
    """Change a pass: REGISTER as administrator, in force at once; APPLY as its holder (R24).

    Changing an application confirms it, and its applicant is notified (R26).
    """
    record = await _locked(ctx, pass_id, version)
    after = _stepped(ctx, record, step, has_route=bool(content.route))
    before = _said(record.shown)
    written = _version(ctx, record.held, content)
    ctx.tx.add(written)
    event = None
    if step is PassStep.REGISTER and record.status is PassStatus.APPLIED:
        step, event = PassStep.CONFIRM, _confirmed(record.held, str(new_id()))
    await _settle(ctx, record, after, step, before, _said(written), event)
    if after.status is CONFIRMED:
        await put_prices_into_force(ctx, written)
    in_force = written if after.status is CONFIRMED else record.confirmed
    return PassRecord(record.held, written, in_force)


async def confirm_passes(ctx: RequestContext, wanted: Sequence[Confirmation]) -> list[PassRecord]:
    """Put applications into force, several as one decision with one mail (R26, R28, R33).

    One that is in force already stays as it is. Raises VersionConflict, and then none is.
    """
    decision_id = str(new_id())
    done = []
    for one in sorted(wanted, key=lambda confirmation: confirmation.pass_id):
        record = await _locked(ctx, one.pass_id, one.version)
        after = _stepped(ctx, record, PassStep.CONFIRM)
        if record.status is CONFIRMED:
            done.append(record)
            continue
        before, version = _said(record.confirmed), record.newest
        if one.ends_on is not None:
            version = _version(ctx, record.held, _ended(version, one.ends_on))
            ctx.tx.add(version)
        event = _confirmed(record.held, decision_id)
        await _settle(ctx, record, after, PassStep.CONFIRM, before, _said(version), event)
        await put_prices_into_force(ctx, version)
        done.append(PassRecord(record.held, version, version))
    return done


async def withdraw_application(ctx: RequestContext, pass_id: UUID, version: int) -> PassRecord:
    """The applicant takes it back; the last confirmed version stands again (R25)."""
    return await _end_application(ctx, pass_id, version, PassStep.WITHDRAW)


async def reject_application(
    ctx: RequestContext, pass_id: UUID, version: int, reason: str
) -> PassRecord:
    """The administrator turns it down with a reason, which the applicant is mailed (R25)."""
    return await _end_application(ctx, pass_id, version, PassStep.REJECT, reason)


async def end_pass(ctx: RequestContext, pass_id: UUID, version: int, ends_on: date) -> PassRecord:
    """Give a pass in force an end, as proposed where two overlap (R8)."""
    ctx.need_pass_master()
    record = await _locked(ctx, pass_id, version)
    content = _ended(record.shown, ends_on)
    return await rewrite_pass(ctx, pass_id, version, content, PassStep.REGISTER)


async def apply_for_end(
    ctx: RequestContext, pass_id: UUID, version: int, ends_on: date
) -> PassRecord:
    """Its holder applies for an end of a pass, as proposed where two overlap (R8, R9, R24)."""
    record = await _locked(ctx, pass_id, version)
    content = _ended(record.shown, ends_on)
    return await rewrite_pass(ctx, pass_id, version, content, PassStep.APPLY)


CONFIRMED = PassStatus.CONFIRMED


async def _new(
    ctx: RequestContext, employee_id: str, content: PassContent, step: PassStep
) -> PassRecord:
    held = Pass(
        pass_id=new_id(),
        dealer_id=ctx.dealer_id,
        employee_id=employee_id,
        version=0,
        status="applied",
        newest=0,
        confirmed=None,
        applied_on=None,
        reason=None,
    )
    nothing = PassState(None)
    actor = Actor(employee_id == ctx.employee_id, ctx.has_pass_master)
    allowed = ctx.setting.applications_allowed
    after = step_pass(
        nothing, step, actor, applications_allowed=allowed, has_route=bool(content.route)
    )
    version = _version(ctx, held, content)
    ctx.tx.add(held)
    await ctx.tx.flush()
    ctx.tx.add(version)
    record = PassRecord(held, version, None)
    await _settle(ctx, record, after, step, {}, _said(version))
    if after.status is CONFIRMED:
        await put_prices_into_force(ctx, version)
    return PassRecord(held, version, version if after.status is CONFIRMED else None)


async def _end_application(
    ctx: RequestContext, pass_id: UUID, version: int, step: PassStep, reason: str = ""
) -> PassRecord:
    record = await _locked(ctx, pass_id, version)
    after = _stepped(ctx, record, step, reason=reason)
    held, before = record.held, _said(record.newest)
    held.reason = reason.strip() or None
    await _settle(ctx, record, after, step, before, _said(record.confirmed))
    return PassRecord(held, record.newest, record.confirmed)


async def _locked(ctx: RequestContext, pass_id: UUID, version: int) -> PassRecord:
    record = await pass_locked(ctx.tx, ctx.dealer_id, pass_id)
    check_version(record.held.version, version)
    return record


def _stepped(
    ctx: RequestContext,
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
        Actor(held.employee_id == ctx.employee_id, ctx.has_pass_master),
        applications_allowed=ctx.setting.applications_allowed,
        has_route=has_route,
        reason=reason,
    )


def _version(ctx: RequestContext, held: Pass, content: PassContent) -> PassVersion:
    """The next version of a pass. Raises what is wrong with its route."""
    if not content.route.strip():
        raise RouteNotDecided("乗換案内で経路を決定してください")
    route = read_pass(ctx.tariffs.network, content.route)
    prices = checked_prices(content.prices)
    held.newest += 1
    return PassVersion(
        pass_id=held.pass_id,
        number=held.newest,
        dealer_id=held.dealer_id,
        route=str(route),
        starts_on=content.period.starts_on,
        ends_on=content.period.ends_on,
        has_bus=route.has_bus,
        made_at=ctx.now,
        made_by=ctx.employee_id,
        one_month_yen=prices.one_month_yen,
        three_months_yen=prices.three_months_yen,
        six_months_yen=prices.six_months_yen,
        paid_every=prices.paid_every,
        priced_from=prices.priced_from if prices.known else None,
    )


def _ended(version: PassVersion, ends_on: date) -> PassContent:
    """The same pass with another end."""
    return PassContent(version.route, Period(version.starts_on, ends_on), prices_in(version))


async def _settle(  # noqa: PLR0913, PLR0917 - the step with what it changed
    ctx: RequestContext,
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
        await set_purge_timer(ctx.tx, held.dealer_id, now=ctx.now)
    if step is PassStep.APPLY:
        held.applied_on, held.reason = ctx.today, None
    add_audit_entry(
        ctx, held.pass_id, held.employee_id, step.value, before=before, after=now, said=held.reason
    )
    await outbox.add(ctx.tx, event or _event_of(ctx, held, step), now=ctx.now)


def _event_of(ctx: RequestContext, held: Pass, step: PassStep) -> PassEvent:
    named = _named(held)
    match step:
        case PassStep.APPLY:
            return PassApplied(**named, applied_on=ctx.today)
        case PassStep.WITHDRAW:
            return PassWithdrawn(**named)
        case PassStep.REJECT:
            return PassRejected(**named)
        case _:
            return PassRegistered(**named)


def _confirmed(held: Pass, decision_id: str) -> PassConfirmed:
    return PassConfirmed(**_named(held), decision_id=decision_id)


def _named(held: Pass) -> dict[str, str]:
    return {
        "dealer_id": held.dealer_id,
        "pass_id": str(held.pass_id),
        "employee_id": held.employee_id,
    }


def _said(version: PassVersion | None) -> dict[str, Any]:
    if version is None:
        return {}
    said = {"route": version.route, "period": str(period_of(version)), "number": version.number}
    prices = prices_in(version).words
    return {**said, "prices": prices} if prices else said
