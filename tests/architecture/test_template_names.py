"""Templates of the portal: every name after a dot is a field of an answer, or of the portal's own.

Jinja is untyped, so a field that a service renames would be missed when mypy passes. This does not
prove that a field belongs to that very object: only that there still is one of this name.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

PORTAL = Path(__file__).parents[2] / "services/portal/src/portal_service"
OF_LOOP = {"first", "index", "index0", "last", "previtem"}
OF_OTHERS = OF_LOOP | {"get", "items", "split", "strip", "has", "passed"}
"""Members of Jinja's `loop` and `namespace`, of text and dicts, and of `Principal`."""


def known_names() -> Iterator[str]:
    """Fields, methods, keys of dicts and keyword arguments of the portal."""
    for path in PORTAL.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.Dict):
                keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
                yield from (key for key in keys if isinstance(key, str))
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                    yield node.slice.value
            elif isinstance(node, ast.keyword) and node.arg:
                yield node.arg


def names_in_templates() -> Iterator[tuple[str, str]]:
    environment, trees = Environment(autoescape=True), {}
    for path in sorted(PORTAL.glob("templates/**/*.html")):
        trees[path] = environment.parse(path.read_text(encoding="utf-8"))
    macros = {macro.name for tree in trees.values() for macro in tree.find_all(nodes.Macro)}
    sets = (node.target for tree in trees.values() for node in tree.find_all(nodes.Assign))
    macros.update(target.name for target in sets if isinstance(target, nodes.Name))
    macros.add("cell")  # a function: portal_service.table_cell
    for path, tree in trees.items():
        for name in tree.find_all(nodes.Getattr):
            if name.attr not in macros | OF_OTHERS:
                yield name.attr, f"{path.relative_to(PORTAL)}:{name.lineno}"


def test_every_name_after_a_dot_exists() -> None:
    known, used = set(known_names()), list(names_in_templates())
    assert len(used) > 500, "the templates were not read"
    assert [(name, where) for name, where in used if name not in known] == []
