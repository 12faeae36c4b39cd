"""店舗・スタッフ一括変更: search, checked rows, 一括反映, 変更 (D131-D140)."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.entries import Entries, entries_of
from portal_service.frame import announce, page
from portal_service.japanese import NotReadable, read_month
from portal_service.question import Question, ask
from portal_service.screens.masters import listed, named, staff_to_choose, stores_to_choose
from portal_service.upstream import FieldError, PartMissing, Problem, Reply, or_missing, services_of
from shared.auth import Role, require

pages = APIRouter(prefix="/transfers", dependencies=[require(Role.MANAGER, Role.HQ)])

KEYS = (
    "customer_name",
    "inspection_month",
    "registration_no",
    "model_code",
    "from_staff",
    "from_store",
)
COPY = {"copy_store": "to_store", "copy_staff": "to_staff"}
"""The two buttons 「一括反映」, and which column each fills."""


@pages.get("")
async def show_bulk(request: Request) -> Response:
    """The search; below it the rows that were found."""
    typed = {key: request.query_params.get(key, "") for key in KEYS}
    if not request.query_params:
        return await _screen(request, typed)
    found, errors = await _search(request, typed)
    return await _screen(request, typed, found=found, errors=errors)


@pages.post("")
async def change_in_bulk(request: Request) -> Response:
    """「一括反映」 copies into the checked rows, 「変更」 asks and then registers them."""
    entries = await entries_of(request)
    typed = {key: entries.text(key) for key in KEYS}
    for button, column in COPY.items():
        if entries.flag(button):
            return await _copied(request, typed, entries, column)
    if entries.turned_back:
        found, errors = await _search(request, typed)
        return await _screen(request, typed, found=found, entries=entries, errors=errors)
    rows = [_row(entries, number) for number in entries.some("checked")]
    if rows and not entries.confirmed:
        return await _ask(request, entries, len(rows))
    try:
        done = await services_of(request).send(
            "contracts", "POST", "/assignment-changes", {"rows": rows}, once=entries.once
        )
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        found, _ = await _search(request, typed)
        return await _screen(request, typed, found=found, entries=entries, errors=problem.on_form)
    if done.body["refused"]:
        found, _ = await _search(request, typed)
        return await _screen(request, typed, found=found, entries=entries, done=done.body)
    here = urlencode({key: value for key, value in typed.items() if value})
    response = RedirectResponse(f"/transfers?{here}", 303)
    announce(request, response, f"{done.body['accepted']}件の変更を登録しました。")
    return response


async def _search(
    request: Request, typed: dict[str, str]
) -> tuple[Reply | PartMissing | None, tuple[FieldError, ...]]:
    query = dict(typed)
    try:
        month = read_month(typed["inspection_month"])
        query["inspection_month"] = f"{month:%Y-%m}" if month else ""
        asked = services_of(request).get("contracts", "/assignment-changes/search", query)
        return await or_missing(asked), ()
    except NotReadable as unreadable:
        return None, (FieldError("inspection_month", str(unreadable)),)
    except Problem as problem:
        if problem.status != 422:  # noqa: PLR2004
            raise
        return None, problem.on_form


async def _copied(
    request: Request, typed: dict[str, str], entries: Entries, column: str
) -> Response:
    """Nothing is saved yet: the choice now stands in each checked row (D136)."""
    chosen = {
        f"{column}-{number}": entries.text(f"all_{column}") for number in entries.some("checked")
    }
    found, errors = await _search(request, typed)
    if not chosen:
        errors = (*errors, FieldError("", "反映する契約を選択してください。"))
    return await _screen(request, typed, found=found, entries=entries, errors=errors, copied=chosen)


def _row(entries: Entries, number: str) -> dict[str, Any]:
    version = entries.text(f"version-{number}")
    return {
        "contract_no": number,
        "version": int(version) if version.isdigit() else None,
        "to_store": entries.text(f"to_store-{number}") or None,
        "to_staff": entries.text(f"to_staff-{number}") or None,
    }


async def _screen(  # noqa: PLR0913  everything but the first two has a name
    request: Request,
    typed: dict[str, str],
    *,
    found: Reply | PartMissing | None = None,
    entries: Entries | None = None,
    errors: tuple[FieldError, ...] = (),
    done: dict[str, Any] | None = None,
    copied: dict[str, str] | None = None,
) -> Response:
    services = services_of(request)
    stores = await stores_to_choose(services)
    closed = await listed(services, "/assignment-changes/closed-stores")
    heirs = {store["code"]: store["successor"] for store in closed}
    chosen = {"all_to_store": heirs.get(typed["from_store"]) or ""}
    chosen |= {**(entries.values(["checked"]) if entries else {"checked": []}), **(copied or {})}
    refused = {
        row["contract_no"]: row["problem"]["title"]
        for row in (done["rows"] if done else [])
        if row.get("problem")
    }
    return await page(
        request,
        "changes/bulk.html",
        status=422 if errors and entries else 200,
        found=found,
        typed=typed,
        stores=stores,
        from_stores=[*stores, *((one["code"], f"{one['code']} {one['name']}") for one in closed)],
        closed=[{**one, "heir": dict(stores).get(one["successor"])} for one in closed],
        staff=await staff_to_choose(services),
        vehicles=await named(services, "/vehicles"),
        values={**chosen, **typed},
        errors=errors,
        done=done,
        refused=refused,
    )


async def _ask(request: Request, entries: Entries, count: int) -> Response:
    question = Question(
        title="店舗・スタッフ一括変更の確認",
        sentence=f"選択した{count}件の店舗・スタッフの変更を登録します。よろしいですか。",
        action="/transfers",
        yes="変更",
        kept=entries.kept(),
        crumbs=[("店舗・スタッフ一括変更", "/transfers")],
    )
    return await ask(request, question, entries=entries)
