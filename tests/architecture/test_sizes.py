"""Sizes of the code: no file over 400 lines, no function over 40; generated code apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parents[2]
SOURCES = (
    "services", "shared", "contracts-schema", "fare-engine", "madoguchi", "tests", "resilience",
    "bench", "tools",
)  # fmt: skip
LONGEST_FILE, LONGEST_FUNCTION = 400, 40


def python_files() -> Iterator[Path]:
    for source in SOURCES:
        for path in (HOME / source).glob("**/*.py"):
            if {"service_api", "node_modules", ".venv"}.isdisjoint(path.parts):
                yield path


def too_long(path: Path) -> Iterator[tuple[str, int]]:
    """The file, and each of its functions with signature and docstring, if over the limit."""
    text, name = path.read_text(encoding="utf-8"), str(path.relative_to(HOME))
    if (lines := text.count("\n")) > LONGEST_FILE:
        yield name, lines
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name}:{node.lineno} {node.name}", length


def test_no_file_and_no_function_is_too_long() -> None:
    files = list(python_files())
    assert len(files) > 800
    assert [one for path in files for one in too_long(path)] == []
