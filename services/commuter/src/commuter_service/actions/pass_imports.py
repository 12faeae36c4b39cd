"""Passes added from a file, first on trial, and taken back by the report (R119-R121)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.actions.pass_prices import delete_prices
from commuter_service.actions.passes import PassContent, register_pass
from commuter_service.allowance_models import ImportRowJson, PassImport
from commuter_service.models import Employee, Pass, PassVersion
from commuter_service.passes.employee_passes import read_pass
from commuter_service.queries import employees_of, passes_where, period_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.pass_application import CsvRegistrationRefused
from commuter_service.rules.pass_import import (
    ImportUndone,
    PassRow,
    ReadLine,
    RowResult,
    read_pass_file,
)
from event_contracts.commuter import PassPurged
from fare_engine.errors import FareError
from fare_engine.routing.route_words import section_of
from shared import outbox
from shared.concurrency import VersionConflict, check_version
from shared.http import NotFound
from shared.trace_context import new_id

Key = tuple[str, str, str]


async def import_passes(ctx: RequestContext, content: bytes, *, trial: bool) -> PassImport:
    """Add what a file says, line by line; wrong lines are left out, and the report says why.

    On trial nothing is kept. Raises CsvRegistrationRefused, RightMissing, PassFileUnreadable.
    """
    ctx.need_pass_master()
    if not ctx.setting.bulk_passes:
        raise CsvRegistrationRefused
    lock = func.pg_advisory_xact_lock(func.hashtext(f"pass_import:{ctx.dealer_id}"))
    await ctx.tx.execute(select(lock))
    lines = read_pass_file(content)
    people = {
        one.employee_id.removeprefix(f"{ctx.dealer_id}-"): one
        for one in await employees_of(ctx.tx, ctx.dealer_id)
    }
    known = await _known(ctx)
    report = [await _taken(ctx, line, people, known, trial=trial) for line in lines]
    made = PassImport(
        import_id=new_id(),
        dealer_id=ctx.dealer_id,
        made_at=ctx.now,
        made_by=ctx.employee_id,
        made_by_name=ctx.name,
        report=report,
    )
    if not trial:
        ctx.tx.add(made)
        added = sum(row["result"] == RowResult.ADDED for row in report)
        after = {"rows": len(report), "added": added}
        add_audit_entry(ctx, made.import_id, ctx.employee_id, "import_passes", after=after)
    return made


async def undo_import(ctx: RequestContext, import_id: UUID) -> PassImport:
    """Remove what an import added, as long as nobody has changed it since (R121).

    Raises NotFound, RightMissing, ImportUndone.
    """
    one = PassImport.import_id == import_id, PassImport.dealer_id == ctx.dealer_id
    found = await ctx.tx.scalar(select(PassImport).where(*one).with_for_update())
    if found is None:
        raise NotFound
    ctx.need_pass_master()
    if found.undone_at is not None:
        raise ImportUndone
    found.report = [await _taken_back(ctx, row) for row in found.report]
    found.undone_at, found.undone_by_name = ctx.now, ctx.name
    add_audit_entry(ctx, import_id, ctx.employee_id, "undo_import")
    return found


async def _known(ctx: RequestContext) -> set[Key]:
    """Passes that are in force."""
    records = await passes_where(ctx.tx, Pass.dealer_id == ctx.dealer_id)
    in_force = [(record.held.employee_id, record.confirmed) for record in records]
    return {(who, one.route, str(period_of(one))) for who, one in in_force if one}


async def _taken(
    ctx: RequestContext,
    line: ReadLine,
    people: dict[str, Employee],
    known: set[Key],
    *,
    trial: bool,
) -> ImportRowJson:
    if (row := line.row) is None:
        return _reported(line, RowResult.WRONG, line.wrong)
    employee = people.get(row.employee)
    if employee is None:
        return _reported(line, RowResult.WRONG, f"社員番号「{row.employee}」の社員はいません")
    try:
        route = str(read_pass(ctx.tariffs.network, row.route))
    except FareError as refused:
        return _reported(line, RowResult.WRONG, refused.message)
    words = f"{employee.name} {section_of(route)} {row.period}".strip()
    key = (employee.employee_id, route, str(row.period))
    if key in known:
        return _reported(line, RowResult.KNOWN, words)
    known.add(key)
    if trial:
        return _reported(line, RowResult.ADDED, words)
    return await _added(ctx, line, row, employee, words)


async def _added(
    ctx: RequestContext, line: ReadLine, row: PassRow, employee: Employee, words: str
) -> ImportRowJson:
    content = PassContent(row.route, row.period, row.prices)
    held = (await register_pass(ctx, employee, content)).held
    reported = _reported(line, RowResult.ADDED, words)
    return {**reported, "pass_id": str(held.pass_id), "version": held.version}


async def _taken_back(ctx: RequestContext, row: ImportRowJson) -> ImportRowJson:
    """The line of the report after the undoing."""
    if row["pass_id"] is None or row["version"] is None:
        return row
    pass_id = UUID(row["pass_id"])
    held = await ctx.tx.get(Pass, pass_id, with_for_update=True)
    try:
        check_version(held.version if held else 0, row["version"])
    except VersionConflict:
        return {**row, "result": RowResult.CHANGED_SINCE}
    assert held is not None
    await delete_prices(ctx.tx, pass_id)
    await ctx.tx.execute(delete(PassVersion).where(PassVersion.pass_id == pass_id))
    await ctx.tx.execute(delete(Pass).where(Pass.pass_id == pass_id))
    add_audit_entry(ctx, pass_id, held.employee_id, "undo_import", said=row["words"])
    who = {"dealer_id": held.dealer_id, "employee_id": held.employee_id}
    await outbox.add(ctx.tx, PassPurged(**who, pass_id=str(pass_id)), now=ctx.now)
    return {**row, "result": RowResult.UNDONE}


def _reported(line: ReadLine, result: RowResult, words: str) -> ImportRowJson:
    return ImportRowJson(
        line=line.line, employee=line.employee, words=words, result=result, pass_id=None,
        version=None,
    )  # fmt: skip


async def imports_of(ctx: RequestContext) -> Sequence[PassImport]:
    """The last twenty imports, the latest first. Raises RightMissing."""
    ctx.need_pass_master()
    found = select(PassImport).where(PassImport.dealer_id == ctx.dealer_id)
    return (
        (await ctx.tx.execute(found.order_by(PassImport.made_at.desc()).limit(20))).scalars().all()
    )
