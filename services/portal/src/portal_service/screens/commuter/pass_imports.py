"""定期区間のCSV取込: what a file would do, doing it, and taking it back (R119-R121)."""

import base64
import binascii

from fastapi import APIRouter, Request, Response

from portal_service import formatting
from portal_service.api_client import FieldError, FormRefused, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES, MASTER
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/pass-imports", dependencies=[EXPENSES])

HERE = "/commuter/pass-imports"
MOST_BYTES = 500_000
TOO_LARGE = "ファイルは500KBまでです。分けて登録してください。"


@pages.get("")
async def show_imports(request: Request) -> Response:
    """The form, and the imports so far."""
    return await _page(request)


@pages.post("")
async def send_file(request: Request) -> Response:
    """「内容を確認」 shows what the file would do, 「登録」 does it with the same file."""
    fields = await form_fields_of(request)
    try:
        content = await _content(fields)
        trial = fields.text("do") != "import"
        found = await commuter.import_passes(client_of(request), content, trial=trial)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _page(request, problem)
    if trial:
        return await _page(request, trial=found.body, content=base64.b64encode(content).decode())
    added, wrong = found.body["added"], found.body["wrong"]
    left = f"{formatting.count(wrong)}は誤りのため登録していません。" if wrong else ""
    return see_other(
        request, f"{HERE}#done", f"定期区間を{formatting.count(added)}登録しました。{left}"
    )


@pages.post("/{import_id}/undoing")
async def undo(request: Request, import_id: str) -> Response:
    """「取り消し」, after a question."""
    fields = await form_fields_of(request)
    if not fields.confirmed:
        question = Confirmation(
            title="CSV取込の取り消し",
            sentence=(
                "この取込で登録した定期区間を削除します。登録後に変更された定期区間は残します。"
            ),
            action=f"{HERE}/{import_id}/undoing",
            back=HERE,
            kept=fields.kept(),
            danger=True,
            crumbs=[MASTER],
        )
        return await confirm(request, question, fields=fields)
    try:
        await commuter.undo_import(client_of(request), import_id)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _page(request, problem)
    return see_other(request, f"{HERE}#done", "取込を取り消しました。")


async def _content(fields: FormFields) -> bytes:
    """The chosen file, or the one that was looked at before. Raises FormRefused."""
    if fields.text("do") == "import":
        try:
            return base64.b64decode(fields.text("content"), validate=True)
        except (binascii.Error, ValueError):
            return b""
    chosen = fields.files("file")
    if not chosen:
        raise FormRefused(422, "", "", "", (FieldError("file", "ファイルを選んでください。"),))
    if (chosen[0].size or 0) > MOST_BYTES:
        raise FormRefused(422, "", "", "", (FieldError("file", TOO_LARGE),))
    return await chosen[0].read()


async def _page(
    request: Request,
    problem: Problem | None = None,
    *,
    trial: commuter.ImportAnswer | None = None,
    content: str = "",
) -> Response:
    found = (await commuter.list_imports(client_of(request))).body
    errors = [FieldError("file", one.message) for one in problem.on_form] if problem else []
    return await render(
        request,
        "commuter/pass_imports.html",
        status=problem.status if problem else 200,
        found=found,
        trial=trial,
        content=content,
        crumbs=[MASTER],
        values={},
        errors=errors,
    )
