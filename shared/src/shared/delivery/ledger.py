"""Delivery ledger: a table of messages, leased one at a time and settled under the lease's token.

    scheduled ─claim→ scheduled ─settle→ delivered | scheduled again | failed | …
                  │       └(lease expired)→ claimed by another worker
                  └begin→ sending ─settle→ the same
                              └(lease expired)→ unknown, never claimed again

Each step is one short transaction, and nothing remote happens inside it. A service that must not
repeat a message calls `begin` before the message can leave: at most once. A service that may
repeat it does not: at least once. Every settlement names the claim, so that a worker whose lease
expired cannot overwrite what another one has settled since.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, func, inspect, select, text, update
from sqlalchemy import insert as insert_row
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, mapped_column

from shared.concurrency import check_version
from shared.http import NotFound
from shared.trace_context import current_context, new_id

SCHEDULED = "scheduled"
SENDING = "sending"
LOST_AT_ONCE = 100


class Deliverable:
    """Mixin of a table of messages.

    `due_at` runs by the database's clock: when a scheduled message may be tried, or when the lease
    of the worker that has it (`claim`) expires. `attempts` counts the claims since a person last
    asked for the message.
    """

    dealer_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'scheduled'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    claim: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    planned_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    correlation_id: Mapped[str | None]
    traceparent: Mapped[str | None]


Message = TypeVar("Message", bound=Deliverable)


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of an attempt: `step` goes into the log and becomes the state.

    With `retry_after` the message is scheduled again instead. `values` are further columns of the
    message, `log` those of its log entry.
    """

    step: str
    retry_after: timedelta | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    log: Mapping[str, object] = field(default_factory=dict)


class Ledger(Generic[Message]):
    """The messages of one table, with the log of what happened to each.

    `channel` is notified when a person asks for a message again. `ready` limits which due messages
    may be claimed now. `log_columns` gives the columns that each log entry takes from its message.
    """

    def __init__(
        self,
        model: type[Message],
        log: type[DeclarativeBase],
        *,
        channel: str,
        ready: Sequence[ColumnElement[bool] | TextClause] = (),
        log_columns: Callable[[Message], Mapping[str, object]] = lambda _: {},
    ) -> None:
        self._model, self._log, self._channel = model, log, channel
        self._log_columns = log_columns
        [column] = inspect(model).primary_key
        self._key: InstrumentedAttribute[UUID] = getattr(model, column.key)
        self._due = (
            select(model)
            .where(model.state == SCHEDULED, model.due_at <= func.clock_timestamp(), *ready)
            .order_by(model.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        self._lost = (
            select(model)
            .where(model.state == SENDING, model.due_at <= func.clock_timestamp())
            .order_by(model.due_at)
            .limit(LOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        )

    async def claim(self, tx: AsyncSession, *, lease_s: float, now: datetime) -> Message | None:
        """Lease the message that has been due longest; None where none is due."""
        message = (await tx.scalars(self._due)).one_or_none()
        if message is None:
            return None
        if message.claim is not None:
            await self.log(tx, message, "lost", now=now)
        claimed = (
            update(self._model)
            .where(self._key == self.id_of(message))
            .values(
                claim=new_id(),
                attempts=self._model.attempts + 1,
                due_at=func.clock_timestamp() + timedelta(seconds=lease_s),
            )
            .returning(self._model)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return (await tx.scalars(claimed)).one()

    async def next_due(self, tx: AsyncSession, *, overdue_s: float | None = None) -> float | None:
        """Seconds until the next message is due, at most 0 if one is; None without any.

        With `overdue_s`, messages that have been due for longer do not count: they wait for
        another message, and are found when that one is settled.
        """
        seconds = func.extract("epoch", func.min(self._model.due_at) - func.clock_timestamp())
        waiting = select(seconds).where(self._model.state == SCHEDULED)
        if overdue_s is not None:
            since = func.clock_timestamp() - timedelta(seconds=overdue_s)
            waiting = waiting.where(self._model.due_at > since)
        due_s = await tx.scalar(waiting)
        return None if due_s is None else float(due_s)

    async def begin(self, tx: AsyncSession, message: Message, **values: object) -> bool:
        """Mark a claimed message as leaving; from here on no other worker claims it.

        False if the lease expired and another worker has the message.
        """
        return await self._set(tx, message, self._model.state == SCHEDULED, state=SENDING, **values)

    async def settle(
        self,
        tx: AsyncSession,
        message: Message,
        settlement: Settlement,
        *,
        now: datetime,
        keep_claim: bool = False,
    ) -> bool:
        """Record the result of an attempt; False if another worker has the message.

        `keep_claim` is for a message found by `lost`: its worker may only be slow, and what it
        reports later is the truth.
        """
        again = settlement.retry_after is not None
        held = await self._set(
            tx,
            message,
            state=SCHEDULED if again else settlement.step,
            claim=message.claim if keep_claim else None,
            due_at=func.clock_timestamp() + (settlement.retry_after or timedelta()),
            settled_at=None if again else now,
            **settlement.values,
        )
        if held:
            await self.log(tx, message, settlement.step, now=now, **settlement.log)
        return held

    async def lost(self, tx: AsyncSession) -> Sequence[Message]:
        """Messages whose worker did not come back after `begin`, locked."""
        return (await tx.scalars(self._lost)).all()

    async def locked(
        self, tx: AsyncSession, message_id: UUID, *, expected_version: int, changed: str
    ) -> Message:
        """A message as a person saw it. Raises NotFound, VersionConflict."""
        message = await tx.get(self._model, message_id, with_for_update=True)
        if message is None:
            raise NotFound
        check_version(message.version, expected_version, changed, state=message.state)
        return message

    async def resend(
        self,
        tx: AsyncSession,
        message: Message,
        *,
        now: datetime,
        log: Mapping[str, object] | None = None,
        **values: object,
    ) -> None:
        """Schedule a locked message again because a person asked, with all attempts before it."""
        message.attempts = 0
        await self.log(tx, message, "resend", now=now, **(log or {}))
        again: dict[str, object] = {
            "state": SCHEDULED,
            "attempts": 0,
            "claim": None,
            "due_at": func.clock_timestamp(),
            "settled_at": None,
            "version": self._model.version + 1,
        }
        await tx.execute(
            update(self._model)
            .where(self._key == self.id_of(message))
            .values(**again | values)
            .execution_options(synchronize_session=False)
        )
        await tx.execute(select(func.pg_notify(self._channel, "")))
        await tx.refresh(message)

    async def log(
        self, tx: AsyncSession, message: Message, step: str, *, now: datetime, **columns: object
    ) -> None:
        """Record what happened to a message, and who did it if it was a person."""
        entry: dict[str, object] = {
            self._key.key: self.id_of(message),
            "dealer_id": message.dealer_id,
            "at": now,
            "action": step,
            "actor": current_context().actor,
        }
        values = entry | dict(self._log_columns(message)) | columns
        await tx.execute(insert_row(self._log).values(**values))

    def id_of(self, message: Message) -> UUID:
        """The primary key of a message."""
        found: UUID = getattr(message, self._key.key)
        return found

    async def _set(
        self,
        tx: AsyncSession,
        message: Message,
        *conditions: ColumnElement[bool],
        **values: object,
    ) -> bool:
        """Change a message while its claim holds; the row stays locked until the commit."""
        held = (self._key == self.id_of(message), self._model.claim == message.claim)
        changed = await tx.execute(
            update(self._model)
            .where(*held, *conditions)
            .values(**values, version=self._model.version + 1)
            .returning(self._model.version)
            .execution_options(synchronize_session=False)
        )
        return changed.first() is not None
