"""Passes from a file, where the company allows it: trial, import, undoing (R119-R121)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from commuter_service.actions import pass_imports as actions
from commuter_service.allowance_models import PassImport
from commuter_service.api.dependencies import EMPLOYEES, Ctx
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.pass_application import CsvRegistrationRefused
from commuter_service.rules.pass_import import (
    COLUMNS,
    MOST_BYTES,
    ImportUndone,
    PassFileUnreadable,
    RowResult,
)
from shared.refusals import refuses

router = APIRouter(prefix="/pass-imports", dependencies=[EMPLOYEES])

BINARY = {"schema": {"type": "string", "format": "binary"}}
UPLOAD = {"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}}


class ImportRow(BaseModel):
    """A line of the file, and what became of it."""

    line: int
    employee: str
    words: str
    result: RowResult
    result_japanese: str


class ImportAnswer(BaseModel):
    """The report of an import, or of a trial."""

    import_id: str
    made_at: datetime
    made_by_name: str
    undone_at: datetime | None
    undone_by_name: str | None
    added: int
    wrong: int
    rows: list[ImportRow]


class Imports(BaseModel):
    """Whether the company allows files, their columns, and the last twenty imports."""

    allowed: bool
    columns: list[str]
    items: list[ImportAnswer]


async def read_body(request: Request) -> bytes:
    """The file; one that is too large is not read to its end."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            break
    return bytes(content)


@router.get("")
@refuses(RightMissing)
async def list_imports(ctx: Ctx) -> Imports:
    """The imports so far, each with its report."""
    found = await actions.imports_of(ctx)
    items = [_answer(one) for one in found]
    return Imports(allowed=ctx.setting.bulk_passes, columns=list(COLUMNS), items=items)


@router.post("", openapi_extra=UPLOAD)
@refuses(RightMissing, CsvRegistrationRefused, PassFileUnreadable)
async def import_passes(
    ctx: Ctx,
    content: Annotated[bytes, Depends(read_body)],
    trial: Annotated[bool, Query()] = True,
) -> ImportAnswer:
    """What a file would do, and with `trial=false` do it."""
    return _answer(await actions.import_passes(ctx, content, trial=trial))


@router.post("/{import_id}/undoing")
@refuses(RightMissing, ImportUndone)
async def undo_import(import_id: UUID, ctx: Ctx) -> ImportAnswer:
    """Remove what it added and nobody has changed since."""
    return _answer(await actions.undo_import(ctx, import_id))


def _answer(one: PassImport) -> ImportAnswer:
    rows = [
        ImportRow(
            line=row["line"],
            employee=row["employee"],
            words=row["words"],
            result=RowResult(row["result"]),
            result_japanese=RowResult(row["result"]).label_ja,
        )
        for row in one.report
    ]
    return ImportAnswer(
        import_id=str(one.import_id),
        made_at=one.made_at,
        made_by_name=one.made_by_name,
        undone_at=one.undone_at,
        undone_by_name=one.undone_by_name,
        added=sum(row.result is RowResult.ADDED for row in rows),
        wrong=sum(row.result is RowResult.WRONG for row in rows),
        rows=rows,
    )
