"""Types of the product: `Any`, which switches the type checker off, stays rare."""

import ast
from pathlib import Path

HOME = Path(__file__).parents[2]
SOURCES = ("services/*/src", "shared/src", "contracts-schema/src", "fare-engine/src", "madoguchi")
APART = {"service_api", "testing", "migrations"}
MOST = 120


def uses_of_any(path: Path) -> int:
    """How often `Any` is written in annotations and aliases; its import does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree))


def test_any_is_rare() -> None:
    files = [path for source in SOURCES for path in HOME.glob(f"{source}/**/*.py")]
    found = {
        str(path.relative_to(HOME)): uses
        for path in files
        if APART.isdisjoint(path.parts) and (uses := uses_of_any(path))
    }
    assert len(files) > 400
    assert found, "the search finds nothing anywhere"
    assert sum(found.values()) <= MOST, sorted(found.items(), key=lambda one: -one[1])
