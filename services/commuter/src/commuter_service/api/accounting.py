"""会計連携: the accounts of a company, exports of journals, and the list of slips as CSV."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from commuter_service.actions import journal_exports as actions
from commuter_service.api.dependencies import (
    ACCOUNTING,
    Body,
    Ctx,
    Day,
    Key,
    Responses,
    Text,
    Version,
)
from commuter_service.exports import journal_queries as queries
from commuter_service.exports.files import journal_file, slips_file
from commuter_service.exports.journal_accounts import accounts_json, accounts_of
from commuter_service.models import AccountingSetting, JournalExport
from commuter_service.queries import stores_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.accounting_setting import ExportCancelled, NothingToExport
from commuter_service.rules.journal_formats import LAYOUTS, JournalFormat
from commuter_service.rules.journal_lines import Account, JournalAccounts, TaxTreatment
from commuter_service.rules.slip_kind import SlipKind
from shared.http import database_of, etag, idempotent
from shared.refusals import refuses

router = APIRouter(prefix="/accounting", dependencies=[ACCOUNTING])

CSV: Responses = {200: {"content": {"text/csv": {}}}}
AnyDay = Annotated[Day | None, Query()]


class AccountBody(Body):
    """An account: its name, or its code at 勘定奉行."""

    account: Text = ""
    sub_account: Text = ""
    taxed: bool = True

    def typed(self) -> Account:
        """As the rules read it."""
        return Account(self.account.strip(), self.sub_account.strip(), self.taxed)


class AccountingBody(Body):
    """The accounts by kind of slip, the credit side, words of tax, departments by store."""

    target: JournalFormat
    debits: dict[str, AccountBody] = Field(max_length=20)
    credit: AccountBody
    tax_words: dict[TaxTreatment, Text] = Field(max_length=10)
    departments: dict[Text, Text] = Field(default={}, max_length=2000)

    def accounts(self) -> JournalAccounts:
        """As the rules read them; a kind or a treatment that is left out is empty."""
        none = AccountBody()
        debits = {kind: self.debits.get(kind.name.lower(), none).typed() for kind in SlipKind}
        words = {one: self.tax_words.get(one, "").strip() for one in TaxTreatment}
        departments = {store: one.strip() for store, one in self.departments.items() if one.strip()}
        credit = Account(self.credit.account.strip(), self.credit.sub_account.strip(), taxed=False)
        return JournalAccounts(debits, credit, words, departments)


class AccountAnswer(BaseModel):
    """An account, of one kind of slip where it is a debit."""

    kind: str
    japanese: str
    account: str
    sub_account: str
    taxed: bool


class TaxWord(BaseModel):
    """What the accounting software calls a treatment of tax."""

    treatment: TaxTreatment
    word: str


class Department(BaseModel):
    """The department of a store."""

    store_code: str
    department: str


class TargetAnswer(BaseModel):
    """A product, and its own words."""

    target: JournalFormat
    name: str
    encoding: str
    tax_words: list[TaxWord]


class AccountingAnswer(BaseModel):
    """会計連携の設定."""

    version: int
    target: JournalFormat
    debits: list[AccountAnswer]
    credit: AccountAnswer
    tax_words: list[TaxWord]
    departments: list[Department]
    targets: list[TargetAnswer]


class ExportLine(BaseModel):
    """One export; `changed` slips are no longer what they were in it."""

    export_id: str
    number: int
    target: JournalFormat
    target_japanese: str
    first: date | None
    last: date | None
    slips: int
    lines: int
    total_yen: int
    made_at: datetime
    made_by_name: str
    cancelled_at: datetime | None
    cancelled_by_name: str | None
    reason: str | None
    changed: int


class Exports(BaseModel):
    """The exports, the latest first, and what the next one would take; `more`: older ones."""

    waiting_slips: int
    waiting_yen: int
    target_japanese: str
    items: list[ExportLine]
    more: bool


class ExportPeriodBody(Body):
    """The days of settlement to export; open ends take everything."""

    first: Day | None = None
    last: Day | None = None


class CancelExportBody(Body):
    """Why an export is taken back."""

    reason: Text = ""


@router.get("/settings")
async def show_accounting_setting(ctx: Ctx, response: Response) -> AccountingAnswer:
    """The accounts, or the usual ones."""
    kept = await queries.accounting_setting_of(ctx.tx, ctx.dealer_id)
    return await _setting(ctx, kept, response)


@router.put("/settings")
async def change_accounting_setting(
    typed: AccountingBody, version: Version, ctx: Ctx, response: Response
) -> AccountingAnswer:
    """Save them; what the product cannot read is named beside its field."""
    accounts = typed.accounts()
    kept = await actions.save_accounting_setting(ctx, typed.target, accounts, version)
    return await _setting(ctx, kept, response)


@router.get("/exports")
async def list_exports(
    ctx: Ctx, first: AnyDay = None, last: AnyDay = None, before: int | None = None
) -> Exports:
    """The exports, fifty at a time, and the settled slips that stand in none."""
    slips, yen = await queries.waiting_figures(ctx.tx, ctx.dealer_id, first, last)
    setting = await queries.accounting_setting_of(ctx.tx, ctx.dealer_id)
    rows = await queries.exports_of(ctx.tx, ctx.dealer_id, before)
    return Exports(
        waiting_slips=slips,
        waiting_yen=yen,
        target_japanese=JournalFormat(setting.target).label_ja,
        items=[_line(row.JournalExport, row.changed) for row in rows],
        more=bool(rows) and rows[-1].JournalExport.number > 1,
    )


@router.post("/exports", status_code=201)
@refuses(NothingToExport)
async def make_export(body: ExportPeriodBody, ctx: Ctx, key: Key = None) -> ExportLine:
    """Record a new export of what stands in none; its file is fetched by its own address."""

    async def act() -> dict[str, object]:
        made = await actions.export_journal(ctx, actions.Period(body.first, body.last))
        return _line(made, 0).model_dump(mode="json")

    answer = await idempotent(
        ctx.tx, owner=ctx.employee_id, key=key, fingerprint=body.model_dump_json(), act=act
    )
    return ExportLine.model_validate(answer)


@router.post("/exports/{export_id}/cancellation")
@refuses(ExportCancelled)
async def cancel_export(export_id: UUID, body: CancelExportBody, ctx: Ctx) -> ExportLine:
    """Take an export back: its slips stand in the next one."""
    return _line(await actions.cancel_export(ctx, export_id, body.reason), 0)


@router.get("/exports/{export_id}/journal.csv", response_class=Response, responses=CSV)
@refuses(ExportCancelled)
async def download_journal(export_id: UUID, ctx: Ctx, request: Request) -> Response:
    """The file of an export, as often as it is asked for; each time is in the trail."""
    export = await actions.log_download(ctx, export_id)
    layout = LAYOUTS[JournalFormat(export.target)]
    charset = "shift_jis" if layout.encoding == "cp932" else "utf-8"
    name = f"journal-{export.target}-{export.number:04d}.csv"
    lines = journal_file(database_of(request), ctx.dealer_id, export)
    return _download(lines, name, charset)


@router.get("/slips.csv", response_class=Response, responses=CSV)
async def download_slips(
    ctx: Ctx, request: Request, first: AnyDay = None, last: AnyDay = None
) -> Response:
    """Every slip that was handed in, by the day of its submission."""
    lines = slips_file(database_of(request), ctx.dealer_id, first, last)
    return _download(lines, "slips.csv", "utf-8")


def _download(lines: AsyncIterator[bytes], name: str, charset: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(lines, media_type=f"text/csv; charset={charset}", headers=headers)


async def _setting(
    ctx: RequestContext, kept: AccountingSetting, response: Response
) -> AccountingAnswer:
    response.headers.update(etag(kept.version))
    accounts = accounts_of(accounts_json(kept))
    stores = await stores_of(ctx.tx, ctx.dealer_id)
    return AccountingAnswer(
        version=kept.version,
        target=JournalFormat(kept.target),
        debits=[
            _account(kind.name.lower(), kind.value, one) for kind, one in accounts.debits.items()
        ],
        credit=_account("", "貸方", accounts.credit),
        tax_words=_words(accounts.tax_words),
        departments=[
            Department(store_code=store, department=accounts.departments.get(store, ""))
            for store in stores
        ],
        targets=[
            TargetAnswer(
                target=one,
                name=layout.name,
                encoding=layout.encoding,
                tax_words=_words(layout.tax_words),
            )
            for one, layout in LAYOUTS.items()
        ],
    )


def _account(kind: str, japanese: str, one: Account) -> AccountAnswer:
    return AccountAnswer(
        kind=kind,
        japanese=japanese,
        account=one.account,
        sub_account=one.sub_account,
        taxed=one.taxed,
    )


def _words(words: Mapping[TaxTreatment, str]) -> list[TaxWord]:
    return [TaxWord(treatment=one, word=words.get(one, "")) for one in TaxTreatment]


def _line(export: JournalExport, changed: int) -> ExportLine:
    return ExportLine(
        export_id=str(export.export_id),
        number=export.number,
        target=JournalFormat(export.target),
        target_japanese=JournalFormat(export.target).label_ja,
        first=export.first_on,
        last=export.last_on,
        slips=export.slips,
        lines=export.lines,
        total_yen=export.total_yen,
        made_at=export.made_at,
        made_by_name=export.made_by_name,
        cancelled_at=export.cancelled_at,
        cancelled_by_name=export.cancelled_by_name,
        reason=export.reason,
        changed=changed,
    )
