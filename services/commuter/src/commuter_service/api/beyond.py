"""Beyond the manual: re-check of a period, simulation of passes, findings about claims."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from commuter_service import queries
from commuter_service.api.look_up import Yen, notices_json, passes_of_owner
from commuter_service.api.visit import (
    ACCOUNTING,
    EMPLOYEES,
    Day,
    Text,
    Typed,
    acting_in,
    dealer_of,
)
from commuter_service.claims import claim_of, item_faults
from commuter_service.models import SlipItem
from commuter_service.own_passes import OwnPasses, Ride, price_ride, read_pass_route, read_route
from commuter_service.recheck import PaidItem, Rechecked, recheck
from commuter_service.routes import CommuterPass
from commuter_service.rules.bus_policy import BusPolicy
from commuter_service.rules.claim_findings import same_trips
from commuter_service.rules.fare_rounding import Medium
from commuter_service.rules.pass_period import Period
from commuter_service.rules.pass_simulation import Offer, weigh
from commuter_service.search import Order, Question, candidates
from shared.http import database_of

router = APIRouter(dependencies=[EMPLOYEES])

QUARTER_DAYS = 90
THOUGHT_OF = "候補"


class PeriodTyped(Typed):
    """A period, both days inclusive, of one employee or of all."""

    first: Day
    last: Day
    employee_id: Text | None = None


class OfferTyped(Typed):
    """A pass as it is sold."""

    route: Text
    months: int
    yen: Yen


class SimulationTyped(Typed):
    """Home, office, and how often."""

    start: Text
    end: Text
    on: Day
    days_per_month: Annotated[int, Field(ge=0, le=31)]
    medium: Medium = Medium.IC
    offers: list[OfferTyped] = Field(default=[], max_length=20)


@router.post("/rechecks", dependencies=[ACCOUNTING])
async def recheck_period(typed: PeriodTyped, request: Request) -> dict[str, Any]:
    """Every looked-up item of a period, priced again with the passes and tariffs of now."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        acting = await acting_in(request, tx, dealer)
        period = Period(typed.first, typed.last)
        assert period.starts_on is not None
        assert period.ends_on is not None
        found = await queries.looked_up_items(
            tx, dealer, period.starts_on, period.ends_on, typed.employee_id
        )
        employees = {item.employee_id for item in found}
        passes = {one: await passes_of_owner(tx, one) for one in employees}
        names = await queries.employee_names(tx, employees)
    policy = BusPolicy(acting.setting.bus_policy)
    items = {str(item.item_id): item for item in found}

    def checked() -> list[Rechecked]:
        return list(recheck(map(paid_item, found), passes, bus_policy=policy))

    rows = await asyncio.to_thread(checked)
    return {
        "checked": len(found),
        "total_difference_yen": sum(row.difference_yen for row in rows),
        "items": [_difference(row, items[row.item.item_id], names) for row in rows],
    }


@router.post("/simulations/passes")
async def simulate_passes(typed: SimulationTyped, request: Request) -> dict[str, Any]:
    """Which pass is the cheapest for a way to work, and from how many days on it pays."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        acting = await acting_in(request, tx, dealer)
        passes = await passes_of_owner(tx, acting.employee_id)
        since = acting.today - timedelta(days=QUARTER_DAYS)
        trips = await queries.looked_up_items(tx, dealer, since, acting.today, acting.employee_id)
    offers = [(one, Offer(one.months, one.yen)) for one in typed.offers]
    question = Question(
        start=typed.start, end=typed.end, on=typed.on, medium=typed.medium, order=Order.FARE
    )
    found = await asyncio.to_thread(candidates, question)
    cheapest = found[0].through_yen
    hint = price_ride(Ride(typed.on, str(found[0].route), typed.medium), OwnPasses())
    weighed = [
        _weighed(typed, one, offer, cheapest * 2) | _past(one, passes, trips)
        for one, offer in offers
    ]
    best = max(weighed, key=lambda one: int(one["saving_yen"]), default=None)
    return {
        "daily_yen": cheapest * 2,
        "fares_yen": cheapest * 2 * typed.days_per_month,
        "candidates": [
            {"route": str(one.route), "through_yen": one.through_yen, "minutes": one.minutes}
            for one in found
        ],
        "offers": weighed,
        "best": best["route"] if best and best["saving_yen"] > 0 else None,
        "notices": notices_json(hint.explanation.notices),
    }


@router.get("/slips/{slip_id}/findings")
async def find_faults(slip_id: UUID, request: Request) -> dict[str, Any]:
    """Hints about a slip: the same trip twice, a roundabout way, a pass's section typed by hand."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        acting = await acting_in(request, tx, dealer)
        slip = await queries.slip_for(
            tx, acting.dealer_id, slip_id, acting.employee_id, accounting=acting.accounting
        )
        items = await queries.items_of(tx, slip_id)
        days = [item.item_on for item in items if item.item_on]
        others = await queries.items_on_days(tx, slip.employee_id, days)
        passes = await passes_of_owner(tx, slip.employee_id)
    policy = BusPolicy(acting.setting.bus_policy)
    found = [*same_trips([claim_of(item) for item in items], map(claim_of, others))]
    found += await asyncio.to_thread(item_faults, items, passes, policy)
    return {"items": [asdict(one) for one in found]}


def paid_item(item: SlipItem) -> PaidItem:
    """An item as the re-check takes it."""
    assert item.item_on is not None
    assert item.route is not None
    assert item.amount_yen is not None
    explanation = item.explanation or {}
    return PaidItem(
        item_id=str(item.item_id),
        employee_id=item.employee_id,
        on=item.item_on,
        route=item.route,
        medium=Medium(item.medium or "ic"),
        trips=2 if item.round_trip else 1,
        charged_yen=item.amount_yen,
        charges_yen=sum(int(one["yen"]) for one in explanation.get("charges", ())),
        child=bool(explanation.get("child", False)),
        with_passes=item.without_pass_reason is None,
        pass_ids=frozenset(str(pass_id) for pass_id, _ in item.passes_at_search),
    )


def _difference(row: Rechecked, item: SlipItem, names: dict[str, str]) -> dict[str, Any]:
    return {
        "slip_id": str(item.slip_id),
        "item_id": row.item.item_id,
        "employee_id": item.employee_id,
        "employee_name": names.get(item.employee_id, item.employee_id),
        "item_on": item.item_on,
        "route": item.route,
        "before_yen": row.item.charged_yen,
        "now_yen": row.now_yen,
        "difference_yen": row.difference_yen,
        "why": row.why,
    }


def _weighed(
    typed: SimulationTyped, one: OfferTyped, offer: Offer, daily_yen: int
) -> dict[str, Any]:
    route = read_pass_route(one.route)
    thought = CommuterPass(THOUGHT_OF, 1, route, Period())
    ride = Ride(typed.on, str(route), typed.medium, round_trip=True)
    left = price_ride(ride, OwnPasses(readable=(thought,))).explanation.charged_yen
    result = weigh(offer, daily_yen=daily_yen, daily_with_pass_yen=left, days=typed.days_per_month)
    return {"route": str(route), "months": offer.months, "yen": offer.yen, **asdict(result)}


def _past(one: OfferTyped, passes: OwnPasses, trips: Iterable[SlipItem]) -> dict[str, Any]:
    """What the pass would have saved on the last quarter's trips."""
    thought = CommuterPass(THOUGHT_OF, 1, read_route(one.route), Period())
    with_it = OwnPasses(passes.facts, (*passes.readable, thought))
    saved = 0
    for item in trips:
        paid = paid_item(item)
        rows = list(recheck([paid], {paid.employee_id: with_it}))
        saved -= sum(row.difference_yen for row in rows)
    return {"past_quarter_saving_yen": saved}
