"""続けて移動: several stops in one form, each way between two of them an item (R133)."""

from collections.abc import Sequence
from itertools import pairwise

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FieldError, Problem, client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.look_up_refusals import beside_station
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.screens.commuter.slip_undo import form_of, kept_item
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/slips/{slip_id}/outing", dependencies=[EXPENSES])

STOPS = tuple(f"stop_{number}" for number in range(1, 8))
FEWEST = 2
TYPE_IT = "この区間は、明細に手入力してください。"
Stop = tuple[str, str]
"""The field of a stop, and the station in it."""


@pages.get("")
async def show_outing(request: Request, slip_id: str) -> Response:
    """The day and the stations, in the order of the way."""
    return await _page(request, slip_id)


@pages.post("")
async def add_rides(request: Request, slip_id: str) -> Response:
    """「明細に追加」: all rides in one save, or none."""
    fields, services = await form_fields_of(request), client_of(request)
    day = fields.day("item_on")
    stops = [(name, typed) for name in STOPS if (typed := fields.text(name))]
    if day is None and not fields.errors:
        fields.errors.append(FieldError("item_on", "日付を入力してください。"))
    if len(stops) < FEWEST:
        fields.errors.append(FieldError(STOPS[len(stops)], "駅を2つ以上入力してください。"))
    try:
        fields.refuse_unreadable()
        found = await commuter.show_slip(services, slip_id)
        rides = await _rides(request, slip_id, fields, day or "", stops)
        items = [*map(kept_item, found.body["items"]), *rides]
        body = form_of(found.body, items)
        saved = await commuter.save_slip(services, slip_id, body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _page(request, slip_id, fields, _of_this_form(problem))
    yen = sum(one["amount_yen"] or 0 for one in saved.body["items"][-len(rides) :])
    text = f"{len(rides)}件の明細を追加しました（{yen:,}円）。経路を確かめてください。"
    return see_other(request, f"/commuter/slips/{slip_id}#items", text)


async def _rides(
    request: Request, slip_id: str, fields: FormFields, day: str, stops: Sequence[Stop]
) -> list[commuter.ItemBody]:
    """An item for each way between two stops, by the first candidate. Raises Problem."""
    rides: list[commuter.ItemBody] = []
    for (start_field, start), (end_field, end) in pairwise(stops):
        question: commuter.RouteSearchBody = {
            "start": start,
            "end": end,
            "on": day,
            "medium": fields.text("medium"),
            "order": "recommended",
            "slip_id": slip_id,
        }
        try:
            answer = await commuter.look_up_routes(client_of(request), question)
        except Problem as problem:
            typed = {"start": start, "end": end, "on": day}
            beside = beside_station(problem, typed, TYPE_IT)
            raise _renamed(
                beside, {"start": start_field, "end": end_field, "on": "item_on"}
            ) from problem
        rides.append(_item(answer.body["items"][0], fields, day))
    return rides


def _item(found: commuter.CandidateRoute, fields: FormFields, day: str) -> commuter.ItemBody:
    trains: list[commuter.ChosenTrainBody] = [
        {"name": train["name"], "end": train["end"], "minutes": train["minutes"] or 0}
        for train in found["trains"]
        if train["kind"] == "train"
    ]
    decision: commuter.DecisionBody = {
        "on": day,
        "route": found["route"],
        "medium": fields.text("medium"),
        "trains": trains,
        "minutes": found["minutes"],
        "labels": list(found["labels"]),
    }
    return {"item_on": day, "purpose": fields.text("purpose"), "look_up": decision}


def _of_this_form(problem: Problem) -> Problem:
    """A refusal of the save: the fields of its items are those of this form."""
    names = {one.field: one.field.rpartition(".")[2] for one in problem.errors}
    known = {"item_on", "purpose", "medium", *STOPS}
    return _renamed(problem, {old: new if new in known else "" for old, new in names.items()})


def _renamed(problem: Problem, names: dict[str, str]) -> Problem:
    errors = tuple(
        FieldError(names.get(one.field, one.field), one.message, one.code, one.choices)
        for one in problem.errors
    )
    return Problem(
        problem.status, problem.code, problem.title, problem.detail, errors, problem.facts
    )


async def _page(
    request: Request,
    slip_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    found = await commuter.show_slip(client_of(request), slip_id)
    days = [one["item_on"] for one in found.body["items"] if one["item_on"]]
    usual = {
        "item_on": days[-1].replace("-", "/") if days else "",
        "medium": found.body["media"][0],
    }
    return await render(
        request,
        "commuter/outing.html",
        status=problem.status if problem else 200,
        slip=found.body,
        version=found.etag,
        stops=STOPS,
        values=fields.values() if fields else usual,
        errors=problem.on_form if problem else (),
    )
