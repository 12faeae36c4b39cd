"""docker-compose.yml as compose reads it: variables filled in, anchors merged."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


class VariableMissing(Exception):
    """A variable that the file demands is not set."""


def compose_file(given: Mapping[str, str]) -> dict[str, Any]:
    """The file with these variables. Raises VariableMissing."""

    def value(found: re.Match[str]) -> str:
        name, how, default = found[1], found[2], found[3]
        if given.get(name):
            return given[name]
        if how in {"?", ":?"}:
            raise VariableMissing(name)
        return default or ""

    read: dict[str, Any] = _filled(yaml.safe_load(TEXT), value)
    return read


def _filled(part: Any, value: Any) -> Any:
    if isinstance(part, dict):
        return {key: _filled(one, value) for key, one in part.items()}
    if isinstance(part, list):
        return [_filled(one, value) for one in part]
    return VARIABLE.sub(value, part).replace("$$", "$") if isinstance(part, str) else part
