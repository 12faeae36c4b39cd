"""領収書 of one item: taken by the camera or chosen as files, replaced, cancelled (R98, R100)."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from portal_service.api_client import (
    FieldError,
    FormRefused,
    Problem,
    ServiceClient,
    ServiceUnavailable,
    client_of,
)
from portal_service.form_data import form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/slips/{slip_id}", dependencies=[EXPENSES])

MOST_BYTES = 10 * 1024 * 1024
TOO_LARGE = "「{name}」は大きすぎます（10MBまで）。画質を下げて撮り直してください"
NOT_STORED = (
    "保存できませんでした。保存先が応答しません。しばらくしてから、もう一度送信してください"
)


@pages.get("/items/{item_id}/receipts")
async def show_receipts(request: Request, slip_id: str, item_id: str) -> Response:
    """The receipts of an item with every version, and the form for new ones."""
    return await _page(request, slip_id, item_id)


@pages.post("/items/{item_id}/receipts")
async def add_receipts(request: Request, slip_id: str, item_id: str) -> Response:
    """「登録」: every chosen file becomes a receipt, or replaces the one that is named."""
    fields, services = await form_fields_of(request), client_of(request)
    chosen, replaced = fields.files("camera", "file"), fields.text("receipt_id")
    done = 0
    try:
        _check(chosen)
        version = fields.version
        for one in chosen:
            version = await _send(services, slip_id, item_id, replaced, one, version)
            done += 1
    except (Problem, ServiceUnavailable) as refusal:
        if isinstance(refusal, Problem) and refusal.status not in FORM_STATUSES:
            raise
        problem = _beside_file(refusal, chosen, done)
        field = f"file-{replaced}" if replaced else "file"
        errors = [FieldError(field, one.message) for one in problem.errors]
        return await _page(request, slip_id, item_id, problem, errors)
    words = "領収書を差し替えました。" if replaced else f"領収書を{done}件登録しました。"
    return see_other(request, _address(slip_id, item_id), words)


@pages.post("/items/{item_id}/receipts/{receipt_id}/cancellation")
async def cancel_receipt(request: Request, slip_id: str, item_id: str, receipt_id: str) -> Response:
    """「取消」 with its reason."""
    fields = await form_fields_of(request)
    body: commuter.CancelReceiptBody = {"reason": fields.text("reason")}
    try:
        await commuter.cancel_receipt(
            client_of(request), slip_id, receipt_id, body, version=fields.version
        )
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        beside = FieldError(f"reason-{receipt_id}", problem.on_form[0].message)
        return await _page(request, slip_id, item_id, problem, [beside])
    return see_other(request, _address(slip_id, item_id), "領収書を取り消しました。")


def _check(chosen: Sequence[UploadFile]) -> None:
    """Refuse before anything is sent, so that of several files all or none are wrong."""
    if not chosen:
        raise FormRefused(422, "", "", "", (FieldError("file", "ファイルを選んでください"),))
    large = [one for one in chosen if (one.size or 0) > MOST_BYTES]
    if large:
        words = [TOO_LARGE.format(name=one.filename) for one in large]
        raise FormRefused(422, "", "", "", tuple(FieldError("file", one) for one in words))


async def _send(  # noqa: PLR0913, PLR0917  a file, and where it goes
    services: ServiceClient,
    slip_id: str,
    item_id: str,
    replaced: str,
    one: UploadFile,
    version: str | None,
) -> str | None:
    content, name = await one.read(), (one.filename or "")[:200]
    if replaced:
        sent = await commuter.replace_receipt(
            services, slip_id, replaced, content, name=name, version=version
        )
    else:
        sent = await commuter.add_receipt(
            services, slip_id, item_id, content, name=name, version=version
        )
    return sent.etag


def _beside_file(
    refusal: Problem | ServiceUnavailable, chosen: Sequence[UploadFile], done: int
) -> Problem:
    """The refusal beside the file field, with the file's name where there are several."""
    if isinstance(refusal, ServiceUnavailable):
        errors = [FieldError("file", NOT_STORED)]
        refusal = Problem(503, "", NOT_STORED, "")
    else:
        errors = [FieldError("file", one.message) for one in refusal.on_form]
    if len(chosen) > 1 and done < len(chosen):
        name, kept = chosen[done].filename, f"（{done}件は登録しました）" if done else ""
        errors = [FieldError("file", f"「{name}」：{one.message}{kept}") for one in errors]
    return Problem(refusal.status, refusal.code, refusal.title, refusal.detail, tuple(errors))


async def _page(
    request: Request,
    slip_id: str,
    item_id: str,
    problem: Problem | None = None,
    errors: Sequence[FieldError] | None = None,
) -> Response:
    found = await commuter.show_slip(client_of(request), slip_id)
    slip = found.body
    numbered = enumerate(slip["items"], start=1)
    place = next(((number, one) for number, one in numbered if one["item_id"] == item_id), None)
    if place is None:
        raise HTTPException(404)
    number, item = place
    return await render(
        request,
        "commuter/receipts.html",
        status=problem.status if problem else 200,
        slip=slip,
        item=item,
        number=number,
        editable=any(one["enabled"] for one in slip["actions"] if one["action"] == "edit"),
        version=found.etag,
        values={},
        errors=errors if errors is not None else problem.errors if problem else (),
    )


def _address(slip_id: str, item_id: str) -> str:
    return f"/commuter/slips/{slip_id}/items/{item_id}/receipts"
