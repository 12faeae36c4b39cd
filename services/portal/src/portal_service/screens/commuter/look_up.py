"""乗換案内 of a slip's item: the question, the candidates, and 決定 of one of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import announce, render
from portal_service.screens.commuter.look_up_refusals import beside_station, is_not_covered
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/slips/{slip_id}/items/{item_id}", dependencies=[EXPENSES])

CHARGES = (("express_yen", "特急料金"), ("green_yen", "グリーン料金"))
VIA = ("via", "via_2", "via_3")
TYPE_THE_AMOUNT = "金額を手入力してください。"
OPTIONS = (*VIA, "child", *(name for name, _ in CHARGES), "avoid")
"""Conditions that few rides need; the page folds them away while all are empty."""

Values = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of a question and the day they are priced for."""

    candidates: Sequence[commuter.CandidateRoute]
    notices: Sequence[commuter.Notice]
    searched_on: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Trains, minutes and labels of a candidate; nothing where they are not known."""

    trains: Sequence[commuter.ChosenTrainBody] = ()
    minutes: int | None = None
    labels: Sequence[str] = ()


@pages.get("/look-up")
async def show_look_up(request: Request, slip_id: str, item_id: str) -> Response:
    """The question, and the candidates once it is asked."""
    return await _page(request, slip_id, item_id)


@pages.post("/look-up")
async def decide(request: Request, slip_id: str, item_id: str) -> Response:
    """「決定」 of a candidate; the address holds what was asked."""
    fields = await form_fields_of(request)
    values = _typed(request.query_params)
    try:
        route, chosen = _chosen(fields)
        body: commuter.DecisionBody = {
            "on": fields.text("searched_on"),
            "route": route,
            "medium": _one(values, "medium") or "ic",
            "round_trip": _one(values, "round_trip") == "yes",
            "child": _one(values, "child") == "yes",
            "charges": _charges(values),
            "trains": chosen.trains,
            "minutes": chosen.minutes,
            "labels": chosen.labels,
        }
        if fields.flag("without_pass"):
            body["without_pass_reason"] = fields.text("without_pass_reason")
        services = client_of(request)
        saved = await commuter.decide_item(services, slip_id, item_id, body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _page(request, slip_id, item_id, problem)
    item = next(one for one in saved.body["items"] if one["item_id"] == item_id)
    response = RedirectResponse(f"/commuter/slips/{slip_id}#item-{item_id}", 303)
    text = f"経路を決定しました（{item['section']}　{formatting.yen(item['amount_yen'])}）。"
    announce(request, response, text)
    return response


def _chosen(fields: FormFields) -> tuple[str, Chosen]:
    """The route of the candidate, with what the page sent beside it."""
    candidate, sent = fields.text("candidate"), fields.getlist("chosen")
    route, _, number = candidate.rpartition("#")
    if not number.isdecimal():
        return candidate, Chosen()
    try:
        one = json.loads(sent[int(number)])
        trains: list[commuter.ChosenTrainBody] = [
            {"name": train["name"], "end": train["end"], "minutes": train["minutes"]}
            for train in one["trains"]
            if train["kind"] == "train"
        ]
        return route, Chosen(trains, one["minutes"], list(one["labels"]))
    except (ValueError, LookupError, TypeError):  # not sent by our page
        return route, Chosen()


async def _page(
    request: Request, slip_id: str, item_id: str, problem: Problem | None = None
) -> Response:
    found = await commuter.show_slip(client_of(request), slip_id)
    item = next((one for one in found.body["items"] if one["item_id"] == item_id), None)
    if item is None:
        raise HTTPException(404)
    values: Values = _asked(item) | _typed(request.query_params)
    accepted = found.body["media"]
    if values["medium"] not in accepted:
        values["medium"] = accepted[0]
    answer = None
    asked = _one(values, "start") and _one(values, "on") and not found.body["blocked"]
    if asked or "start" in request.query_params:
        try:
            answer = await _search(request, values, slip_id)
        except Problem as refused:
            if refused.status not in FORM_STATUSES:
                raise
            problem = problem or beside_station(refused, values, TYPE_THE_AMOUNT)
    return await render(
        request,
        "commuter/look_up.html",
        status=problem.status if problem else 200,
        slip=found.body,
        item=item,
        version=found.etag,
        values=values,
        charges=CHARGES,
        opened=any(values[name] not in {"", "no"} for name in OPTIONS if name != "avoid"),
        operators=_operators(values, answer.candidates if answer else ()),
        found=answer,
        by_hand=is_not_covered(problem),
        errors=problem.on_form if problem else (),
    )


def _asked(item: commuter.SlipItemAnswer) -> Values:
    """What the look-up opens with: the item's day, and how its present route was asked."""
    words, explanation = item["route_words"], item["explanation"]
    known = {one["kind"]: str(one["yen"]) for one in explanation["charges"]} if explanation else {}
    return {
        "start": words[0] if words else "",
        "end": words[-1] if words else "",
        "on": (item["item_on"] or "").replace("-", "/"),
        "medium": item["medium"] or "ic",
        "round_trip": "yes" if item["round_trip"] else "no",
        "order": "recommended",
        "child": "yes" if explanation and explanation["child"] else "no",
        "avoid": [],
        **dict.fromkeys(VIA, ""),
        **{name: known.get(kind, "") for name, kind in CHARGES},
    }


def _typed(query: QueryParams) -> Values:
    """What the address asks."""
    typed: Values = dict(query)
    if query:
        typed["avoid"] = query.getlist("avoid")
    return typed


def _one(values: Mapping[str, str | list[str]], name: str) -> str:
    value = values.get(name, "")
    return value.strip() if isinstance(value, str) else ""


async def _search(request: Request, values: Values, slip_id: str) -> Found:
    """Ask the service. Raises Problem, also for what cannot be read."""
    try:
        day = formatting.read_day(_one(values, "on"))
        on = day.isoformat() if day else ""
    except formatting.NotReadable as unreadable:
        raise Problem(422, "", "", "", (FieldError("on", str(unreadable)),)) from unreadable
    question: commuter.RouteSearchBody = {
        "start": _one(values, "start"),
        "end": _one(values, "end"),
        "via": [typed for name in VIA if (typed := _one(values, name))],
        "avoid": list(values["avoid"]),
        "on": on,
        "medium": _one(values, "medium"),
        "round_trip": _one(values, "round_trip") == "yes",
        "child": _one(values, "child") == "yes",
        "charges": _charges(values),
        "order": _one(values, "order"),
        "slip_id": slip_id,
    }
    answer = (await commuter.look_up_routes(client_of(request), question)).body
    return Found(answer["items"], answer["notices"], on)


def _charges(values: Mapping[str, str | list[str]]) -> list[commuter.ChargeBody]:
    """The charges that were typed. Raises Problem for what is no amount."""
    found: list[commuter.ChargeBody] = []
    for name, kind in CHARGES:
        try:
            amount = formatting.read_yen(_one(values, name))
        except formatting.NotReadable as unreadable:
            raise Problem(422, "", "", "", (FieldError(name, str(unreadable)),)) from unreadable
        if amount:
            found.append({"kind": kind, "yen": amount})
    return found


def _operators(
    values: Values, candidates: Sequence[commuter.CandidateRoute]
) -> list[tuple[str, str]]:
    """The operators that may be avoided: those of the ways found, and those avoided now."""
    found = {name for one in candidates for train in one["trains"] for name in train["operators"]}
    return [(name, name) for name in sorted({*found, *values["avoid"]})]
