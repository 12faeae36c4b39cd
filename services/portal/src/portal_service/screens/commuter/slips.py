"""精算書: lists, the form of a slip with automatic saving, and the steps."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, ServiceClient, ServiceResponse, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.permissions import own_rights
from portal_service.rendering import announce, render, see_other
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.screens.commuter.slip_undo import memento, restored, with_copy
from portal_service.service_api import commuter
from shared.auth import Principal, Role

pages = APIRouter(prefix="/commuter/slips", dependencies=[EXPENSES])

HOME = ("精算書", "/commuter/slips")
SENTENCES = {
    "submit": "この精算書を申請します。よろしいですか。",
    "withdraw": "この精算書の申請を取り下げます。よろしいですか。",
    "approve": "この精算書を承認します。承認は取り消せません。よろしいですか。",
    "remand": "この精算書を申請者に差し戻します。",
    "reject": "この精算書を否認します。",
    "settle": "この精算書を精算します。よろしいですか。",
    "unsettle": "この精算書の精算を取り消し、精算待ちに戻します。",
    "delete": "この精算書を削除します。元に戻せません。よろしいですか。",
    "copy": "この精算書をコピーして新しい精算書を作ります。",
}
DONE = {
    "submit": "申請しました。",
    "withdraw": "取り下げました。",
    "approve": "承認しました。",
    "remand": "差し戻しました。",
    "reject": "否認しました。",
    "settle": "精算しました。",
    "unsettle": "精算を取り消しました。精算待ちに戻っています。",
    "delete": "削除しました。",
    "copy": "コピーしました。日付を変更した明細は、乗換案内をもう一度呼び出してください。",
}
ITEM_PAGES = {"look_up": "look-up", "receipts": "receipts"}
WITH_COMMENT = {"remand", "reject", "unsettle"}
DONE_TO_ITEM = {
    "remove": "明細を削除しました。",
    "by_hand": "手入力の明細に変更しました。内容と金額を確かめてください。",
}


Listed = Callable[[ServiceClient], Awaitable[ServiceResponse[commuter.Slips | commuter.OwnSlips]]]
DESK = "/commuter/desk"
SHOWN: Mapping[str, tuple[str, Listed]] = {
    "to_approve": ("承認待ちの精算書", commuter.list_slips_to_approve),
    "of_leavers": ("退職者がいて進まない精算書", commuter.list_slips_of_leavers),
    "remanded": ("差戻しされた精算書", partial(commuter.list_slips, status="remanded")),
}
"""One list alone, as a number on トップ leads to it: its title, and the call for it."""


@pages.get("")
async def list_slips(request: Request, who: Annotated[Principal, EXPENSES]) -> Response:
    """The own slips, the kinds to begin, and what waits for approval; or one list alone."""
    services = client_of(request)
    if request.query_params.get("show") == "to_settle":
        return RedirectResponse(f"{DESK}?status=approved", 303)
    if shown := SHOWN.get(request.query_params.get("show", "")):
        words, listed = shown
        found = (await listed(services)).body["items"]
        return await render(request, "commuter/slips_shown.html", words=words, slips=found)
    me, listed_own, listed_waiting = await asyncio.gather(
        own_rights(request, who),
        commuter.list_slips(services),
        commuter.list_slips_to_approve(services),
    )
    own, waiting = listed_own.body, listed_waiting.body["items"]
    return await render(
        request,
        "commuter/slips.html",
        slips=own["items"],
        kinds=own["kinds"],
        waiting=waiting,
        accounting=me["rights"]["accounting"],
        people=await _people(services) if me["delegate_entry"] else [],
        kind_choices=[(one["kind"], one["japanese"]) for one in own["kinds"]],
        approver=me["rights"]["approver"],
    )


@pages.post("")
async def begin_slip(request: Request) -> Response:
    """「作成」 of a kind: an empty draft, then its form."""
    fields = await form_fields_of(request)
    body: commuter.NewSlipBody = {"kind": fields.text("kind"), "automatic": True}
    if whom := fields.text("employee_id"):
        body["employee_id"] = whom
    made = await commuter.create_slip(
        client_of(request), body, idempotency_key=fields.idempotency_key
    )
    return RedirectResponse(f"{HOME[1]}/{made.body['slip_id']}", 303)


@pages.get("/{slip_id}")
async def show_slip(request: Request, slip_id: str) -> Response:
    """A slip: its form where it may be edited, else its content."""
    return await slip_screen(request, slip_id)


@pages.get("/{slip_id}/print")
async def print_slip(request: Request, slip_id: str) -> Response:
    """印刷: the PDF."""
    return await commuter.print_slip(client_of(request), slip_id)


@pages.post("/{slip_id}")
async def save_slip(request: Request, slip_id: str) -> Response:
    """一時保存, what is done to one item, and the ways that begin with a save."""
    fields = await form_fields_of(request)
    services = client_of(request)
    pressed, _, target = fields.text("do").partition(":")
    body, undo = _form(fields), None
    if pressed in DONE_TO_ITEM:
        undo = memento((await commuter.show_slip(services, slip_id)).body, target)
    body["items"] = _items_after(list(body["items"]), pressed, target)
    if pressed == "copy_item":
        shown = (await commuter.show_slip(services, slip_id)).body
        body["items"] = with_copy(shown, list(body["items"]), target)
    try:
        fields.refuse_unreadable()
        saved = await commuter.save_slip(services, slip_id, body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await slip_screen(request, slip_id, fields, problem)
    where = f"{HOME[1]}/{slip_id}"
    if pressed == "favourite":
        return await _keep_favourite(request, slip_id, target)
    if pressed in ITEM_PAGES:
        return RedirectResponse(f"{where}/items/{target}/{ITEM_PAGES[pressed]}", 303)
    if pressed in {"step", "add", "copy_item"}:
        place = f"{where}/{target}" if pressed == "step" else f"{where}#items"
        return RedirectResponse(place, 303)
    if pressed in DONE_TO_ITEM:
        response = RedirectResponse(f"{where}#items", 303)
        announce(request, response, DONE_TO_ITEM[pressed], undo=(f"{where}/undo", undo))
        return response
    response = RedirectResponse(where, 303)
    warned = sum(len(item["warnings"]) for item in saved.body["items"])
    text = "一時保存しました。" if saved.body["status"] == "draft" else "保存しました。"
    announce(request, response, text, kind="note" if warned else "done")
    return response


@pages.post("/{slip_id}/undo")
async def undo_change(request: Request, slip_id: str) -> Response:
    """元に戻す after an item was removed or turned into a typed one."""
    fields, services = await form_fields_of(request), client_of(request)
    found = await commuter.show_slip(services, slip_id)
    body = restored(found.body, fields.text("undo"))
    if body is None:
        raise HTTPException(400)
    try:
        await commuter.save_slip(services, slip_id, body, version=found.etag)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await slip_screen(request, slip_id, None, problem)
    response = RedirectResponse(f"{HOME[1]}/{slip_id}#items", 303)
    announce(request, response, "元に戻しました。")
    return response


@pages.post("/{slip_id}/auto-save")
async def auto_save(request: Request, slip_id: str) -> Response:
    """自動保存, for scripts: when, the version to save next, and warnings and totals as of now."""
    fields = await form_fields_of(request)
    body = _form(fields)
    body["automatic"] = True
    version, slip, refused = fields.version, None, ""
    try:
        if fields.errors:
            raise Problem(422, "", fields.errors[0].message, "")
        found = await commuter.save_slip(client_of(request), slip_id, body, version=fields.version)
        version, slip = found.etag, found.body
    except Problem as problem:
        refused = problem.on_form[0].message
    return await render(
        request,
        "commuter/_saved.html",
        version=version,
        slip=slip,
        refused=refused,
        submit_offered=fields.text("submit_offered") == "yes",
    )


async def ask_step(request: Request, slip_id: str) -> Response:
    """The question before a step."""
    return await _ask(request, slip_id, request.url.path.rpartition("/")[2])


async def take_step(request: Request, slip_id: str) -> Response:
    """申請, 承認, 差戻し, 取下げ, 否認, 精算, 削除, 伝票コピー."""
    step = request.url.path.rpartition("/")[2]
    fields = await form_fields_of(request)
    services, where = client_of(request), f"{HOME[1]}/{slip_id}"
    try:
        if step == "delete":
            await commuter.delete_slip(services, slip_id, version=fields.version)
            where = HOME[1]
        elif step == "copy":
            key = fields.idempotency_key
            copied = await commuter.copy_slip(services, slip_id, idempotency_key=key)
            where = f"{HOME[1]}/{copied.body['slip_id']}"
        else:
            body: commuter.CommentBody = {"comment": fields.text("comment")}
            await commuter.move_slip(services, slip_id, step, body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await slip_screen(request, slip_id, None, problem)
    response = RedirectResponse(where, 303)
    announce(request, response, DONE[step])
    return response


for address in DONE:
    pages.add_api_route(f"/{{slip_id}}/{address}", ask_step, methods=["GET"])
    pages.add_api_route(f"/{{slip_id}}/{address}", take_step, methods=["POST"])


async def _keep_favourite(request: Request, slip_id: str, item_id: str) -> Response:
    """「よく使う経路に登録」 of an item, after the save."""
    try:
        await commuter.keep_favourite(client_of(request), {"slip_id": slip_id, "item_id": item_id})
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await slip_screen(request, slip_id, None, problem)
    return see_other(request, f"{HOME[1]}/{slip_id}#item-{item_id}", "よく使う経路に登録しました。")


async def _people(services: ServiceClient) -> list[tuple[str, str]]:
    """For whom accounting may enter a slip (R97)."""
    found = (await commuter.list_employees(services)).body["items"]
    return [(one["employee_id"], one["name"]) for one in found]


def _form(fields: FormFields) -> commuter.SlipBody:
    """The form as the service takes it; what cannot be read goes to `fields.errors`."""
    items: list[commuter.ItemBody] = []
    for number in range(len(fields.getlist("item"))):
        name = f"items.{number}"
        item_id = fields.text(f"{name}.item_id")
        item: commuter.ItemBody = {
            "item_id": item_id or None,
            "item_on": fields.day(f"{name}.item_on"),
            "purpose": fields.text(f"{name}.purpose"),
            "receipt": fields.flag(f"{name}.receipt"),
            "payee": fields.text(f"{name}.payee"),
            "registration_no": fields.text(f"{name}.registration_no"),
            "no_invoice_reason": fields.text(f"{name}.no_invoice_reason"),
            "no_receipt_reason": fields.text(f"{name}.no_receipt_reason"),
        }
        if fields.text(f"{name}.source") == "typed":
            item["cost_kind"] = fields.text(f"{name}.cost_kind") or "other"
            item["words"] = fields.text(f"{name}.words")
            item["amount_yen"] = _yen(fields, f"{name}.amount_yen")
        items.append(item)
    return {
        "title": fields.text("title"),
        "purpose": fields.text("purpose"),
        "trip_from": fields.day("trip_from"),
        "trip_to": fields.day("trip_to"),
        "items": items,
    }


def _items_after(
    items: Sequence[commuter.ItemBody], pressed: str, target: str
) -> Sequence[commuter.ItemBody]:
    """The items after the button of one of them, or 明細を追加."""
    if pressed == "add":
        return [*items, {}]
    if pressed == "remove":
        return [one for one in items if one.get("item_id") != target]
    if pressed == "by_hand":
        return [{**one, "by_hand": one.get("item_id") == target} for one in items]
    return items


def _yen(fields: FormFields, name: str) -> int | None:
    try:
        return formatting.read_yen(fields.text(name))
    except formatting.NotReadable as unreadable:
        fields.errors.append(FieldError(name, str(unreadable)))
        return None


async def slip_screen(
    request: Request,
    slip_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    """The page of a slip, after a refusal with what was typed."""
    services, who = client_of(request), request.state.principal
    found = await commuter.show_slip(services, slip_id)
    slip = found.body
    actions = {one["action"]: one for one in slip["actions"]}
    findings: dict[str, list[str]] = defaultdict(list)
    for one in (await commuter.list_findings(services, slip_id)).body["items"]:
        findings[one["item_id"]].append(one["words"])
    succession = None
    if who.has(Role.EXPENSE_ADMIN) and slip["submitted_at"]:
        succession = (await commuter.show_succession(services, slip_id)).body
    return await render(
        request,
        "commuter/slip.html",
        succession=succession,
        successors=[(one["employee_id"], one["name"]) for one in succession["approvers"]]
        if succession
        else [],
        status=problem.status if problem else 200,
        slip=slip,
        actions=actions,
        findings=findings,
        version=found.etag,
        values=fields.values() if fields else _values(slip),
        errors=problem.on_form if problem else (),
    )


def _values(slip: commuter.SlipAnswer) -> dict[str, object]:
    """The fields of the form, as they are kept."""
    values: dict[str, object] = {
        "title": slip["title"],
        "purpose": slip["purpose"],
        "trip_from": _slashes(slip["trip_from"]),
        "trip_to": _slashes(slip["trip_to"]),
    }
    for number, item in enumerate(slip["items"]):
        kept = {
            "item_on": _slashes(item["item_on"]),
            "purpose": item["purpose"],
            "words": item["words"],
            "amount_yen": item["amount_yen"],
            "cost_kind": item["cost_kind"],
            "payee": item["payee"],
            "registration_no": item["registration_no"],
            "no_invoice_reason": item["no_invoice_reason"],
            "no_receipt_reason": item["no_receipt_reason"],
        }
        values |= {f"items.{number}.{name}": value for name, value in kept.items()}
    return values


def _slashes(day: str | None) -> str:
    return (day or "").replace("-", "/")


async def _ask(request: Request, slip_id: str, step: str) -> Response:
    services = client_of(request)
    found = await commuter.show_slip(services, slip_id)
    slip = found.body
    offered = next((one for one in slip["actions"] if one["action"] == step), None)
    if step not in SENTENCES or offered is None:
        raise HTTPException(404)
    if not offered["enabled"]:
        return await slip_screen(
            request, slip_id, None, Problem(409, "", offered["reason"] or "", "")
        )
    notes: set[str] = set()
    if step in {"submit", "approve"}:
        notes = {one["message"] for item in slip["items"] for one in item["warnings"]}
        findings = (await commuter.list_findings(services, slip_id)).body["items"]
        notes |= {one["words"] for one in findings}
    question = Confirmation(
        title=offered["label"],
        sentence=SENTENCES[step],
        action=f"{HOME[1]}/{slip_id}/{step}",
        back=f"{HOME[1]}/{slip_id}",
        kept=[("version", found.etag or "")],
        facts=[
            ("件名", slip["title"] or "（件名なし）"),
            ("合計", formatting.yen(slip["total_yen"])),
            ("明細", f"{len(slip['items'])}件"),
        ],
        notes=sorted(notes),
        part="commuter/_ask_comment.html" if step in WITH_COMMENT else None,
        danger=step in {"delete", "reject", "unsettle"},
        crumbs=[HOME],
    )
    return await confirm(request, question)
