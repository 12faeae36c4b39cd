"""What do several commands take? Where the all-in-one keeps its data, or another database."""

from pathlib import Path
from typing import Annotated

import typer

HERE = Path(".madoguchi/data")
Data = Annotated[
    Path, typer.Option("--data", help="the all-in-one's folder: all that must survive")
]
Url = Annotated[
    str | None,
    typer.Option("--database", envvar="DATABASE_URL", help="the service's database, if elsewhere"),
]
