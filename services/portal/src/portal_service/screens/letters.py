"""処理できなかった通知 and 受け取らなかった通知: why, with what in it, and what is done about it.

Every service keeps its own dead letters and refused messages; the screen shows those of all, and
names the service that does not answer.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from portal_service.entries import Entries, entries_of
from portal_service.frame import announce, page
from portal_service.question import Question, ask
from portal_service.upstream import PARTS, PartMissing, Problem, or_missing, services_of
from shared.auth import Role, require

pages = APIRouter(prefix="/operation", dependencies=[require(Role.OPERATOR)])


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two lists: its title, where services keep it, and what lies in it."""

    title: str
    path: str
    lead: str
    empty: str


KINDS: Mapping[str, Kind] = {
    "dead-letters": Kind(
        "処理できなかった通知",
        "/operations/dead-letters",
        "処理に失敗した通知です。同じ契約・申込の後続の通知は、片付くまで待っています。",
        "処理できなかった通知はありません。",
    ),
    "quarantine": Kind(
        "受け取らなかった通知",
        "/operations/refused",
        "通知として読み取れず、退けたものです。ほかの通知は影響を受けません。",
        "受け取らなかった通知はありません。",
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
    entries = await entries_of(request)
    service, cause = _known(entries.text("service")), entries.text("cause")
    if not entries.confirmed:
        question = Question(
            title="まとめて再処理",
            sentence="この原因の通知をすべて、もう一度処理します。よろしいですか。",
            action="/operation/dead-letters/cause",
            back="/operation/dead-letters",
            kept=entries.kept(),
            facts=[("機能", PARTS[service]), ("原因", cause)],
            crumbs=[("処理できなかった通知", "/operation/dead-letters")],
        )
        return await ask(request, question, entries=entries)
    path = "/operations/dead-letters/replay"
    done = await services_of(request).send(service, "POST", path, {"cause": cause})
    response = RedirectResponse("/operation/dead-letters", 303)
    announce(request, response, f"{done.body['replayed']}件をもう一度処理します。")
    return response


@pages.get("/dead-letters")
@pages.get("/quarantine")
async def show_letters(request: Request) -> Response:
    """The letters of every service, the oldest first."""
    kind = request.url.path.rpartition("/")[2]
    wanted = _kind(kind)
    services = services_of(request)
    answers = await asyncio.gather(
        *(or_missing(services.get(service, wanted.path)) for service in PARTS)
    )
    letters, missing = [], []
    for service, answer in zip(PARTS, answers, strict=True):
        if isinstance(answer, PartMissing):
            missing.append(answer)
        else:
            letters += [{**item, "service": service} for item in answer.body["items"]]
    return await page(
        request,
        "operation/letters.html",
        kind=kind,
        words=wanted,
        letters=letters,
        missing=missing,
        part_names=PARTS,
    )


@pages.get("/{kind}/{service}/{letter_id}")
async def show_letter(request: Request, kind: str, service: str, letter_id: str) -> Response:
    """One letter with its payload."""
    return await _letter(request, kind, service, letter_id)


@pages.get("/{kind}/{service}/{letter_id}/{step}")
async def ask_step(
    request: Request, kind: str, service: str, letter_id: str, step: str
) -> Response:
    """The question before a letter is replayed or passed over."""
    return await _ask(request, kind, service, letter_id, step)


@pages.post("/{kind}/{service}/{letter_id}/{step}")
async def take_step(
    request: Request, kind: str, service: str, letter_id: str, step: str
) -> Response:
    """OK: do it; a refusal comes back to the question, or to the letter."""
    entries = await entries_of(request)
    path = f"{_kind(kind).path}/{letter_id}/{_step(step)}"
    body = {"reason": entries.text("reason")}
    try:
        await services_of(request).send(_known(service), "POST", path, body)
    except Problem as problem:
        if problem.status == 422 and step == "skip":  # noqa: PLR2004
            return await _ask(request, kind, service, letter_id, step, entries, problem)
        if problem.code == "STILL_NO_EVENT":
            return await _letter(request, kind, service, letter_id, problem)
        raise
    response = RedirectResponse(f"/operation/{kind}", 303)
    announce(request, response, STEPS[step][2])
    return response


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise HTTPException(404)
    return KINDS[kind]


def _known(service: str) -> str:
    if service not in PARTS:
        raise HTTPException(404)
    return service


def _step(step: str) -> str:
    if step not in STEPS:
        raise HTTPException(404)
    return step


async def _found(request: Request, kind: str, service: str, letter_id: str) -> dict[str, Any]:
    path = f"{_kind(kind).path}/{letter_id}"
    letter: dict[str, Any] = (await services_of(request).get(_known(service), path)).body
    return letter


async def _letter(
    request: Request, kind: str, service: str, letter_id: str, problem: Problem | None = None
) -> Response:
    return await page(
        request,
        "operation/letter.html",
        status=problem.status if problem else 200,
        kind=kind,
        words=_kind(kind),
        letter=await _found(request, kind, service, letter_id),
        part=PARTS[service],
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
    entries: Entries | None = None,
    problem: Problem | None = None,
) -> Response:
    letter = await _found(request, kind, service, letter_id)
    label, sentence, _ = STEPS[_step(step)]
    here = f"/operation/{kind}/{service}/{letter_id}"
    question = Question(
        title=label,
        sentence=sentence,
        action=f"{here}/{step}",
        back=here,
        facts=[("機能", PARTS[service]), ("種類", letter["type"]), ("原因", letter["cause"])],
        part="operation/_ask_reason.html" if step == "skip" else None,
        danger=step == "skip",
        crumbs=[(_kind(kind).title, f"/operation/{kind}"), ("通知", here)],
    )
    return await ask(
        request,
        question,
        entries=entries,
        errors=problem.on_form if problem else (),
        status=problem.status if problem else 200,
    )
