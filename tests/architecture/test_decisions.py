"""Architecture decisions (docs/adr): everything named after "Enforced by" exists.

A name in backticks after "Enforced by" is a path, `path::test`, `./dev command`,
`import-linter: contract` or `ruff CODE`. A guard that does not exist fails the test.
"""

import ast
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
DECISIONS = sorted((HOME / "docs/adr").glob("0*.md"))
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {one["name"] for one in PROJECT["tool"]["importlinter"]["contracts"]}
COMMANDS = set(re.findall(r"^  ([a-z-]+)[^\n]*\)", (HOME / "dev").read_text(), re.MULTILINE))
ENFORCED = re.compile(r"^\*\*Enforced by\*\* (.+?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([^`]+)`")
SPOKEN_OF = re.compile(r"\b(tests?|import-linter|ruff|mypy|vulture|deptry|CI)\b")


def enforced_by(path: Path) -> str:
    """The "Enforced by" paragraph of a decision, on one line."""
    found = ENFORCED.search(path.read_text(encoding="utf-8"))
    assert found is not None, f"{path.name} does not say what enforces it"
    return " ".join(found[1].split())


def exists(name: str) -> bool:
    """Whether the named guard exists."""
    if name.startswith("import-linter: "):
        return name.removeprefix("import-linter: ") in CONTRACTS
    if name.startswith("ruff "):
        return is_on(name.removeprefix("ruff "))
    if name.startswith("./dev "):
        return name.split()[1] in COMMANDS
    path, _, test = name.partition("::")
    file = HOME / path
    if not test:
        return file.is_file() or (file.is_dir() and any(file.glob("**/test_*.py")))
    return file.is_file() and test in functions_in(file)


def is_on(code: str) -> bool:
    """Whether ruff has the rule and this project does not ignore it everywhere."""
    ruff = shutil.which("ruff")
    assert ruff is not None
    known = subprocess.run([ruff, "rule", code], check=False, capture_output=True)
    ignored = PROJECT["tool"]["ruff"]["lint"]["ignore"]
    return known.returncode == 0 and not any(code.startswith(prefix) for prefix in ignored)


def functions_in(file: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_every_named_guard_exists(path: Path) -> None:
    words = enforced_by(path)
    names = NAME.findall(words)
    assert names, f"{path.name} names nothing that enforces it"
    assert [name for name in names if not exists(name)] == []
    assert SPOKEN_OF.findall(re.sub(r"\([^)]*\)", "", NAME.sub("", words))) == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("import-linter: Only actions import the outbox", True),
        ("import-linter: No such contract", False),
        ("import-linter", False),
        ("ruff TID251", True),
        ("ruff TID999", False),
        ("ruff D100", False),
        ("./dev check", True),
        ("./dev nothing", False),
        ("conftest.py", True),
        ("tests/nothing.py", False),
        ("docs/adr", False),
        ("tests/architecture/test_decisions.py::exists", True),
        ("tests/architecture/test_decisions.py::test_nothing", False),
    ],
)
def test_existing_and_missing_guards_are_distinguished(name: str, there: bool) -> None:
    assert exists(name) is there
