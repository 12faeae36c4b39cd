"""Access log of commands: what an operator did past the pages is recorded like a step on them.

Always as a line `access` on standard error; as a row of the portal's access log wherever its
database is known: by PORTAL_DATABASE_URL, or as the all-in-one's.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from madoguchi.cli.account import operator
from madoguchi.cli.databases import opened, variable

if TYPE_CHECKING:
    from pathlib import Path

    from portal_service.access_log import Access

UNKNOWN = (
    "PORTAL_DATABASE_URL is not set: only the line above records this, not the page アクセスの記録."
)


async def record_step(
    command: str, kind: str, about: str, data: Path | None, url: str | None
) -> None:
    """Record an operator's step; `data` and `url` are the options of its command.

    Raises DatabaseUnavailable: what cannot be recorded is not done.
    """
    from portal_service.access_log import NAMES, Access, Action

    access = Access(
        at=datetime.now(UTC),
        action=Action.OPERATOR_STEP,
        outcome="success",
        actor=operator(),
        method="CLI",
        route=f"madoguchi {command}",
        object_kind=kind,
        object_id=about,
    )
    named = {NAMES[key]: value for key, value in access.row.items() if key in NAMES}
    line = {"event": "access", "timestamp": access.at.isoformat(), **named}
    shown = {key: value for key, value in line.items() if value is not None}
    typer.echo(json.dumps(shown, ensure_ascii=False), err=True)
    if os.environ.get(variable("portal")) is None and (url is not None or _is_elsewhere(data)):
        typer.echo(UNKNOWN, err=True)
        return
    await _store(access, data)


def _is_elsewhere(data: Path | None) -> bool:
    """Whether the service's database comes from the environment, so there is no all-in-one."""
    return data is None and any(name.endswith("_DATABASE_URL") for name in os.environ)


async def _store(access: Access, data: Path | None) -> None:
    from portal_service.actions.access_log import add_accesses

    async with opened("portal", data, None) as portal, portal.transaction() as tx:
        await add_accesses(tx, [access.row])
