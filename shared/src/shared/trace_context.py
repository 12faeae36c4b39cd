"""Trace context: the request or event that the current task works for, from click to last mail.

The ids live in context variables so that the outbox can stamp them on every event and the
log on every line, without each function passing them on.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID

import uuid_utils

TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Ids for tracing, and the acting person or component, of the current task."""

    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    actor: str | None = None


NO_CONTEXT = TraceContext()
_work: ContextVar[TraceContext] = ContextVar("work", default=NO_CONTEXT)


def current_context() -> TraceContext:
    """The context of the current task; empty outside any request or event."""
    return _work.get()


@contextlib.contextmanager
def use_context(work: TraceContext) -> Iterator[TraceContext]:
    """Make `work` the current context inside the block."""
    token = _work.set(work)
    try:
        yield work
    finally:
        _work.reset(token)


def context_of_event(event_id: UUID, headers: Mapping[str, str]) -> TraceContext:
    """The context for handling an event: the event is the cause, its correlation is kept."""
    return TraceContext(
        correlation_id=headers.get("correlationid"),
        causation_id=str(event_id),
        traceparent=headers.get("traceparent"),
        actor=headers.get("actor"),
    )


def set_actor(actor: str) -> None:
    """Set the acting person, once the request is authenticated."""
    _work.set(replace(_work.get(), actor=actor))


def new_id() -> UUID:
    """A fresh UUIDv7: unique, and in the order of creation."""
    return UUID(int=uuid_utils.uuid7().int)


def new_traceparent() -> str:
    """The start of a new W3C trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def known_trace(traceparent: str | None) -> str | None:
    """The given W3C traceparent if it is valid, else None."""
    return traceparent if traceparent and TRACEPARENT.match(traceparent) else None


def child_of(traceparent: str | None) -> str:
    """The next hop of a W3C trace: same trace id, new span id; a new trace if it is invalid."""
    known = known_trace(traceparent)
    if known is None:
        return new_traceparent()
    version, trace_id, _, flags = known.split("-")
    return f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"
