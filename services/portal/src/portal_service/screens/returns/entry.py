"""車両返却: the menu of a contract, 起票, 確認, 送信完了 (D74-D97)."""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FieldError, FormRefused, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, FormValues, form_fields_of
from portal_service.formatting import day, sentence
from portal_service.rendering import render, see_other
from portal_service.service_api import returns
from shared.auth import Role, require

pages = APIRouter(dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)])


@pages.get("/contracts/{contract_no}/return")
async def show_menu(request: Request, contract_no: str) -> Response:
    """契約内容変更受付 メニュー画面: 車両返却 結果入力, or 進捗一覧."""
    return await render(request, "returns/menu.html", form=await form_of(request, contract_no))


@pages.get("/contracts/{contract_no}/return/entry")
async def show_entry(request: Request, contract_no: str) -> Response:
    """起票画面 as it opens: contacts and 返却済み are filled in (D83-D89)."""
    form = await form_of(request, contract_no)
    values: dict[str, object] = {"received_on": "", "unreturned_reason": "", **form}
    values["completion_mail"] = ["yes"] if form["completion_mail"] else []
    return await _entry(request, form, values)


@pages.post("/contracts/{contract_no}/return/entry")
async def send_entry(request: Request, contract_no: str) -> Response:
    """「確認」 asks, 「OK」 sends; a refusal comes back to the form, input kept (D93, D94)."""
    fields = await form_fields_of(request)
    report = read_report(fields)
    services = client_of(request)
    body: returns.SubmissionBody = {"contract_no": contract_no, **report}
    try:
        if fields.went_back:
            return await _entry(request, await form_of(request, contract_no), _values(fields))
        fields.refuse_unreadable()
        if not fields.confirmed:
            checked = await returns.check_application(services, body)
            form = await form_of(request, contract_no)
            return await _ask(request, form, fields, checked.body)
        sent = await returns.create_application(
            services, body, idempotency_key=fields.idempotency_key
        )
    except FormRefused as problem:
        form = await form_of(request, contract_no)
        return await _entry(request, form, _values(fields), problem.on_form, problem.status)
    return see_other(
        request,
        f"/returns/{sent.body['application_id']}/sent",
        " ".join(["送信が完了しました。", *notices_in(sent.body)]),
    )


@pages.get("/returns/{application_id}/sent")
async def show_sent(request: Request, application_id: str) -> Response:
    """送信完了, with 入力内容印刷."""
    reply = await returns.open_application(client_of(request), application_id)
    return await render(request, "returns/sent.html", application=reply.body)


async def form_of(request: Request, contract_no: str) -> returns.FormAnswer:
    """起票画面 as the service opens it, with the options of its dropdowns."""
    return (await returns.open_form(client_of(request), contract_no)).body


def read_report(fields: FormFields) -> returns.FormBody:
    """The entries of 起票画面, as the service takes them; unreadable dates go to `errors`."""
    return {
        "contact_1": fields.text("contact_1"),
        "contact_2": fields.text("contact_2"),
        "contact_3": fields.text("contact_3"),
        "completion_mail": fields.flag("completion_mail"),
        **read_result(fields),
    }


def read_result(fields: FormFields) -> returns.ResultBody:
    """③車両返却情報 alone."""
    return {
        "kind": fields.text("kind"),
        "received_on": fields.day("received_on"),
        "unreturned_reason": fields.text("unreturned_reason") or None,
    }


def facts_of_result(entry: returns.EntryAnswer) -> list[tuple[str, str]]:
    """③ in words as it would be kept, for the question."""
    facts = [("車両返却結果", entry["kind"]["label"])]
    if entry["received_on"]:
        facts.append(("車両返却受領日", day(entry["received_on"])))
    if entry["unreturned_reason"]:
        facts.append(("未返却理由", entry["unreturned_reason"]["label"]))
    return facts


def facts_of_report(entry: returns.EntryAnswer) -> list[tuple[str, str]]:
    """Everything in words as it would be kept, for the question."""
    contacts = [
        ("連絡先1", entry["contact_1"] or ""),
        ("連絡先2", entry["contact_2"] or ""),
        ("連絡先3", entry["contact_3"] or ""),
    ]
    wanted = "希望する" if entry["completion_mail"] else "希望しない"
    return [*facts_of_result(entry), *contacts, ("手続完了メール", wanted)]


def consequence_note(follows: returns.ConsequenceAnswer) -> list[str]:
    """Who receives the application next, and whether a mail goes to them."""
    receiver = f"次の手続者は {follows['receiver']} です。" if follows["receiver"] else ""
    return [f"{receiver}{sentence(follows['message'])}"] if follows["message"] else []


def no_mail_note(contact_3: str | None) -> list[str]:
    """What follows from a blank 連絡先3 (D146-D148)."""
    return [] if contact_3 else ["メールアドレスが未入力のため、通知は届きません。"]


def notices_in(answer: returns.StepAnswer | returns.CheckedAnswer) -> list[str]:
    """The sentences for the user after a step."""
    return [sentence(notice["label"]) for notice in answer["notices"]]


def _values(fields: FormFields) -> FormValues:
    return fields.values(["completion_mail"])


async def _entry(
    request: Request,
    form: returns.FormAnswer,
    values: Mapping[str, object],
    errors: Iterable[FieldError] = (),
    status: int = 200,
) -> Response:
    return await render(
        request, "returns/entry.html", status=status, form=form, values=values, errors=errors
    )


async def _ask(
    request: Request,
    form: returns.FormAnswer,
    fields: FormFields,
    checked: returns.CheckedAnswer,
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
            *facts_of_report(checked["entry"]),
        ],
        notes=[
            *consequence_note(checked["consequence"]),
            *notices_in(checked),
            *no_mail_note(checked["entry"]["contact_3"]),
        ],
        doubts=checked["doubts"],
        crumbs=[("顧客詳細", f"/contracts/{contract_no}"), ("車両返却 起票", here)],
    )
    return await confirm(request, question, fields=fields)
