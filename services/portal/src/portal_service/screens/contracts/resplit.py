"""再分割シミュレーション: a trial with its balance chart, and 審査申込 (D49, D50)."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FieldError, FormRefused, Problem, client_of
from portal_service.charts import balance_chart
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.contracts.customer_detail import contract_of
from portal_service.service_api import contracts
from shared.auth import Role, require

pages = APIRouter(
    prefix="/contracts/{contract_no}/resplit",
    dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)],
)

FIRST_TRIAL = "24"


@pages.get("")
async def show_trial(
    request: Request, contract_no: str, instalments: str = FIRST_TRIAL
) -> Response:
    """The plan for a number of instalments; nothing is stored."""
    return await _trial(request, contract_no, instalments)


@pages.post("")
async def apply_for_screening(request: Request, contract_no: str) -> Response:
    """「審査申込」: asks once more, then sends it to the finance company."""
    fields = await form_fields_of(request)
    instalments = fields.text("instalments")
    if not fields.confirmed:
        return await _ask(request, contract_no, fields)
    try:
        await contracts.apply_resplit(
            client_of(request),
            contract_no,
            {"instalments": int(instalments) if instalments.isdigit() else 0},
            version=fields.version,
        )
    except FormRefused as problem:
        return await _trial(request, contract_no, instalments, problem)
    return see_other(
        request, f"/contracts/{contract_no}", "再分割の審査を申し込みました。次はTFCの審査です。"
    )


async def _trial(
    request: Request, contract_no: str, instalments: str, problem: Problem | None = None
) -> Response:
    found = await contract_of(request, contract_no)
    plan, errors, closed = None, list(problem.on_form) if problem else [], ""
    try:
        if not instalments.isdigit():
            raise FormRefused(
                422, "", "", "", (FieldError("instalments", "回数を数字で入力してください。"),)
            )
        body: contracts.ResplitBody = {"instalments": int(instalments)}
        plan = (await contracts.try_resplit(client_of(request), contract_no, body)).body
    except FormRefused as refused:
        errors += refused.errors
        closed = "" if refused.errors else refused.words
    return await render(
        request,
        "contracts/resplit.html",
        status=problem.status if problem else 200,
        contract=found.body,
        version=found.etag,
        plan=plan,
        closed=closed,
        terms=[(term, f"{term}回") for term in plan["terms"]] if plan else [],
        chart=balance_chart(plan["balance_points"]) if plan else None,
        values={"instalments": instalments},
        errors=errors,
    )


async def _ask(request: Request, contract_no: str, fields: FormFields) -> Response:
    here = f"/contracts/{contract_no}/resplit"
    question = Confirmation(
        title="再分割 審査申込の確認",
        sentence=f"{fields.text('instalments')}回の再分割で、TFCへ審査を申し込みます。"
        "ステータスは「再分割」になります。よろしいですか。",
        action=here,
        back=f"{here}?instalments={fields.text('instalments')}",
        kept=fields.kept(),
        crumbs=[("顧客詳細", f"/contracts/{contract_no}"), ("再分割シミュレーション", here)],
    )
    return await confirm(request, question, fields=fields)
