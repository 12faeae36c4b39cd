"""店舗・スタッフ一括変更: search, checked rows, 一括反映, 変更 (D131-D140)."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from portal_service.api_client import (
    FieldError,
    FormRefused,
    Problem,
    QueryValue,
    ServiceResponse,
    ServiceUnavailable,
    client_of,
    or_missing,
)
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, FormValues, form_fields_of
from portal_service.formatting import NotReadable, read_month
from portal_service.rendering import render, see_other
from portal_service.screens.dropdowns import (
    Pairs,
    staff_to_choose,
    stores_to_choose,
    vehicles_to_choose,
)
from portal_service.search_words import chosen_words, search_words
from portal_service.service_api import contracts
from shared.auth import Role, require

pages = APIRouter(prefix="/transfers", dependencies=[require(Role.MANAGER, Role.HQ)])

Found = ServiceResponse[contracts.BulkSearchAnswer]
KEYS = (
    "customer_name",
    "inspection_month",
    "registration_no",
    "model_code",
    "from_staff",
    "from_store",
    "staff_left",
)
WHOLE = "whole"
"""Set where every row of the result is wanted, not the first hundred."""
COPY = {"copy_store": "to_store", "copy_staff": "to_staff"}
"""The two buttons 「一括反映」, and which column each fills."""


@pages.get("")
async def show_bulk(request: Request) -> Response:
    """The search; below it the rows that were found."""
    entered = {key: request.query_params.get(key, "") for key in (*KEYS, WHOLE)}
    if not request.query_params:
        return await _screen(request, entered)
    found, errors = await _search(request, entered)
    return await _screen(request, entered, found=found, errors=errors)


@pages.post("")
async def change_in_bulk(request: Request) -> Response:
    """「一括反映」 copies into the checked rows, 「変更」 asks and then registers them."""
    fields = await form_fields_of(request)
    entered = {key: fields.text(key) for key in (*KEYS, WHOLE)}
    for button, column in COPY.items():
        if fields.flag(button):
            return await _copied(request, entered, fields, column)
    if fields.went_back:
        found, errors = await _search(request, entered)
        return await _screen(request, entered, found=found, fields=fields, errors=errors)
    return await _change(request, entered, fields)


async def _change(request: Request, entered: dict[str, str], fields: FormFields) -> Response:
    """「変更」: every error at once; without one it asks, and then registers."""
    services = client_of(request)
    body: contracts.BulkBody = {"rows": [_row(fields, n) for n in fields.getlist("checked")]}
    try:
        if not fields.confirmed:
            checked = await contracts.check_bulk_change(services, body)
            if not checked.body["refused"]:
                return await _ask(request, fields, body["rows"])
            return await _refused(request, entered, fields, checked.body)
        done = await contracts.change_in_bulk(services, body)
    except FormRefused as problem:
        found, _ = await _search(request, entered)
        return await _screen(request, entered, found=found, fields=fields, errors=problem.on_form)
    if done.body["refused"]:
        return await _refused(request, entered, fields, done.body, registered=True)
    here = urlencode({key: value for key, value in entered.items() if value})
    return see_other(
        request, f"/transfers?{here}", f"{done.body['accepted']}件の変更を登録しました。"
    )


async def _search(
    request: Request, entered: dict[str, str]
) -> tuple[Found | ServiceUnavailable | None, tuple[FieldError, ...]]:
    query: dict[str, QueryValue] = {**entered, WHOLE: "true" if entered[WHOLE] else ""}
    try:
        month = read_month(entered["inspection_month"])
        query["inspection_month"] = f"{month:%Y-%m}" if month else ""
        asked = contracts.search_for_bulk_change(client_of(request), **query)
        return await or_missing(asked), ()
    except NotReadable as unreadable:
        return None, (FieldError("inspection_month", str(unreadable)),)
    except Problem as problem:
        if problem.status != 422:  # noqa: PLR2004
            raise
        return None, tuple(
            error if error.field in KEYS else replace(error, field=KEYS[0])
            for error in problem.on_form
        )


async def _copied(
    request: Request, entered: dict[str, str], fields: FormFields, column: str
) -> Response:
    """Nothing is saved yet: the choice now stands in each checked row (D136)."""
    chosen = {
        f"{column}-{number}": fields.text(f"all_{column}") for number in fields.getlist("checked")
    }
    found, errors = await _search(request, entered)
    if not chosen:
        errors = (*errors, FieldError("rows", "反映する契約を選択してください。"))
    elif not fields.text(f"all_{column}"):
        message = "異動先店舗を選択してください。" if column == "to_store" else ""
        message = message or "変更後スタッフを選択してください。"
        errors = (*errors, FieldError(f"all_{column}", message))
    return await _screen(request, entered, found=found, fields=fields, errors=errors, copied=chosen)


async def _refused(
    request: Request,
    entered: dict[str, str],
    fields: FormFields,
    answer: contracts.BulkAnswer,
    *,
    registered: bool = False,
) -> Response:
    """Every row that cannot be changed, with its reason in the row and the customer's name."""
    found, _ = await _search(request, entered)
    rows = found.body["rows"] if isinstance(found, ServiceResponse) else []
    names = {row["contract_no"]: row["customer_name"] for row in rows}
    errors = tuple(
        FieldError(f"row-{number}", f"{names.get(number, '')}（{number}）：{_reason(problem)}")
        for row in answer["rows"]
        if (problem := row.get("problem")) and (number := row["contract_no"])
    )
    done = answer if registered else None
    return await _screen(request, entered, found=found, fields=fields, errors=errors, done=done)


def _reason(problem: contracts.Problem) -> str:
    """Why a row is refused: what is wrong with its fields, else the refusal itself."""
    fields = [error["message"] for error in problem.get("errors") or ()]
    return "、".join(fields) or problem["title"]


def _row(fields: FormFields, number: str) -> contracts.BulkRow:
    version = fields.text(f"version-{number}")
    return {
        "contract_no": number,
        "version": int(version) if version.isdigit() else None,
        "to_store": fields.text(f"to_store-{number}") or None,
        "to_staff": fields.text(f"to_staff-{number}") or None,
    }


async def _screen(  # noqa: PLR0913  everything but the first two has a name
    request: Request,
    entered: dict[str, str],
    *,
    found: Found | ServiceUnavailable | None = None,
    fields: FormFields | None = None,
    errors: tuple[FieldError, ...] = (),
    done: contracts.BulkAnswer | None = None,
    copied: dict[str, str] | None = None,
) -> Response:
    services = client_of(request)
    counted, stores, staff, vehicles = await asyncio.gather(
        services.optional(contracts.list_closed_stores(services)),
        stores_to_choose(services),
        staff_to_choose(services),
        vehicles_to_choose(services),
    )
    closed = counted.body if counted else []
    heirs = {store["code"]: store["successor"] for store in closed}
    chosen: FormValues = {"all_to_store": heirs.get(entered["from_store"]) or ""}
    chosen |= {**(fields.values(["checked"]) if fields else {"checked": []}), **(copied or {})}
    hit = isinstance(found, ServiceResponse) and found.body["rows"]
    return await render(
        request,
        "changes/bulk.html",
        status=422 if errors and fields else 200,
        found=found,
        entered=entered,
        stores=stores,
        names=dict([*stores, *staff]),
        from_stores=[*stores, *((one["code"], f"{one['code']} {one['name']}") for one in closed)],
        closed=[{**one, "heir": dict(stores).get(one["successor"] or "")} for one in closed],
        folded_to=_words(entered, vehicles, dict(stores)) if hit else "",
        staff=staff,
        vehicles=vehicles,
        values={**chosen, **entered},
        errors=errors,
        done=done,
        refused=_refused_rows(errors),
    )


def _refused_rows(errors: Iterable[FieldError]) -> dict[str, str]:
    """Why a row was refused, by contract number."""
    rows = (error for error in errors if error.field.startswith("row-"))
    return {error.field.removeprefix("row-"): error.message.partition("：")[2] for error in rows}


def _words(entered: dict[str, str], vehicles: Pairs, stores: dict[str, str]) -> str:
    """The search in one line."""
    staff, store = entered["from_staff"], entered["from_store"]
    return search_words(
        "検索条件",
        entered["customer_name"],
        f"車検 {entered['inspection_month']}" if entered["inspection_month"] else "",
        entered["registration_no"],
        chosen_words(entered["model_code"], vehicles),
        f"変更前スタッフ {staff}" if staff else "",
        "退職した担当者のお客様" if entered["staff_left"] else "",
        f"異動前店舗 {stores.get(store, store)}" if store else "",
    )


async def _ask(request: Request, fields: FormFields, rows: Sequence[contracts.BulkRow]) -> Response:
    services = client_of(request)
    stores, staff = await asyncio.gather(stores_to_choose(services), staff_to_choose(services))
    question = Confirmation(
        title="店舗・スタッフ一括変更の確認",
        sentence=f"選択した{len(rows)}件の店舗・スタッフの変更を登録します。よろしいですか。",
        action="/transfers",
        yes="変更",
        kept=fields.kept(),
        facts=[
            ("異動先店舗", _totals((row["to_store"] for row in rows), dict(stores))),
            ("変更後スタッフ", _totals((row["to_staff"] for row in rows), dict(staff))),
        ],
        crumbs=[("店舗・スタッフ一括変更", "/transfers")],
    )
    return await confirm(request, question, fields=fields)


def _totals(chosen: Iterable[str | None], names: dict[str, str]) -> str:
    """How many contracts go where: S20 西店（10件）、変更なし（2件）."""
    counts = Counter(names.get(code, code) if code else "変更なし" for code in chosen)
    return "、".join(f"{name}（{count}件）" for name, count in counts.items())
