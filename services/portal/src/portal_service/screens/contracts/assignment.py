"""店舗・スタッフ変更 of one contract (D124-D130, D137-D144)."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FieldError, FormRefused, Problem, client_of
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
NOUNS = {"store": "異動先店舗", "staff": "変更後スタッフ"}
OF_THE_WHOLE = {"DESTINATION_MISSING", "NOTHING_CHANGED"}
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
    services = client_of(request)
    try:
        _refuse_unchosen(what, fields)
        if not fields.confirmed:
            checked = await contracts.check_assignment_change(
                services, contract_no, body, version=fields.version
            )
            return await _ask(request, contract_no, what, fields, checked.body)
        decided = await contracts.change_assignment(
            services, contract_no, body, version=fields.version
        )
    except FormRefused as problem:
        return await _form(request, contract_no, fields, _beside(what, problem))
    return see_other(request, f"/contracts/{contract_no}/assignment", _outcome_text(decided.body))


def _refuse_unchosen(what: str, fields: FormFields) -> None:
    """「異動」 or 「変更」 with nothing chosen. Raises FormRefused."""
    if what in NOUNS and not fields.text(f"to_{what}"):
        missing = FieldError(f"to_{what}", f"{NOUNS[what]}を選択してください。")
        raise FormRefused(422, "", "", "", (missing,))


def _beside(what: str, problem: Problem) -> Problem:
    """What the service says of the change as a whole, beside the field of the pressed button."""
    problem.errors = tuple(
        replace(error, field=f"to_{what}") if error.code in OF_THE_WHOLE else error
        for error in problem.errors
    )
    return problem


def _outcome_text(decided: contracts.ChangeAnswer) -> str:
    return "".join([OUTCOMES[decided["outcome"]], *_days_of(decided)])


def _days_of(decided: contracts.Decided | contracts.ChangeAnswer) -> list[str]:
    sentences = []
    if decided["reflect_earliest_on"]:
        first, last = day(decided["reflect_earliest_on"]), day(decided["reflect_latest_on"])
        sentences.append(f"変更後の内容は{first}から{last}の間に確認できるようになります。")
    if decided["hidden_from_old_store_on"]:
        hidden = day(decided["hidden_from_old_store_on"])
        sentences.append(f"元の店舗では{hidden}から照会できなくなります。")
    return sentences


async def _form(
    request: Request,
    contract_no: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    services, found = client_of(request), await contract_of(request, contract_no)
    actions = {action["button"]: action for action in found.body["actions"]}
    stores, staff = await stores_to_choose(services), await staff_to_choose(services)
    return await render(
        request,
        "changes/one.html",
        status=problem.status if problem else 200,
        contract=found.body,
        version=found.etag,
        offered=actions["change_assignment"],
        stores=stores,
        staff=staff,
        names=dict([*stores, *staff]),
        reasons=await reasons_to_choose(services),
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
    )


async def _ask(
    request: Request,
    contract_no: str,
    what: str,
    fields: FormFields,
    checked: contracts.Decided,
) -> Response:
    services = client_of(request)
    chosen = dict(
        await (stores_to_choose(services) if what == "store" else staff_to_choose(services))
    ).get(fields.text(f"to_{what}"), "")
    here = f"/contracts/{contract_no}/assignment"
    sentence = f"{NOUNS.get(what, '')}を「{chosen}」として登録します。よろしいですか。"
    if checked["outcome"] == "cancelled":
        sentence = "本日の登録を取り消し、現在の店舗・スタッフのままにします。よろしいですか。"
    question = Confirmation(
        title=f"店舗・スタッフ変更 {BUTTONS.get(what, '')}の確認",
        sentence=sentence,
        notes=_days_of(checked),
        action=f"{here}/{what}",
        kept=fields.kept(),
        crumbs=[("顧客詳細", f"/contracts/{contract_no}"), ("店舗・スタッフ変更", here)],
    )
    return await confirm(request, question, fields=fields)
