"""Mail handlers have no slots: aiosmtpd reads every member.

Before Python 3.11.3 the `__weakref__` of a slotted dataclass raises TypeError there.
"""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HOOKS = {"handle_DATA", "handle_RCPT", "handle_MAIL", "handle_EHLO", "handle_HELO", "handle_QUIT"}


def handlers(source: str) -> Iterator[ast.ClassDef]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and HOOKS & {
            member.name for member in node.body if isinstance(member, ast.AsyncFunctionDef)
        }:
            yield node


def is_slotted(handler: ast.ClassDef) -> bool:
    named = any("__slots__" in ast.unparse(member) for member in handler.body)
    return named or any("slots=True" in ast.unparse(one) for one in handler.decorator_list)


@pytest.mark.parametrize(
    ("head", "slotted"),
    [
        ("@dataclass(frozen=True, slots=True)\nclass A:", True),
        ("@dataclass(frozen=True)\nclass A:", False),
        ("class A:\n    __slots__ = ()", True),
    ],
)
def test_slots_are_detected(head: str, slotted: bool) -> None:
    [found] = handlers(f"{head}\n    async def handle_DATA(self): ...")
    assert is_slotted(found) is slotted


def test_no_mail_handler_has_slots() -> None:
    files = subprocess.run(
        ["grep", "-rlE", "handle_(DATA|RCPT|MAIL)", "--include=*.py",
         "madoguchi", "services", "shared", "tests", "bench"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    found = [
        (file, one.name, is_slotted(one))
        for file in files
        for one in handlers((REPOSITORY / file).read_text())
    ]
    assert ("madoguchi/embedded/mail_catcher.py", "Mailbox", False) in found
    assert [one for one in found if one[2]] == []
