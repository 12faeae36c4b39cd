"""顧客詳細: the contract, 自由記入欄, and the five buttons (D46-D51)."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FormRefused, Problem, ServiceResponse, client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.service_api import contracts
from shared.auth import Role, require

pages = APIRouter(
    prefix="/contracts/{contract_no:key}",
    dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)],
)

Contract = ServiceResponse[contracts.ContractDetail]
LEADS_TO = {
    "result_entry": "result",
    "vehicle_return": "return",
    "resplit": "resplit",
    "print_confirmation": "payment-confirmation",
    "change_assignment": "assignment",
}
"""Where each of the five buttons leads, below the contract's own address."""


@pages.get("")
async def show_detail(request: Request, contract_no: str) -> Response:
    """The screen."""
    return await _detail(request, await contract_of(request, contract_no))


@pages.post("/memo")
async def save_memo(request: Request, contract_no: str) -> Response:
    """「保存」 of 自由記入欄; what somebody else saved meanwhile stands beside it (D47)."""
    fields = await form_fields_of(request)
    try:
        await contracts.put_memo(
            client_of(request), contract_no, {"text": fields.text("note")}, version=fields.version
        )
    except FormRefused as problem:
        contract = await contract_of(request, contract_no)
        return await _detail(request, contract, problem=problem, fields=fields)
    return see_other(request, f"/contracts/{contract_no}", "自由記入欄を保存しました。")


@pages.get("/payment-confirmation")
async def print_confirmation(request: Request, contract_no: str) -> Response:
    """お支払方法確認書印刷: the PDF (D51)."""
    return await contracts.print_payment_confirmation(client_of(request), contract_no)


async def contract_of(request: Request, contract_no: str) -> Contract:
    """The contract as its screens show it. Raises Problem (404), ServiceUnavailable."""
    return await contracts.show_contract(client_of(request), contract_no)


async def _detail(
    request: Request,
    contract: Contract,
    *,
    problem: Problem | None = None,
    fields: FormFields | None = None,
) -> Response:
    memo = contract.body["memo"]
    entered = fields.text("note") if fields else memo["text"]
    return await render(
        request,
        "contracts/detail.html",
        status=problem.status if problem else 200,
        contract=contract.body,
        leads_to=LEADS_TO,
        values={"note": entered},
        errors=problem.on_form if problem else (),
        other_memo=memo if problem and problem.status == 409 else None,  # noqa: PLR2004
    )
