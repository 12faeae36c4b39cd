"""Which tests run a line: coverage.py with one context for each test, kept in .madoguchi.

Kept for each test file, and gathered again when the test file, a conftest beside it or a module
that is mutated has changed.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Container, Generator, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tools.mutation import forked
from tools.terminal import say

OF_EVERY_MODULE = "tests/schema/test_codes.py"
"""It imports every module, and so runs the lines of none."""
OF_IMPORT = ""
"""The context of lines that run as a module is imported: no test's own."""
QUIET = (
    "-q",
    "-n",
    "0",
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


@dataclass(slots=True)
class Lines:
    """What one test file runs. `seconds` by test; `lines` by module and line the tests' names.

    `imports` are modules of which no test runs anything; their lines ran as they were imported.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    lines: dict[str, dict[str, list[str]]] = field(default_factory=dict)


class Contexts:
    """A pytest plugin that tells coverage which test runs."""

    def __init__(self, measured: Any) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """What runs from here to the end of the test is the test's."""
        self.measured.switch_context(item.nodeid)
        done = yield
        self.measured.switch_context(OF_IMPORT)
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How long it took, and whether it passed."""
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.add(report.nodeid)


@dataclass(slots=True)
class TestsOfLines:
    """The tests of every line, over many test files."""

    __test__ = False

    files: dict[str, Lines] = field(default_factory=dict)

    def of_line(self, path: str, line: int) -> list[str]:
        """Tests that run a line, the quickest first; none for a line that runs at import."""
        files = (file for name, file in self.files.items() if name != OF_EVERY_MODULE)
        return self._by_time(test for file in files for test in self._tests(file, path, line))

    def of_module(self, path: str) -> list[str]:
        """Tests of every file that runs anything of a module, or else imports it."""
        files = [file for name, file in self.files.items() if name != OF_EVERY_MODULE]
        running = [file for file in files if path in file.lines]
        importing = [file for file in files if path in file.imports]
        every = [self.files[OF_EVERY_MODULE]] if OF_EVERY_MODULE in self.files else []
        chosen = [*(running or importing), *every]
        return self._by_time(test for file in chosen for test in file.seconds)

    def seconds(self, tests: Iterable[str]) -> float:
        """How long tests took when their lines were gathered."""
        return sum(self.files[_file_of(test)].seconds.get(test, 0.0) for test in tests)

    @property
    def failed(self) -> set[str]:
        """Tests that fail without any mutant: they prove nothing."""
        return {test for file in self.files.values() for test in file.failed}

    def _by_time(self, tests: Iterable[str]) -> list[str]:
        known = {test for test in tests if test} - self.failed
        return sorted(known, key=lambda test: (self.seconds([test]), test))

    @staticmethod
    def _tests(file: Lines, path: str, line: int) -> list[str]:
        return file.lines.get(path, {}).get(str(line), [])


@cache
def digest(file: Path) -> str:
    """A short fingerprint of a file's text, empty where there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""


def gather(
    root: Path, kept: Path, test_files: Sequence[str], modules: Container[str]
) -> TestsOfLines:
    """The tests of lines of these modules; only what changed is run, each folder at once."""
    found = TestsOfLines()
    stale: dict[Path, list[str]] = defaultdict(list)
    for file in test_files:
        known = _kept(root, _place(kept, file), modules)
        if known is None:
            stale[Path(file).parent].append(file)
        else:
            found.files[file] = known
    for folder, files in stale.items():
        say(f"Looking which tests of {folder} run which lines ({len(files)} files) ...")
        for file, lines in _run(root, files).items():
            place = _place(kept, file)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(asdict(lines), ensure_ascii=False), encoding="utf-8")
            found.files[file] = lines
    return found


def _place(kept: Path, file: str) -> Path:
    return kept / f"{file.replace('/', '+')}.json"


def _kept(root: Path, place: Path, modules: Container[str]) -> Lines | None:
    if not place.exists():
        return None
    known = Lines(**json.loads(place.read_text(encoding="utf-8")))
    asked = (path for path in known.digests if path in modules or "/tests/" in f"/{path}")
    fresh = all(digest(root / path) == known.digests[path] for path in asked)
    return known if fresh else None


def _run(root: Path, files: list[str]) -> dict[str, Lines]:
    ended = forked.run(root, lambda: _measure(root, files), cpu_s=900, seconds=1800)
    if ended.answer is None:
        say(f"  {', '.join(files)}: did not end, and are left out")
        return {}
    found: dict[str, Lines] = ended.answer
    for file, lines in found.items():
        beside = (root / file).parent.glob("conftest.py")
        used = (file, *(str(path.relative_to(root)) for path in beside), *lines.lines)
        lines.digests = {path: digest(root / path) for path in used}
        for test in lines.failed:
            say(f"  fails without any mutant: {test}")
    return found


def _measure(root: Path, files: list[str]) -> dict[str, Lines]:
    """In the child: run test files and read which test ran which line."""
    import coverage

    measured = coverage.Coverage(
        data_file=None,
        config_file=False,
        source=[source for source in forked.sources_of(root) if source.endswith("/src")],
        omit=["*/migrations/*", "*/tests/*"],
        concurrency=["greenlet", "thread"],
        messages=False,
    )
    measured.start()
    contexts = Contexts(measured)
    pytest.main([*QUIET, *files], plugins=[contexts])
    measured.stop()
    data = measured.get_data()
    by_line = {
        str(Path(path).relative_to(root)): data.contexts_by_lineno(path)
        for path in data.measured_files()
    }
    return _by_file(files, contexts, by_line)


def _by_file(
    files: list[str], contexts: Contexts, by_line: dict[str, dict[int, list[str]]]
) -> dict[str, Lines]:
    found = {file: Lines() for file in files}
    for test, seconds in contexts.seconds.items():
        found[_file_of(test)].seconds[test] = round(seconds, 4)
    for test in sorted(contexts.failed):
        found[_file_of(test)].failed.append(test)
    for path, lines in by_line.items():
        for line, tests in lines.items():
            for test in sorted(set(tests) - {OF_IMPORT}):
                of_file = found[_file_of(test)].lines.setdefault(path, {})
                of_file.setdefault(str(line), []).append(test)
    for lines_of_file in found.values():
        lines_of_file.imports = sorted(by_line.keys() - lines_of_file.lines.keys())
    return found


def _file_of(test: str) -> str:
    return test.split("::", 1)[0]
