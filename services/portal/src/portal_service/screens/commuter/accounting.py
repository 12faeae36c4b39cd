"""会計連携: journals for the accounting product, the list of slips as CSV, and the accounts."""

from fastapi import APIRouter, Request, Response
from starlette.datastructures import QueryParams

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.passes import FORM_STATUSES
from portal_service.service_api import commuter
from shared.auth import Role, require

pages = APIRouter(prefix="/commuter/accounting", dependencies=[require(Role.EXPENSE_ADMIN)])

HOME = ("会計連携", "/commuter/accounting")
SETTINGS = f"{HOME[1]}/settings"
LIST_DAYS = ("list_first", "list_last")


@pages.get("")
async def show_exports(request: Request) -> Response:
    """What waits for an export, and the exports that were made."""
    return await _exports(request)


@pages.post("")
async def make_export(request: Request) -> Response:
    """「仕訳を出力する」: record an export; its file is fetched from the list."""
    fields = await form_fields_of(request)
    try:
        body: commuter.ExportPeriodBody = {"first": fields.day("first"), "last": fields.day("last")}
        fields.refuse_unreadable()
        made = await commuter.make_export(
            client_of(request), body, idempotency_key=fields.idempotency_key
        )
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _exports(request, fields, problem)
    slips, yen = formatting.count(made.body["slips"]), formatting.yen(made.body["total_yen"])
    text = (
        f"出力{made.body['number']}を作りました（精算書{slips}、{yen}）。"
        "一覧の「ダウンロード」からファイルを保存してください。"
    )
    return see_other(request, f"{HOME[1]}#exports", text)


@pages.get("/exports/{export_id}/journal.csv")
async def download_journal(request: Request, export_id: str) -> Response:
    """The file of an export."""
    return await commuter.download_journal(client_of(request), export_id)


@pages.get("/slips.csv")
async def download_slips(request: Request) -> Response:
    """精算書の一覧 as CSV; a day that cannot be read is named beside its field."""
    days, errors = dict[str, str | None](), list[FieldError]()
    for name in LIST_DAYS:
        try:
            day = formatting.read_day(request.query_params.get(name, ""))
            days[name] = day.isoformat() if day else None
        except formatting.NotReadable as unreadable:
            errors.append(FieldError(name, str(unreadable)))
    try:
        if errors:
            raise Problem(422, "", "", "", tuple(errors))
        first, last = (days[name] for name in LIST_DAYS)
        return await commuter.download_slips(client_of(request), first=first, last=last)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _exports(request, request.query_params, _of_the_list(problem))


@pages.get("/exports/{export_id}/cancellation")
async def ask_cancellation(request: Request, export_id: str) -> Response:
    """Whether the export is to be taken back, and why."""
    return await _ask(request, export_id)


@pages.post("/exports/{export_id}/cancellation")
async def cancel_export(request: Request, export_id: str) -> Response:
    """Take it back: its slips stand in the next export."""
    fields = await form_fields_of(request)
    body: commuter.CancelExportBody = {"reason": fields.text("comment")}
    try:
        await commuter.cancel_export(client_of(request), export_id, body)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _ask(request, export_id, fields, problem)
    text = "出力を取り消しました。含まれていた精算書は、次の出力に入ります。"
    return see_other(request, f"{HOME[1]}#exports", text)


@pages.get("/settings")
async def show_settings(request: Request) -> Response:
    """勘定科目, 税区分 and 部門."""
    return await _settings(request)


@pages.post("/settings")
async def save_settings(request: Request) -> Response:
    """「保存」, or the words of another product filled in."""
    fields = await form_fields_of(request)
    services = client_of(request)
    if fields.text("do") == "words":
        return await _settings(request, fields, words_of=fields.text("target"))
    try:
        await commuter.change_accounting_setting(services, _typed(fields), version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _settings(request, fields, problem)
    return see_other(request, HOME[1], "会計連携の設定を保存しました。")


def _typed(fields: FormFields) -> commuter.AccountingBody:
    debits: dict[str, commuter.AccountBody] = {
        kind: {
            "account": fields.text(f"debits.{kind}.account"),
            "sub_account": fields.text(f"debits.{kind}.sub_account"),
            "taxed": fields.text(f"debits.{kind}.taxed") == "yes",
        }
        for kind in fields.getlist("kind")
    }
    return {
        "target": fields.text("target"),
        "debits": debits,
        "credit": {
            "account": fields.text("credit.account"),
            "sub_account": fields.text("credit.sub_account"),
        },
        "tax_words": {one: fields.text(f"tax_words.{one}") for one in fields.getlist("treatment")},
        "departments": {
            store: fields.text(f"departments.{store}") for store in fields.getlist("store")
        },
    }


def _of_the_list(problem: Problem) -> Problem:
    """What the service says of `first` and `last` belongs to the fields of the list."""
    errors = tuple(
        FieldError(one.field if one.field in LIST_DAYS else f"list_{one.field}", one.message)
        for one in problem.on_form
    )
    return Problem(problem.status, problem.code, problem.title, problem.detail, errors)


async def _exports(
    request: Request,
    typed: FormFields | QueryParams | None = None,
    problem: Problem | None = None,
) -> Response:
    before = request.query_params.get("before", "")
    found = await commuter.list_exports(
        client_of(request), before=int(before) if before.isdecimal() else None
    )
    return await render(
        request,
        "commuter/accounting.html",
        status=problem.status if problem else 200,
        found=found.body,
        values=typed.values() if isinstance(typed, FormFields) else dict(typed or {}),
        errors=problem.on_form if problem else (),
    )


async def _ask(
    request: Request,
    export_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    question = Confirmation(
        title="出力の取り消し",
        sentence="この出力を取り消します。会計ソフトに取り込んだ仕訳は、会計ソフトで削除してください。",
        action=f"{HOME[1]}/exports/{export_id}/cancellation",
        back=HOME[1],
        part="commuter/_ask_comment.html",
        danger=True,
        crumbs=[HOME],
    )
    errors = [FieldError("comment", one.message) for one in problem.on_form] if problem else []
    status = problem.status if problem else 200
    return await confirm(request, question, fields=fields, errors=errors, status=status)


async def _settings(
    request: Request,
    fields: FormFields | None = None,
    problem: Problem | None = None,
    *,
    words_of: str = "",
) -> Response:
    found = await commuter.show_accounting_setting(client_of(request))
    kept = found.body
    values: dict[str, object] = dict(fields.values()) if fields else _values(kept)
    for target in kept["targets"]:
        if target["target"] == words_of:
            values |= {f"tax_words.{one['treatment']}": one["word"] for one in target["tax_words"]}
    return await render(
        request,
        "commuter/accounting_settings.html",
        status=problem.status if problem else 200,
        setting=kept,
        targets=[(one["target"], one["name"]) for one in kept["targets"]],
        version=found.etag,
        values=values,
        errors=problem.on_form if problem else (),
    )


def _values(kept: commuter.AccountingAnswer) -> dict[str, object]:
    values: dict[str, object] = {
        "target": kept["target"],
        "credit.account": kept["credit"]["account"],
        "credit.sub_account": kept["credit"]["sub_account"],
    }
    for one in kept["debits"]:
        name = f"debits.{one['kind']}"
        values |= {
            f"{name}.account": one["account"],
            f"{name}.sub_account": one["sub_account"],
            f"{name}.taxed": "yes" if one["taxed"] else "no",
        }
    values |= {f"tax_words.{one['treatment']}": one["word"] for one in kept["tax_words"]}
    return values | {
        f"departments.{one['store_code']}": one["department"] for one in kept["departments"]
    }
