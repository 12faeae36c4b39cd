"""Notifications: waiters are woken by commits, poll seldom otherwise, and miss nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.contract import NoteSaved
from shared import metrics, outbox
from shared.clock import SystemClock, TravelClock
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.notifications import LISTENER, SELDOM_S, NotificationListener, WorkSignal
from shared.relay import Relay
from shared.service import Service, ServiceRuntime
from shared.timers import TimerWorker, set_timer
from shared.trace_context import new_id
from shared.transport import EmbeddedTransport
from shared.worker import Delivery, Worker

AsOwner = Callable[[str, str], Awaitable[None]]
CHANNELS = ("outbox", "inbox", "timer")
TIMEOUT_S = SELDOM_S - 5
"""Shorter than the polling interval."""


@pytest.fixture
async def database(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Database]:
    database = Database(await new_database("shared"))
    yield database
    await database.close()


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(happens: Callable[[], bool], seconds: float = TIMEOUT_S) -> None:
    async with asyncio.timeout(seconds):
        while not happens():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements sent to the database."""
    seen: list[str] = []

    def note(*details: Any) -> None:
        seen.append(details[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


def note(sequence: int) -> Envelope:
    event = NoteSaved(dealer_id="D01", contract_no="A", note_version=sequence, length=1)
    return Envelope(
        event_id=new_id(),
        source="/contracts",
        type=event.wire_type,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        sequence=sequence,
        dealer_id=event.dealer_id,
        occurred_at=datetime.now(UTC),
        payload=event.model_dump_json().encode(),
        headers={},
    )


class Handled:
    """A worker that counts what it handles, after the given number of failures."""

    def __init__(self, database: Database) -> None:
        self.count, self.failures = 0, 0
        handlers = {NoteSaved.wire_type: self.take}
        self.worker = Worker(database, "returns", handlers, SystemClock(), pause=0.2)

    async def take(self, _event: NoteSaved, _delivery: Delivery, _tx: AsyncSession) -> None:
        if self.failures:
            self.failures -= 1
            raise ValueError("not yet")
        self.count += 1


@asynccontextmanager
async def without_notifications(
    database: Database, table: str, as_owner: AsOwner
) -> AsyncIterator[None]:
    """Commits do not notify inside the block; the database is reused by other tests."""
    await as_owner(database.url, f"ALTER TABLE {table} DISABLE TRIGGER ring")
    try:
        yield
    finally:
        await as_owner(database.url, f"ALTER TABLE {table} ENABLE TRIGGER ring")


async def test_a_signal_while_a_waiter_was_busy_is_not_lost_to_another() -> None:
    wakeup, woken = WorkSignal(), []
    wakeup.listening = True
    seen = wakeup.count

    async def waiter() -> None:
        await wakeup.wait(wakeup.count)
        woken.append("other")

    async with running(waiter()):
        await asyncio.sleep(0)
        wakeup.set()
        await until(lambda: woken == ["other"])
        async with asyncio.timeout(TIMEOUT_S):
            await wakeup.wait(seen)  # it was set while this one looked for work


async def test_idle_parts_poll_once_per_long_interval(database: Database) -> None:
    service = ServiceRuntime(Service("returns", "shared"), database, SystemClock())
    began = time.monotonic()
    with statements(database) as seen:
        async with running(service.work(EmbeddedTransport({}, {}))):
            await until(lambda: service.listener["inbox"].listening)
            await asyncio.sleep(3)
    most = (
        3 + (time.monotonic() - began) / SELDOM_S
    )  # before it listened, at that moment, and since
    assert 1 <= sum("FROM inbox i JOIN" in s and "FOR UPDATE" in s for s in seen) <= most
    assert 1 <= sum("FROM timer" in s and "FOR UPDATE" in s for s in seen) <= most
    assert 1 <= sum("SELECT EXISTS (SELECT FROM outbox_queue)" in s for s in seen) <= 3 * most


async def test_an_idle_relay_writes_nothing_and_starts_at_a_commit(database: Database) -> None:
    inbox = Inbox(database, "returns")
    relay = Relay(database, EmbeddedTransport({"returns": inbox}, {"returns": ("contract",)}), "/c")
    listener = NotificationListener(database.url, CHANNELS)
    with statements(database) as seen:
        async with running(listener.run(), relay.run(listener["outbox"])):
            await until(lambda: listener["outbox"].listening)
            await asyncio.sleep(0.5)
            written = [s for s in seen if not s.lstrip().startswith("SELECT")]
            assert written == []
            async with database.transaction(EVERY_DEALER) as tx:
                event = NoteSaved(dealer_id="D01", contract_no="A", note_version=1, length=1)
                await outbox.add(tx, event, now=datetime.now(UTC))
            await until(lambda: any("DELETE FROM outbox_queue" in s for s in seen))


async def test_a_relay_at_rest_takes_over_what_a_vanished_one_left(database: Database) -> None:
    gone = Relay(database, EmbeddedTransport({}, {}), "/c", lease=1)
    await gone.renew_leases()
    heir, listener = (
        Relay(database, EmbeddedTransport({}, {}), "/c", lease=1),
        NotificationListener(database.url, CHANNELS),
    )
    with statements(database) as seen:
        async with running(listener.run(), heir.run(listener["outbox"])):
            await until(lambda: listener["outbox"].listening)
            async with database.transaction(EVERY_DEALER) as tx:
                event = NoteSaved(dealer_id="D01", contract_no="A", note_version=1, length=1)
                await outbox.add(tx, event, now=datetime.now(UTC))
            await until(lambda: any("DELETE FROM outbox_queue" in s for s in seen))


@pytest.mark.parametrize("listens", [True, False], ids=["notification lost", "no listener"])
async def test_an_event_without_a_notification_is_found_by_polling(
    database: Database, as_owner: AsOwner, listens: bool
) -> None:
    listener, handled = (
        NotificationListener(database.url, CHANNELS, seldom_s=0.2),
        Handled(database),
    )
    listening = [listener.run()] if listens else []
    async with (
        without_notifications(database, "inbox", as_owner),
        running(*listening, handled.worker.run(listener["inbox"])),
    ):
        await until(lambda: listener["inbox"].listening == listens)
        await Inbox(database, "returns").store([note(1)])
        await until(lambda: handled.count == 1)


async def test_a_lost_listener_ends_long_waits_and_reconnects(database: Database) -> None:
    listener = NotificationListener(database.url, CHANNELS)
    wakeup = listener["inbox"]
    async with running(listener.run()):
        await until(lambda: wakeup.listening)
        seen = wakeup.count
        waiting = asyncio.create_task(wakeup.wait(seen))
        async with database.transaction(EVERY_DEALER) as tx:
            ended = await tx.execute(text(f"SELECT pg_terminate_backend(pid) {LISTENERS}"))
            assert len(ended.all()) == 1
        await waiting
        assert wakeup.count > seen
        await until(lambda: wakeup.listening and wakeup.count >= seen + 2)


LISTENERS = f"""
    FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{LISTENER}'
"""


async def test_a_service_listens_on_one_connection(database: Database) -> None:
    service = Service("returns", "shared", channels=("mail",))
    service_running = ServiceRuntime(service, database, SystemClock())

    async with running(service_running.work(EmbeddedTransport({}, {}))):
        await until(lambda: service_running.listener["mail"].listening)
        seen = service_running.listener["mail"].count
        async with database.transaction(EVERY_DEALER) as tx:
            listeners = (await tx.execute(text(f"SELECT count(*) {LISTENERS}"))).scalar_one()
            await tx.execute(text("NOTIFY mail"))
        await until(lambda: service_running.listener["mail"].count > seen)
    assert listeners == 1


async def test_a_failed_event_is_tried_again_when_it_falls_due(database: Database) -> None:
    listener, handled = NotificationListener(database.url, CHANNELS), Handled(database)
    handled.failures = 2
    async with running(listener.run(), handled.worker.run(listener["inbox"])):
        await until(lambda: listener["inbox"].listening)
        await Inbox(database, "returns").store([note(1)])
        await until(lambda: handled.count == 1)


async def test_timers_are_slept_for_and_woken_by_an_earlier_one_and_by_a_set_clock(
    database: Database,
) -> None:
    clock, fired, listener = TravelClock(), [], NotificationListener(database.url, CHANNELS)

    async def fire(key: str, _: dict[str, Any], _now: datetime, _tx: AsyncSession) -> None:
        fired.append(key)

    async def set_for(key: str, after: timedelta) -> None:
        async with database.transaction(EVERY_DEALER) as tx:
            await set_timer(tx, "stale", key, clock.now() + after, {})

    worker = TimerWorker(database, "returns", {"stale": fire}, clock)
    await set_for("in a week", timedelta(days=7))
    async with running(listener.run(), worker.run(listener["timer"])):
        await until(lambda: listener["timer"].listening)
        await set_for("soon", timedelta(seconds=0.5))
        await until(lambda: fired == ["soon"])
        clock.travel_to(clock.now() + timedelta(days=8))
        listener["timer"].set()
        await until(lambda: fired == ["soon", "in a week"])


async def test_the_wait_for_a_timer_is_known_to_the_second(database: Database) -> None:
    now = datetime(2025, 7, 7, tzinfo=UTC)
    clock = TravelClock()
    clock.travel_to(now)
    worker = TimerWorker(database, "returns", {}, clock)
    assert await worker.next_due() is None
    async with database.transaction(EVERY_DEALER) as tx:
        for key, days in (("A", 7), ("B", 3)):
            await set_timer(tx, "stale", key, now + timedelta(days=days), {})
    due_s = await worker.next_due()
    assert due_s is not None
    assert due_s <= timedelta(days=3).total_seconds() < due_s + 3600
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(
            text("UPDATE timer SET due_at = :now, retry_at = now() + interval '1 hour'"),
            {"now": now},
        )
    again_s = await worker.next_due()
    assert again_s is not None
    assert again_s <= 3600 < again_s + 600


async def test_a_lag_of_zero_is_sampled_once_a_minute(database: Database) -> None:
    async def sampled(times: int) -> int:
        for _ in range(times):
            await metrics.sample(database, metrics.Gauges("returns"), now=SystemClock().now())
        async with database.transaction(EVERY_DEALER) as tx:
            return int((await tx.execute(text("SELECT count(*) FROM lag_sample"))).scalar_one())

    assert await sampled(3) == 1
    await Inbox(database, "returns").store([note(1)])
    assert await sampled(2) == 3
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("DELETE FROM inbox"))
    assert await sampled(2) == 4
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("UPDATE lag_sample SET taken_at = taken_at - interval '2 minutes'"))
    assert await sampled(2) == 5
