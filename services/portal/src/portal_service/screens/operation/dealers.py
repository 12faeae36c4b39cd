"""連携先: which dealers' systems may send, with which keys, and when each was last used.

A new key is shown once, on the answer to the form that made it; it cannot be shown again.
"""

import asyncio

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from portal_service.api_client import FormRefused, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.service_api import interchange
from shared.auth import Role, require

pages = APIRouter(prefix="/operation/dealers", dependencies=[require(Role.OPERATOR)])

HOME = "/operation/dealers"
SWITCHES = {
    "deactivate": (
        "受付を止める", "この販売店からの送信を受け付けなくします。", "受付を止めました。",
    ),
    "activate": (
        "受付を再開する", "この販売店からの送信をふたたび受け付けます。", "受付を再開しました。",
    ),
}  # fmt: skip
KEY_STEPS = {
    "rotate": (
        "切り替える",
        "新しいAPIキーを作ります。いまのキーは24時間後に使えなくなります。",
    ),
    "revoke": ("失効", "このAPIキーはすぐに使えなくなります。元には戻せません。"),
}


@pages.get("")
async def show_dealers(request: Request) -> Response:
    """Every dealer with the number of its good keys and their last use."""
    return await _dealers(request)


@pages.post("")
async def add_dealer(request: Request) -> Response:
    """Let another dealer's systems send."""
    fields = await form_fields_of(request)
    body: interchange.NewDealer = {
        "dealer_id": fields.text("dealer_id"),
        "name": fields.text("name"),
    }
    try:
        await interchange.add_dealer(client_of(request), body)
    except FormRefused as problem:
        return await _dealers(request, fields, problem)
    return see_other(
        request,
        f"{HOME}/{body['dealer_id']}",
        "販売店を登録しました。続けてAPIキーを作成してください。",
    )


@pages.get("/{dealer}")
async def show_dealer(request: Request, dealer: str) -> Response:
    """One dealer with all its keys."""
    return await _dealer(request, dealer)


@pages.post("/{dealer}/keys")
async def make_key(request: Request, dealer: str) -> Response:
    """Make a key, and show it this once."""
    fields = await form_fields_of(request)
    body: interchange.NewKey = {
        "label": fields.text("label"),
        "last_on": fields.day("last_on"),
    }
    try:
        fields.refuse_unreadable()
        made = await interchange.add_key(
            client_of(request), dealer, body, idempotency_key=fields.idempotency_key
        )
    except FormRefused as problem:
        made_before = problem.code == "KEY_SHOWN_BEFORE"  # the next one is another form's
        return await _dealer(request, dealer, None if made_before else fields, problem)
    return await _dealer(request, dealer, made=made.body["key"])


@pages.get("/{dealer}/keys/{key_id}/{step}")
async def ask_key_step(request: Request, dealer: str, key_id: str, step: str) -> Response:
    """The question before a key is rotated or revoked."""
    if step not in KEY_STEPS:
        raise HTTPException(404)
    found, keys = await _found(request, dealer)
    key = next((key for key in keys if key["key_id"] == key_id), None)
    if key is None:
        raise HTTPException(404)
    label, sentence = KEY_STEPS[step]
    question = Confirmation(
        title=f"APIキーの{label}" if step == "revoke" else "APIキーの切替え",
        sentence=sentence,
        action=f"{HOME}/{dealer}/keys/{key_id}/{step}",
        back=f"{HOME}/{dealer}",
        facts=[("販売店", found["name"]), ("用途", key["label"]), ("キーID", key_id)],
        danger=step == "revoke",
        crumbs=[("連携先", HOME), (found["name"], f"{HOME}/{dealer}")],
    )
    return await confirm(request, question)


@pages.post("/{dealer}/keys/{key_id}/{step}")
async def take_key_step(request: Request, dealer: str, key_id: str, step: str) -> Response:
    """OK: the key is gone, or has a successor that is shown this once."""
    if step not in KEY_STEPS:
        raise HTTPException(404)
    fields = await form_fields_of(request)
    services = client_of(request)
    try:
        if step == "rotate":
            made = await interchange.rotate_key(
                services, key_id, {}, idempotency_key=fields.idempotency_key
            )
            return await _dealer(request, dealer, made=made.body["key"])
        await interchange.revoke_key(services, key_id)
    except Problem as problem:
        if problem.status != 409:  # noqa: PLR2004
            raise
        return await _dealer(request, dealer, problem=problem)
    return see_other(request, f"{HOME}/{dealer}", "APIキーを失効させました。")


async def ask_switch(request: Request, dealer: str) -> Response:
    """The question before a dealer's access is stopped or resumed."""
    switch = request.url.path.rpartition("/")[2]
    found, _ = await _found(request, dealer)
    label, sentence, _ = SWITCHES[switch]
    question = Confirmation(
        title=label,
        sentence=sentence,
        action=f"{HOME}/{dealer}/{switch}",
        back=f"{HOME}/{dealer}",
        facts=[("販売店", f"{dealer} {found['name']}")],
        danger=switch == "deactivate",
        crumbs=[("連携先", HOME), (found["name"], f"{HOME}/{dealer}")],
    )
    return await confirm(request, question)


async def take_switch(request: Request, dealer: str) -> Response:
    """OK: do it."""
    switch = request.url.path.rpartition("/")[2]
    take = interchange.activate_dealer if switch == "activate" else interchange.deactivate_dealer
    await take(client_of(request), dealer)
    return see_other(request, f"{HOME}/{dealer}", SWITCHES[switch][2])


for address in SWITCHES:
    pages.add_api_route(f"/{{dealer}}/{address}", ask_switch, methods=["GET"])
    pages.add_api_route(f"/{{dealer}}/{address}", take_switch, methods=["POST"])


async def _all(
    request: Request,
) -> tuple[list[interchange.Dealer], list[interchange.Key]]:
    services = client_of(request)
    dealers, keys = await asyncio.gather(
        interchange.list_dealers(services), interchange.list_keys(services)
    )
    return dealers.body["dealers"], keys.body["keys"]


async def _found(request: Request, dealer: str) -> tuple[interchange.Dealer, list[interchange.Key]]:
    dealers, keys = await _all(request)
    found = next((one for one in dealers if one["dealer_id"] == dealer), None)
    if found is None:
        raise HTTPException(404)
    return found, [key for key in keys if key["dealer_id"] == dealer]


async def _dealers(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    dealers, keys = await _all(request)
    lines = []
    for dealer in dealers:
        own = [key for key in keys if key["dealer_id"] == dealer["dealer_id"]]
        used = max((key["last_used_at"] or "" for key in own), default="")
        good = sum(key["good"] for key in own)
        lines.append({**dealer, "good_keys": good, "last_used_at": used})
    return await render(
        request,
        "operation/dealers.html",
        status=problem.status if problem else 200,
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
        dealers=lines,
    )


async def _dealer(
    request: Request,
    dealer: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
    made: str | None = None,
) -> Response:
    found, keys = await _found(request, dealer)
    return await render(
        request,
        "operation/dealer.html",
        status=problem.status if problem else 200,
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
        dealer=found,
        keys=keys,
        here=f"{HOME}/{dealer}",
        made=made,
    )
