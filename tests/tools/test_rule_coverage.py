"""Rule coverage: a test that cannot fail proves nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.rules import HOME, as_page, collect, compare_with_catalogue, read_catalogue

CATALOGUE = """
["Colours"]
D1 = { title = "Grey", says = "Past is grey." }
D2 = { title = "Red", says = "Soon is red." }
["Passes"]
R1 = { title = "Ends", says = "A pass ends." }
"""
SETTINGS = """
[tool.pytest.ini_options]
addopts = "--import-mode=importlib --strict-markers"
pythonpath = ["."]
asyncio_default_fixture_loop_scope = "session"
markers = ["rule(*numbers): the rules proved"]
"""
SOUND = {
    "an assertion": "assert colour == 'grey'",
    "an expected error": "with pytest.raises(ValueError): int(colour)",
    "an expected error of a call": "pytest.raises(ValueError, int, colour)",
    "a function of the module": "check(colour)",
    "two steps away": "check_twice(colour)",
    "a function of another module": "looks_grey(colour)",
    "through the module": "looks.looks_grey(colour)",
    "an inner function that is used": "def inner(): assert colour\ninner()",
    "inside a loop": "for one in colour:\n    assert one",
    "a method of a class": "Screen().shows(colour)",
    "a fixture's function": "expects(colour)",
    "an annotated fixture's method": "screen.shows(colour)",
    "a library's assertion": "unittest.TestCase().assertEqual(colour, 'grey')",
    "a skip on a condition": "if not colour: pytest.skip('none')\nassert colour",
    "a try that raises again": "try:\n    assert colour\nexcept AssertionError:\n    raise",
}
HOLLOW = {
    "no assertion": "print(colour)",
    "a constant": "assert True",
    "a pair is always true": "assert (colour == 'red', 'must be red')",
    "or true": "assert colour == 'red' or True",
    "after a return": "return\nassert colour",
    "a dead branch": "if False:\n    assert colour",
    "an inner function that is not used": "def inner(): assert colour",
    "a function that asserts nothing": "assert_nothing(colour)",
    "an expectation that is never entered": "pytest.raises(ValueError)",
    "a swallowed failure": "try:\n    assert colour\nexcept Exception:\n    pass",
    "a method that asserts nothing": "screen.opens(colour)",
    "a skip inside": "pytest.skip('later')\nassert colour",
    "a skip at the end": "assert colour\npytest.skip('later')",
}
PRELUDE = """
import unittest
import pytest
import looks
from looks import Screen, looks_grey

@pytest.fixture
def colour(): return "grey"
@pytest.fixture
def screen() -> Screen: return Screen()
@pytest.fixture
def expects():
    def inner(colour): assert colour
    return inner
def check(colour): assert colour == "grey"
def check_twice(colour): check(colour)
def assert_nothing(colour): print(colour)
"""
LOOKS = """
def looks_grey(colour): assert colour
class Screen:
    def opens(self, colour): print(colour)
    def shows(self, colour): self._check(colour)
    def _check(self, colour): assert colour
"""


@pytest.fixture(autouse=True)
def few_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load only one plugin into each pytest started here: loading all takes seconds."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_asyncio.plugin")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "docs/rules").mkdir(parents=True)
    (tmp_path / "docs/rules/catalogue.toml").write_text(CATALOGUE)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "looks.py").write_text(LOOKS)
    return tmp_path


def write(project: Path, source: str, name: str = "test_it.py") -> None:
    (project / name).write_text(PRELUDE + source)


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.rules", "--root", project, *options],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )


def as_tests(bodies: dict[str, str]) -> str:
    """One test per body, named by its position in the table."""
    return "\n".join(
        f"@pytest.mark.rule('D1')\ndef test_{place}(colour, expects, screen: Screen):\n    "
        + body.replace("\n", "\n    ")
        for place, body in enumerate(bodies.values())
    )


def test_only_tests_that_can_fail_count(project: Path) -> None:
    bodies = {**SOUND, **HOLLOW}
    write(project, as_tests(bodies))
    cases = collect(project, [])
    found = dict(zip(bodies, (case.hollow is None for case in cases), strict=True))
    assert found == {**dict.fromkeys(SOUND, True), **dict.fromkeys(HOLLOW, False)}


def test_a_skipped_or_xfailed_test_does_not_count(project: Path) -> None:
    counts = {
        "skip": False,
        "skip(reason='later')": False,
        "skipif(True, reason='always')": False,
        "skipif('True', reason='always')": False,
        "skipif(False, reason='never')": True,
        "xfail": False,
        "xfail(reason='known')": False,
        "xfail(True, reason='known')": False,
        "xfail(False, reason='never')": True,
    }
    write(
        project,
        "\n".join(
            f"@pytest.mark.rule('D1')\n@pytest.mark.{mark}\ndef test_{n}(colour): assert colour"
            for n, mark in enumerate(counts)
        ),
    )
    found = [case.hollow is None for case in collect(project, [])]
    assert dict(zip(counts, found, strict=True)) == counts


def test_markers_on_classes_modules_and_cases_count(project: Path) -> None:
    write(
        project,
        """
pytestmark = pytest.mark.rule("R1")

@pytest.mark.rule("D1")
class TestColour:
    @pytest.mark.parametrize("day", [1, 2, pytest.param(3, marks=pytest.mark.rule("D2"))])
    def test_days(self, day): self.check(day)
    def check(self, day): assert day
""",
    )
    proof = compare_with_catalogue(
        read_catalogue(project / "docs/rules/catalogue.toml"), collect(project, [])
    )
    counts = {number: list(tests.values()) for number, tests in proof.cases.items()}
    assert counts == {"D1": [3], "D2": [1], "R1": [3]}


def test_async_and_hypothesis_tests_are_read_through_their_wrappers(project: Path) -> None:
    write(
        project,
        """
from hypothesis import given, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

@pytest.mark.rule("D1")
@given(strategies.integers())
def test_numbers(number): assert number == number

@pytest.mark.rule("D2")
@given(strategies.integers())
def test_nothing(number): print(number)

class Machine(RuleBasedStateMachine):
    @rule()
    def step(self): pass
    @invariant()
    def holds(self): assert self

TestMachine = pytest.mark.rule("R1")(Machine.TestCase)

@pytest.mark.asyncio
@pytest.mark.rule("D1")
async def test_later(colour): assert await colour
""",
    )
    sound = {case.test.partition("::")[2]: case.hollow is None for case in collect(project, [])}
    assert sound == {
        "test_numbers": True,
        "test_nothing": False,
        "TestMachine::runTest": True,
        "test_later": True,
    }


def test_a_case_that_never_runs_is_hollow_and_the_others_count(project: Path) -> None:
    write(
        project,
        """
@pytest.mark.rule("D1")
@pytest.mark.parametrize("day", [1, pytest.param(2, marks=pytest.mark.skip)])
def test_days(day): assert day

@pytest.mark.rule("D2")
@pytest.mark.parametrize("day", [])
def test_no_day(day): assert day
""",
    )
    proof = compare_with_catalogue(
        read_catalogue(project / "docs/rules/catalogue.toml"), collect(project, [])
    )
    assert {number: list(tests.values()) for number, tests in proof.cases.items()} == {"D1": [1]}
    assert [line.partition("::")[2] for line in proof.hollow] == [
        "test_days (D1): skipped",
        "test_no_day (D2): skipped",
    ]


def test_a_marker_must_name_a_rule(project: Path) -> None:
    markers = ["rule('D99')", "rule()", "rule", "rule('D1')"]
    write(
        project,
        "\n".join(
            f"@pytest.mark.{marker}\ndef test_{n}(colour): assert colour"
            for n, marker in enumerate(markers)
        ),
    )
    done = run(project)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("unknown")] == [
        "unknown rule: test_it.py::test_0 names D99",
        "unknown rule: test_it.py::test_1 names no rule",
        "unknown rule: test_it.py::test_2 names no rule",
    ]


def test_rules_without_a_test_come_last_with_the_count(project: Path) -> None:
    write(project, "@pytest.mark.rule('D2')\ndef test_it(colour): assert colour")
    done = run(project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "D2   Red",
        "       test_it.py::test_it",
        "D1   Grey — no test",
        "R1   Ends — no test",
        "3 rules: 1 with a test, 2 without; 0 hollow tests, 0 unknown markers",
    ]
    page = (project / "docs/rules.md").read_text(encoding="utf-8")
    assert "| **D2** Red | Soon is red. | [test_it](../test_it.py) |" in page
    assert page.index("**D2**") < page.index("## Rules without a test") < page.index("**D1**")


def test_the_page_does_not_depend_on_the_order_of_the_tests(project: Path) -> None:
    one = "@pytest.mark.rule('D1', 'D2')\ndef test_one(colour): assert colour\n"
    two = "@pytest.mark.rule('D1')\ndef test_two(colour): assert colour\n"
    rules = read_catalogue(project / "docs/rules/catalogue.toml")
    write(project, one + two)
    first = as_page(compare_with_catalogue(rules, collect(project, [])))
    write(project, two + one)
    assert as_page(compare_with_catalogue(rules, collect(project, []))) == first


def test_check_fails_on_a_stale_page_and_writes_nothing(project: Path) -> None:
    write(project, "@pytest.mark.rule('D1')\ndef test_it(colour): assert colour")
    page = project / "docs/rules.md"
    assert run(project, "--check").returncode == 1
    assert not page.exists()
    assert run(project).returncode == 0
    assert run(project, "--check").returncode == 0
    write(project, "def test_it(colour): assert colour")
    before = page.read_text(encoding="utf-8")
    assert run(project, "--check").returncode == 1
    assert page.read_text(encoding="utf-8") == before


def test_check_fails_on_a_hollow_test(project: Path) -> None:
    write(project, "@pytest.mark.rule('D1')\ndef test_it(colour): print(colour)")
    assert run(project).returncode == 0
    done = run(project, "--check")
    assert done.returncode == 1
    assert "hollow: test_it.py::test_it (D1): asserts nothing" in done.stdout


def test_collection_errors_show_pytests_output(project: Path) -> None:
    write(project, "import no_such_module")
    done = run(project)
    assert done.returncode == 1
    assert "no_such_module" in done.stderr
    assert not (project / "docs/rules.md").exists()


def test_the_catalogue_names_all_rules_once_and_in_order() -> None:
    numbers = [rule.number for rule in read_catalogue(HOME / "docs/rules/catalogue.toml")]
    with_the_specification = [("D", 1, 161), ("F", 1, 22), ("R", 1, 65)]
    of_our_own = [("R", 80, 86), ("R", 90, 106), ("R", 110, 122), ("R", 130, 133), ("S", 1, 7)]
    assert numbers == [
        f"{kind}{number}"
        for kind, first, last in with_the_specification + of_our_own
        for number in range(first, last + 1)
    ]


def test_a_number_given_twice_is_refused(tmp_path: Path) -> None:
    line = 'D1 = { title = "Grey", says = "Past is grey." }\n'
    path = tmp_path / "catalogue.toml"
    path.write_text(f'["Colours"]\n{line}["Passes"]\n{line}')
    with pytest.raises(ValueError, match="D1"):
        read_catalogue(path)
