"""進捗・結果入力 and 早期完済確認 (D52-D72)."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.api_client import FieldError, FormRefused, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.contracts.customer_detail import Contract, contract_of
from portal_service.screens.dropdowns import vehicles_to_choose
from portal_service.service_api import contracts
from shared.auth import Role, require

pages = APIRouter(
    prefix="/contracts/{contract_no}",
    dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)],
)

CATEGORIES = (
    ("early_payoff", "早期完済"),
    ("cash_settlement", "現金決済"),
    ("vehicle_return", "車両返却"),
)
UNCONFIRMED = "UNCHANGEABLE_UNCONFIRMED"
DOUBT = "DATE_LONG_AGO"
OF_THE_CHOICE = {
    "CHANGE_LIMIT_PASSED",
    "CUSTOMER_CHANGE_PENDING",
    "FIRST_ENTRY_TOO_LATE",
    "HANDLING_COMPLETED",
    "RETURN_IN_PROGRESS",
}
"""Refusals of the selected category, which belong beside it."""
"""All else is in order: what cannot be changed later is asked once more."""
OWN = {"yes": True, "no": False}
YES_OR_NO = {True: "yes", False: "no", None: ""}


@pages.get("/result")
async def show_result(request: Request, contract_no: str) -> Response:
    """The form; blank before the first entry (D52)."""
    return await _form(request, await contract_of(request, contract_no))


@pages.post("/result")
async def decide_result(request: Request, contract_no: str) -> Response:
    """「決定」; less than a month before the last day it is asked once more (D61)."""
    fields = await form_fields_of(request)
    body = _result_body(fields)
    found = await contract_of(request, contract_no)
    if fields.went_back:
        return await _form(request, found, fields)
    try:
        fields.refuse_unreadable()
        decided = await contracts.enter_result(
            client_of(request), contract_no, body, version=fields.version
        )
    except FormRefused as problem:
        if problem.code in OF_THE_CHOICE:
            problem.errors = (FieldError("category", problem.words, problem.code),)
        others = tuple(e for e in problem.errors if e.code not in {UNCONFIRMED, DOUBT})
        if problem.errors and not others:
            return await _ask(request, contract_no, fields, problem)
        problem.errors = others
        return await _form(request, found, fields, problem)
    if decided.body["exits"]:
        return RedirectResponse(f"/contracts/{contract_no}/payoff", 303)
    return see_other(request, f"/contracts/{contract_no}", _outcome_text(decided.body))


@pages.get("/payoff")
async def show_payoff(request: Request, contract_no: str) -> Response:
    """早期完済確認画面 with its two exits (D68, D69)."""
    found = await contract_of(request, contract_no)
    return await render(
        request,
        "contracts/payoff.html",
        contract=found.body,
        quotation=await _quotation(request, contract_no),
    )


@pages.post("/payoff")
async def go_on_to_payoff(request: Request, contract_no: str) -> Response:
    """「早期完済受付へ」: the finance company is informed."""
    fields = await form_fields_of(request)
    await contracts.ask_for_payoff(
        client_of(request), contract_no, idempotency_key=fields.idempotency_key
    )
    return see_other(
        request,
        f"/contracts/{contract_no}/payoff",
        "早期完済の受付へ進みました。TFCへ連絡しました。",
    )


async def _quotation(request: Request, contract_no: str) -> contracts.Quotation | None:
    """What settles the contract today; None where there is nothing to settle any more."""
    try:
        quoted = await contracts.read_payoff_quotation(client_of(request), contract_no)
    except FormRefused:
        return None
    return quoted.body


@pages.post("/customer-change-release", dependencies=[require(Role.HQ)])
async def release_customer_change(request: Request, contract_no: str) -> Response:
    """Headquarters lifts the block of a customer change that never ended (D64)."""
    fields = await form_fields_of(request)
    try:
        await contracts.release_customer_change(
            client_of(request),
            contract_no,
            {"reason": fields.text("reason")},
            version=fields.version,
        )
    except FormRefused as problem:
        return await _form(request, await contract_of(request, contract_no), fields, problem)
    return see_other(
        request, f"/contracts/{contract_no}/result", "届出変更による入力の停止を解除しました。"
    )


def _result_body(fields: FormFields) -> contracts.ResultBody:
    return {
        "categories": fields.getlist("category"),
        "own_replacement": OWN.get(fields.text("own_replacement")),
        "vehicle_code": fields.text("vehicle_code") or None,
        "other_text": fields.text("other_text") or None,
        "confirmation_received": fields.flag("confirmation_received"),
        "confirmation_received_on": fields.day("confirmation_received_on"),
        "unchangeable_confirmed": fields.confirmed,
        "doubts_confirmed": fields.confirmed,
    }


def _outcome_text(decided: contracts.ResultAnswer) -> str:
    label = decided["contract"]["result"]["selection_label"]
    late = "結果入力期限を過ぎた入力として記録しました。" if decided["late"] else ""
    return f"「{label}」で決定しました。{late}"


async def _form(
    request: Request,
    found: Contract,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    contract = found.body
    several = ["confirmation_received"]
    return await render(
        request,
        "contracts/result.html",
        status=problem.status if problem else 200,
        contract=contract,
        version=found.etag,
        categories=CATEGORIES,
        vehicles=await vehicles_to_choose(client_of(request)),
        values=fields.values(several) if fields else _stored(contract["result"]),
        errors=problem.on_form if problem else (),
        overtaken=bool(problem and problem.code == "VERSION_CONFLICT"),
    )


def _stored(result: contracts.ResultDetail) -> dict[str, object]:
    received_on = result["confirmation_received_on"]
    return {
        "category": result["selection"] or "",
        "own_replacement": YES_OR_NO[result["own_replacement"]],
        "vehicle_code": result["vehicle_code"] or "",
        "other_text": result["other_text"] or "",
        "confirmation_received": ["yes"] if received_on else [],
        "confirmation_received_on": received_on.replace("-", "/") if received_on else "",
    }


async def _ask(
    request: Request, contract_no: str, fields: FormFields, problem: Problem
) -> Response:
    here = f"/contracts/{contract_no}/result"
    label = dict(CATEGORIES).get(fields.text("category"), "")
    sentence = f"「{label}」で決定します。よろしいですか。"
    if any(error.code == UNCONFIRMED for error in problem.errors):
        sentence = (
            f"最終回期日の1ヶ月前を過ぎているため、「{label}」で決定すると"
            "選択区分を変更できなくなります。よろしいですか。"
        )
    question = Confirmation(
        title="決定の確認",
        sentence=sentence,
        doubts=[error.message for error in problem.errors if error.code == DOUBT],
        action=here,
        yes="決定",
        kept=fields.kept(),
        crumbs=[("顧客詳細", f"/contracts/{contract_no}"), ("進捗・結果入力", here)],
    )
    return await confirm(request, question, fields=fields)
