"""領収書: upload to an item, a new version, cancellation, the files, and accounting's search.

The body of an upload is the file itself. It is judged, scanned and stored outside any transaction;
the row follows (actions/receipts.py).
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from commuter_service.actions import receipts as actions
from commuter_service.actions.receipts import Place, UploadedFile
from commuter_service.adapters.receipt_store import (
    ReceiptStore,
    ReceiptStoreMissing,
    ReceiptStoreUnavailable,
    new_key,
)
from commuter_service.adapters.virus_scan import Scan, ScanUnavailable
from commuter_service.api.dependencies import (
    ACCOUNTING,
    EMPLOYEES,
    Body,
    Ctx,
    Day,
    Responses,
    Text,
    Version,
    context_in,
    dealer_of,
)
from commuter_service.api.refusal_groups import SLIP_EDIT
from commuter_service.models import Slip
from commuter_service.receipt_models import ReceiptVersion
from commuter_service.request_context import RequestContext
from commuter_service.rules.receipt_file import MOST_BYTES, ReceiptKind, check_size, receipt_kind
from commuter_service.rules.receipt_required import (
    ReceiptCancelled,
    ReceiptReasonMissing,
    TooManyReceipts,
)
from commuter_service.slips import receipts as queries
from commuter_service.slips.receipt_schemas import ReceiptAnswer, receipt_answer
from shared.http import NotFound, clock_of, database_of, etag
from shared.refusals import refuses

router = APIRouter(dependencies=[EMPLOYEES])
desk = APIRouter(prefix="/accounting", dependencies=[ACCOUNTING])

BINARY = {"schema": {"type": "string", "format": "binary"}}
UPLOAD = {"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}}
FILE: Responses = {200: {"content": {"application/octet-stream": BINARY}}}
UPLOAD_REFUSALS = (
    *(NotFound, *SLIP_EDIT, ReceiptCancelled, TooManyReceipts),
    *(ReceiptStoreMissing, ReceiptStoreUnavailable, ScanUnavailable),
)
MOST_NAME = 200


class SlipReceipts(BaseModel):
    """The receipts of one slip after a change, by item."""

    slip_id: str
    version: int
    items: dict[str, list[ReceiptAnswer]]


class CancelReceiptBody(Body):
    """Why a receipt is taken out."""

    reason: Text = ""


class FoundReceiptAnswer(BaseModel):
    """A receipt with what it is found by; `removed`: its item is no longer on the slip."""

    receipt: ReceiptAnswer
    slip_id: str
    employee_name: str
    item_on: date | None
    amount_yen: int | None
    payee: str
    removed: bool


class FoundReceipts(BaseModel):
    """A page of receipts, the latest first; `before`: where the next one begins."""

    items: list[FoundReceiptAnswer]
    before: str | None


class ReceiptDamaged(ReceiptStoreUnavailable):
    """The file is gone, or not what was uploaded: its hash differs."""

    code = "RECEIPT_DAMAGED"
    message = "保存された領収書を確認できません。システム管理者にご連絡ください"


async def read_file(
    request: Request, name: Annotated[str, Query(max_length=MOST_NAME, pattern=r"^[^\x00]*$")] = ""
) -> tuple[str, bytes]:
    """Name and content; a file over 10 MB is not read to its end. Raises FormErrors."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            break
    check_size(len(content))
    return name, bytes(content)


Number = Annotated[int, Path(ge=1, le=10_000)]
File = Annotated[tuple[str, bytes], Depends(read_file)]
Step = Callable[[RequestContext], Awaitable[Slip | None]]


@router.post("/slips/{slip_id}/items/{item_id}/receipts", status_code=201, openapi_extra=UPLOAD)
@refuses(*UPLOAD_REFUSALS)
async def add_receipt(  # noqa: PLR0913, PLR0917 - the path names two, FastAPI hands out the rest
    slip_id: UUID, item_id: UUID, file: File, version: Version, request: Request, response: Response
) -> SlipReceipts:
    """A new receipt of an item; the same file sent again is the same receipt."""
    place = Place(slip_id, item_id=item_id)
    return await _uploaded(request, response, place, version, file)


@router.post(
    "/slips/{slip_id}/receipts/{receipt_id}/versions", status_code=201, openapi_extra=UPLOAD
)
@refuses(*UPLOAD_REFUSALS)
async def replace_receipt(  # noqa: PLR0913, PLR0917 - as above
    slip_id: UUID,
    receipt_id: UUID,
    file: File,
    version: Version,
    request: Request,
    response: Response,
) -> SlipReceipts:
    """A new version of a receipt; the versions before it stay."""
    place = Place(slip_id, receipt_id=receipt_id)
    return await _uploaded(request, response, place, version, file)


@router.post("/slips/{slip_id}/receipts/{receipt_id}/cancellation")
@refuses(*SLIP_EDIT, ReceiptCancelled, ReceiptReasonMissing)
async def cancel_receipt(  # noqa: PLR0913, PLR0917 - as above
    slip_id: UUID,
    receipt_id: UUID,
    body: CancelReceiptBody,
    version: Version,
    ctx: Ctx,
    response: Response,
) -> SlipReceipts:
    """取消, with a reason; the file stays, and says so."""
    slip = await actions.cancel_receipt(ctx, slip_id, receipt_id, version, body.reason)
    return await _answer(ctx, slip, response)


@router.get(
    "/receipts/{receipt_id}/versions/{number}/file", response_class=Response, responses=FILE
)
@refuses(NotFound, ReceiptStoreMissing, ReceiptStoreUnavailable, ReceiptDamaged)
async def download_receipt(receipt_id: UUID, number: Number, request: Request) -> Response:
    """The file as it was uploaded, proved by its hash; never as a page."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        found = await queries.version_for(
            tx, dealer, receipt_id, number, ctx.employee_id, accounting=ctx.accounting
        )
    store: ReceiptStore = request.app.state.receipts
    content = await store.get(found.key)
    if content is None or hashlib.sha256(content).hexdigest() != found.sha256:
        raise ReceiptDamaged
    return Response(content, media_type=found.media_type, headers=_headers(found))


@desk.get("/receipts")
async def find_receipts(  # noqa: PLR0913, PLR0917 - what the law lets one search by
    ctx: Ctx,
    first: Annotated[Day | None, Query()] = None,
    last: Annotated[Day | None, Query()] = None,
    least_yen: Annotated[int | None, Query(ge=0, le=2_000_000_000)] = None,
    most_yen: Annotated[int | None, Query(ge=0, le=2_000_000_000)] = None,
    payee: Annotated[Text, Query()] = "",
    before: UUID | None = None,
) -> FoundReceipts:
    """Receipts of submitted slips by day, amount and payee (R102)."""
    wanted = queries.ReceiptFilter(first, last, least_yen, most_yen, payee.strip(), before)
    found = await queries.find_receipts(ctx.tx, ctx.dealer_id, wanted)
    shown = found[: queries.PAGE]
    more = len(found) > len(shown)
    return FoundReceipts(
        items=[
            FoundReceiptAnswer(
                receipt=receipt_answer(one.kept),
                slip_id=str(one.kept.receipt.slip_id),
                employee_name=one.employee_name,
                item_on=one.item_on,
                amount_yen=one.amount_yen,
                payee=one.payee,
                removed=one.removed,
            )
            for one in shown
        ],
        before=str(shown[-1].kept.receipt.receipt_id) if more else None,
    )


def _headers(found: ReceiptVersion) -> dict[str, str]:
    kind = ReceiptKind(found.media_type)
    shown = "inline" if kind.shown_by_browsers else "attachment"
    name = f"receipt-{found.receipt_id}-{found.number}.{kind.ending}"
    return {
        "Content-Disposition": f'{shown}; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }


async def _uploaded(
    request: Request, response: Response, place: Place, version: int, file: tuple[str, bytes]
) -> SlipReceipts:
    """Refuse early, judge, scan, store, and only then write the row."""
    name, content = file
    kept = UploadedFile(content, name, receipt_kind(content))
    present = await _in_transaction(
        request, response, lambda ctx: actions.check_upload(ctx, place, version, kept.sha256)
    )
    if present is not None:
        return present
    scan: Scan = request.app.state.scan
    store: ReceiptStore = request.app.state.receipts
    await scan(content)
    key = new_key(clock_of(request).now())
    await store.put(key, content)
    written = await _in_transaction(
        request, response, lambda ctx: actions.add_file(ctx, place, version, kept, key)
    )
    assert written is not None
    return written


async def _in_transaction(request: Request, response: Response, act: Step) -> SlipReceipts | None:
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        slip = await act(ctx)
        return await _answer(ctx, slip, response) if slip else None


async def _answer(ctx: RequestContext, slip: Slip, response: Response) -> SlipReceipts:
    response.headers.update(etag(slip.version))
    kept = await queries.receipts_of(ctx.tx, slip.slip_id)
    return SlipReceipts(
        slip_id=str(slip.slip_id),
        version=slip.version,
        items={str(item): [receipt_answer(one) for one in some] for item, some in kept.items()},
    )
