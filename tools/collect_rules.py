"""Collection of rule markers: which tests carry one, and which of those cannot fail.

A pytest plugin, loaded with `-p tools.collect_rules --collect-only --rule-tests FILE`
(tools/rules.py does it). It writes one JSON record per collected case with a marker: test, file,
rules, hollow.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools.check_assertions import SourceReader


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the output file."""
    parser.addoption("--rule-tests", type=Path, required=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the records after collection."""
    marked = [item for item in session.items if item.get_closest_marker("rule")]
    records = [_record(item, session.config.rootpath) for item in marked]
    target: Path = session.config.getoption("--rule-tests")
    target.write_text(json.dumps(records), encoding="utf-8")


def _record(item: pytest.Item, root: Path) -> dict[str, object]:
    path = item.path.relative_to(root).as_posix() if item.path.is_relative_to(root) else None
    rules = [str(number) for mark in item.iter_markers("rule") for number in mark.args or ("",)]
    return {
        "test": item.nodeid.partition("[")[0],
        "file": path or item.path.as_posix(),
        "rules": list(dict.fromkeys(rules)),
        "hollow": _why_hollow(item, root),
    }


def _why_hollow(item: pytest.Item, root: Path) -> str | None:
    for name, word in (("skip", "skipped"), ("skipif", "skipped"), ("xfail", "expected to fail")):
        if any(_always(mark, name) for mark in item.iter_markers(name)):
            return word
    if not isinstance(item, pytest.Function):
        return "not a test function"
    if SourceReader(root, {}).leaves(item.function):
        return "skips itself"
    if not SourceReader(root, _fixtures(item)).asserts(item.function, item.cls):
        return "asserts nothing"
    return None


def _always(mark: pytest.Mark, name: str) -> bool:
    """Whether the mark applies unconditionally; conditions given as text are left to pytest."""
    conditions = mark.args or ((mark.kwargs["condition"],) if "condition" in mark.kwargs else ())
    if name == "skip" or not conditions:
        return True
    return any(condition is True or condition == "True" for condition in conditions)


def _fixtures(item: pytest.Function) -> Mapping[str, Callable[..., object]]:
    info = item._fixtureinfo  # noqa: SLF001  pytest has no public way to a test's fixtures
    return {name: defined[-1].func for name, defined in info.name2fixturedefs.items() if defined}
