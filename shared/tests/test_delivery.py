"""Delivery ledger and worker: no message is lost, and none is sent twice where that is promised.

The ledger here is a table of its own. Several workers run at once; each attempt may be killed at
any of its points, or may take longer than its lease.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Text, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared import audit
from shared.clock import SystemClock
from shared.concurrency import VersionConflict
from shared.db import EVERY_DEALER, Database
from shared.delivery.ledger import Deliverable, Ledger, Settlement
from shared.delivery.worker import DeliveryWorker
from shared.http import NotFound
from shared.notifications import NotificationListener, WorkSignal
from shared.testing.databases import TestDatabases
from shared.trace_context import new_id

NOW = datetime(2025, 7, 7, 1, 0, tzinfo=UTC)
MESSAGES = 25


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}  # noqa: RUF012  SQLAlchemy's


class Parcel(Deliverable, Base):
    __tablename__ = "parcel"

    parcel_id: Mapped[UUID] = mapped_column(primary_key=True)


class ParcelLog(audit.AuditEntry, Base):
    __tablename__ = "parcel_log"

    parcel_log_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    parcel_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.parcel_id"))
    at: Mapped[datetime]
    action: Mapped[str]
    actor: Mapped[str | None]


PARCELS = Ledger(Parcel, ParcelLog, channel="parcel")


class Killed(BaseException):
    """The process ends here; nothing after it runs."""


@dataclass(frozen=True, slots=True)
class Carrier(DeliveryWorker[Parcel, str]):
    """Hands parcels over; `kill` may end it at a point, `once` promises at most one delivery."""

    received: list[UUID]
    once: bool = True
    kill: Callable[[str], None] = lambda _: None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    results: list[str] = field(default_factory=lambda: ["delivered"])

    @property
    def lease_s(self) -> float:
        return 60

    async def claim(self, tx: AsyncSession) -> Parcel | None:
        return await PARCELS.claim(tx, lease_s=self.lease_s, now=NOW)

    async def next_due(self, tx: AsyncSession) -> float | None:
        return await PARCELS.next_due(tx)

    def tracing(self, _: Parcel) -> AbstractContextManager[object]:
        return nullcontext()

    async def attempt(self, message: Parcel) -> str | None:
        self.kill("claimed")
        if self.once:
            async with self.database.transaction(EVERY_DEALER) as tx:
                if not await PARCELS.begin(tx, message):
                    return None
            self.kill("begun")
        self.received.append(message.parcel_id)
        await self.gate.wait()
        self.kill("sent")
        return self.results[0] if len(self.results) == 1 else self.results.pop(0)

    async def settle(self, tx: AsyncSession, message: Parcel, result: str) -> str | None:
        retry_after = timedelta() if result == "put_off" else None
        settled = await PARCELS.settle(tx, message, Settlement(result, retry_after), now=NOW)
        self.kill("settled, not committed")
        return result if settled else None

    def report(self, *_: object) -> None:
        self.kill("committed")


@dataclass
class Depot:
    """A database with parcels, and what their recipients got."""

    database: Database
    received: list[UUID] = field(default_factory=list)

    def carrier(self, *, held: bool = False, once: bool = True) -> Carrier:
        made = Carrier(self.database, SystemClock(), self.received, once)
        if not held:
            made.gate.set()
        return made

    async def add(self, number: int = 1) -> None:
        async with self.database.transaction(EVERY_DEALER) as tx:
            for _ in range(number):
                tx.add(Parcel(parcel_id=new_id(), dealer_id="D01", planned_at=NOW))

    async def expire_leases(self) -> None:
        """Every lease and every delay is over."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            await tx.execute(text("UPDATE parcel SET due_at = clock_timestamp()"))

    async def mark_lost(self) -> None:
        """Settle as unknown what was left after `begin`."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            for parcel in await PARCELS.lost(tx):
                await PARCELS.settle(tx, parcel, Settlement("unknown"), now=NOW, keep_claim=True)

    async def states(self) -> list[str]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            found = await tx.execute(text("SELECT state FROM parcel ORDER BY parcel_id"))
            return list(found.scalars())

    async def steps(self) -> list[str]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            found = await tx.execute(text("SELECT action FROM parcel_log ORDER BY parcel_log_id"))
            return list(found.scalars())

    async def run_until_settled(self, *, once: bool, seed: int) -> None:
        """Four workers that are killed at random points, until nothing is left to do."""
        for round_ in range(200):
            random = Random(f"{seed}/{round_}")
            await asyncio.gather(*(self._work(once, random) for _ in range(4)))
            await self.expire_leases()
            await self.mark_lost()
            if not {"scheduled", "sending"} & set(await self.states()):
                return
        raise AssertionError("messages are left over")

    async def _work(self, once: bool, random: Random) -> None:
        def kill(_: str) -> None:
            if random.random() < 0.15:
                raise Killed

        carrier = replace(self.carrier(once=once), kill=kill)
        try:
            while await carrier.send_one():
                pass
        except Killed:
            pass


@pytest.fixture
async def depot(
    new_database: Callable[[str], Awaitable[str]], databases: TestDatabases
) -> AsyncIterator[Depot]:
    url = await new_database("shared")
    database, owner = Database(url), Database(databases.owner_url(url))
    async with owner.transaction(EVERY_DEALER) as tx:
        await tx.run_sync(lambda session: Base.metadata.create_all(session.connection()))
        await tx.execute(
            text(
                "CREATE TRIGGER ring AFTER INSERT ON parcel FOR EACH STATEMENT"
                " EXECUTE FUNCTION ring('parcel')"
            )
        )
    yield Depot(database)
    async with owner.transaction(EVERY_DEALER) as tx:
        await tx.run_sync(lambda session: Base.metadata.drop_all(session.connection()))
    await owner.close()
    await database.close()


@pytest.mark.parametrize("seed", range(3))
async def test_at_most_once_sends_nothing_twice_and_loses_nothing(depot: Depot, seed: int) -> None:
    await depot.add(MESSAGES)
    await depot.run_until_settled(once=True, seed=seed)
    states = Counter(await depot.states())
    assert set(Counter(depot.received).values()) == {1}
    assert states["delivered"] + states["unknown"] == MESSAGES
    assert states["unknown"] > 0
    assert states["delivered"] <= len(depot.received) <= MESSAGES


@pytest.mark.parametrize("seed", range(3))
async def test_at_least_once_delivers_everything_and_repeats_only_what_was_lost(
    depot: Depot, seed: int
) -> None:
    await depot.add(MESSAGES)
    await depot.run_until_settled(once=False, seed=seed)
    assert await depot.states() == ["delivered"] * MESSAGES
    steps = Counter(await depot.steps())
    assert len(set(depot.received)) == steps["delivered"] == MESSAGES
    # Each repetition is the fault of a worker that was lost, and the log says so.
    assert 0 < len(depot.received) - MESSAGES <= steps["lost"]


async def test_a_lease_keeps_a_message_from_other_workers(depot: Depot) -> None:
    await depot.add()
    first = depot.carrier(held=True, once=False)
    slow = asyncio.create_task(first.send_one())
    while not depot.received:  # noqa: ASYNC110  the worker has no event for it
        await asyncio.sleep(0.01)
    assert await depot.carrier(once=False).send_one() is False
    first.gate.set()
    await slow
    assert await depot.states() == ["delivered"]


async def test_a_worker_whose_lease_expired_cannot_overwrite_what_another_settled(
    depot: Depot,
) -> None:
    await depot.add()
    first = replace(depot.carrier(held=True, once=False), results=["failed"])
    slow = asyncio.create_task(first.send_one())
    while not depot.received:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await depot.expire_leases()
    assert await depot.carrier(once=False).send_one() is True
    first.gate.set()
    await slow
    assert await depot.states() == ["delivered"]
    assert await depot.steps() == ["lost", "delivered"]


async def test_a_worker_whose_lease_expired_before_begin_sends_nothing(depot: Depot) -> None:
    await depot.add()
    claimed = []
    for _ in range(2):
        async with depot.database.transaction(EVERY_DEALER) as tx:
            parcel = await PARCELS.claim(tx, lease_s=60, now=NOW)
        assert parcel is not None
        claimed.append(parcel)
        await depot.expire_leases()
    async with depot.database.transaction(EVERY_DEALER) as tx:
        assert [await PARCELS.begin(tx, parcel) for parcel in claimed] == [False, True]


async def test_a_slow_worker_replaces_unknown_by_the_truth(depot: Depot) -> None:
    await depot.add()
    first = depot.carrier(held=True)
    slow = asyncio.create_task(first.send_one())
    while not depot.received:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await depot.expire_leases()
    assert await depot.carrier().send_one() is False
    await depot.mark_lost()
    assert await depot.states() == ["unknown"]
    first.gate.set()
    await slow
    assert await depot.states() == ["delivered"]
    assert await depot.steps() == ["unknown", "delivered"]


async def test_what_is_put_off_waits_for_its_time(depot: Depot) -> None:
    await depot.add()
    carrier = replace(depot.carrier(once=False), results=["put_off", "delivered"])
    assert await carrier.send_one() is True
    async with depot.database.transaction(EVERY_DEALER) as tx:
        due_s = await PARCELS.next_due(tx)
    assert due_s is not None
    assert due_s <= 0
    assert await carrier.send_one() is True
    assert await carrier.send_one() is False
    assert await depot.steps() == ["put_off", "delivered"]


async def test_a_person_resends_the_version_they_saw(depot: Depot) -> None:
    await depot.add()
    await depot.carrier().send_one()
    async with depot.database.transaction(EVERY_DEALER) as tx:
        [parcel_id] = (await tx.execute(text("SELECT parcel_id FROM parcel"))).scalars()
        [version] = (await tx.execute(text("SELECT version FROM parcel"))).scalars()
    for wrong, expected in ((new_id(), version), (parcel_id, version - 1)):
        with pytest.raises((NotFound, VersionConflict)):
            async with depot.database.transaction(EVERY_DEALER) as tx:
                await PARCELS.locked(tx, wrong, expected_version=expected, changed="")
    async with depot.database.transaction(EVERY_DEALER) as tx:
        parcel = await PARCELS.locked(tx, parcel_id, expected_version=version, changed="")
        await PARCELS.resend(tx, parcel, now=NOW)
        assert (parcel.state, parcel.attempts, parcel.version) == ("scheduled", 0, version + 1)
    await depot.carrier().send_one()
    assert depot.received == [parcel_id, parcel_id]
    assert await depot.steps() == ["delivered", "resend", "delivered"]


async def test_a_resend_wakes_the_workers(depot: Depot) -> None:
    await depot.add()
    await depot.carrier().send_one()
    listener = NotificationListener(depot.database.url, ["parcel"])
    signal, listening = listener["parcel"], asyncio.create_task(listener.run())
    async with asyncio.timeout(60):
        while not signal.listening:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        seen = signal.count
        async with depot.database.transaction(EVERY_DEALER) as tx:
            [parcel_id] = (await tx.execute(text("SELECT parcel_id FROM parcel"))).scalars()
            parcel = await tx.get_one(Parcel, parcel_id)
            await PARCELS.resend(tx, parcel, now=NOW)
        while signal.count == seen:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    listening.cancel()
    await asyncio.wait({listening})


async def test_a_running_worker_is_woken_and_settles_what_is_in_flight_when_stopped(
    depot: Depot,
) -> None:
    listener = NotificationListener(depot.database.url, ["parcel"])
    carrier = depot.carrier(held=True)
    running = [
        asyncio.create_task(listener.run()),
        asyncio.create_task(carrier.run(listener["parcel"])),
    ]
    await depot.add()
    async with asyncio.timeout(60):
        while not depot.received:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for task in running:
        task.cancel()
    asyncio.get_running_loop().call_later(0.1, carrier.gate.set)
    await asyncio.wait(running)
    assert await depot.states() == ["delivered"]


async def test_one_broken_message_does_not_stop_the_lanes(depot: Depot) -> None:
    await depot.add(3)
    broken: list[str] = []

    def kill(point: str) -> None:
        if point == "claimed" and not broken:
            broken.append(point)
            raise RuntimeError("a defect")

    running = asyncio.create_task(replace(depot.carrier(), kill=kill).run(WorkSignal()))
    async with asyncio.timeout(60):
        while (await depot.states()).count("delivered") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait({running})
    assert sorted(await depot.states()) == ["delivered", "delivered", "scheduled"]
