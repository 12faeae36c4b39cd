"""Tracing: the cost of spans, and an unavailable collector, which must cost nothing."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import tracing
from shared.trace_context import TraceContext, current_context

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MORE_THAN_THE_QUEUE_HOLDS = 5000


@pytest.fixture
def seen() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.record("test", SimpleSpanProcessor(exporter))
    yield exporter
    tracing.stop()


async def test_without_a_collector_a_step_keeps_the_trace_and_records_nothing() -> None:
    with tracing.step("process", "CONSUMER", TraceContext(traceparent=TRACE), {}) as step:
        assert step is tracing.NO_STEP
        assert current_context().traceparent == TRACE
        assert tracing.onward().split("-")[1] == TRACE.split("-")[1]
    with tracing.step("timer", "INTERNAL", TraceContext(), {}):
        assert current_context().traceparent is not None


async def test_a_step_hangs_below_the_trace_that_came(seen: InMemorySpanExporter) -> None:
    with tracing.step("process", "CONSUMER", TraceContext(traceparent=TRACE), {"attempt": 1}):
        inside = current_context().traceparent
        assert tracing.onward() == inside
        tracing.note("event added", {"type": "a.v1"})
    [span] = seen.get_finished_spans()
    assert inside == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == TRACE.split("-")[2]
    assert [event.name for event in span.events] == ["event added"]


@pytest.mark.parametrize("given", [None, "", "00-nonsense", f"{TRACE}-山本", "00" * 30])
async def test_what_is_no_trace_begins_a_new_one(
    seen: InMemorySpanExporter, given: str | None
) -> None:
    with tracing.step("request", "SERVER", TraceContext(traceparent=given), {}):
        pass
    [span] = seen.get_finished_spans()
    assert span.parent is None


async def test_a_trace_that_its_beginner_does_not_keep_is_not_kept(
    seen: InMemorySpanExporter,
) -> None:
    with tracing.step("request", "SERVER", TraceContext(traceparent=f"{TRACE[:-2]}00"), {}):
        assert tracing.onward().endswith("-00")
    assert seen.get_finished_spans() == ()


async def test_a_failure_is_recorded_by_its_type_alone(seen: InMemorySpanExporter) -> None:
    with (
        pytest.raises(ValueError, match="山本"),
        tracing.step("process", "CONSUMER", TraceContext(), {}),
    ):
        raise ValueError("山本 太郎")
    [span] = seen.get_finished_spans()
    assert (span.status.status_code.name, span.status.description) == ("ERROR", None)
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert span.events == ()


async def test_what_was_rolled_back_is_never_recorded(seen: InMemorySpanExporter) -> None:
    committed: list[tracing.Step] = []
    with tracing.step("kept", "CONSUMER", TraceContext(), {}, until_committed=committed):
        pass
    with tracing.step("rolled back", "CONSUMER", TraceContext(), {}, until_committed=[]):
        pass
    assert seen.get_finished_spans() == ()
    for step in committed:
        step.end()
    assert [span.name for span in seen.get_finished_spans()] == ["kept"]


@pytest.fixture
def silent_collector() -> Iterator[tuple[int, threading.Event]]:
    """It accepts connections and never answers; the event is set when data was received."""
    asked, lines = threading.Event(), list[socket.socket]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                lines.append(line)
                asked.set()

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], asked
        server.shutdown(socket.SHUT_RDWR)
    for line in lines:
        line.close()


async def test_a_silent_collector_delays_nothing(
    silent_collector: tuple[int, threading.Event],
) -> None:
    port, asked = silent_collector
    tracing.start("test", f"http://127.0.0.1:{port}/")
    try:
        for _ in range(1000):
            with tracing.step("request", "SERVER", TraceContext(), {}):
                pass
        assert await asyncio.to_thread(asked.wait, 30)
        for _ in range(MORE_THAN_THE_QUEUE_HOLDS):  # while an export hangs; the overflow is dropped
            with tracing.step("request", "SERVER", TraceContext(), {}):
                pass
    finally:
        tracing.stop()
    assert not tracing.on()


async def test_an_unavailable_collector_is_ignored() -> None:
    with socket.socket() as unused:  # bound, not listening: refuses
        unused.bind(("127.0.0.1", 0))
        tracing.start("test", f"http://127.0.0.1:{unused.getsockname()[1]}")
        for _ in range(1000):
            with tracing.step("request", "SERVER", TraceContext(), {}):
                pass
        tracing.stop()
    assert not tracing.on()
