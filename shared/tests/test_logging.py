"""What does a log line show of an exception? Where it happened, with none of the values there."""

import json
import subprocess
import sys

FAILS = """
import structlog
from shared.logging import configure

def act(customer_name, token):
    raise RuntimeError("nobody thought of this")

configure()
try:
    act("山本 太郎", "a-secret-token")
except RuntimeError:
    structlog.get_logger().exception("unforeseen")
"""


def test_a_traceback_shows_no_values() -> None:
    done = subprocess.run([sys.executable, "-c", FAILS], capture_output=True, text=True, check=True)
    line = json.loads(done.stderr)
    [exception] = line["exception"]
    assert (exception["exc_type"], exception["frames"][-1]["name"]) == ("RuntimeError", "act")
    assert "山本" not in done.stderr
    assert "a-secret-token" not in done.stderr
