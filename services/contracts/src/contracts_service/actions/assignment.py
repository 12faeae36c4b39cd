"""Assignment changes: moves a contract to another store or staff (D124-D144).

Registrations wait in `assignment_change`; the contract names the pending one and the day from
which its old store no longer sees it. One statement registers a whole batch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.models import AssignmentChange, Contract
from contracts_service.policy import ReflectedBy
from contracts_service.rules.assignment_change import (
    REFLECTED_BY_BUSINESS_DAY,
    AssignmentLocked,
    ChangeDecision,
    ChangeFacts,
    Outcome,
    Places,
    RegisterChange,
    decide_change,
    overdue_from,
    reflected,
    reflection_on,
)
from contracts_service.rules.bulk_change import BulkDecision, decide_bulk_change
from contracts_service.rules.business_days import CalendarExceptions
from contracts_service.rules.calendar_days import jst_midnight
from contracts_service.rules.contract_access import ContractNotFound
from event_contracts.contract import (
    AssignmentChangeCancelled,
    AssignmentChangeOverdue,
    AssignmentChangeReflected,
    AssignmentChangeRegistered,
)
from event_contracts.event import Event
from shared import outbox, timers
from shared.clock import jst_day
from shared.errors import Kind, Refusal
from shared.trace_context import new_id

REFLECT, OVERDUE = "reflect_assignment", "assignment_overdue"

# Like `timers.set_timer` and `cancel_timers`, for a whole batch at once.
SET_TIMERS = text("""
    INSERT INTO timer (kind, key, due_at, payload)
    SELECT :kind, key, :due_at, jsonb_build_object('contract_no', contract_no)
    FROM unnest(CAST(:keys AS text[]), CAST(:contract_nos AS text[])) AS t (key, contract_no)
    ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload,
        attempts = 0, cause = NULL, retry_at = NULL
""")
DROP_TIMERS = text("DELETE FROM timer WHERE kind = ANY(:kinds) AND key = ANY(:keys)")

log = structlog.get_logger()


class NothingPending(Refusal):
    """There is no registered change to cancel."""

    code = "NOTHING_PENDING"
    kind = Kind.CONFLICT
    message = "取り消せる変更はありません"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeContext:
    """Who registers, when, and the stores and staff that may be chosen."""

    who: str
    now: datetime
    places: Places
    exceptions: CalendarExceptions
    reflected_by: ReflectedBy

    @property
    def today(self) -> date:
        """The JST day."""
        return jst_day(self.now)


class ActOnChanges(Protocol):
    """`register_changes`, or `check_changes`, which writes nothing."""

    async def __call__(  # noqa: D102 - see the two functions
        self,
        tx: AsyncSession,
        contracts: Mapping[str, Contract],
        commands: Mapping[str, RegisterChange],
        ctx: ChangeContext,
        *,
        all_or_nothing: bool = False,
    ) -> BulkDecision: ...


async def register_changes(
    tx: AsyncSession,
    contracts: Mapping[str, Contract],
    commands: Mapping[str, RegisterChange],
    ctx: ChangeContext,
    *,
    all_or_nothing: bool = False,
) -> BulkDecision:
    """Register the change of each contract; unknown contract numbers are refused one by one.

    The contracts must be locked.

    Raises:
        FormErrors: no row was given.
    """
    decision = await check_changes(tx, contracts, commands, ctx, all_or_nothing=all_or_nothing)
    pending = await queries.pending_rows(tx, contracts.values())
    await _write(tx, contracts, pending, decision.accepted, ctx)
    return decision


async def check_changes(
    tx: AsyncSession,
    contracts: Mapping[str, Contract],
    commands: Mapping[str, RegisterChange],
    ctx: ChangeContext,
    *,
    all_or_nothing: bool = False,
) -> BulkDecision:
    """What `register_changes` would do; nothing is written. Raises FormErrors: no row was given."""
    pending = await queries.pending_rows(tx, contracts.values())
    products = await queries.products(tx)

    def decide(contract_no: str) -> ChangeDecision:
        contract = contracts.get(contract_no)
        if contract is None:
            raise ContractNotFound
        waiting = pending.get(contract_no)
        facts = ChangeFacts(
            product=products[contract.product_code],
            current=queries.assignment_of(contract),
            pending=queries.as_pending(waiting) if waiting else None,
        )
        command = commands[contract_no]
        return decide_change(
            facts, command, today=ctx.today, places=ctx.places, exceptions=ctx.exceptions
        )

    rows = {contract_no: partial(decide, contract_no) for contract_no in commands}
    return decide_bulk_change(rows, all_or_nothing=all_or_nothing)


async def cancel_change(tx: AsyncSession, contract: Contract, *, now: datetime) -> None:
    """Cancel what was registered today (D143). Raises NothingPending, AssignmentLocked."""
    change = await queries.pending_row(tx, contract)
    if change is None:
        raise NothingPending
    if change.registered_on < jst_day(now):
        raise AssignmentLocked
    await _end(tx, contract, change, "cancelled", now)


async def reject_change(
    tx: AsyncSession, contract_no: str, change_id: UUID, reason: str, *, now: datetime
) -> None:
    """The finance company rejected a change; the old store sees the contract again (D141)."""
    contract = await queries.contract_of_event(tx, contract_no)
    change = await _still_pending(tx, contract, change_id)
    if change is not None:
        change.rejected_because = reason
        await _end(tx, contract, change, "rejected", now)


async def reflect_change(
    tx: AsyncSession, contract_no: str, change_id: UUID, reported_on: date, *, now: datetime
) -> None:
    """Put a change into force; one reported before business day 3 waits for it (D141, D144)."""
    contract = await queries.contract_of_event(tx, contract_no)
    change = await _still_pending(tx, contract, change_id)
    if change is None:
        return
    exceptions = await queries.calendar_exceptions(tx)
    effective_on = reflection_on(reported_on, change.registered_on, exceptions)
    if effective_on > jst_day(now):
        await _set_alarm(tx, REFLECT, [change], jst_midnight(effective_on))
        return
    after = reflected(
        queries.assignment_of(contract), queries.as_pending(change), reflected_on=effective_on
    )
    contract.store_code, contract.staff_code = after.store_code, after.staff_code
    contract.transferred_in_on = after.transferred_in_on
    _settle(contract, change, "reflected", effective_on)
    await timers.cancel_timers(tx, str(change.change_id), REFLECT, OVERDUE)
    reflected_event = AssignmentChangeReflected(
        dealer_id=contract.dealer_id,
        contract_no=contract.contract_no,
        change_id=str(change.change_id),
        reflected_on=effective_on,
        store_code=contract.store_code,
        staff_code=contract.staff_code,
        transferred_in=change.to_store is not None,
    )
    await outbox.add(tx, reflected_event, now=now)


async def raise_overdue(
    tx: AsyncSession, contract_no: str, change_id: UUID, *, now: datetime
) -> None:
    """Emit an alarm: business day 5 is over and the change is not reflected (D141)."""
    contract = await queries.contract_of_event(tx, contract_no)
    change = await _still_pending(tx, contract, change_id)
    if change is not None:
        overdue = AssignmentChangeOverdue(
            dealer_id=contract.dealer_id,
            contract_no=contract_no,
            change_id=str(change_id),
            business_days=REFLECTED_BY_BUSINESS_DAY,
        )
        await outbox.add(tx, overdue, now=now)


async def _write(
    tx: AsyncSession,
    contracts: Mapping[str, Contract],
    pending: Mapping[str, AssignmentChange],
    accepted: Mapping[str, ChangeDecision],
    ctx: ChangeContext,
) -> None:
    events: list[Event] = []
    ended = [pending[contract_no] for contract_no in accepted if contract_no in pending]
    for before in ended:
        outcome = accepted[before.contract_no].outcome
        state = "cancelled" if outcome is Outcome.CANCELLED else "replaced"
        _settle(contracts[before.contract_no], before, state, ctx.today)
        events.append(_cancelled(before, state))
    await tx.flush()  # the earlier registration must end before the new one is inserted
    batch_id = new_id() if len(accepted) > 1 else None
    registered = []
    for contract_no, decision in accepted.items():
        if decision.change is None:
            continue
        contract = contracts[contract_no]
        change = _registered(contract, decision, ctx, batch_id)
        contract.pending_change_id = change.change_id
        contract.hidden_from_store_on = decision.hidden_from_old_store_on
        contract.version += 1
        registered.append(change)
        events.append(_published(contract, change, pending.get(contract_no)))
    tx.add_all(registered)
    if ended:
        keys = [str(change.change_id) for change in ended]
        await tx.execute(DROP_TIMERS, {"kinds": [REFLECT, OVERDUE], "keys": keys})
    await _set_timers(tx, registered, ctx)
    await outbox.add_many(tx, events, now=ctx.now)


async def _set_timers(
    tx: AsyncSession, changes: list[AssignmentChange], ctx: ChangeContext
) -> None:
    if not changes:
        return
    # All are registered on the same day, so that their due days are the same too.
    overdue_on = overdue_from(changes[0].reflect_latest_on)
    await _set_alarm(tx, OVERDUE, changes, jst_midnight(overdue_on))
    if ctx.reflected_by is ReflectedBy.SELF:
        await _set_alarm(tx, REFLECT, changes, jst_midnight(changes[0].reflect_earliest_on))


async def _set_alarm(
    tx: AsyncSession, kind: str, changes: Iterable[AssignmentChange], due_at: datetime
) -> None:
    rows = [(str(change.change_id), change.contract_no) for change in changes]
    values = {"keys": [key for key, _ in rows], "contract_nos": [no for _, no in rows]}
    await tx.execute(SET_TIMERS, {"kind": kind, "due_at": due_at, **values})


def _registered(
    contract: Contract, decision: ChangeDecision, ctx: ChangeContext, batch_id: UUID | None
) -> AssignmentChange:
    change = decision.change
    assert change is not None
    assert decision.reflect_earliest_on is not None
    assert decision.reflect_latest_on is not None
    return AssignmentChange(
        change_id=new_id(),
        dealer_id=contract.dealer_id,
        contract_no=contract.contract_no,
        from_store=contract.store_code,
        to_store=change.to_store,
        from_staff=contract.staff_code,
        to_staff=change.to_staff,
        reason=change.reason.value if change.reason else None,
        registered_on=change.registered_on,
        registered_at=ctx.now,
        registered_by=ctx.who,
        hidden_from_old_store_on=decision.hidden_from_old_store_on,
        reflect_earliest_on=decision.reflect_earliest_on,
        reflect_latest_on=decision.reflect_latest_on,
        batch_id=batch_id,
        state="pending",
    )


def _published(
    contract: Contract, change: AssignmentChange, before: AssignmentChange | None
) -> AssignmentChangeRegistered:
    return AssignmentChangeRegistered(
        dealer_id=contract.dealer_id,
        contract_no=contract.contract_no,
        change_id=str(change.change_id),
        from_store=change.from_store,
        to_store=change.to_store or change.from_store,
        from_staff=change.from_staff,
        to_staff=change.to_staff,
        registered_on=change.registered_on,
        hidden_from_old_store_on=change.hidden_from_old_store_on,
        reflect_earliest_on=change.reflect_earliest_on,
        reflect_latest_on=change.reflect_latest_on,
        replaces_change_id=str(before.change_id) if before else None,
        batch_id=str(change.batch_id) if change.batch_id else None,
    )


def _cancelled(change: AssignmentChange, state: str) -> AssignmentChangeCancelled:
    return AssignmentChangeCancelled.model_validate(
        {
            "dealer_id": change.dealer_id,
            "contract_no": change.contract_no,
            "change_id": str(change.change_id),
            "reason": "rejected_by_tfc" if state == "rejected" else state,
        }
    )


async def _end(
    tx: AsyncSession, contract: Contract, change: AssignmentChange, state: str, now: datetime
) -> None:
    _settle(contract, change, state, jst_day(now))
    await timers.cancel_timers(tx, str(change.change_id), REFLECT, OVERDUE)
    await outbox.add(tx, _cancelled(change, state), now=now)


def _settle(contract: Contract, change: AssignmentChange, state: str, on: date) -> None:
    change.state, change.settled_on = state, on
    contract.pending_change_id = None
    contract.hidden_from_store_on = None
    contract.version += 1


async def _still_pending(
    tx: AsyncSession, contract: Contract, change_id: UUID
) -> AssignmentChange | None:
    if contract.pending_change_id != change_id:
        log.info("assignment_change_no_longer_pending", change_id=str(change_id))
        return None
    return await queries.pending_row(tx, contract)
