"""The mutants that `./dev mutate` makes, and which tests it gives them."""

from pathlib import Path

import pytest

from tools.mutation.mutants import Mutant, is_python, mutants_of
from tools.mutation.results import equivalents
from tools.mutation.tests_of_lines import Lines, TestsOfLines
from tools.mutation.worker import stages_of

HOME = Path(__file__).parents[2]
SOURCE = '''
"""Words in a docstring are no code."""
SQL = text("""
    UPDATE timer SET attempts = 0, cause = NULL
    WHERE kind = :kind AND key = :key AND due_at <= now()
""")

def fee(days: int, kind: str = "late") -> int:
    if days > 7 and kind == "late":
        raise TooLate("料金を確認してください")
    log.warning("charged", days=days)
    return days + 1

def mine(dealer):
    return select(Row).where(Row.dealer == dealer, Row.open)
'''


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    (tmp_path / "fee.py").write_text(SOURCE, encoding="utf-8")
    found = mutants_of(tmp_path, "fee.py")
    assert all(is_python(tmp_path, mutant) for mutant in found)
    return found


def changes(mutants: list[Mutant], function: str) -> set[tuple[str, str]]:
    return {
        (" ".join(mutant.before.split()), mutant.after)
        for mutant in mutants
        if mutant.function == function
    }


def test_code_is_changed_in_one_place_at_a_time(mutants: list[Mutant]) -> None:
    assert changes(mutants, "fee") == {
        ('"late"', '"late_"'),
        ('days > 7 and kind == "late"', "True"),
        ('days > 7 and kind == "late"', "False"),
        (">", ">="),
        ("7", "8"),
        ("and", "or"),
        ("==", "!="),
        ('raise TooLate("料金を確認してください")', "pass"),
        ("days + 1", "None"),
        ("+", "-"),
        ("1", "2"),
    }


def test_conditions_of_queries_and_of_sql_are_dropped(mutants: list[Mutant]) -> None:
    assert {("Row.dealer == dealer,", ""), ("Row.open", "")} <= changes(mutants, "mine")
    assert {
        ("attempts = 0,", ""),
        (", cause = NULL", ""),
        ("AND key = :key", ""),
        ("AND due_at <= now()", ""),
        ("<=", "<"),
    } <= changes(mutants, "module")


def test_a_mutant_is_found_again_where_lines_were_added_above(tmp_path: Path) -> None:
    keys = []
    for above in ("", "# a line\n# and another\n"):
        (tmp_path / "fee.py").write_text(above + SOURCE, encoding="utf-8")
        keys.append([mutant.key for mutant in mutants_of(tmp_path, "fee.py")])
    assert keys[0] == keys[1]


def test_the_tests_of_the_line_come_first_and_broken_ones_never(mutants: list[Mutant]) -> None:
    [mutant] = [one for one in mutants if one.before == ">"]
    known = TestsOfLines(
        {
            "test_fee.py": Lines(
                seconds={"test_fee.py::slow": 9.0, "test_fee.py::quick": 0.1, "test_fee.py::x": 0},
                failed=["test_fee.py::x"],
                lines={"fee.py": {str(mutant.line): ["test_fee.py::slow", "test_fee.py::quick"]}},
            ),
            "test_other.py": Lines(seconds={"test_other.py::far": 0.1}, imports=["fee.py"]),
        }
    )
    assert list(stages_of(mutant, known, 60)) == [["test_fee.py::quick", "test_fee.py::slow"]]
    [at_import, *_] = [one for one in mutants if one.kind.startswith("SQL")]
    assert list(stages_of(at_import, known, 1)) == [["test_fee.py::quick"]]


def test_what_is_listed_as_equivalent_has_a_reason_and_is_still_there() -> None:
    listed = equivalents()
    assert all(reason.endswith(".") for reason in listed.values())
    sources = [*HOME.glob("services/*/src/*/*.py"), *HOME.glob("services/*/src/*/*/*.py")]
    sources += [*HOME.glob("shared/src/shared/*.py"), *HOME.glob("fare-engine/src/*/rules/*.py")]
    there = {m.key for path in sources for m in mutants_of(HOME, str(path.relative_to(HOME)))}
    assert sorted(listed.keys() - there) == []
