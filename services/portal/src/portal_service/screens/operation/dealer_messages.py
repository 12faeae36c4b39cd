"""隔離メッセージ: what dealers' systems sent and was refused: why, what was in it, what is done.

An operator accepts a message after all, which judges it again, or discards it with a reason.
"""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.service_api import interchange
from shared.auth import Role, require

pages = APIRouter(prefix="/operation/dealer-messages", dependencies=[require(Role.OPERATOR)])

Message = interchange.QuarantinedMessage
HOME = "/operation/dealer-messages"
TITLE = "隔離メッセージ"
CHANNELS = {"amqp": "AMQP", "https": "HTTPS"}
SETTLED = {"released": "受け入れました", "discarded": "破棄しました"}


@pages.get("")
async def list_messages(request: Request) -> Response:
    """The messages that are not settled, the newest first."""
    after = request.query_params.get("after")
    found = (await interchange.list_quarantine(client_of(request), after=after)).body
    return await render(
        request,
        "operation/quarantine.html",
        messages=found["messages"],
        following=found["next"],
        channels=CHANNELS,
    )


@pages.get("/{quarantined_id}")
async def show_message(request: Request, quarantined_id: str) -> Response:
    """One message with its headers and body."""
    return await _message(request, quarantined_id)


@pages.get("/{quarantined_id}/release")
async def ask_release(request: Request, quarantined_id: str) -> Response:
    """The question before a message is accepted after all."""
    kept, here = await _found(request, quarantined_id)
    question = Confirmation(
        title="受け入れる",
        sentence="このメッセージをもう一度確かめ、問題がなければ受け入れます。日時は確かめません。",
        action=f"{here}/release",
        back=here,
        facts=_facts(kept),
        crumbs=[(TITLE, HOME), ("メッセージ", here)],
    )
    return await confirm(request, question)


@pages.post("/{quarantined_id}/release")
async def release(request: Request, quarantined_id: str) -> Response:
    """Accept it; where it is refused again, the message says why."""
    try:
        done = await interchange.release_quarantined(client_of(request), quarantined_id)
    except Problem as problem:
        if problem.status == 404:  # noqa: PLR2004
            raise
        return await _message(request, quarantined_id, problem)
    message = "すでに受け入れ済みの内容でした。" if done.body["repeated"] else "受け入れました。"
    return see_other(request, HOME, message)


@pages.get("/{quarantined_id}/discard")
async def ask_discard(request: Request, quarantined_id: str) -> Response:
    """The question before a message is put away."""
    return await _ask_discard(request, quarantined_id)


@pages.post("/{quarantined_id}/discard")
async def discard(request: Request, quarantined_id: str) -> Response:
    """Put it away with a reason."""
    fields = await form_fields_of(request)
    body: interchange.DiscardOrder = {"note": fields.text("note")}
    try:
        await interchange.discard_quarantined(client_of(request), quarantined_id, body)
    except Problem as problem:
        if problem.status == 422:  # noqa: PLR2004
            return await _ask_discard(request, quarantined_id, fields, problem)
        if problem.code == "ALREADY_SETTLED":
            return await _message(request, quarantined_id, problem)
        raise
    return see_other(request, HOME, "破棄しました。")


async def _found(request: Request, quarantined_id: str) -> tuple[Message, str]:
    found = await interchange.read_quarantined(client_of(request), quarantined_id)
    return found.body, f"{HOME}/{quarantined_id}"


def _facts(kept: Message) -> list[tuple[str, str]]:
    return [
        ("販売店", kept["dealer_id"] or "不明"),
        ("経路", CHANNELS[kept["channel"]]),
        ("理由", kept["reason_japanese"]),
    ]


async def _message(
    request: Request, quarantined_id: str, problem: Problem | None = None
) -> Response:
    kept, here = await _found(request, quarantined_id)
    return await render(
        request,
        "operation/quarantined.html",
        status=problem.status if problem else 200,
        message=kept,
        facts=_facts(kept),
        here=here,
        settled=SETTLED.get(kept["settled_as"] or ""),
        crumbs=[(TITLE, HOME)],
        errors=problem.on_form if problem else (),
    )


async def _ask_discard(
    request: Request,
    quarantined_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    kept, here = await _found(request, quarantined_id)
    question = Confirmation(
        title="破棄する",
        sentence="このメッセージを受け入れずに片付けます。元には戻せません。",
        action=f"{here}/discard",
        back=here,
        facts=_facts(kept),
        part="operation/_ask_note.html",
        danger=True,
        crumbs=[(TITLE, HOME), ("メッセージ", here)],
    )
    return await confirm(
        request,
        question,
        fields=fields,
        errors=problem.on_form if problem else (),
        status=problem.status if problem else 200,
    )
