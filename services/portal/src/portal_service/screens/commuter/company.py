"""システム設定, 権限マスタ, the simulation of passes and the re-check of a period."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import announce, render
from portal_service.screens.commuter.look_up_refusals import beside_station
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES, today_of
from portal_service.service_api import commuter
from shared.auth import Role, require

pages = APIRouter(prefix="/commuter")

ACCOUNTING = require(Role.EXPENSE_ADMIN)
OFFERS = 3


@pages.get("/settings", dependencies=[ACCOUNTING])
async def show_settings(request: Request) -> Response:
    """システム設定 > 基本情報."""
    return await _settings(request)


@pages.post("/settings", dependencies=[ACCOUNTING])
async def save_settings(request: Request) -> Response:
    """「保存」."""
    fields = await form_fields_of(request)
    approvers = [fields.text(name) for name in ("approver_1", "approver_2")]
    body: commuter.CompanyBody = {
        "applications_allowed": fields.text("applications_allowed") == "yes",
        "warning_blocks": fields.text("warning_blocks") == "yes",
        "amount_change_allowed": fields.text("amount_change_allowed") == "yes",
        "without_pass_allowed": fields.text("without_pass_allowed") == "yes",
        "delegate_entry": fields.text("delegate_entry") == "yes",
        "roundabout_blocks": fields.text("roundabout_blocks") == "yes",
        "retention_days": fields.number("retention_days"),
        "ending_notice_days": fields.number("ending_notice_days"),
        "admin_mail": fields.text("admin_mail") or None,
        "bus_policy": fields.text("bus_policy"),
        "media": fields.text("media"),
        "yen_per_minute": fields.number("yen_per_minute"),
        "yen_per_change": fields.number("yen_per_change"),
        "approvers": [one for one in approvers if one],
    }
    try:
        fields.refuse_unreadable()
        await commuter.change_setting(client_of(request), body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _settings(request, fields, problem)
    response = RedirectResponse("/commuter/settings", 303)
    announce(request, response, "システム設定を保存しました。")
    return response


@pages.get("/permissions", dependencies=[ACCOUNTING])
async def show_permissions(request: Request) -> Response:
    """権限マスタ: who may what."""
    return await _permissions(request)


@pages.post("/permissions/{employee_id}", dependencies=[ACCOUNTING])
async def save_permission(request: Request, employee_id: str) -> Response:
    """「保存」 of one employee's boxes."""
    fields = await form_fields_of(request)
    ticked = fields.getlist("rights")
    body: commuter.RightsBody = {
        "pass_master": "pass_master" in ticked,
        "edit_at_approval": "edit_at_approval" in ticked,
        "edit_after_approval": "edit_after_approval" in ticked,
        "mail": fields.text("mail") or None,
    }
    try:
        await commuter.change_permission(
            client_of(request), employee_id, body, version=fields.version
        )
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _permissions(request, problem, (employee_id, body))
    response = RedirectResponse("/commuter/permissions", 303)
    announce(request, response, "権限を保存しました。")
    return response


@pages.get("/simulation", dependencies=[EXPENSES])
async def show_simulation(request: Request) -> Response:
    """Which pass pays, and from how many days on."""
    values = {"days_per_month": "20", "on": f"{today_of(request):%Y/%m/%d}"}
    return await render(
        request, "commuter/simulation.html", values=values, found=None, offers=OFFERS
    )


@pages.post("/simulation", dependencies=[EXPENSES])
async def simulate(request: Request) -> Response:
    """The same, asked."""
    fields = await form_fields_of(request)
    found, errors, status = None, list[FieldError](), 200
    try:
        body: commuter.SimulationBody = {
            "start": fields.text("start"),
            "end": fields.text("end"),
            "on": fields.day("on"),
            "days_per_month": fields.number("days_per_month", "日数は数字で入力してください。"),
            "offers": _offers(fields),
        }
        fields.refuse_unreadable()
        answer = await commuter.simulate_passes(client_of(request), body)
        found = answer.body
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        beside = beside_station(problem, fields.values())
        errors, status = list(beside.on_form), problem.status
    return await render(
        request,
        "commuter/simulation.html",
        status=status,
        values=fields.values(),
        found=found,
        offers=OFFERS,
        errors=errors,
    )


@pages.get("/recheck", dependencies=[ACCOUNTING])
async def show_recheck(request: Request) -> Response:
    """過去の期間の再計算: asked by its two days."""
    values = dict(request.query_params)
    found, errors = None, list[FieldError]()
    if values.get("first") or values.get("last"):
        days: dict[str, str | None] = {}
        for name in ("first", "last"):
            try:
                day = formatting.read_day(values.get(name, ""))
                days[name] = day.isoformat() if day else None
            except formatting.NotReadable as unreadable:
                errors.append(FieldError(name, str(unreadable)))
        try:
            if not errors:
                body: commuter.PeriodBody = {"first": days["first"], "last": days["last"]}
                found = (await commuter.recheck_period(client_of(request), body)).body
        except Problem as problem:
            if problem.status not in FORM_STATUSES:
                raise
            errors = list(problem.on_form)
    return await render(
        request,
        "commuter/recheck.html",
        status=422 if errors else 200,
        values=values,
        found=found,
        errors=errors,
    )


def _offers(fields: FormFields) -> list[commuter.OfferBody]:
    offers: list[commuter.OfferBody] = []
    for number in range(OFFERS):
        name = f"offers.{number}.yen"
        if not any(fields.text(f"offers.{number}.{one}") for one in ("start", "end", "via", "yen")):
            continue
        try:
            yen = formatting.read_yen(fields.text(name))
        except formatting.NotReadable as unreadable:
            fields.errors.append(FieldError(name, str(unreadable)))
            continue
        months = fields.number(f"offers.{number}.months") or 1
        if not yen:
            fields.errors.append(FieldError(name, "定期券の値段を入力してください。"))
            continue
        offer: commuter.OfferBody = {"months": months, "yen": yen}
        offer["start"] = fields.text(f"offers.{number}.start") or None
        offer["end"] = fields.text(f"offers.{number}.end") or None
        offer["via"] = [via] if (via := fields.text(f"offers.{number}.via")) else []
        offers.append(offer)
    return offers


async def _settings(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    services = client_of(request)
    found = await commuter.show_setting(services)
    people = (await commuter.list_employees(services)).body["items"]
    kept = found.body
    stored = {
        **{name: "yes" if on else "no" for name, on in kept.items() if isinstance(on, bool)},
        "retention_days": kept["retention_days"],
        "ending_notice_days": kept["ending_notice_days"],
        "admin_mail": kept["admin_mail"],
        "bus_policy": kept["bus_policy"],
        "media": kept["media"],
        "yen_per_minute": kept["yen_per_minute"],
        "yen_per_change": kept["yen_per_change"],
        "approver_1": next(iter(kept["approvers"]), ""),
        "approver_2": next(iter(kept["approvers"][1:]), ""),
    }
    return await render(
        request,
        "commuter/settings.html",
        status=problem.status if problem else 200,
        choices=kept["retention_choices"],
        people=[(one["employee_id"], one["name"]) for one in people],
        version=found.etag,
        values=fields.values() if fields else stored,
        errors=problem.on_form if problem else (),
    )


async def _permissions(
    request: Request,
    problem: Problem | None = None,
    typed: tuple[str, commuter.RightsBody] | None = None,
) -> Response:
    """権限マスタ; after a refusal with what was typed for one employee."""
    kept = (await commuter.list_permissions(client_of(request))).body["items"]
    employee_id, body = typed or ("", None)
    rows = [{**one, **body} if body and one["employee_id"] == employee_id else one for one in kept]
    errors = [
        FieldError(f"mail-{employee_id}" if one.field == "mail" else one.field, one.message)
        for one in (problem.on_form if problem else ())
    ]
    return await render(
        request,
        "commuter/permissions.html",
        status=problem.status if problem else 200,
        rows=rows,
        refused=employee_id,
        errors=errors,
    )
