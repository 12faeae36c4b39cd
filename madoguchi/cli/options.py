"""Options shared by several commands: the all-in-one's data folder, or a database URL."""

from pathlib import Path
from typing import Annotated

import typer

DATA_FOLDER = Path(".madoguchi/data")
PREFIX = "madoguchi_"
Data = Annotated[
    Path, typer.Option("--data", help="the all-in-one's data folder, with all durable state")
]
Url = Annotated[
    str | None,
    typer.Option(
        "--database", envvar="DATABASE_URL", help="the service's database, if not the all-in-one's"
    ),
]
Server = Annotated[
    str | None,
    typer.Option("--postgres", help="postgresql://... of a superuser; else the all-in-one's own"),
]
Prefix = Annotated[
    str, typer.Option(help="prefix of the databases' names, before the service's name")
]
