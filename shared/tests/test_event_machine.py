"""Event core as a state machine: each effect once and in order, whatever faults are mixed.

The real outbox, relay, RabbitTransport, inbox and worker run against a broker and a database in
memory. Hypothesis searches for a sequence of steps that breaks the guarantee; with one guarantee
switched off it finds one each time.
"""

import asyncio
import random
from collections.abc import Awaitable, Coroutine
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from pamqp.commands import Basic
from structlog.testing import capture_logs

from event_contracts.contract import NoteSaved
from resilience.faults.fake_event_tables import EFFECT, NOW, FakeEventTables, Transaction
from shared import outbox
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.event_batch import read_message
from shared.fault_injection import NO_FAULTS, FaultHooks, Guarantee
from shared.inbox import Inbox
from shared.rabbitmq import RabbitTransport, Topology
from shared.relay import Relay
from shared.testing.stepwise import drain
from shared.worker import Delivery, StreamLeaseLost, Worker

TOPOLOGY = Topology({"returns": ("contract",)})
SEARCH = settings(  # a hundred mixtures; three hundred with `--long`
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
FIND_ONE = settings(SEARCH, max_examples=3000, phases=[Phase.generate])

one_of_two = st.integers(0, 1)
seeds = st.integers(0, 2**16)
# Outcomes of a publish: "late" and "unanswered" ones are stored, "lost" and "refused" are not.
fates = st.lists(st.sampled_from(["ack", "late", "unanswered", "lost", "refused"]), max_size=6)
FAULTS = (
    "lanes are kept",
    "a lease runs out",
    "a relay is killed",
    "a worker is killed",
    "idle sessions are ended",
    "pauses end",
    "the faults end",
)


class Wire:
    """A channel whose publishes have the planned outcomes, and succeed after those."""

    is_closed = False

    def __init__(self, queue: list[Envelope], *, confirms: bool) -> None:
        self.queue = queue
        self.confirms = confirms
        self.plan: list[str] = []
        self.late: list[asyncio.Future[Basic.Ack]] = []

    async def basic_publish(
        self, body: bytes, *, properties: Basic.Properties, **_: object
    ) -> Basic.Ack | Basic.Nack | None:
        fate = self.plan.pop(0) if self.plan else "ack"
        if fate in {"ack", "late", "unanswered"}:
            self.queue += read_message(cast("dict[str, object]", properties.headers), body)[0]
        if not self.confirms:
            return None
        if fate == "late":
            answer = asyncio.get_running_loop().create_future()
            self.late.append(answer)
            return cast("Basic.Ack", await answer)
        if fate in {"unanswered", "lost"}:
            raise ConnectionError("the connection is lost")
        return Basic.Ack(1) if fate == "ack" else Basic.Nack(1)

    def answer(self) -> None:
        for late in self.late:
            late.set_result(Basic.Ack(1))
        self.late.clear()

    def break_off(self) -> None:
        for late in self.late:
            late.set_exception(ConnectionError("the connection is lost"))
        self.late.clear()


class EventMachine(RuleBasedStateMachine):
    """Two relays and two workers of one pair of services."""

    hooks = NO_FAULTS

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.memory = FakeEventTables()
        self.database = cast("Database", self.memory)
        self.queue: list[Envelope] = []
        self.delivered: list[Envelope] = []
        self.committed: set[tuple[str, int]] = set()
        self.weak: set[tuple[str, int]] = set()
        self.running: dict[str, asyncio.Task[Any]] = {}
        self.inbox = Inbox(self.database, "returns", self.hooks)
        self.wires = [self._wire(), self._wire()]
        self.relays = [self._relay(wire) for wire in self.wires]
        self.workers = [self._worker(0), self._worker(1)]
        self.stops_after: dict[int, int] = {}
        self.gates: dict[int, asyncio.Future[None]] = {}

    def _wire(self) -> Wire:
        return Wire(self.queue, confirms=self.hooks.is_enabled("confirms"))

    def _relay(self, wire: Wire) -> Relay:
        transport = RabbitTransport("amqp://nowhere", TOPOLOGY, hooks=self.hooks)
        transport._channel = cast("Any", wire)
        return Relay(
            self.database,
            transport,
            "/contracts",
            batch=4,
            lease=600,
            longest_pause=0,
            hooks=self.hooks,
        )

    def _worker(self, index: int) -> Worker:
        handlers = {NoteSaved.wire_type: partial(self._take_effect, index)}
        return Worker(
            self.database, "returns", handlers, SystemClock(), batch=2, attempts=3, hooks=self.hooks
        )

    async def _take_effect(
        self, worker: int, event: NoteSaved, _: Delivery, tx: Transaction
    ) -> None:
        await tx.execute(EFFECT, {"aggregate": event.contract_no, "n": event.note_version})
        self.stops_after[worker] = self.stops_after.get(worker, 0) - 1
        if self.stops_after[worker] == 0:
            self.gates[worker] = asyncio.get_running_loop().create_future()
            await self.gates[worker]
        if (event.contract_no, event.note_version) in self.weak:
            raise RuntimeError("not yet")

    def _begin(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Start a task that may stall."""
        self.running[name] = self.loop.create_task(work)
        self._spin()

    def _spin(self) -> None:
        """Run the event loop until everything is done or stalled."""

        async def a_while() -> None:
            for _ in range(60):
                await asyncio.sleep(0)

        self.loop.run_until_complete(a_while())
        for name, task in list(self.running.items()):
            if task.done():
                del self.running[name]
                cause = None if task.cancelled() else task.exception()
                if cause is not None and not isinstance(cause, OSError | StreamLeaseLost):
                    raise cause

    def _do(self, work: Awaitable[object]) -> object:
        return self.loop.run_until_complete(work)

    def _kill(self, name: str) -> None:
        if name in self.running:
            self.running[name].cancel()
            self._spin()

    @initialize(events=st.lists(st.sampled_from("AB"), min_size=2, max_size=6))
    def some_are_on_their_way(self, events: list[str]) -> None:
        for aggregate in events:
            self.commit(aggregate, 1, weak=False)
        self.relay_a_batch(0, [])

    @rule(aggregate=st.sampled_from("AB"), count=st.integers(1, 4), weak=st.booleans())
    def commit(self, aggregate: str, count: int, *, weak: bool) -> None:
        async def action() -> None:
            for _ in range(count):
                async with self.memory.transaction(EVERY_DEALER) as tx:
                    n = 1 + sum(a == aggregate for a, _ in self.committed)
                    note = NoteSaved(dealer_id="D", contract_no=aggregate, note_version=n, length=1)
                    assert await outbox.add(cast("Any", tx), note, now=NOW) == n
                self.committed.add((aggregate, n))
                if weak:
                    self.weak.add((aggregate, n))

        self._do(action())

    @rule(relay=one_of_two, plan=fates)
    def relay_a_batch(self, relay: int, plan: list[str]) -> None:
        """Begin a batch, or let the late confirms of the last one arrive."""
        if f"relay {relay}" in self.running:
            self.wires[relay].answer()
            self._spin()
        else:
            self.wires[relay].plan = plan
            self._begin(f"relay {relay}", self.relays[relay].relay_once())

    @rule(most=st.integers(1, 4), seed=seeds, acknowledged=st.booleans(), copies=st.booleans())
    def deliver(self, most: int, seed: int, *, acknowledged: bool, copies: bool) -> None:
        """Deliver some of the queue in any order; `copies` of earlier ones come first."""
        chance = random.Random(seed)
        arriving = chance.sample(self.queue, min(most, len(self.queue)))
        again = chance.sample(self.delivered, min(2, len(self.delivered))) if copies else []
        if not arriving + again:
            return
        self._do(self.inbox.store(again + arriving))
        if acknowledged:
            for event in arriving:
                self.queue.remove(event)
            self.delivered += arriving

    @rule(worker=one_of_two, stops_after=st.integers(0, 3))
    def process_a_batch(self, worker: int, stops_after: int) -> None:
        """Begin a batch, which may stall in a handler, or let it continue."""
        if f"worker {worker}" in self.running:
            self.gates[worker].set_result(None)
            self._spin()
        else:
            self.stops_after[worker] = stops_after
            self._begin(f"worker {worker}", self.workers[worker].process_batch())

    @rule(kind=st.sampled_from(FAULTS), index=one_of_two)
    def meet_a_fault(self, kind: str, index: int) -> None:
        match kind:
            case "lanes are kept":
                self._do(self.relays[index].renew_leases())
            case "a lease runs out":
                self.memory.expire(self.relays[index]._me)
            case "a relay is killed":
                self.kill_relay(index)
            case "a worker is killed":
                self._kill(f"worker {index}")
            case "idle sessions are ended":
                self.memory.end_sessions()
            case "pauses end":
                self.memory.time_passes()
            case _:
                self.weak.clear()
                self.memory.time_passes()

    def kill_relay(self, index: int) -> None:
        self._kill(f"relay {index}")
        self.wires[index].break_off()
        self.memory.expire(self.relays[index]._me)
        self.wires[index] = self._wire()
        self.relays[index] = self._relay(self.wires[index])
        self._spin()

    @invariant()
    def each_effect_once_and_in_order(self) -> None:
        for aggregate in "AB":
            happened = [n for a, n in self.memory.effects if a == aggregate]
            assert happened == list(range(1, len(happened) + 1)), self.memory.effects

    def teardown(self) -> None:
        """End all faults: then everything that was committed has taken effect."""
        try:
            for index in (0, 1):
                self.kill_relay(index)
                self._kill(f"worker {index}")
            self.meet_a_fault("the faults end", 0)
            self.stops_after.clear()
            while self._do(self.relays[0].relay_once()):
                pass
            self.deliver(len(self.queue), seed=0, acknowledged=True, copies=True)
            self._do(drain(self.workers[0]))
            self.each_effect_once_and_in_order()
            assert set(self.memory.effects) == self.committed
        finally:
            self.loop.close()


def test_no_mixture_of_faults_breaks_the_promise() -> None:
    with capture_logs():
        run_state_machine_as_test(EventMachine, settings=SEARCH)


@pytest.mark.parametrize("guarantee", ["dedupe", "confirms", "fencing", "key_blocking"])
def test_without_a_guarantee_a_broken_promise_is_found(guarantee: Guarantee) -> None:
    class Weakened(EventMachine):
        hooks = FaultHooks(frozenset({guarantee}))

    with capture_logs(), pytest.raises(AssertionError):
        run_state_machine_as_test(Weakened, settings=FIND_ONE)
