"""アクセスの記録: who signed in, saw, printed, exported or operated what, and what was refused."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError

from portal_service.access_log import Action
from portal_service.api_client import FieldError, ServiceUnavailable
from portal_service.formatting import JST, NotReadable, read_day
from portal_service.models import AccessLog
from portal_service.queries import AccessSearch, accesses
from portal_service.rendering import render
from portal_service.state import state_of
from shared.auth import Role, require

HOME = "/operation/access-log"
pages = APIRouter(prefix=HOME, dependencies=[require(Role.OPERATOR)])

PAGE = 100
FILE_PAGE = 1000
MOST_IN_FILE = 100_000
ACTIONS = {
    Action.SIGN_IN: "ログイン",
    Action.SIGN_OUT: "ログアウト",
    Action.SESSIONS_ENDED: "すべての端末のログアウト",
    Action.PROVIDER_SIGN_OUT: "認証基盤からのログアウト",
    Action.SESSION_REFUSED: "終了したログインの使用",
    Action.ACCESS_REFUSED: "権限などによる拒否",
    Action.FORM_REFUSED: "不正な送信の拒否",
    Action.REFUSAL_BURST: "拒否の多発",
    Action.CUSTOMER_VIEWED: "顧客の表示",
    Action.CUSTOMERS_LISTED: "顧客の検索",
    Action.PRINTED: "印刷",
    Action.EXPORTED: "ファイルの保存",
    Action.OPERATOR_STEP: "運用の操作",
}
OBJECTS = {
    "contract": "契約",
    "application": "申込",
    "slip": "精算書",
    "export": "仕訳",
    "person": "人",
    "session": "ログイン",
    "subject": "アカウント",
    "provider_session": "認証基盤のログイン",
    "dealer": "販売店",
    "event": "通知",
    "stream": "通知の列",
}
OUTCOMES = {"success": "成功", "failure": "拒否・失敗"}
HEADER = (
    "日時", "だれが", "操作", "結果", "対象の種類", "対象", "件数", "コード", "接続元",
    "ログインID", "メソッド", "画面", "状態", "お問い合わせ番号",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a formula."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The search as it was typed, read into conditions; `errors` is what could not be read."""

    entered: dict[str, str]
    search: AccessSearch
    errors: list[FieldError]


@pages.get("")
async def show_accesses(request: Request) -> Response:
    """The newest first, by person, action, object and day."""
    asked = _asked(request)
    found: Sequence[AccessLog] | ServiceUnavailable = ()
    if not asked.errors:
        found = await _found(request, asked.search, most=PAGE + 1)
    rows = () if isinstance(found, ServiceUnavailable) else found[:PAGE]
    more = not isinstance(found, ServiceUnavailable) and len(found) > PAGE
    return await render(
        request,
        "operation/access_log.html",
        values=asked.entered,
        errors=asked.errors,
        found=found,
        rows=rows,
        actions=ACTIONS,
        outcomes=OUTCOMES,
        objects=OBJECTS,
        here={key: value for key, value in asked.entered.items() if value and key != "before"},
        next_page=rows[-1].position if more else None,
    )


@pages.get(".csv")
async def save_accesses(request: Request) -> Response:
    """What the search finds, as a file; at most 100,000 rows."""
    asked = _asked(request)
    first = await _found(request, asked.search, most=FILE_PAGE)
    if isinstance(first, ServiceUnavailable):
        raise first
    lines = StreamingResponse(_lines(request, asked.search, first), media_type="text/csv")
    lines.headers["content-disposition"] = 'attachment; filename="access-log.csv"'
    return lines


async def _lines(
    request: Request, search: AccessSearch, page: Sequence[AccessLog]
) -> AsyncIterator[bytes]:
    yield b"\xef\xbb\xbf" + _csv([HEADER])
    sent = 0
    while page and sent < MOST_IN_FILE:
        yield _csv(map(_cells, page))
        sent += len(page)
        before = replace(search, before=page[-1].position)
        async with state_of(request).database.transaction() as tx:
            page = await accesses(tx, before, most=FILE_PAGE)


def _cells(row: AccessLog) -> Iterable[object]:
    return (
        row.at.astimezone(JST).isoformat(timespec="milliseconds"),
        *(row.actor, row.action, row.outcome, row.object_kind, row.object_id, row.row_count),
        *(row.code, row.client, row.session, row.method, row.route, row.status, row.request_id),
    )


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([[_harmless(cell) for cell in row] for row in rows])
    return written.getvalue().encode()


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


async def _found(
    request: Request, search: AccessSearch, *, most: int
) -> Sequence[AccessLog] | ServiceUnavailable:
    try:
        async with state_of(request).database.transaction() as tx:
            return await accesses(tx, search, most=most)
    except (OSError, SQLAlchemyError) as cause:
        return ServiceUnavailable("アクセスの記録", type(cause).__name__)


def _asked(request: Request) -> Asked:
    entered = dict(request.query_params)
    errors: list[FieldError] = []
    days: dict[str, datetime | None] = {}
    for name, further in (("since", timedelta()), ("to", timedelta(days=1))):
        try:
            on = read_day(entered.get(name, ""))
            days[name] = datetime.combine(on + further, time(), JST).astimezone(UTC) if on else None
        except OverflowError:
            errors.append(FieldError(name, "この日付は指定できません。"))
        except NotReadable as unreadable:
            errors.append(FieldError(name, str(unreadable)))
    before = entered.get("before", "")
    search = AccessSearch(
        actor=_typed(entered, "actor"),
        action=entered.get("action", "") if entered.get("action") in set(Action) else "",
        object_id=_typed(entered, "object_id"),
        since=days.get("since"),
        to=days.get("to"),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,  # noqa: PLR2004
    )
    return Asked(entered, search, errors)


def _typed(entered: dict[str, str], name: str) -> str:
    return entered.get(name, "").strip().replace("\x00", "").encode("utf-8", "replace").decode()
