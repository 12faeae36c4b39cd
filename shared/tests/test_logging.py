"""Log lines of exceptions: the location of the failure, and none of its values."""

import json
import subprocess
import sys

import pytest

FAILS = """
import logging
import sys
import structlog
from shared.trace_context import TraceContext, use_context
from shared.logging import configure

def act(customer_name, token):
    try:
        raise ExceptionGroup("all of it", [ValueError(customer_name), KeyError(token)])
    except ExceptionGroup as group:
        raise RuntimeError(f"unexpected value {customer_name}") from group

configure()
with use_context(TraceContext("request-1", "event-1", f"00-{'1' * 32}-{'2' * 16}-01")):
    try:
        act("山本 太郎", "a-secret-token")
    except RuntimeError:
        if sys.argv[1] == "ours":
            structlog.get_logger().exception("unhandled_exception")
        else:
            logging.getLogger("a.library").exception("unhandled_exception")
"""


@pytest.mark.parametrize("whose", ["ours", "a library's"])
def test_a_traceback_shows_no_values_and_whose_work_it_was(whose: str) -> None:
    command = [sys.executable, "-c", FAILS, whose]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = json.loads(done.stderr)
    exception, group = line["exception"]
    assert [inner["exc_type"] for [inner] in group["exceptions"]] == ["ValueError", "KeyError"]
    assert (exception["exc_type"], exception["frames"][-1]["name"]) == ("RuntimeError", "act")
    assert "山本" not in done.stderr
    assert "a-secret-token" not in done.stderr
    ids = (line["trace_id"], line["correlation_id"], line["event_id"])
    assert ids == ("1" * 32, "request-1", "event-1")
    assert (line["event"], line["level"]) == ("unhandled_exception", "error")
