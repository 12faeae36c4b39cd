"""Runs a command as if it were another time: `./dev test --at 2028-02-29 --tz America/New_York`.

libfaketime turns the wall clock of the command and of all that it starts. PostgreSQL and RabbitMQ
are servers of their own and keep theirs: what fails only here takes two clocks for one. The
monotonic clock stays, or threads would wait for years. As libfaketime 0.9 then cannot sleep until
an instant of that clock, this module is a pytest plugin too, under which Python sleeps otherwise.
"""

import argparse
import os
import select
import shutil
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from tools.terminal import Failure, say

JAPAN = timezone(timedelta(hours=9))
LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/opt/homebrew/lib/faketime/*MT*")
HOW_TO_GET_IT = "--at needs libfaketime (Debian, Ubuntu: apt install faketime)."


def main() -> int:
    """Become the command, at that time; returns only where that is not possible."""
    options = argparse.ArgumentParser(prog="./dev test")
    options.add_argument("--at", required=True, help="a day or an instant; in Japan, by default")
    options.add_argument("--tz", default=os.environ.get("TZ", "UTC"), help="zone of the processes")
    options.add_argument("command", nargs=argparse.REMAINDER)
    asked = options.parse_args()
    try:
        os.environ |= environment(instant(asked.at), asked.tz)
        program = shutil.which(asked.command[0])
        if program is None:
            raise Failure(f"{asked.command[0]} is not installed.")
    except (Failure, ValueError, LookupError) as failure:
        say(str(failure))
        return 2
    return os.execv(program, asked.command)  # noqa: S606 - the developer's own command


def instant(written: str) -> datetime:
    """The instant that a text names; ten in the morning of a mere day."""
    read = datetime.fromisoformat(written)
    if len(written) <= len("2028-02-29"):
        read = read.replace(hour=10)
    return read if read.tzinfo else read.replace(tzinfo=JAPAN)


def environment(at: datetime, zone: str) -> dict[str, str]:
    """The variables that turn the clock, which libfaketime reads in the zone of the process."""
    local = at.astimezone(ZoneInfo(zone))
    return {
        "TZ": zone,
        "FAKETIME": f"@{local:%Y-%m-%d %H:%M:%S}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "LD_PRELOAD": str(_library()),
    }


def _library() -> Path:
    for pattern in LIBRARIES:
        for found in sorted(Path("/").glob(pattern.lstrip("/"))):
            return found
    raise Failure(HOW_TO_GET_IT)


def pytest_configure() -> None:
    """Under `-p tools.at_time`: sleep by waiting for nothing."""

    def sleep(seconds: float) -> None:
        select.select([], [], [], seconds)

    time.sleep = sleep  # type: ignore[assignment]


if __name__ == "__main__":
    sys.exit(main())
