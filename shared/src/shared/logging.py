"""Structured logging: one JSON line per fact, with the ids of the request or event.

Personal data is never logged: log ids and codes, not names, addresses or texts. A traceback shows
where something happened, never the values: they include tokens and personal data, and the text of
an exception quotes them. Log records of libraries get the same form.
"""

import logging
import sys

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, ExcInfo, Processor

from shared.trace_context import current_context


def _with_context(_: object, __: str, line: EventDict) -> EventDict:
    work = current_context()
    if work.traceparent:
        line.setdefault("trace_id", work.traceparent.split("-")[1])
    if work.correlation_id:
        line.setdefault("correlation_id", work.correlation_id)
    if work.causation_id:
        line.setdefault("event_id", work.causation_id)
    return line


_transform = ExceptionDictTransformer(show_locals=False)


def _without_values(exc_info: ExcInfo) -> list[EventDict]:
    """The exceptions by type and location; their texts may quote the values they failed on."""
    exceptions: list[EventDict] = [*_transform(exc_info)]
    _drop_values(exceptions)
    return exceptions


def _drop_values(exceptions: list[EventDict]) -> None:
    for exception in exceptions:
        del exception["exc_value"], exception["exc_notes"], exception["syntax_error"]
        for one_of_a_group in exception["exceptions"]:
            _drop_values(one_of_a_group)


def configure(*, pretty: bool = False, level: str = "INFO") -> None:
    """Configure logging once per process; `pretty` is for a person at a terminal."""
    known: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_context,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer()
        if pretty
        else structlog.processors.ExceptionRenderer(_without_values),
    ]
    shown: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*known, shown],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    of_libraries = logging.StreamHandler(sys.stderr)
    of_libraries.setFormatter(
        ProcessorFormatter(
            processors=[ProcessorFormatter.remove_processors_meta, shown],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *known],
        )
    )
    logging.basicConfig(handlers=[of_libraries], level=logging.WARNING)
