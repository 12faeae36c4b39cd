"""The files themselves, portion by portion: a journal, and the list of slips."""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from commuter_service.exports.journal_accounts import accounts_of
from commuter_service.exports.journal_queries import every_slip, exported_items
from commuter_service.models import JournalExport
from commuter_service.rules.invoice_basis import InvoiceBasis
from commuter_service.rules.journal_formats import LAYOUTS, JournalFormat, journal_csv
from commuter_service.rules.journal_lines import (
    JournalAccounts,
    JournalItem,
    JournalLine,
    journal_line,
)
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.slip_kind import SlipKind
from fare_engine.routing.route_words import section_of
from shared.clock import jst_day
from shared.db import Database
from shared.text_safety import defused_cell

LIST_COLUMNS = (
    *("伝票番号", "種別", "件名", "状態", "申請日", "最終更新日", "社員番号", "氏名", "店舗"),
    *("明細数", "合計金額", "仕訳出力番号"),
)


async def journal_file(
    database: Database, dealer_id: str, export: JournalExport
) -> AsyncIterator[bytes]:
    """The journal of an export, from a transaction of its own."""
    layout = LAYOUTS[JournalFormat(export.target)]
    accounts = accounts_of(export.accounts)
    number, first = 0, True
    async with database.transaction(dealer_id) as tx:
        async for rows in exported_items(tx, export.export_id):
            lines = _lines(rows, number, accounts)
            yield journal_csv(layout, lines, first=first)
            number, first = number + len(rows), False
    if first:
        yield journal_csv(layout, (), first=True)


async def slips_file(
    database: Database, dealer_id: str, first: date | None, last: date | None
) -> AsyncIterator[bytes]:
    """The list of slips as CSV for a spreadsheet."""
    yield b"\xef\xbb\xbf" + _csv([LIST_COLUMNS])
    async with database.transaction(dealer_id) as tx:
        chosen = every_slip(dealer_id, first, last).execution_options(yield_per=1000)
        async for rows in (await tx.stream(chosen)).partitions():
            yield _csv(map(_listed, rows))


def _lines(
    rows: Sequence[Row[Any]], before: int, accounts: JournalAccounts
) -> Iterator[JournalLine]:
    for number, row in enumerate(rows, start=before + 1):
        yield journal_line(number, _item(row), accounts)


@lru_cache(maxsize=4096)
def _section(route: str) -> str:
    """Colleagues ride the same routes again and again."""
    return section_of(route)


def _item(row: Row[Any]) -> JournalItem:
    return_trip = "（往復）" if row.round_trip else ""
    return JournalItem(
        slip_no=str(row.slip_id),
        kind=SlipKind[row.kind.upper()],
        item_on=row.item_on,
        employee=row.name,
        store_code=row.store_code,
        what=(_section(row.route) if row.route else row.words) + return_trip,
        purpose=row.purpose,
        payee=row.payee,
        registration_no=row.registration_no,
        amount_yen=row.amount_yen,
        basis=InvoiceBasis(row.invoice_basis) if row.invoice_basis else None,
    )


def _listed(row: Row[Any]) -> Sequence[str]:
    cells = (
        str(row.slip_id),
        SlipKind[row.kind.upper()].value,
        row.title,
        SlipStatus(row.status).label_ja,
        f"{jst_day(row.submitted_at):%Y/%m/%d}",
        f"{jst_day(row.updated_at):%Y/%m/%d}",
        row.employee_id,
        row.name,
        row.store_code or "",
        str(row.items),
        str(row.total_yen),
        str(row.number or ""),
    )
    return list(map(defused_cell, cells))


def _csv(rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
