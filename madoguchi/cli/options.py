"""What do several commands take? Where the all-in-one keeps its data, or another database."""

from pathlib import Path
from typing import Annotated

import typer

DATA_FOLDER = Path(".madoguchi/data")
PREFIX = "madoguchi_"
Data = Annotated[
    Path, typer.Option("--data", help="the all-in-one's folder: all that must survive")
]
Url = Annotated[
    str | None,
    typer.Option("--database", envvar="DATABASE_URL", help="the service's database, if elsewhere"),
]
Server = Annotated[
    str | None,
    typer.Option("--postgres", help="postgresql://... of a superuser; else the all-in-one's own"),
]
Prefix = Annotated[str, typer.Option(help="what stands before a service's name in its database's")]
