"""Error pages: what a person reads when something did not work.

Each page says what happened, what is kept, what to do, and the request id to quote. A form that
comes after the session ended is not lost: its entries are kept on the page until the person has
signed in again in another tab and sends it once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from portal_service.access_log import Action, Note, note
from portal_service.api_client import Problem, ServiceUnavailable
from portal_service.oidc import SignInFailed
from portal_service.rendering import render
from portal_service.session import (
    SAFE_METHODS,
    FormNotOurs,
    SessionEnded,
    SessionIdle,
    SessionTooLong,
    end_session,
    refuse_foreign_forms,
    session_of,
)
from portal_service.sign_in import login_path, own_path
from portal_service.state import state_of
from shared.auth import AccessRefused, StaffDeactivated

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Failure:
    """The words of one error page."""

    status: int
    title: str
    what: str
    kept: str
    todo: str


FAILURES: Mapping[int, Failure] = {
    400: Failure(
        400,
        "入力を読み取れませんでした",
        "送られた内容の一部が正しい形ではありません。",
        "登録されている内容は変わっていません。",
        "前の画面に戻り、入力内容をご確認のうえ、もう一度送ってください。",
    ),
    403: Failure(
        403,
        "この画面は開けません",
        "この操作を行う権限がありません。",
        "登録されている内容は変わっていません。",
        "必要なときは、店長または本部担当者にご相談ください。",
    ),
    404: Failure(
        404,
        "見つかりません",
        "お探しの画面または契約が見つかりません。担当の店舗が変わった契約は開けなくなります。",
        "登録されている内容は変わっていません。",
        "番号を確かめるか、一覧からもう一度探してください。",
    ),
    409: Failure(
        409,
        "ほかの人が先に変更しました",
        "この画面を開いたあとに、内容または状態が変わりました。",
        "今の操作は登録されていません。",
        "最新の内容を開いて確かめ、必要ならもう一度操作してください。",
    ),
    500: Failure(
        500,
        "処理できませんでした",
        "システムの中で問題が起きました。",
        "今の操作が登録されたかどうかは、一覧または履歴で確かめられます。",
        "しばらくしてからもう一度お試しください。続くときは下の番号をお知らせください。",
    ),
    503: Failure(
        503,
        "一部の機能につながりません",
        "必要な機能からの返事がありません。",
        "今の操作が登録されたかどうかは、つながったあとに履歴で確かめられます。",
        "ほかの画面は使えます。しばらくしてからもう一度お試しください。",
    ),
}
REFUSED_ACCESS = (403, 404)
ALIKE = {401: 403, 405: 404, 410: 404, 422: 400, 428: 409, 502: 503, 504: 503}

FORM_TOO_OLD = Failure(
    403,
    "この画面は古くなっています",
    "画面を開いたあとにログインし直したか、別の人がログインしたため、送信を受け付けませんでした。",
    "登録されている内容は変わっていません。",
    "前の画面に戻り、読み込み直してからもう一度入力してください。",
)
DEACTIVATED = Failure(
    403,
    "ご利用いただけません",
    StaffDeactivated.message,
    "登録されている内容は残っています。担当していた案件は、本部担当者が引き継げます。",
    "お心当たりがないときは、本部担当者にご連絡ください。",
)
NO_LOGIN = Failure(
    400,
    "ログインできませんでした",
    "ログインの手続きが途中で切れたか、時間がかかりすぎました。",
    "入力中だった別の画面はそのまま残っています。",
    "もう一度ログインしてください。",
)


SAID_ALOUD = (SessionEnded, SessionIdle, SessionTooLong)
"""Ends of a session that a page explains, instead of leading to the login at once."""


async def failure_page(
    request: Request,
    failure: Failure,
    *,
    detail: str = "",
    part: str | None = None,
    again: str | None = None,
) -> Response:
    """The error page; for HTMX it takes the place of the screen's content."""
    response = await render(
        request,
        "errors/failure.html",
        status=failure.status,
        failure=failure,
        detail=detail,
        part=part,
        again=again,
    )
    if request.headers.get("hx-request"):
        response.headers["hx-retarget"] = "#content"
        response.headers["hx-reselect"] = "#content"
        response.headers["hx-reswap"] = "outerHTML"
    return response


def of_status(status: int) -> Failure:
    """The words for an HTTP status."""
    status = ALIKE.get(status, status)
    return FAILURES.get(status) or FAILURES[500 if status > 500 else 400]  # noqa: PLR2004


async def crash_page(request: Request) -> Response:
    """For anything that nobody foresaw."""
    return await failure_page(request, FAILURES[500])


def install_error_pages(app: FastAPI) -> None:
    """Give every foreseen failure its page."""
    app.add_exception_handler(AccessRefused, _refused)
    app.add_exception_handler(FormNotOurs, _form_not_ours)
    app.add_exception_handler(SignInFailed, _sign_in_failed)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(ServiceUnavailable, _service_unavailable)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unreadable)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, AccessRefused)
    request.state.refusal_code = error.code
    if isinstance(error, StaffDeactivated):
        return await _deactivated(request)
    if error.kind == "unauthenticated":
        return await _sign_in_again(request, error)
    if error.kind == "forbidden":
        note(request, Note(Action.ACCESS_REFUSED, code=error.code))
    status = {"forbidden": 403, "unavailable": 503}[error.kind]
    return await failure_page(request, of_status(status), detail=error.message)


async def _deactivated(request: Request) -> Response:
    """Staff who have left: their browser is signed out, and shows nothing of the dealer."""
    request.state.deactivated = True
    note(request, Note(Action.ACCESS_REFUSED, code=StaffDeactivated.code))
    response = await failure_page(request, DEACTIVATED, again=login_path("/"))
    end_session(request, response)
    return response


async def _sign_in_again(request: Request, error: AccessRefused | None = None) -> Response:
    if session_of(request) is not None:
        code = error.code if error else "TOKEN_NOT_TRUSTED"
        note(request, Note(Action.SESSION_REFUSED, code=code))
    if request.method not in SAFE_METHODS:
        return await _kept_form(request)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.headers.get("hx-request"):
        shown = request.headers.get("hx-current-url", "").removeprefix(
            state_of(request).settings.public_url
        )
        leads_to = shown or "/" if isinstance(error, SAID_ALOUD) else login_path(shown or "/")
        return Response(headers={"hx-redirect": leads_to})
    if isinstance(error, SAID_ALOUD):
        again = login_path(own_path(here))
        return await render(
            request, "errors/session_ended.html", status=401, why=error.message, login=again
        )
    return RedirectResponse(login_path(here), 303)


async def _kept_form(request: Request) -> Response:
    """The entries of a form whose session ended; only our own forms are shown again."""
    session = session_of(request)
    try:
        await refuse_foreign_forms(request)
    except (AccessRefused, FormNotOurs):
        note(request, Note(Action.FORM_REFUSED, code="FORM_NOT_OURS"))
        return await failure_page(request, NO_LOGIN, again=login_path("/"))
    form = await request.form()
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return await render(
        request,
        "errors/kept_form.html",
        status=401,
        action=here,
        fields=fields,
        files_lost=len(fields) < len(form.multi_items()),
        csrf=session.masked_csrf() if session else "",
        login=login_path("/auth/signed-in"),
    )


async def _form_not_ours(request: Request, _error: Exception) -> Response:
    note(request, Note(Action.FORM_REFUSED, code="FORM_NOT_OURS"))
    return await failure_page(request, FORM_TOO_OLD)


async def _sign_in_failed(request: Request, error: Exception) -> Response:
    log.warning("sign_in_failed", reason=str(error))
    note(request, Note(Action.SIGN_IN, code="SIGN_IN_FAILED"))
    return await failure_page(request, NO_LOGIN, again=login_path("/"))


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if error.status == 401:  # noqa: PLR2004
        return await _sign_in_again(request)
    log.info("service_refused", problem=str(error))
    request.state.refusal_code = error.code
    if error.status in REFUSED_ACCESS:
        note(request, Note(Action.ACCESS_REFUSED, code=error.code))
    if any(refused.field in request.path_params for refused in error.errors):
        return await failure_page(request, FAILURES[404])  # nothing has an id of this shape
    return await failure_page(request, of_status(error.status), detail=error.words)


async def _service_unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceUnavailable)
    log.warning("upstream_unavailable", reason=str(error))
    return await failure_page(request, FAILURES[503], part=error.part)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = await failure_page(request, of_status(error.status_code))
    response.headers.update(error.headers or {})
    return response


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    in_path = any(problem["loc"][0] == "path" for problem in error.errors())
    return await failure_page(request, FAILURES[404 if in_path else 400])
