"""Exports: 顧客リスト as CSV or Excel file, お支払方法確認書 as PDF.

D4, D19, D20, D51, D65-D67.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from contracts_service import customer_list, queries
from contracts_service.actions.entry_history import Recorder
from contracts_service.actions.export_log import log_export, log_print
from contracts_service.api.contracts import (
    SEARCH_PARAMS,
    SearchParams,
    SearchQuery,
    condition_of,
)
from contracts_service.api.dependencies import DEALER, LEADERS, Ctx, RequestContext, Text
from contracts_service.customer_list_texts import csv_row
from contracts_service.customer_list_xlsx import MEDIA_TYPE, CustomerListWorkbook
from contracts_service.payment_confirmation import Confirmation, print_confirmation
from contracts_service.rules.contract_access import ContractNotFound
from contracts_service.rules.customer_list_csv import customer_list_csv
from contracts_service.rules.search_limit import TooManyForExcel, refuse_too_many_for_excel
from shared.db import Database
from shared.http import database_of
from shared.refusals import refuses

router = APIRouter()

CHUNK = 500


@router.get(
    "/contracts.csv",
    dependencies=[LEADERS],
    openapi_extra=SEARCH_PARAMS,
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
)
async def export_customer_list(query: SearchParams, ctx: Ctx, request: Request) -> Response:
    """Every hit of a search as CSV, in list order; the export is logged."""
    condition = await condition_of(ctx, query)
    await _log(ctx, query, await customer_list.count(ctx.tx, condition))
    lines = _lines(database_of(request), ctx, condition, query.sort)
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": _named(f"{ctx.today:%Y%m%d}.csv")},
    )


@router.get(
    "/contracts.xlsx",
    dependencies=[LEADERS],
    openapi_extra=SEARCH_PARAMS,
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
@refuses(TooManyForExcel)
async def export_excel_list(query: SearchParams, ctx: Ctx, request: Request) -> Response:
    """The same list as an Excel file, up to a number of rows; the export is logged."""
    condition = await condition_of(ctx, query)
    rows = await customer_list.count(ctx.tx, condition)
    refuse_too_many_for_excel(rows)
    await _log(ctx, query, rows)
    pieces = _workbook(database_of(request), ctx, condition, query.sort)
    return StreamingResponse(
        pieces,
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": _named(f"{ctx.today:%Y%m%d}.xlsx")},
    )


async def _log(ctx: RequestContext, query: SearchQuery, rows: int) -> None:
    asked = {"mode": query.mode, "sort": query.sort, **query.conditions}
    await log_export(
        ctx.tx, ctx.viewer, asked, rows, Recorder(ctx.who.person_id, "export", ctx.now)
    )


def _named(ending: str) -> str:
    """顧客リスト_20261220.csv (RFC 6266), and a plain name for clients that do not read it."""
    name = quote(f"顧客リスト_{ending}")
    return f"attachment; filename=\"customer_list_{ending}\"; filename*=UTF-8''{name}"


async def _lines(
    database: Database, ctx: RequestContext, condition: customer_list.Condition, sort: str
) -> AsyncIterator[bytes]:
    """The file in batches, from a transaction of its own: the request's has ended by now."""
    async with database.transaction(ctx.viewer.dealer_code) as tx:
        names = await queries.vehicles(tx, ctx.viewer.dealer_code)
        yield b"".join(customer_list_csv([]))
        portion: list[customer_list.ListedContract] = []
        async for row in customer_list.find_all(tx, condition, sort=sort):
            portion.append(row)
            if len(portion) == CHUNK:
                yield _batch(portion, ctx, names)
                portion = []
        yield _batch(portion, ctx, names)


async def _workbook(
    database: Database, ctx: RequestContext, condition: customer_list.Condition, sort: str
) -> AsyncIterator[bytes]:
    """The Excel file; threads write it, so that other requests go on meanwhile."""
    with CustomerListWorkbook() as book:
        async with database.transaction(ctx.viewer.dealer_code) as tx:
            names = await queries.vehicles(tx, ctx.viewer.dealer_code)
            portion: list[customer_list.ListedContract] = []
            async for row in customer_list.find_all(tx, condition, sort=sort):
                portion.append(row)
                if len(portion) == CHUNK:
                    await asyncio.to_thread(_add_rows, book, portion, ctx, names)
                    portion = []
            await asyncio.to_thread(_add_rows, book, portion, ctx, names)
        await asyncio.to_thread(book.finish)
        for piece in book.pieces():
            yield piece


def _add_rows(
    book: CustomerListWorkbook,
    rows: list[customer_list.ListedContract],
    ctx: RequestContext,
    names: dict[str, str],
) -> None:
    for row in rows:
        shown = customer_list.row_of(row, today=ctx.today, policy=ctx.policy)
        texts = csv_row(shown, row, names)
        book.add((shown.final_on, shown.result_due_on), texts[2:])


def _batch(
    rows: list[customer_list.ListedContract], ctx: RequestContext, names: dict[str, str]
) -> bytes:
    shown = (
        csv_row(customer_list.row_of(row, today=ctx.today, policy=ctx.policy), row, names)
        for row in rows
    )
    return b"".join(islice(customer_list_csv(shown), 1, None))


@router.get(
    "/contracts/{contract_no}/payment-confirmation.pdf",
    dependencies=[DEALER],
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
@refuses(ContractNotFound)
async def print_payment_confirmation(contract_no: Text, ctx: Ctx) -> Response:
    """最終回お支払い方法のご確認, for the customer to sign and the dealer to file."""
    contract = await queries.contract_for(ctx.tx, ctx.viewer, contract_no, today=ctx.today)
    product = await queries.product(ctx.tx, contract.product_code)
    store = await queries.store_of(ctx.tx, contract.dealer_id, contract.store_code)
    dealer = await queries.dealer_name(ctx.tx, contract.dealer_id)
    document_id = await log_print(ctx.tx, contract, now=ctx.now)
    form = Confirmation(
        document_id=document_id,
        dealer=dealer,
        store=store.name if store else "",
        product=product.name,
        contract_no=contract.contract_no,
        customer_name=contract.customer_name,
        postal_code=contract.postal_code or "",
        address=contract.address,
        vehicle=f"{contract.model}　{contract.registration_no}",
        final_on=contract.final_on,
        last_instalment_yen=contract.last_instalment_yen,
        printed_on=ctx.today,
    )
    pdf = await asyncio.to_thread(print_confirmation, form)
    return Response(
        pdf,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="confirmation-{document_id}.pdf"'},
    )
