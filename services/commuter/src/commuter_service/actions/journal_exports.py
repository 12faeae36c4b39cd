"""Journal exports: make one of every settled slip that stands in none, take one back (R82, R85)."""

from dataclasses import dataclass
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import func, insert, literal, select, true, update

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.exports import journal_queries as queries
from commuter_service.exports.journal_accounts import accounts_json, accounts_of, as_json
from commuter_service.models import AccountingSetting, ExportedSlip, JournalExport, Slip, SlipItem
from commuter_service.request_context import RequestContext
from commuter_service.rules.accounting_setting import (
    ExportCancelled,
    NothingToExport,
    check_accounts,
    check_period,
    check_reason,
)
from commuter_service.rules.journal_formats import JournalFormat
from commuter_service.rules.journal_lines import JournalAccounts
from shared.concurrency import check_version
from shared.trace_context import new_id


@dataclass(frozen=True, slots=True)
class Period:
    """The days of settlement that an export takes; both may be open."""

    first: date | None
    last: date | None


async def save_accounting_setting(
    ctx: RequestContext, target: JournalFormat, accounts: JournalAccounts, version: int
) -> AccountingSetting:
    """Change the accounts. Raises VersionConflict, FormErrors."""
    kept = await queries.accounting_setting_of(ctx.tx, ctx.dealer_id, lock=True)
    check_version(kept.version, version)
    check_accounts(target, accounts)
    before = {"target": kept.target, **accounts_json(kept)}
    kept.target, kept.version = target.value, kept.version + 1
    for name, value in as_json(accounts).items():
        setattr(kept, name, value)
    ctx.tx.add(kept)
    await ctx.tx.flush()
    subject = uuid5(NAMESPACE_URL, f"urn:madoguchi:accounting:{ctx.dealer_id}")
    after = {"target": kept.target, **accounts_json(kept)}
    add_audit_entry(ctx, subject, ctx.employee_id, "accounting_setting", before=before, after=after)
    return kept


async def export_journal(ctx: RequestContext, period: Period) -> JournalExport:
    """Put every settled slip of the period that stands in no export into a new one (R85).

    Two at once: the second waits at the unique index of the first, and takes what is left.
    """
    check_period(period.first, period.last)
    setting = await queries.accounting_setting_of(ctx.tx, ctx.dealer_id)
    check_accounts(JournalFormat(setting.target), accounts_of(accounts_json(setting)))
    await ctx.tx.execute(
        select(func.pg_advisory_xact_lock(func.hashtext(f"export:{ctx.dealer_id}")))
    )
    made = _new_export(ctx, setting, period)
    newest = select(func.max(JournalExport.number)).where(JournalExport.dealer_id == ctx.dealer_id)
    made.number = (await ctx.tx.scalar(newest) or 0) + 1
    ctx.tx.add(made)
    await ctx.tx.flush()
    await _take_slips(ctx, made, period)
    await _count_lines(ctx, made)
    if not made.slips:
        raise NothingToExport
    after = {"slips": made.slips, "total_yen": made.total_yen, "number": made.number}
    add_audit_entry(ctx, made.export_id, ctx.employee_id, "export_journal", after=after)
    return made


async def cancel_export(ctx: RequestContext, export_id: UUID, reason: str) -> JournalExport:
    """Take an export back, with its reason: its slips may be exported again."""
    found = await queries.export_for(ctx.tx, ctx.dealer_id, export_id, lock=True)
    said = check_reason(reason)
    if found.cancelled_at is not None:
        raise ExportCancelled
    found.cancelled_at, found.cancelled_by_name, found.reason = ctx.now, ctx.name, said
    await ctx.tx.execute(
        update(ExportedSlip).where(ExportedSlip.export_id == export_id).values(counts=False)
    )
    add_audit_entry(ctx, export_id, ctx.employee_id, "cancel_export", said=said)
    return found


async def log_download(ctx: RequestContext, export_id: UUID) -> JournalExport:
    """Remember who took the file of an export. Raises NotFound, ExportCancelled."""
    found = await queries.export_for(ctx.tx, ctx.dealer_id, export_id)
    if found.cancelled_at is not None:
        raise ExportCancelled
    add_audit_entry(ctx, export_id, ctx.employee_id, "download_export")
    return found


def _new_export(ctx: RequestContext, setting: AccountingSetting, period: Period) -> JournalExport:
    return JournalExport(
        export_id=new_id(),
        dealer_id=ctx.dealer_id,
        number=0,
        target=setting.target,
        accounts=accounts_json(setting),
        first_on=period.first,
        last_on=period.last,
        slips=0,
        lines=0,
        total_yen=0,
        made_at=ctx.now,
        made_by=ctx.employee_id,
        made_by_name=ctx.name,
    )


async def _take_slips(ctx: RequestContext, made: JournalExport, period: Period) -> None:
    wanted = queries.not_exported(ctx.dealer_id, period.first, period.last)
    chosen = select(
        literal(made.export_id), Slip.slip_id, Slip.dealer_id, Slip.version, true()
    ).where(*wanted)
    columns = ["export_id", "slip_id", "dealer_id", "slip_version", "counts"]
    await ctx.tx.execute(insert(ExportedSlip).from_select(columns, chosen))


async def _count_lines(ctx: RequestContext, made: JournalExport) -> None:
    stands = select(ExportedSlip.slip_id).where(ExportedSlip.export_id == made.export_id)
    made.slips = await ctx.tx.scalar(select(func.count()).select_from(stands.subquery())) or 0
    figures = select(func.count(), func.sum(SlipItem.amount_yen)).where(
        SlipItem.slip_id.in_(stands), SlipItem.amount_yen > 0
    )
    made.lines, total_yen = (await ctx.tx.execute(figures)).one()
    made.total_yen = int(total_yen or 0)
