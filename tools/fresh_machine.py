"""Fresh machine test: both commands of the README on a bare Debian 12 and 13, timed.

`./dev fresh` makes the roots (needs root) and clones what is committed into each. There `./dev up`
runs until the first page answers, with an empty package cache and with a full one, then `./dev
test`.
"""

import argparse
import contextlib
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tools.bare_root import BareRoot, base_root, check_this_machine, copy_root, remove
from tools.terminal import Failure, say

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "bench" / "results" / "fresh.md"
SMOKE = ("tests/setup", "tests/schema", "tests/flows/test_one_return.py")
LONGEST_START_S, LONGEST_STOP_S, LONGEST_TEST_S = 600, 60, 5400
SHIM = "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n"


@dataclass(frozen=True)
class Machine:
    """A kind of fresh machine."""

    name: str
    suite: str
    what: str
    user: str = "root"
    home: str = "/root"
    place: str = "/root/madoguchi"
    shim: bool = False


USER, HOME = "dealer", "/home/dealer"
MACHINES = (
    Machine("debian-12", "bookworm", "Debian 12, as root"),
    Machine(
        "debian-13", "trixie", "Debian 13, ordinary user, blanks in the path",
        USER, HOME, "/home/dealer/my clone of madoguchi",
    ),
    Machine("debian-13-shim", "trixie", "Debian 13, broken python3.13 first on PATH", shim=True),
    Machine(
        "debian-13-read-only", "trixie", "Debian 13, ordinary user, home not writable",
        USER, "/nonexistent", "/srv/madoguchi",
    ),
)  # fmt: skip
NEXT = Machine("debian-next", "testing", "the next Debian, as root")


@dataclass
class Outcome:
    """The result on one machine."""

    machine: Machine
    python: str = "-"
    cold_s: float | None = None
    warm_s: float | None = None
    tests: str = "-"
    skipped: list[str] = field(default_factory=list)
    trouble: str = ""

    def row(self) -> str:
        """A row of the table."""
        cold, warm = (f"{s:.1f}" if s is not None else "-" for s in (self.cold_s, self.warm_s))
        verdict = self.trouble or "served"
        return (
            f"| {self.machine.what} | {self.python} | {cold} | {warm} | {self.tests} | {verdict} |"
        )


METHOD = """Method: `./dev fresh`. Each root is a Debian made by debootstrap with python3, git and
ca-certificates alone (no pip, no venv, no npm), with process and mount namespaces of its own. What
is committed is cloned there; `./dev up` runs until its first page answers, first with an empty
package cache, then in a second clone with the cache of the first; then `./dev test`
({tests}) with servers of its own. Seconds count from
the command to the page; the demo data may still be in the making then."""
HEAD = """| root | Python | first page, empty cache (s) | full cache (s) | `./dev test` | verdict |
|---|---|---:|---:|---|---|"""


def main() -> int:
    """Run the command; returns 1 if a machine failed."""
    options = argparse.ArgumentParser(prog="./dev fresh", description=__doc__)
    known = {machine.name: machine for machine in (*MACHINES, NEXT)}
    options.add_argument(
        "machines", nargs="*", help=f"of {', '.join(known)}; else all but the last"
    )
    options.add_argument("--folder", type=Path, default=ROOT / ".madoguchi" / "fresh")
    options.add_argument(
        "--keep", action="store_true", help="leave the roots as they are at the end"
    )
    options.add_argument("--no-tests", action="store_true", help="only ./dev up")
    options.add_argument("--whole", action="store_true", help="./dev test whole, not a selection")
    options.add_argument("--mirror", help="of Debian, where no apt source of this machine has it")
    chosen = options.parse_args()
    if unknown := set(chosen.machines) - set(known):
        options.error(f"there is no machine {', '.join(unknown)}")
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # otherwise a shell's `&` passes "ignored" on
    try:
        check_this_machine()
        machines = [known[name] for name in chosen.machines] or list(MACHINES)
        outcomes = [_try_machine(machine, chosen) for machine in machines]
    except Failure as failure:
        say(str(failure))
        return 1
    report = _report(outcomes, whole=chosen.whole)
    sys.stdout.write(report)
    if not chosen.machines and not chosen.no_tests:
        REPORT.write_text(report, encoding="utf-8")
    return 1 if any(outcome.trouble for outcome in outcomes) else 0


def _try_machine(machine: Machine, chosen: argparse.Namespace) -> Outcome:
    outcome, folder = Outcome(machine), chosen.folder / f"run-{machine.name}"
    copy_root(base_root(chosen.folder, machine.suite, chosen.mirror), folder)
    try:
        root = _furnish(machine, folder)
        version = root.run("python3", "-c", "import platform; print(platform.python_version())")
        outcome.python = version.strip()
        say(f"{machine.what}: Python {outcome.python}")
        with contextlib.suppress(_Trouble):
            _commands_of_the_readme(root, outcome, chosen)
    finally:
        if not chosen.keep:
            remove(folder)
    return outcome


class _Trouble(Exception):
    """A step failed; the outcome has the reason."""


def _commands_of_the_readme(root: BareRoot, outcome: Outcome, chosen: argparse.Namespace) -> None:
    machine, log = outcome.machine, chosen.folder / f"{outcome.machine.name}.log"
    log.unlink(missing_ok=True)
    try:
        _clone(root, machine.place)
        outcome.cold_s = _first_page(root, machine.place, log)
        say(f"  first page after {outcome.cold_s:.1f} s with an empty package cache")
        if machine.home != "/nonexistent":
            _clone(root, f"{machine.place} again")
            outcome.warm_s = _first_page(root, f"{machine.place} again", log)
            say(f"  first page after {outcome.warm_s:.1f} s with a full one")
        if not chosen.no_tests:
            selection = () if chosen.whole else SMOKE
            _test(root, outcome, log, selection)
            say(f"  ./dev test: {outcome.tests}")
    except Failure as failure:
        outcome.trouble = str(failure)
        say(f"  {outcome.trouble}")
        raise _Trouble from failure


def _furnish(machine: Machine, folder: Path) -> BareRoot:
    as_root = BareRoot(folder)
    if machine.user != "root":
        as_root.run("useradd", "--create-home", "--home-dir", HOME, machine.user)
    parent = machine.place.rpartition("/")[0]
    as_root.run("chown", f"{machine.user}:", parent)
    if machine.shim:
        shim = folder / "usr/local/bin/python3.13"
        shim.write_text(SHIM)
        shim.chmod(0o755)
    bundle = folder / "madoguchi.bundle"
    subprocess.run(  # noqa: S603
        ["git", "bundle", "create", "--quiet", bundle, "HEAD"],  # noqa: S607
        cwd=ROOT, check=True,
    )  # fmt: skip
    return BareRoot(folder, machine.user, machine.home)


def _clone(root: BareRoot, place: str) -> None:
    root.run("git", "clone", "--quiet", "/madoguchi.bundle", place)


def _first_page(root: BareRoot, place: str, log: Path) -> float:
    """Seconds from `./dev up` to the first page; then it is stopped as by Ctrl-C."""
    port = _free_port()
    with (
        log.open("a") as file,
        _started(root, ["./dev", "up", "--port", str(port)], place, file) as up,
    ):
        begun = time.monotonic()
        while not _answers(port):
            if up.poll() is not None or time.monotonic() > begun + LONGEST_START_S:
                raise Failure(f"./dev up failed: {_last_line(log)} (all of it: {log})")
            time.sleep(0.1)
        took = time.monotonic() - begun
        os.killpg(up.pid, signal.SIGINT)
        try:
            up.wait(LONGEST_STOP_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"./dev up did not stop at Ctrl-C (its words: {log})") from None
    return took


def _test(root: BareRoot, outcome: Outcome, log: Path, selection: tuple[str, ...]) -> None:
    place = outcome.machine.place
    with (
        log.open("a") as file,
        _started(root, ["./dev", "test", "-q", *selection], place, file) as it,
    ):
        code = it.wait(LONGEST_TEST_S)
    words = log.read_text(encoding="utf-8", errors="replace")
    outcome.skipped = re.findall(r"^SKIPPED (.+)$", words, re.MULTILINE)
    outcome.tests = (re.findall(r"\d+ (?:passed|failed).*", words) or ["no test ran"])[-1].strip(
        "= "
    )
    if code != 0:
        raise Failure(f"./dev test failed (all of it: {log})")


@contextlib.contextmanager
def _started(
    root: BareRoot, words: list[str], place: str, file: object
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603
        root.command(words, place),
        env=root.environment(TEST_SERVERS="own"),
        stdin=subprocess.DEVNULL,
        stdout=file,  # type: ignore[call-overload]
        stderr=file,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
            return "窓口" in page.read().decode()
    except (OSError, urllib.error.URLError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _report(outcomes: list[Outcome], *, whole: bool) -> str:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}"
    tests = "whole" if whole else f"of {', '.join(SMOKE)}"
    skipped = [f"- {o.machine.what}: {line}" for o in outcomes for line in o.skipped]
    method = METHOD.format(tests=tests)
    lines = ["# fresh", "", f"{now}, {machine}", "", method, "", HEAD, *(o.row() for o in outcomes)]
    if skipped:
        lines += ["", "Skipped, and why:", "", *skipped]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
