"""顧客リスト as CSV and お支払方法確認書 as PDF (D4, D19, D20, D51, D65-D67)."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from contracts_service import customer_list, queries
from contracts_service.actions.statements import Speaker
from contracts_service.actions.taking_out import note_export, note_print
from contracts_service.api.customers import ASKED, Asked, condition_of
from contracts_service.api.visit import DEALER, LEADERS, Text, Visit, Visiting
from contracts_service.payment_confirmation import Confirmation, print_confirmation
from contracts_service.rules.contract_access import ContractNotFound
from contracts_service.rules.customer_list_csv import customer_list_csv
from shared.db import Database
from shared.http import database_of
from shared.refusals import refuses

router = APIRouter()

CHUNK = 500


@router.get(
    "/contracts.csv",
    dependencies=[LEADERS],
    openapi_extra=ASKED,
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
)
async def export_customer_list(query: Asked, visit: Visiting, request: Request) -> Response:
    """Every hit of a search, in the order of the list; who took it out is kept."""
    condition = await condition_of(visit, query)
    rows = await customer_list.count(visit.tx, condition)
    asked = {"mode": query.mode, "sort": query.sort, **query.typed}
    speaker = Speaker(visit.who.person_id, "export", visit.now)
    await note_export(visit.tx, visit.viewer, asked, rows, speaker)
    lines = _lines(database_of(request), visit, condition, query.sort)
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="customer_list.csv"'},
    )


async def _lines(
    database: Database, visit: Visit, condition: customer_list.Condition, sort: str
) -> AsyncIterator[bytes]:
    """The file in portions, from a transaction of its own: the request's has ended by now."""
    async with database.transaction(visit.viewer.dealer_code) as tx:
        names = await queries.vehicles(tx, visit.viewer.dealer_code)
        yield b"".join(customer_list_csv([]))
        portion: list[customer_list.Listed] = []
        async for row in customer_list.find_all(tx, condition, sort=sort):
            portion.append(row)
            if len(portion) == CHUNK:
                yield _portion(portion, visit, names)
                portion = []
        yield _portion(portion, visit, names)


def _portion(rows: list[customer_list.Listed], visit: Visit, names: dict[str, str]) -> bytes:
    shown = (
        customer_list.csv_row(
            customer_list.row_of(row, today=visit.today, conditions=visit.conditions), row, names
        )
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
async def print_payment_confirmation(contract_no: Text, visit: Visiting) -> Response:
    """最終回お支払い方法のご確認, to be signed by the customer and kept by the dealer."""
    contract = await queries.contract_for(visit.tx, visit.viewer, contract_no, today=visit.today)
    product = await queries.product(visit.tx, contract.product_code)
    store = await queries.store_of(visit.tx, contract.dealer_id, contract.store_code)
    dealer = await queries.dealer_name(visit.tx, contract.dealer_id)
    document_id = await note_print(visit.tx, contract, now=visit.now)
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
        printed_on=visit.today,
    )
    pdf = await asyncio.to_thread(print_confirmation, form)
    return Response(
        pdf,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="confirmation-{document_id}.pdf"'},
    )
