"""Substitutes for absent approvers (代理承認, part D): registered, changed, ended.

A manager does it for themselves, headquarters for any approver of the dealer.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from returns_service.actor import RequestContext
from returns_service.models import Staff, Substitute
from returns_service.queries import (
    staff_by_id,
    substitute_by_id,
    substitutes_from,
    substitution_in,
)
from returns_service.rules.return_refusals import RoleMayNot
from returns_service.rules.return_visibility import Actor
from returns_service.rules.substitute_approver import (
    SubstituteNotSuitable,
    Substitution,
    check_entered,
    check_substitution,
)
from shared.concurrency import check_version
from shared.http import NotFound
from shared.roles import Role

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('substitute/' || :dealer))")


@dataclass(frozen=True)
class SubstituteInput:
    """A substitution as typed; no `approver_id`: the caller."""

    approver_id: str | None
    substitute_id: str | None
    from_on: date | None
    to_on: date | None


async def check_substitution_input(ctx: RequestContext, wanted: SubstituteInput) -> Substitution:
    """The substitution as it would be kept; writes nothing. Raises as `register_substitute`."""
    return await _checked(ctx, wanted, besides=None)


async def register_substitute(ctx: RequestContext, wanted: SubstituteInput) -> Substitute:
    """Name a substitute. Raises a refusal of substitute_approver, RoleMayNot, FormErrors."""
    checked = await _checked(ctx, wanted, besides=None)
    actor = ctx.who.self_actor
    row = Substitute(
        dealer_id=actor.dealer_code,
        registered_by=actor.user_id,
        registered_at=ctx.now,
        version=1,
    )
    _fill(row, checked)
    ctx.tx.add(row)
    await ctx.tx.flush()
    return row


async def change_substitute(
    ctx: RequestContext, line_id: int, wanted: SubstituteInput, expected_version: int
) -> Substitute:
    """Name another substitute or other days. Raises as `register_substitute`, VersionConflict."""
    row = await _own(ctx, line_id, expected_version)
    _fill(row, await _checked(ctx, wanted, besides=line_id))
    row.version += 1
    return row


async def end_substitute(ctx: RequestContext, line_id: int, expected_version: int) -> None:
    """End a substitution; approvals given under it stay valid. Raises VersionConflict."""
    row = await _own(ctx, line_id, expected_version)
    row.ended_at = ctx.now
    row.version += 1


def _fill(row: Substitute, checked: Substitution) -> None:
    row.approver_id = checked.approver.user_id
    row.approver_role = checked.approver.role.value
    row.approver_store = checked.approver.store_code
    row.substitute_id = checked.substitute_id
    row.from_on, row.to_on = checked.from_on, checked.to_on


async def _own(ctx: RequestContext, line_id: int, expected_version: int) -> Substitute:
    """The substitution, if the caller may change it. Raises NotFound, VersionConflict."""
    actor = ctx.who.self_actor
    row = await substitute_by_id(ctx.tx, actor.dealer_code or "", line_id)
    mine = row is not None and (actor.role is Role.HQ or row.approver_id == actor.user_id)
    if row is None or not mine or row.ended_at is not None:
        raise NotFound
    check_version(row.version, expected_version, "他の方が先に代理承認の設定を更新しました")
    return row


async def _checked(
    ctx: RequestContext, wanted: SubstituteInput, *, besides: int | None
) -> Substitution:
    """The substitution as it will be kept, checked against the others; one dealer at a time."""
    tx, actor = ctx.tx, ctx.who.self_actor
    dealer = actor.dealer_code or ""
    entered = check_entered(wanted.substitute_id, wanted.from_on, wanted.to_on, today=ctx.today)
    await tx.execute(ONE_AT_A_TIME, {"dealer": dealer})
    approver_id = wanted.approver_id or actor.user_id
    if approver_id != actor.user_id and actor.role is not Role.HQ:
        raise RoleMayNot
    substitute = await staff_by_id(tx, dealer, entered.substitute_id)
    if substitute is None:
        raise SubstituteNotSuitable
    approver = actor
    if approver_id != actor.user_id:
        approver = _as_actor(await staff_by_id(tx, dealer, approver_id))
    new = Substitution(approver, substitute.person_id, entered.from_on, entered.to_on)
    rows = await substitutes_from(tx, dealer, ctx.today)
    others = [substitution_in(row) for row in rows if row.line_id != besides]
    check_substitution(new, others, dealer_code=substitute.dealer_id, active=substitute.active)
    return new


def _as_actor(staff: Staff | None) -> Actor:
    if staff is None or not staff.active:
        raise SubstituteNotSuitable
    return Actor(staff.person_id, Role(staff.role), staff.dealer_id, staff.store_code)
