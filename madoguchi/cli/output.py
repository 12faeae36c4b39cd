"""Output of commands: lines that can be copied, and JSON for programs."""

import dataclasses
import json
from datetime import date
from enum import Enum
from pathlib import Path
from uuid import UUID

import typer


def print_line(line: str) -> None:
    """Print one line without wrapping or colours, so that ids can be copied."""
    typer.echo(line)


def print_json(value: object) -> None:
    """Print a value as one JSON document; instants are ISO 8601 with their offset."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Path | Enum):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
