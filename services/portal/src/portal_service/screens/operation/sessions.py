"""ログインの管理: who has signed in lately; an operator ends all sessions of a person."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from portal_service.access_log import Action, Note, note
from portal_service.api_client import FieldError, ServiceUnavailable
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.queries import RecentSignIns, recent_sign_ins
from portal_service.rendering import render, see_other
from portal_service.rules.session_end import EndKind
from portal_service.sign_in import end_sessions
from portal_service.state import state_of
from shared.auth import Role, require

HOME = "/operation/sessions"
pages = APIRouter(prefix=HOME, dependencies=[require(Role.OPERATOR)])

TITLE = "ログインの管理"
MOST = 200
LONGEST_ID = 100
NEITHER = "利用者の番号を入力してください。例：D01-E101"


@pages.get("")
async def show_sessions(request: Request) -> Response:
    """Who has signed in within the longest time of a session, and the form."""
    return await _sessions(request)


@pages.post("")
async def end_sessions_of(request: Request) -> Response:
    """Ask, then end every session of one person."""
    fields = await form_fields_of(request)
    if fields.went_back:
        return await _sessions(request, fields)
    person = fields.text("person")
    if not 0 < len(person) <= LONGEST_ID or not person.isprintable():
        return await _sessions(request, fields, [FieldError("person", NEITHER)])
    if not fields.confirmed:
        question = Confirmation(
            title=TITLE,
            sentence="この利用者を、すべての端末からログアウトさせます。",
            action=HOME,
            yes="ログアウトさせる",
            kept=fields.kept(),
            facts=[("利用者の番号", person)],
            notes=["入力中の内容は、その人の画面に残ります。もう一度ログインすることはできます。"],
            danger=True,
            crumbs=[(TITLE, HOME)],
        )
        return await confirm(request, question, fields=fields)
    everywhere = await end_sessions(request, (EndKind.PERSON, person))
    note(request, Note(Action.SESSIONS_ENDED, object_kind="person", object_id=person))
    if everywhere:
        return see_other(request, HOME, f"{person} をログアウトさせました。")
    words = f"{person} をログアウトさせています。完了まで時間がかかることがあります。"
    return see_other(request, HOME, words, kind="warning")


async def _sessions(
    request: Request, fields: FormFields | None = None, errors: list[FieldError] | None = None
) -> Response:
    portal = state_of(request)
    since = datetime.fromtimestamp(time.time() - portal.settings.session_longest_s, UTC)
    recent: Sequence[RecentSignIns] | ServiceUnavailable
    try:
        async with portal.database.transaction() as tx:
            recent = await recent_sign_ins(tx, since, most=MOST)
    except (OSError, SQLAlchemyError) as cause:
        recent = ServiceUnavailable("アクセスの記録", type(cause).__name__)
    return await render(
        request,
        "operation/sessions.html",
        status=422 if errors else 200,
        values=fields.values() if fields else dict(request.query_params),
        errors=errors or (),
        recent=recent,
        hours=portal.settings.session_longest_s // 3600,
    )
