"""Writes to the database: in every service, only files under actions/ make them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
SERVICES = sorted(path.parent for path in HOME.glob("services/*/src/*/actions"))
BUILDERS = {"insert", "update", "delete"}
SHARED_WRITES = {"set_timer", "cancel_timers", "erase_personal_data"}
WRITERS = {"sqlalchemy": BUILDERS, "shared": SHARED_WRITES}
SESSION_WRITES = {"add", "add_all", "merge", "delete"}
SQL = re.compile(
    r"\b(insert\s+into|update\s+(only\s+)?\w+\s+(\w+\s+)?set|delete\s+from|truncate)\b",
    re.IGNORECASE,
)


def writes_in(source: str) -> Iterator[tuple[int, str]]:
    """Line and words of every write: a statement, a session's `add`, or SQL as text."""
    tree = ast.parse(source)
    writers = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in WRITERS.get((node.module or "").partition(".")[0], ())
    }
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in writers:
                yield node.lineno, f"{name}(...)"
            case ast.Call(func=ast.Attribute(value=value, attr=name), args=args):
                on_session = ast.unparse(value).rpartition(".")[2] in {"tx", "session"}
                on_table = name in BUILDERS and not args and not node.keywords
                if (on_session and name in SESSION_WRITES) or on_table:
                    yield node.lineno, f"{ast.unparse(value)}.{name}(...)"
            case ast.Constant(value=str(text)) if id(node) not in documentation:
                if found := SQL.search(text):
                    yield node.lineno, found[0]


def other_files(service: Path) -> list[Path]:
    """The source of a service outside its actions and migrations."""
    apart = {"actions", "migrations"}
    return [
        path
        for path in sorted(service.rglob("*.py"))
        if path.relative_to(service).parts[0] not in apart
    ]


@pytest.mark.parametrize("service", SERVICES, ids=[path.name for path in SERVICES])
def test_only_actions_write(service: Path) -> None:
    found = [
        f"{path.relative_to(HOME)}:{line}: {words}"
        for path in other_files(service)
        for line, words in writes_in(path.read_text(encoding="utf-8"))
    ]
    assert not found, "writes outside actions/:\n" + "\n".join(found)


@pytest.mark.parametrize("service", SERVICES, ids=[path.name for path in SERVICES])
def test_actions_are_where_writes_are_found(service: Path) -> None:
    """Otherwise the search above finds nothing anywhere."""
    texts = [path.read_text(encoding="utf-8") for path in (service / "actions").glob("*.py")]
    assert any(list(writes_in(text)) for text in texts)


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy.dialects.postgresql import insert\ninsert(Store)",
        "from sqlalchemy import update as change\nchange(Store)",
        "from shared.timers import set_timer\nset_timer(tx)",
        "from sqlalchemy import delete\ntx.execute(delete(Store))",
        "self.tx.add(line)",
        "ctx.tx.add_all(lines)",
        "await tx.delete(row)",
        "table.insert()",
        'text("UPDATE application SET status = :status")',
        'text(f"DELETE FROM {name}")',
    ],
)
def test_a_write_is_found(source: str) -> None:
    assert list(writes_in(source))


@pytest.mark.parametrize(
    "source",
    [
        '"""Rows go by DELETE FROM store."""',
        "names.add(name)",
        "response.headers.update(etag(version))",
        "legs.insert(0, ride)",
        "from sqlalchemy import select\nselect(Store).with_for_update()",
        '@router.delete("/slips/{slip_id}")\ndef f(): ...',
    ],
)
def test_a_read_is_not_taken_for_a_write(source: str) -> None:
    assert not list(writes_in(source))
