"""Runs mutants: each worker has a copy of the repository, in which one file at a time differs.

A copy, so that the processes which tests start run the mutant as well, and a stopped run leaves
the repository as it was.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import Phase, settings

from tools.mutation import forked
from tools.mutation.mutants import Mutant
from tools.mutation.tests_of_lines import QUIET, TestsOfLines

KILLED, SURVIVED, UNDECIDED, UNTESTED = "killed", "survived", "undecided", "untested"
FIRST = 40
"""Tests of the first stage: the quickest that run the line."""
TIMEOUT = "Timeout (>"


class Verdict(NamedTuple):
    """What became of a mutant, and the first test that failed."""

    verdict: str
    by: str
    tests: int
    cpu_s: float


class Chosen:
    """A pytest plugin: only these tests, in this order; remembers the first that fails."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.turn = {test: turn for turn, test in enumerate(tests)}
        self.ran = 0
        self.failed = ""
        self.timed_out = False

    def pytest_sessionstart(self) -> None:
        """Find the same examples each time, and do not look for smaller ones."""
        phases = (Phase.explicit, Phase.generate)
        profile = settings(database=None, derandomize=True, phases=phases)
        settings.register_profile("mutation", profile)
        settings.load_profile("mutation")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = [item for item in items if item.nodeid in self.turn]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be imported any more."""
        if report.failed:
            self.failed = self.failed or f"{report.nodeid} (import)"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first that fails."""
        self.ran += report.when == "call"
        if report.failed and not self.failed:
            self.failed = report.nodeid
            self.timed_out = TIMEOUT in report.longreprtext


@dataclass(frozen=True, slots=True)
class Worker:
    """One copy of the repository. `files` are those that Git knows."""

    home: Path
    copy: Path

    def prepare(self) -> None:
        """Make the copy again, from nothing."""
        shutil.rmtree(self.copy, ignore_errors=True)
        for path in _files(self.home):
            place = self.copy / path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.home / path, place)

    def judge(self, mutant: Mutant, tests: TestsOfLines, longest_s: float) -> Verdict:
        """Run the tests of a mutant, those of its line first, until one fails."""
        stages = list(stages_of(mutant, tests, longest_s))
        if not stages:
            return Verdict(UNTESTED, "", 0, 0.0)
        file = self.copy / mutant.path
        original = file.read_bytes()
        ran, cpu_s = 0, 0.0
        try:
            _write(file, mutant.apply(original))
            for stage in stages:
                done = self._run(stage, tests.seconds(stage))
                ran, cpu_s = ran + done.tests, cpu_s + done.cpu_s
                if done.verdict != SURVIVED:
                    return done._replace(tests=ran, cpu_s=cpu_s)
        finally:
            _write(file, original)
        return Verdict(SURVIVED, "", ran, cpu_s)

    def _run(self, chosen: list[str], seconds: float) -> Verdict:
        cpu_s = round(60 + 10 * seconds)
        ended = forked.run(self.copy, _in_child(chosen), cpu_s=cpu_s, seconds=240 + 30 * seconds)
        if ended.answer is None:
            # Its own processor time ran out: an endless loop. Where only the wait was long, the
            # machine may have been busy, and nothing is known.
            verdict = UNDECIDED if ended.stopped else KILLED
            return Verdict(verdict, "no end", len(chosen), ended.cpu_s)
        code, ran, failed, timed_out = ended.answer
        if timed_out:
            return Verdict(UNDECIDED, failed, ran, ended.cpu_s)
        verdict = SURVIVED if code == pytest.ExitCode.OK else KILLED
        return Verdict(
            verdict, failed or ("" if verdict == SURVIVED else code.name), ran, ended.cpu_s
        )


def stages_of(mutant: Mutant, tests: TestsOfLines, longest_s: float) -> Iterator[list[str]]:
    """The tests to run, in turn: some of the line, the others, and those of the whole module.

    The last ones matter where an earlier test filled a cache (`lru_cache`), or a line runs as the
    module is imported.
    """
    of_line = tests.of_line(mutant.path, mutant.line)
    known = set(of_line)
    of_module = [test for test in tests.of_module(mutant.path) if test not in known]
    if of_line:
        yield of_line[:FIRST]
    if more := _within([*of_line[FIRST:], *of_module], tests, longest_s):
        yield more


def _within(named: list[str], tests: TestsOfLines, longest_s: float) -> list[str]:
    """As many of the quickest as the time allows."""
    chosen, left = [], longest_s
    for test in named:
        left -= tests.seconds([test])
        if left < 0:
            break
        chosen.append(test)
    return chosen


def _in_child(chosen: list[str]) -> Callable[[], tuple[int, int, str, bool]]:
    def run() -> tuple[int, int, str, bool]:
        plugin = Chosen(chosen)
        files = list(dict.fromkeys(test.split("::", 1)[0] for test in chosen))
        code = pytest.main([*QUIET, "-x", "--timeout=200", *files], plugins=[plugin])
        return pytest.ExitCode(code), plugin.ran, plugin.failed, plugin.timed_out

    return run


def _write(file: Path, source: bytes) -> None:
    """Write a source; its time differs from every earlier one, or Python would keep its cache."""
    before = file.stat().st_mtime
    file.write_bytes(source)
    os.utime(file, (before + 2, before + 2))


def _files(home: Path) -> list[str]:
    known = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(known, cwd=home, capture_output=True, check=True)  # noqa: S603
    return [name for name in listed.stdout.decode().split("\0") if name and (home / name).is_file()]
