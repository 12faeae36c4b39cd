"""店舗・スタッフ変更 of one contract (D124-D130, D137-D144)."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FormRefused, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.formatting import day
from portal_service.rendering import render, see_other
from portal_service.screens.contracts.customer_detail import contract_of
from portal_service.screens.dropdowns import reasons_to_choose, staff_to_choose, stores_to_choose
from portal_service.service_api import contracts
from shared.auth import Role, require

pages = APIRouter(
    prefix="/contracts/{contract_no}/assignment",
    dependencies=[require(Role.MANAGER, Role.HQ)],
)

BUTTONS = {"store": "異動", "staff": "変更"}
OUTCOMES = {
    "registered": "登録しました。",
    "replaced": "本日の登録を置き換えました。",
    "cancelled": "本日の登録を取り消しました。",
}


@pages.get("")
async def show_assignment(request: Request, contract_no: str) -> Response:
    """The screen, with what is registered already."""
    return await _form(request, contract_no)


@pages.post("/{what}")
async def change_assignment(request: Request, contract_no: str, what: str) -> Response:
    """「異動」 or 「変更」: asks, then registers."""
    fields = await form_fields_of(request)
    body: contracts.ChangeBody = {}
    if what == "store":
        body = {
            "to_store": fields.text("to_store") or None,
            "reason": fields.text("reason") or None,
        }
    if what == "staff":
        body["to_staff"] = fields.text("to_staff") or None
    if fields.went_back:
        return await _form(request, contract_no, fields)
    if not fields.confirmed:
        return await _ask(request, contract_no, what, fields)
    try:
        decided = await contracts.change_assignment(
            client_of(request), contract_no, body, version=fields.version
        )
    except FormRefused as problem:
        return await _form(request, contract_no, fields, problem)
    return see_other(request, f"/contracts/{contract_no}/assignment", _outcome_text(decided.body))


def _outcome_text(decided: contracts.ChangeAnswer) -> str:
    sentences = [OUTCOMES[decided["outcome"]]]
    if decided["reflect_earliest_on"]:
        first, last = day(decided["reflect_earliest_on"]), day(decided["reflect_latest_on"])
        sentences.append(f"変更後の内容は{first}から{last}のあいだに確認できるようになります。")
    if decided["hidden_from_old_store_on"]:
        hidden = day(decided["hidden_from_old_store_on"])
        sentences.append(f"元の店舗では{hidden}から照会できなくなります。")
    return "".join(sentences)


async def _form(
    request: Request,
    contract_no: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    services, found = client_of(request), await contract_of(request, contract_no)
    actions = {action["button"]: action for action in found.body["actions"]}
    return await render(
        request,
        "changes/one.html",
        status=problem.status if problem else 200,
        contract=found.body,
        version=found.etag,
        offered=actions["change_assignment"],
        stores=await stores_to_choose(services),
        staff=await staff_to_choose(services),
        reasons=await reasons_to_choose(services),
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
    )


async def _ask(request: Request, contract_no: str, what: str, fields: FormFields) -> Response:
    services = client_of(request)
    chosen = dict(
        await (stores_to_choose(services) if what == "store" else staff_to_choose(services))
    ).get(fields.text(f"to_{what}"), "（未選択）")
    here = f"/contracts/{contract_no}/assignment"
    noun = "異動先店舗" if what == "store" else "変更後スタッフ"
    question = Confirmation(
        title=f"店舗・スタッフ変更 {BUTTONS.get(what, '')}の確認",
        sentence=f"{noun}を「{chosen}」として登録します。よろしいですか。",
        action=f"{here}/{what}",
        kept=fields.kept(),
        crumbs=[("顧客詳細", f"/contracts/{contract_no}"), ("店舗・スタッフ変更", here)],
    )
    return await confirm(request, question, fields=fields)
