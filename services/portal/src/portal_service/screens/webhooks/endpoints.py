"""Webhook 連携: endpoints of dealers' systems, and the deliveries to them."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from portal_service.api_client import (
    FieldError,
    FormRefused,
    Problem,
    QueryValue,
    ServiceResponse,
    client_of,
    or_missing,
)
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, FormValues, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.service_api import interchange
from shared.auth import Principal, Role, require

HERE = "/operation/webhooks"
pages = APIRouter(prefix=HERE, dependencies=[require(Role.OPERATOR, Role.HQ)])
WebhookAdmin = Annotated[Principal, require(Role.OPERATOR, Role.HQ)]

EVENTS = (
    ("all", "すべて"),
    ("status_changed", "ステータスの変更"),
    ("completed", "完了"),
    ("remanded", "差戻し"),
    ("withdrawn", "取下げ"),
)
STATES = (
    ("scheduled", "送信待ち"),
    ("delivered", "送信済み"),
    ("failed", "送信失敗"),
    ("cancelled", "送信取りやめ"),
)
STEPS = {
    **dict(STATES),
    "put_off": "送信できず、時間をおいて送り直します",
    "lost": "送信の途中で処理が中断しました。同じ ID で送り直します",
    "resend": "もう一度送信するよう指示",
    "ping": "テスト送信を指示",
}
"""What the history of a message names."""
COLOURS = {"failed": "red", "cancelled": "yellow", "scheduled": "blue"}
CRUMBS = [("Webhook 連携", HERE)]
Delivery = ServiceResponse[interchange.WholeDelivery]


@pages.get("")
async def show_endpoints(request: Request) -> Response:
    """Every endpoint that this person looks after."""
    found = await or_missing(interchange.list_endpoints(client_of(request)))
    return await render(request, "webhooks/list.html", found=found)


@pages.get("/new")
async def show_new(request: Request, who: WebhookAdmin) -> Response:
    """The form of a new endpoint."""
    return await _new(request, who)


@pages.post("/new")
async def add_endpoint(request: Request, who: WebhookAdmin) -> Response:
    """Add it, and show its secret this once."""
    fields = await form_fields_of(request)
    body: interchange.NewEndpoint = {
        "label": fields.text("label"),
        "url": fields.text("url"),
        "events": fields.getlist("events"),
        "dealer_id": fields.text("dealer_id") or None,
    }
    try:
        made = await interchange.add_endpoint(
            client_of(request), body, idempotency_key=fields.idempotency_key
        )
    except FormRefused as problem:
        return await _new(request, who, fields, problem)
    return await render(request, "webhooks/secret.html", endpoint=made.body, renewed=False)


@pages.get("/deliveries")
async def show_deliveries(request: Request) -> Response:
    """The messages, the newest first."""
    entered = dict(request.query_params)
    names = ("application_id", "state", "endpoint_id", "after")
    query: dict[str, QueryValue] = {name: entered.get(name, "").strip() for name in names}
    services = client_of(request)
    found, errors = None, list[FieldError]()
    try:
        found = await or_missing(interchange.search_deliveries(services, **query))
    except Problem as problem:
        if [error.field for error in problem.errors] != ["application_id"]:
            raise
        errors = [FieldError("application_id", "受付番号を正しく入力してください。")]
    listed = await services.optional(interchange.list_endpoints(services))
    endpoints = listed.body["endpoints"] if listed else []
    return await render(
        request,
        "webhooks/deliveries.html",
        status=422 if errors else 200,
        values=entered,
        errors=errors,
        found=found,
        states=STATES,
        endpoints=[(one["endpoint_id"], one["label"]) for one in endpoints],
        colours=COLOURS,
        here={key: value for key, value in entered.items() if value and key != "after"},
    )


@pages.get("/deliveries/{delivery_id}")
async def show_delivery(request: Request, delivery_id: str) -> Response:
    """One message with every attempt."""
    return await _delivery(request, await _found_delivery(request, delivery_id))


@pages.get("/deliveries/{delivery_id}/resend")
async def ask_resend(request: Request, delivery_id: str) -> Response:
    """The question before a message goes out again."""
    found = await _found_delivery(request, delivery_id)
    here = f"{HERE}/deliveries/{delivery_id}"
    question = Confirmation(
        title="Webhook の再送",
        sentence=f"「{found.body['kind_japanese']}」を {found.body['endpoint_label']} へ"
        "同じ ID でもう一度送信します。よろしいですか。",
        action=f"{here}/resend",
        back=here,
        kept=[("version", found.etag or "")],
        crumbs=[*CRUMBS, ("送信履歴", f"{HERE}/deliveries")],
    )
    return await confirm(request, question)


@pages.post("/deliveries/{delivery_id}/resend")
async def resend(request: Request, delivery_id: str) -> Response:
    """OK: have it sent again."""
    fields = await form_fields_of(request)
    try:
        await interchange.resend_delivery(client_of(request), delivery_id, version=fields.version)
    except FormRefused as problem:
        return await _delivery(request, await _found_delivery(request, delivery_id), problem)
    return see_other(request, f"{HERE}/deliveries/{delivery_id}", "もう一度送信します。")


@pages.get("/{endpoint_id:key}")
async def show_endpoint(request: Request, endpoint_id: str) -> Response:
    """One endpoint, to look at and to change."""
    return await _endpoint(request, endpoint_id)


@pages.post("/{endpoint_id:key}")
async def change_endpoint(request: Request, endpoint_id: str) -> Response:
    """Change it, stop it or begin again."""
    fields = await form_fields_of(request)
    body: interchange.ChangedEndpoint = {
        "label": fields.text("label"),
        "url": fields.text("url"),
        "events": fields.getlist("events"),
        "active": fields.flag("active"),
    }
    try:
        await interchange.change_endpoint(
            client_of(request), endpoint_id, body, version=fields.version
        )
    except FormRefused as problem:
        return await _endpoint(request, endpoint_id, fields, problem)
    return see_other(request, f"{HERE}/{endpoint_id}", "送信先を保存しました。")


@pages.post("/{endpoint_id:key}/ping")
async def ping(request: Request, endpoint_id: str) -> Response:
    """Send a test, and show what becomes of it."""
    try:
        made = await interchange.ping_endpoint(client_of(request), endpoint_id)
    except FormRefused as problem:
        return await _endpoint(request, endpoint_id, None, problem)
    here = f"{HERE}/deliveries/{made.body['delivery_id']}"
    return see_other(
        request, here, "テスト送信を始めました。結果はこの画面を更新すると分かります。"
    )


@pages.get("/{endpoint_id:key}/secret")
async def ask_new_secret(request: Request, endpoint_id: str) -> Response:
    """The question before a new secret."""
    found = await interchange.read_endpoint(client_of(request), endpoint_id)
    here = f"{HERE}/{endpoint_id}"
    question = Confirmation(
        title="署名用の秘密鍵の更新",
        sentence=f"「{found.body['label']}」の秘密鍵を新しくします。よろしいですか。",
        notes=["24時間は、新しい鍵とこれまでの鍵の両方で署名します。"],
        action=f"{here}/secret",
        back=here,
        kept=[("version", found.etag or "")],
        crumbs=CRUMBS,
    )
    return await confirm(request, question)


@pages.post("/{endpoint_id:key}/secret")
async def renew_secret(request: Request, endpoint_id: str) -> Response:
    """OK: make it, and show it this once."""
    fields = await form_fields_of(request)
    try:
        made = await interchange.renew_secret(
            client_of(request), endpoint_id, version=fields.version
        )
    except FormRefused as problem:
        return await _endpoint(request, endpoint_id, None, problem)
    return await render(request, "webhooks/secret.html", endpoint=made.body, renewed=True)


async def _new(
    request: Request,
    who: Principal,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    return await render(
        request,
        "webhooks/new.html",
        status=problem.status if problem else 200,
        events=EVENTS,
        for_dealer=who.has(Role.OPERATOR),
        values=fields.values(["events"]) if fields else {"events": ["all"]},
        errors=problem.on_form if problem else (),
    )


async def _endpoint(
    request: Request,
    endpoint_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    found = await interchange.read_endpoint(client_of(request), endpoint_id)
    endpoint = found.body
    stored: FormValues = {
        "label": endpoint["label"],
        "url": endpoint["url"],
        "events": [*endpoint["events"]],
        "active": ["on"] if endpoint["active"] else [],
    }
    return await render(
        request,
        "webhooks/one.html",
        status=problem.status if problem else 200,
        endpoint=endpoint,
        events=EVENTS,
        version=found.etag,
        values=fields.values(["events", "active"]) if fields else stored,
        errors=problem.on_form if problem else (),
    )


async def _found_delivery(request: Request, delivery_id: str) -> Delivery:
    return await interchange.read_delivery(client_of(request), delivery_id)


async def _delivery(request: Request, found: Delivery, problem: Problem | None = None) -> Response:
    return await render(
        request,
        "webhooks/delivery.html",
        status=problem.status if problem else 200,
        delivery=found.body,
        steps=STEPS,
        colours=COLOURS,
        errors=problem.on_form if problem else (),
    )
