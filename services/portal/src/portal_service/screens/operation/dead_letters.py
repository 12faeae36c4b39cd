"""処理できなかった通知 and 受け取らなかった通知: why, with what in it, and what is done about it.

Every service keeps its own dead letters and refused messages; the screen shows those of all, and
names the service that does not answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from portal_service.api_client import (
    SERVICE_NAMES,
    Problem,
    ServiceClient,
    ServiceResponse,
    ServiceUnavailable,
    client_of,
    or_missing,
)
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.service_api import operations
from shared.auth import Role, require

pages = APIRouter(prefix="/operation", dependencies=[require(Role.OPERATOR)])


Messages = operations.DeadLetters | operations.RefusedMessages
Message = operations.DeadLetter | operations.RefusedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the two lists: its words, and the calls that list, show and settle its messages."""

    title: str
    lead: str
    empty: str
    listed: Callable[[ServiceClient, str], Awaitable[ServiceResponse[Messages]]]
    read: Callable[[ServiceClient, str, str], Awaitable[ServiceResponse[Message]]]
    replay: Callable[[ServiceClient, str, str], Awaitable[object]]
    skip: Callable[[ServiceClient, str, str, operations.SkipOrder], Awaitable[object]]


KINDS: Mapping[str, Kind] = {
    "dead-letters": Kind(
        title="処理できなかった通知",
        lead="処理に失敗した通知です。同じ契約・申込の後続の通知は、片付くまで待っています。",
        empty="処理できなかった通知はありません。",
        listed=operations.list_dead_letters,
        read=operations.read_dead_letter,
        replay=operations.replay_dead_letter,
        skip=operations.skip_dead_letter,
    ),
    "refused": Kind(
        title="受け取らなかった通知",
        lead="通知として読み取れず、退けたものです。ほかの通知は影響を受けません。",
        empty="受け取らなかった通知はありません。",
        listed=operations.list_refused_messages,
        read=operations.read_refused_message,
        replay=operations.replay_refused_message,
        skip=operations.skip_refused_message,
    ),
}
STEPS = {
    "replay": ("もう一度処理する", "この通知をもう一度処理します。", "もう一度処理します。"),
    "skip": (
        "読み飛ばす",
        "この通知を処理せずに片付けます。元には戻せません。",
        "読み飛ばしました。",
    ),
}
"""Path → button, the sentence of the question, what is said afterwards."""


@pages.post("/dead-letters/cause")
async def replay_cause(request: Request) -> Response:
    """Replay everything of one cause in one service, after a question."""
    fields = await form_fields_of(request)
    service, cause = _known(fields.text("service")), fields.text("cause")
    if not fields.confirmed:
        question = Confirmation(
            title="まとめて再処理",
            sentence="この原因の通知をすべて、もう一度処理します。よろしいですか。",
            action="/operation/dead-letters/cause",
            back="/operation/dead-letters",
            kept=fields.kept(),
            facts=[("機能", SERVICE_NAMES[service]), ("原因", cause)],
            crumbs=[("処理できなかった通知", "/operation/dead-letters")],
        )
        return await confirm(request, question, fields=fields)
    done = await operations.replay_dead_letters(client_of(request), service, {"cause": cause})
    return see_other(
        request, "/operation/dead-letters", f"{done.body['replayed']}件をもう一度処理します。"
    )


@pages.get("/quarantine")
@pages.get("/quarantine/{path:path}")
async def redirect_quarantine(request: Request) -> Response:
    """Old address of the refused messages, for bookmarks."""
    path = request.url.path.replace("/quarantine", "/refused", 1)
    return RedirectResponse(path, 308)


async def list_messages(request: Request) -> Response:
    """The messages of every service, the oldest first."""
    kind = _kind_in(request)
    wanted = KINDS[kind]
    services = client_of(request)
    answers = await asyncio.gather(
        *(or_missing(wanted.listed(services, service)) for service in SERVICE_NAMES)
    )
    letters, missing = [], []
    for service, answer in zip(SERVICE_NAMES, answers, strict=True):
        if isinstance(answer, ServiceUnavailable):
            missing.append(answer)
        else:
            letters += [{**item, "service": service} for item in answer.body["items"]]
    return await render(
        request,
        "operation/letters.html",
        kind=kind,
        words=wanted,
        letters=letters,
        missing=missing,
        part_names=SERVICE_NAMES,
    )


async def show_message(request: Request, service: str, letter_id: str) -> Response:
    """One message with its payload."""
    return await _message(request, _kind_in(request), service, letter_id)


async def ask_step(request: Request, service: str, letter_id: str, step: str) -> Response:
    """The question before a message is replayed or skipped."""
    return await _ask(request, _kind_in(request), service, letter_id, step)


async def take_step(request: Request, service: str, letter_id: str, step: str) -> Response:
    """OK: do it; a refusal comes back to the question, or to the message."""
    fields = await form_fields_of(request)
    kind, services = _kind_in(request), client_of(request)
    try:
        if _step(step) == "skip":
            order: operations.SkipOrder = {"reason": fields.text("reason")}
            await KINDS[kind].skip(services, _known(service), letter_id, order)
        else:
            await KINDS[kind].replay(services, _known(service), letter_id)
    except Problem as problem:
        if problem.status == 422 and step == "skip":  # noqa: PLR2004
            return await _ask(request, kind, service, letter_id, step, fields, problem)
        if problem.code == "STILL_NO_EVENT":
            return await _message(request, kind, service, letter_id, problem)
        raise
    return see_other(request, f"/operation/{kind}", STEPS[step][2])


for kind_in_path in KINDS:
    message = f"/{kind_in_path}/{{service}}/{{letter_id}}"
    pages.add_api_route(f"/{kind_in_path}", list_messages, methods=["GET"])
    pages.add_api_route(message, show_message, methods=["GET"])
    pages.add_api_route(f"{message}/{{step}}", ask_step, methods=["GET"])
    pages.add_api_route(f"{message}/{{step}}", take_step, methods=["POST"])


def _kind_in(request: Request) -> str:
    """The list that the address names: /operation/<kind>/…."""
    return request.url.path.split("/")[2]


def _known(service: str) -> str:
    if service not in SERVICE_NAMES:
        raise HTTPException(404)
    return service


def _step(step: str) -> str:
    if step not in STEPS:
        raise HTTPException(404)
    return step


async def _found(request: Request, kind: str, service: str, letter_id: str) -> Message:
    return (await KINDS[kind].read(client_of(request), _known(service), letter_id)).body


async def _message(
    request: Request, kind: str, service: str, letter_id: str, problem: Problem | None = None
) -> Response:
    return await render(
        request,
        "operation/letter.html",
        status=problem.status if problem else 200,
        kind=kind,
        words=KINDS[kind],
        letter=await _found(request, kind, service, letter_id),
        part=SERVICE_NAMES[service],
        here=f"/operation/{kind}/{service}/{letter_id}",
        service=service,
        steps=[(name, label) for name, (label, _, _) in STEPS.items()],
        errors=problem.on_form if problem else (),
    )


async def _ask(  # noqa: PLR0913, PLR0917  what the address says, and what was typed
    request: Request,
    kind: str,
    service: str,
    letter_id: str,
    step: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    letter = await _found(request, kind, service, letter_id)
    label, sentence, _ = STEPS[_step(step)]
    here = f"/operation/{kind}/{service}/{letter_id}"
    question = Confirmation(
        title=label,
        sentence=sentence,
        action=f"{here}/{step}",
        back=here,
        facts=[
            ("機能", SERVICE_NAMES[service]),
            ("種類", letter["type"]),
            ("原因", letter["cause"]),
        ],
        part="operation/_ask_reason.html" if step == "skip" else None,
        danger=step == "skip",
        crumbs=[(KINDS[kind].title, f"/operation/{kind}"), ("通知", here)],
    )
    return await confirm(
        request,
        question,
        fields=fields,
        errors=problem.on_form if problem else (),
        status=problem.status if problem else 200,
    )
