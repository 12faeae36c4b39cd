"""Duration and failures of the whole test suite, several runs in a row, some on a slowed machine.

`./dev bench suite --runs 4 --slow one-core --slow neighbours` makes six runs: four as they are and
one for each `--slow`. What follows `--` goes to pytest.
"""

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.event_fixture import write

HOME = Path(__file__).parents[1]
SLOWEST = 20
SLOW = {
    "nice": "at the lowest priority (nice 19)",
    "one-core": "on one core",
    "neighbours": "beside a busy process on every core",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the suite. `tests` are seconds by test, set-up and teardown included."""

    how: str
    seconds: float
    cpu_s: float
    tests: dict[str, float]
    failed: tuple[str, ...]
    skipped: int
    exit_code: int

    def row(self, number: int) -> str:
        """One line of the table."""
        passed = max(0, len(self.tests) - len(self.failed) - self.skipped)
        minutes, seconds = divmod(round(self.seconds), 60)
        return (
            f"| {number} | {self.how} | {minutes}:{seconds:02} | {self.cpu_s:,.0f} | {passed:,}"
            f" | {len(self.failed)} | {self.skipped} | {self.exit_code} |"
        )


@contextlib.contextmanager
def neighbours() -> Iterator[None]:
    """A busy process for every core."""
    command = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(command) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def prefix_of(slow: str | None) -> list[str]:
    """What goes before the command to slow it."""
    if slow == "nice":
        return ["nice", "-n", "19"]
    if slow == "one-core":
        return ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    return []


def run(slow: str | None, options: list[str]) -> Run:
    """Run the suite once, as `./dev test` does. Its own words go to the terminal."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [*prefix_of(slow), "./dev", "test", "-q", f"--junitxml={report}", *options]
        before, begun = _cpu(), time.monotonic()
        with neighbours() if slow == "neighbours" else contextlib.nullcontext():
            done = subprocess.run(command, cwd=HOME, check=False)
        seconds, cpu_s = time.monotonic() - begun, _cpu() - before
        tests, failed, skipped = read(report)
    how = SLOW[slow] if slow else "as it is"
    return Run(how, seconds, cpu_s, tests, failed, skipped, done.returncode)


def read(report: Path) -> tuple[dict[str, float], tuple[str, ...], int]:
    """Seconds by test, the names of those that failed, and how many were skipped."""
    tests: dict[str, float] = {}
    failed: list[str] = []
    skipped = 0
    if not report.exists():
        return tests, ("no test ran to its end",), skipped
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        tests[name] = tests.get(name, 0.0) + float(case.get("time", 0))
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        skipped += case.find("skipped") is not None
    return tests, tuple(dict.fromkeys(failed)), skipped


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def page(runs: list[Run]) -> list[str]:
    """The table of the runs, what failed, and the slowest tests of the first run."""
    lines = [
        "Each run is a whole `./dev test`. CPU seconds are those of the tests and of what they",
        "start, without PostgreSQL and RabbitMQ.",
        "",
        "| run | how | min:s | CPU s | passed | failed | skipped | exit code |",
        "|---|---|---|---|---|---|---|---|",
        *(one.row(number) for number, one in enumerate(runs, 1)),
        "",
    ]
    for number, one in enumerate(runs, 1):
        lines += [f"Failed in run {number}: `{name}`" for name in one.failed]
    slowest = sorted(runs[0].tests.items(), key=lambda test: -test[1])[:SLOWEST]
    lines += ["", f"The {SLOWEST} slowest tests of run 1:", "", "| seconds | test |", "|---|---|"]
    return [*lines, *(f"| {seconds:.1f} | `{name}` |" for name, seconds in slowest)]


def main() -> None:
    """Make the runs and write them down; fails where a run failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="runs on the machine as it is")
    parser.add_argument("--slow", action="append", choices=SLOW, default=[], help="one more run")
    parser.add_argument("options", nargs="*", help="for pytest, after --")
    args = parser.parse_args()
    ways = [*[None] * args.runs, *args.slow]
    if not ways:
        parser.error("no run is asked for")
    runs = [run(slow, args.options) for slow in ways]
    write("suite", page(runs))
    sys.exit(any(one.exit_code for one in runs))


if __name__ == "__main__":
    main()
