"""Options shared by several commands: which data, which service, how to print, whether to act."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DATA_FOLDER = Path(".madoguchi/data")
PREFIX = "madoguchi_"


class ServiceName(StrEnum):
    """The services that publish and receive events."""

    CONTRACTS = "contracts"
    RETURNS = "returns"
    COMMUTER = "commuter"
    NOTIFIER = "notifier"
    INTERCHANGE = "interchange"


Service = Annotated[ServiceName, typer.Option("--service", help="the service", show_default=False)]
Folder = Annotated[
    Path, typer.Option("--data", help="the all-in-one's data folder, with all durable state")
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="the data folder of an all-in-one, to work on its databases",
        show_default=str(DATA_FOLDER),
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="DATABASE_URL",
        help="the service's database; else that of its environment (CONTRACTS_DATABASE_URL and so"
        " on), else the all-in-one's",
    ),
]
Server = Annotated[
    str | None,
    typer.Option("--postgres", help="postgresql://... of a superuser; else the all-in-one's own"),
]
Prefix = Annotated[
    str, typer.Option(help="prefix of the databases' names, before the service's name")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="say what would be done, and change nothing")
]


def group(about: str) -> typer.Typer:
    """A group of commands; plain text, because Rich's help takes as long to import as all else."""
    return typer.Typer(
        no_args_is_help=True, add_completion=False, rich_markup_mode=None, help=about
    )


def single() -> typer.Typer:
    """One command in a module of its own."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)
