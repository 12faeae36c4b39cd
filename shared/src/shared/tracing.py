"""Tracing spans from click to mail, exported where an operator names a collector.

Written by hand at the few places where work comes in, goes out, or has waited (ADR 15): a request,
a call of another service, an event sent and processed, a timer, a mail. Attributes are ids, types
and counts, named after OpenTelemetry's conventions; never user input, and of an exception its type
alone. Without a collector a step only sets the current trace context.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    get_current_span,
    set_span_in_context,
    use_span,
)

from shared.trace_context import (
    TraceContext,
    child_of,
    current_context,
    known_trace,
    new_traceparent,
    use_context,
)

if TYPE_CHECKING:  # loaded only where a collector is named
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

Kind = Literal["SERVER", "CLIENT", "PRODUCER", "CONSUMER", "INTERNAL"]
Attributes = Mapping[str, str | int]

EXPORT_TIMEOUT_S = 3
"""Timeout of one export, and of the last one at shutdown."""


@dataclass(slots=True)
class _Recording:
    """The one recorder of this process; without a tracer no spans are recorded."""

    tracer: Tracer | None = None
    provider: "TracerProvider | None" = None


_recording = _Recording()


class Step:
    """A span under way. Without tracing it accepts and ignores all attributes."""

    __slots__ = ("_ended_at", "_span")

    def __init__(self, span: Span | None = None) -> None:
        self._span = span
        self._ended_at: int | None = None

    @property
    def traceparent(self) -> str | None:
        """The W3C trace with this step as the parent of following work; None without tracing."""
        if self._span is None:
            return None
        ids = self._span.get_span_context()
        return f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"

    def as_current(self) -> AbstractContextManager[object]:
        """Make this step the current span, which `note` writes to."""
        if self._span is None:
            return nullcontext()
        return use_span(self._span, record_exception=False, set_status_on_exception=False)

    def set_attributes(self, attributes: Attributes, *, name: str | None = None) -> None:
        """Set attributes that are known by now, and a better name if there is one."""
        if self._span is not None:
            self._span.set_attributes(attributes)
            if name is not None:
                self._span.update_name(name)

    def failed(self, why: str) -> None:
        """Mark the step as failed; `why` is a type or a code."""
        if self._span is not None:
            self._span.set_status(StatusCode.ERROR)
            self._span.set_attribute("error.type", why)

    def set_end(self) -> None:
        """Set the end time; `end` records it."""
        self._ended_at = time.time_ns()

    def end(self) -> None:
        """Record the step; a step that is never ended is never recorded."""
        if self._span is not None:
            self._span.end(self._ended_at)


NO_STEP = Step()


def on() -> bool:
    """Whether spans are recorded in this process."""
    return _recording.tracer is not None


def start(service: str, endpoint: str | None) -> None:
    """Send this process's spans to an OTLP collector (`http://host:4318`), if one is named.

    They are sent in batches from a thread. Spans that an unavailable or slow collector does not
    take are dropped; nothing waits for it. Finer settings: OpenTelemetry's own OTEL_* variables.
    """
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    url = f"{endpoint.rstrip('/')}/v1/traces"
    record(service, BatchSpanProcessor(OTLPSpanExporter(url, timeout=EXPORT_TIMEOUT_S)))


def record(service: str, processor: "SpanProcessor") -> None:
    """Send the spans of this process to `processor` from now on."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    resource = Resource.create({"service.name": service, "service.namespace": "madoguchi"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    _recording.provider, _recording.tracer = provider, provider.get_tracer("madoguchi")


def stop() -> None:
    """Flush the remaining spans, within a timeout, and stop recording."""
    provider, _recording.provider, _recording.tracer = _recording.provider, None, None
    if provider is not None:
        last = threading.Thread(target=provider.shutdown, daemon=True)
        last.start()
        last.join(EXPORT_TIMEOUT_S)


def begin(name: str, kind: Kind, parent: str | None, attributes: Attributes) -> Step:
    """Begin a step that is ended by `end`, below `parent` (a W3C trace) or as a new trace."""
    if _recording.tracer is None:
        return NO_STEP
    span = _recording.tracer.start_span(name, _below(parent), SpanKind[kind], dict(attributes))
    return Step(span)


@contextmanager
def step(
    name: str,
    kind: Kind,
    work: TraceContext,
    attributes: Attributes,
    *,
    until_committed: list[Step] | None = None,
) -> Iterator[Step]:
    """Make `work` the current context inside the block, and the block a step of its trace.

    `until_committed` collects the steps of a transaction: end them once it has committed. Those of
    a rolled-back transaction are never recorded.
    """
    if _recording.tracer is None:
        known = work if work.traceparent else replace(work, traceparent=new_traceparent())
        with use_context(known):
            yield NO_STEP
        return
    current = begin(name, kind, work.traceparent, attributes)
    try:
        with current.as_current(), use_context(replace(work, traceparent=current.traceparent)):
            yield current
    except BaseException as cause:
        current.failed(type(cause).__name__)
        raise
    finally:
        current.set_end()
        if until_committed is None:
            current.end()
        else:
            until_committed.append(current)


def calling(method: str, service: str) -> AbstractContextManager[Step]:
    """A call of another service for the current work; send `call_headers()` with it."""
    attributes = {"http.request.method": method, "peer.service": service}
    return step(f"{method} {service}", "CLIENT", current_context(), attributes)


def call_headers() -> dict[str, str]:
    """Headers that carry the current trace context to another service."""
    request_id = current_context().correlation_id
    return {"traceparent": onward()} | ({"x-request-id": request_id} if request_id else {})


def onward() -> str:
    """The W3C trace to send with whatever leaves the current step."""
    given = current_context().traceparent
    return given if given is not None and on() else child_of(given)


def messaging(
    name: str, kind: str, wire_type: str, event_id: UUID, stream: str
) -> dict[str, str | int]:
    """Attributes of every event, by OpenTelemetry's conventions for messaging.

    The system is our own: outbox and inbox, independent of the transport between them.
    """
    return {
        "messaging.system": "madoguchi",
        "messaging.operation.name": name,
        "messaging.operation.type": kind,
        "messaging.destination.name": wire_type,
        "messaging.message.id": str(event_id),
        "madoguchi.stream": stream,
    }


def note(name: str, attributes: Attributes) -> None:
    """Add an event to the current span."""
    if _recording.tracer is not None:
        get_current_span().add_event(name, dict(attributes))


def _below(parent: str | None) -> Context:
    """The context of a step under a W3C trace that came from elsewhere."""
    known = known_trace(parent)
    if known is None:
        return Context()
    _, trace_id, span_id, flags = known.split("-")
    sampled = TraceFlags(int(flags, 16))
    ids = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=sampled)
    return set_span_in_context(NonRecordingSpan(ids), Context())
