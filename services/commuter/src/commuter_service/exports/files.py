"""The files themselves, portion by portion: a journal, and the list of slips."""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from commuter_service.exports.journal_accounts import accounts_of
from commuter_service.exports.journal_queries import every_slip, items_in
from commuter_service.exports.portions import portions
from commuter_service.models import JournalExport
from commuter_service.rules.invoice_basis import InvoiceBasis
from commuter_service.rules.journal_formats import LAYOUTS, JournalFormat, journal_csv
from commuter_service.rules.journal_lines import (
    JournalAccounts,
    JournalItem,
    JournalLine,
    Posting,
    journal_line,
    posting_of,
)
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.slip_kind import SlipKind
from fare_engine.routing.route_words import section_of
from shared.clock import jst_day
from shared.db import Database
from shared.text_safety import defused_cell

Row = Sequence[Any]
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
        async for rows in portions(tx, items_in(export.export_id)):
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
        async for rows in portions(tx, every_slip(dealer_id, first, last)):
            yield _csv(map(_listed, rows))


def _lines(rows: Sequence[Row], before: int, accounts: JournalAccounts) -> Iterator[JournalLine]:
    postings: dict[tuple[Any, ...], Posting] = {}
    for number, row in enumerate(rows, start=before + 1):
        item = _item(row)
        like = row[1], row[2], row[4], row[-1]
        posting = postings.get(like)
        if posting is None:
            posting = postings[like] = posting_of(item, accounts)
        yield journal_line(number, item, posting)


@lru_cache(maxsize=4096)
def _section(route: str) -> str:
    """Colleagues ride the same routes again and again."""
    return section_of(route)


def _item(row: Row) -> JournalItem:
    """The columns of `items_in`."""
    (
        slip_id,
        kind,
        item_on,
        employee,
        store_code,
        route,
        words,
        round_trip,
        purpose,
        payee,
        registration_no,
        amount_yen,
        basis,
    ) = row
    what = _section(route) if route else words
    return JournalItem(
        slip_id,
        KINDS[kind],
        item_on,
        employee,
        store_code,
        f"{what}（往復）" if round_trip else what,
        purpose,
        payee,
        registration_no,
        amount_yen,
        BASES[basis],
    )


KINDS = {kind.name.lower(): kind for kind in SlipKind}
BASES: dict[str | None, InvoiceBasis | None] = {
    None: None,
    **{one.value: one for one in InvoiceBasis},
}
STATUS_WORDS = {one.value: one.label_ja for one in SlipStatus}


@lru_cache(maxsize=1024)
def _slashes(day: date) -> str:
    return f"{day:%Y/%m/%d}"


def _listed(row: Row) -> Sequence[str]:
    """The columns of `every_slip`."""
    slip_id, kind, title, status, submitted_at, updated_at, number, name, store, *figures = row
    items, total_yen, export_no = figures
    return (
        slip_id,
        KINDS[kind].value,
        defused_cell(title),
        STATUS_WORDS[status],
        _slashes(jst_day(submitted_at)),
        _slashes(jst_day(updated_at)),
        defused_cell(number),
        defused_cell(name),
        defused_cell(store or ""),
        str(items),
        str(total_yen),
        str(export_no or ""),
    )


def _csv(rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
