"""Assignment change: may the contract move, and who sees it when? (D124-D130, D137-D144).

A registration waits three to five business days for its reflection. On the day of registration a
second one replaces the first field by field, or cancels it; from the next day until the reflection
it is locked, and the old store no longer sees a contract that moves.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from contracts_service.rules.business_days import (
    NO_EXCEPTIONS,
    CalendarExceptions,
    business_day_after,
)
from contracts_service.rules.products import Product, transfer_refusal
from shared.errors import FieldError, FormErrors, Kind, Refusal

REFLECTED_FROM_BUSINESS_DAY = 3
REFLECTED_BY_BUSINESS_DAY = 5
CHANGING = "変更中"


class AssignmentLocked(Refusal):
    """A change registered on an earlier day is not reflected yet (D140)."""

    code = "ASSIGNMENT_LOCKED"
    kind = Kind.CONFLICT
    message = "変更中のため、反映が完了するまで再変更できません"


class MoveReason(StrEnum):
    """Why a contract moves to another store (D127); optional."""

    CUSTOMER_MOVED = "customer_moved"
    STORE_OPENED = "store_opened"
    STORES_MERGED = "stores_merged"

    @property
    def label(self) -> str:
        """The pulldown's label."""
        return {
            MoveReason.CUSTOMER_MOVED: "お客様の転居",
            MoveReason.STORE_OPENED: "店舗新設",
            MoveReason.STORES_MERGED: "統廃合",
        }[self]


class Outcome(StrEnum):
    """The outcome of 「異動」/「変更」; it determines the emitted event."""

    REGISTERED = "registered"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The store and staff in charge of a contract; `staff_code` None: not assigned yet (A-23)."""

    store_code: str
    staff_code: str | None
    transferred_in_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """A registered change; None keeps a field. A move without staff unassigns it (A-23)."""

    registered_on: date
    to_store: str | None
    to_staff: str | None
    reason: MoveReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts:
    """The current state of the contract."""

    product: Product
    current: Assignment
    pending: PendingChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterChange:
    """Command of 異動 (`to_store`) and 変更 (`to_staff`); both may be given (D126)."""

    to_store: str | None = None
    to_staff: str | None = None
    reason: MoveReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The stores that may be chosen, and the active staff as (store, staff) (D129, D130)."""

    usable_stores: Collection[str]
    staff: Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDecision:
    """The outcome and, unless cancelled, the pending change with its due days."""

    outcome: Outcome
    change: PendingChange | None = None
    hidden_from_old_store_on: date | None = None
    reflect_earliest_on: date | None = None
    reflect_latest_on: date | None = None


def change_refusal(facts: ChangeFacts, *, today: date) -> Refusal | None:
    """Why store and staff cannot be changed today, or None (D124, D140)."""
    if refusal := transfer_refusal(facts.product):
        return refusal
    return AssignmentLocked() if facts.pending and facts.pending.registered_on < today else None


def decide_change(
    facts: ChangeFacts,
    command: RegisterChange,
    *,
    today: date,
    places: Places,
    exceptions: CalendarExceptions = NO_EXCEPTIONS,
) -> ChangeDecision:
    """Decide the outcome of a registration.

    Raises:
        ProductNotTransferable, AssignmentLocked.
        FormErrors: nothing to change, a store that must not be chosen, staff of another store.
    """
    if refusal := change_refusal(facts, today=today):
        raise refusal
    change = _merged(facts, command, today=today)
    _check_destination(facts, command, change, places)
    if change.to_store is None and change.to_staff is None:
        return ChangeDecision(outcome=Outcome.CANCELLED)
    moves = change.to_store is not None
    return ChangeDecision(
        outcome=Outcome.REPLACED if facts.pending else Outcome.REGISTERED,
        change=change,
        hidden_from_old_store_on=_hidden_on(change) if moves else None,
        reflect_earliest_on=reflect_earliest_on(today, exceptions),
        reflect_latest_on=reflect_latest_on(today, exceptions),
    )


def reflect_earliest_on(
    registered_on: date, exceptions: CalendarExceptions = NO_EXCEPTIONS
) -> date:
    """The third business day after registration; nothing is reflected before it (D141)."""
    return business_day_after(registered_on, REFLECTED_FROM_BUSINESS_DAY, exceptions)


def reflect_latest_on(registered_on: date, exceptions: CalendarExceptions = NO_EXCEPTIONS) -> date:
    """The fifth business day after registration; later it is overdue (D141)."""
    return business_day_after(registered_on, REFLECTED_BY_BUSINESS_DAY, exceptions)


def reflection_on(
    reported_on: date, registered_on: date, exceptions: CalendarExceptions = NO_EXCEPTIONS
) -> date:
    """The day on which a reported reflection takes effect: an early one waits (D141)."""
    return max(reported_on, reflect_earliest_on(registered_on, exceptions))


def overdue_from(latest_on: date) -> date:
    """The day from which a change that still waits is overdue (D141)."""
    return latest_on + timedelta(days=1)


def reflected(current: Assignment, change: PendingChange, *, reflected_on: date) -> Assignment:
    """The assignment after the reflection; the day of a move is stored (D37, D144)."""
    if change.to_store is None:
        return replace(current, staff_code=change.to_staff)
    return Assignment(
        store_code=change.to_store,
        staff_code=change.to_staff,
        transferred_in_on=reflected_on,
    )


def viewing_store(current: Assignment, pending: PendingChange | None, *, today: date) -> str | None:
    """The store that sees the contract today; None while it is between stores (D142, D143)."""
    moves = pending is not None and pending.to_store is not None
    if pending and moves and today >= _hidden_on(pending):
        return None
    return current.store_code


def change_status(*, pending: bool) -> str:
    """The column ステータス of the lists: 変更中, or empty (D138, D139)."""
    return CHANGING if pending else ""


def _hidden_on(change: PendingChange) -> date:
    return change.registered_on + timedelta(days=1)


def _merged(facts: ChangeFacts, command: RegisterChange, *, today: date) -> PendingChange:
    """A new registration replaces its own field; a value equal to the current one is no change."""
    if command.to_store is None and command.to_staff is None:
        message = "異動先店舗または変更後スタッフを入力してください"
        raise FormErrors(FieldError("to_store", "DESTINATION_MISSING", message))
    before = facts.pending or PendingChange(registered_on=today, to_store=None, to_staff=None)
    to_store = command.to_store or before.to_store
    to_staff = command.to_staff or before.to_staff
    if to_store == facts.current.store_code:
        to_store = None
    if to_store is None and to_staff == facts.current.staff_code:
        to_staff = None
    if facts.pending is None and to_store is None and to_staff is None:
        message = "現在の店舗・スタッフと同じです"
        raise FormErrors(FieldError("to_store", "NOTHING_CHANGED", message))
    return PendingChange(
        registered_on=today,
        to_store=to_store,
        to_staff=to_staff,
        reason=command.reason or before.reason,
    )


def _check_destination(
    facts: ChangeFacts, command: RegisterChange, change: PendingChange, places: Places
) -> None:
    errors = []
    chosen = command.to_store
    if chosen not in {None, facts.current.store_code} and chosen not in places.usable_stores:
        message = "選択できない店舗です（未使用の営業所コード）"
        errors.append(FieldError("to_store", "STORE_NOT_USABLE", message))
    store = change.to_store or facts.current.store_code
    if change.to_staff is not None and (store, change.to_staff) not in places.staff:
        message = f"変更後スタッフ（{change.to_staff}）は店舗（{store}）に所属していません"
        errors.append(FieldError("to_staff", "STAFF_NOT_IN_STORE", message))
    if errors:
        raise FormErrors(*errors)
