"""Codes that are stored, sent or read by others: each change of one is a decision.

They stand in rows of years ago, in files of other companies and in programs of dealers. After such
a decision, with the migration that it needs: `python -m tests.schema.test_codes`.
"""

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from fare_engine.errors import FareError
from shared.errors import Refusal

KEPT = Path(__file__).parent / "codes.json"
PACKAGES = (
    "shared", "fare_engine", "contracts_service", "returns_service", "commuter_service",
    "notifier_service", "interchange_service",
)  # fmt: skip
LEFT_OUT = ("migrations", "service_api", "testing", "__main__")


def modules() -> Iterator[str]:
    for package in PACKAGES:
        found = pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
        names = (module.name for module in found)
        yield from (name for name in names if not any(part in name for part in LEFT_OUT))


def below(parent: type) -> Iterator[type]:
    children: list[type] = parent.__subclasses__()
    for child in children:
        yield child
        yield from below(child)


def codes() -> dict[str, object]:
    """The values of every enumeration and the code of every refusal, by the class that has them."""
    for module in modules():
        importlib.import_module(module)
    found: dict[str, object] = {}
    for one in {*below(Enum), *below(Refusal), *below(FareError)}:
        values = [str(member.value) for member in one] if issubclass(one, Enum) else _code(one)
        if _is_ours(one.__module__) and values:
            found[f"{one.__module__}.{one.__qualname__}"] = values
    return dict(sorted(found.items()))


def _is_ours(module: str) -> bool:
    """Whether a class is of the product; tests define some for themselves."""
    package, *inside = module.split(".")
    return package in PACKAGES and {"tests", "testing"}.isdisjoint(inside)


def _code(refusal: type) -> object:
    return getattr(refusal, "code", None)


def test_no_code_changed_unnoticed() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    now = codes()
    assert {name: now.get(name) for name in kept} == kept, "a code was changed or is gone"
    assert sorted(now.keys() - kept.keys()) == [], "new codes: keep them as this file says"


if __name__ == "__main__":
    KEPT.write_text(json.dumps(codes(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{KEPT.name} is written.\n")
