"""How does every process log? One JSON line per fact, with the ids of the work it belongs to.

Personal data is never logged: log ids and codes, not names, addresses or texts. A traceback shows
where something happened, never with which values: among them are tokens and people.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from shared.context import current_work


def _with_work(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    work = current_work()
    if work.traceparent:
        line.setdefault("trace_id", work.traceparent.split("-")[1])
    if work.correlation_id:
        line.setdefault("correlation_id", work.correlation_id)
    if work.causation_id:
        line.setdefault("event_id", work.causation_id)
    return line


def configure(*, pretty: bool = False, level: str = "INFO") -> None:
    """Set structlog up once per process; `pretty` is for a person at a terminal."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_work,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
            if not pretty
            else structlog.processors.StackInfoRenderer(),
            structlog.dev.ConsoleRenderer()
            if pretty
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s %(message)s")
