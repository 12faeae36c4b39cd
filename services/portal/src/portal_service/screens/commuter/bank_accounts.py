"""振込口座: the own account, and everybody's for accounting; numbers are masked (R104)."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from portal_service.api_client import Problem, client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.desk import ACCOUNTING
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter")

OWN = "/commuter/my-account"
ALL = ("振込口座", "/commuter/bank-accounts")


@pages.get("/my-account", dependencies=[EXPENSES])
async def show_my_account(request: Request) -> Response:
    """The own account, and the form for another."""
    return await _own(request)


@pages.post("/my-account", dependencies=[EXPENSES])
async def save_my_account(request: Request) -> Response:
    """「保存」."""
    fields = await form_fields_of(request)
    try:
        await commuter.save_my_bank_account(
            client_of(request), _typed(fields), version=fields.version
        )
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _own(request, fields, problem)
    return see_other(request, OWN, "振込口座を保存しました。")


@pages.get("/bank-accounts", dependencies=[ACCOUNTING])
async def list_accounts(request: Request) -> Response:
    """Everybody, with or without an account."""
    found = await commuter.list_bank_accounts(client_of(request))
    return await render(request, "commuter/bank_accounts.html", people=found.body["items"])


@pages.get("/bank-accounts/{employee_id}", dependencies=[ACCOUNTING])
async def show_account(request: Request, employee_id: str) -> Response:
    """The account of an employee, and the form for another."""
    return await _of(request, employee_id)


@pages.post("/bank-accounts/{employee_id}", dependencies=[ACCOUNTING])
async def save_account(request: Request, employee_id: str) -> Response:
    """「保存」."""
    fields = await form_fields_of(request)
    try:
        await commuter.save_bank_account(
            client_of(request), employee_id, _typed(fields), version=fields.version
        )
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _of(request, employee_id, fields, problem)
    return see_other(request, ALL[1], "振込口座を保存しました。")


def _typed(fields: FormFields) -> commuter.BankAccountBody:
    return {
        "bank_code": fields.text("bank_code"),
        "branch_code": fields.text("branch_code"),
        "account_type": fields.text("account_type"),
        "number": fields.text("number"),
        "holder": fields.text("holder"),
    }


async def _own(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    found = await commuter.show_my_bank_account(client_of(request))
    kept = found.body
    return await render(
        request,
        "commuter/bank_account.html",
        status=problem.status if problem else 200,
        name="",
        home=OWN,
        crumbs=[],
        enabled=kept["enabled"],
        account=kept["account"],
        holder=kept["holder"],
        version=found.etag,
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
    )


async def _of(
    request: Request,
    employee_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    people = (await commuter.list_bank_accounts(client_of(request))).body["items"]
    one = next((one for one in people if one["employee_id"] == employee_id), None)
    if one is None:
        raise HTTPException(404)
    return await render(
        request,
        "commuter/bank_account.html",
        status=problem.status if problem else 200,
        name=one["name"],
        home=f"{ALL[1]}/{employee_id}",
        crumbs=[ALL],
        enabled=True,
        account=one["account"],
        holder=one["holder"],
        version=f'"{one["version"]}"',
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
    )
