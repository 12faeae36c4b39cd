"""車両返却: the menu of a contract, 起票, 確認, 送信完了 (D74-D97)."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.api_client import FieldError, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.formatting import day
from portal_service.rendering import announce, render
from shared.auth import Role, require

pages = APIRouter(dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)])

REFUSED_ON_FORM = (409, 422)


@pages.get("/contracts/{contract_no}/return")
async def show_menu(request: Request, contract_no: str) -> Response:
    """契約内容変更受付 メニュー画面: 車両返却 結果入力, or 進捗一覧."""
    return await render(request, "returns/menu.html", form=await form_of(request, contract_no))


@pages.get("/contracts/{contract_no}/return/entry")
async def show_entry(request: Request, contract_no: str) -> Response:
    """起票画面 as it opens: contacts and 返却済み are filled in (D83-D89)."""
    form = await form_of(request, contract_no)
    values = {"received_on": "", "unreturned_reason": ""} | form
    values["completion_mail"] = ["yes"] if form["completion_mail"] else []
    return await _entry(request, form, values)


@pages.post("/contracts/{contract_no}/return/entry")
async def send_entry(request: Request, contract_no: str) -> Response:
    """「確認」 asks, 「OK」 sends; a refusal comes back to the form, input kept (D93, D94)."""
    fields = await form_fields_of(request)
    report = read_report(fields)
    services = client_of(request)
    body = {"contract_no": contract_no, **report}
    try:
        if fields.went_back:
            return await _entry(request, await form_of(request, contract_no), _typed(fields))
        fields.refuse_unreadable()
        if not fields.confirmed:
            checked = await services.send("returns", "POST", "/applications/check", body)
            form = await form_of(request, contract_no)
            return await _ask(request, form, fields, report, checked.body)
        sent = await services.send(
            "returns", "POST", "/applications", body, idempotency_key=fields.idempotency_key
        )
    except Problem as problem:
        if problem.status not in REFUSED_ON_FORM:
            raise
        form = await form_of(request, contract_no)
        return await _entry(request, form, _typed(fields), problem.on_form, problem.status)
    response = RedirectResponse(f"/returns/{sent.body['application_id']}/sent", 303)
    announce(request, response, " ".join(["送信が完了しました。", *notices_in(sent.body)]))
    return response


@pages.get("/returns/{application_id}/sent")
async def show_sent(request: Request, application_id: str) -> Response:
    """送信完了, with 入力内容印刷."""
    reply = await client_of(request).get("returns", f"/applications/{application_id}")
    return await render(request, "returns/sent.html", application=reply.body)


async def form_of(request: Request, contract_no: str) -> dict[str, Any]:
    """起票画面 as the service opens it, with the lists of its pulldowns."""
    reply = await client_of(request).get("returns", f"/contracts/{contract_no}/form")
    form: dict[str, Any] = reply.body
    return form


def read_report(fields: FormFields) -> dict[str, Any]:
    """The entries of 起票画面, as the service takes them; unreadable dates go to `errors`."""
    return {
        "contact_1": fields.text("contact_1"),
        "contact_2": fields.text("contact_2"),
        "contact_3": fields.text("contact_3"),
        "completion_mail": fields.flag("completion_mail"),
        **read_result(fields),
    }


def read_result(fields: FormFields) -> dict[str, Any]:
    """③車両返却情報 alone."""
    return {
        "kind": fields.text("kind"),
        "received_on": fields.day("received_on"),
        "unreturned_reason": fields.text("unreturned_reason") or None,
    }


def facts_of_result(form: Mapping[str, Any], report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """③ in words, for the question."""
    kinds = {item["code"]: item["label"] for item in form["kinds"]}
    reasons = {item["code"]: item["label"] for item in form["reasons"]}
    facts = [("車両返却結果", kinds.get(report["kind"], ""))]
    if report["received_on"]:
        facts.append(("車両返却受領日", day(report["received_on"])))
    if report["unreturned_reason"]:
        facts.append(("未返却理由", reasons.get(report["unreturned_reason"], "")))
    return facts


def facts_of_report(form: Mapping[str, Any], report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything that was entered, in words, for the question."""
    contacts = [(f"連絡先{number}", report[f"contact_{number}"]) for number in (1, 2, 3)]
    wanted = "希望する" if report["completion_mail"] else "希望しない"
    return [*facts_of_result(form, report), *contacts, ("手続完了メール", wanted)]


def notices_in(answer: Mapping[str, Any]) -> list[str]:
    """The sentences that the service wants said after a step."""
    return [notice["label"] for notice in answer["notices"]]


def _typed(fields: FormFields) -> dict[str, Any]:
    return fields.values(["completion_mail"])


async def _entry(
    request: Request,
    form: Mapping[str, Any],
    values: Mapping[str, Any],
    errors: Iterable[FieldError] = (),
    status: int = 200,
) -> Response:
    return await render(
        request, "returns/entry.html", status=status, form=form, values=values, errors=errors
    )


async def _ask(
    request: Request,
    form: Mapping[str, Any],
    fields: FormFields,
    report: Mapping[str, Any],
    checked: Mapping[str, Any],
) -> Response:
    contract_no = form["contract"]["contract_no"]
    here = f"/contracts/{contract_no}/return/entry"
    question = Confirmation(
        title="車両返却 確認",
        sentence="この内容で送信します。送信後のステータスは"
        f"「{checked['next_status']['label']}」です。よろしいですか。",
        action=here,
        kept=fields.kept(),
        facts=[
            ("契約番号", contract_no),
            ("ご契約者名", form["contract"]["customer_name"]),
            *facts_of_report(form, report),
        ],
        notes=notices_in(checked),
        crumbs=[("顧客詳細", f"/contracts/{contract_no}"), ("車両返却 起票", here)],
    )
    return await confirm(request, question, fields=fields)
