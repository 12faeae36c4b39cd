"""Beyond the manual: re-check of a period, simulation of passes, findings about claims."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from commuter_service import queries
from commuter_service.api.dependencies import (
    ACCOUNTING,
    EMPLOYEES,
    Body,
    Day,
    Text,
    context_in,
    dealer_of,
)
from commuter_service.api.refusal_groups import GAP, PERIOD, PRICE, SEARCH
from commuter_service.api.route_search import MOST_VIA, Yen, passes_of_owner
from commuter_service.models import SlipItem
from commuter_service.passes.employee_passes import (
    EmployeePasses,
    Ride,
    price_ride,
    read_pass_route,
    with_quoted_fares,
)
from commuter_service.provider_rides import route_words
from commuter_service.request_context import RequestContext
from commuter_service.rules.claim_findings import ClaimFinding, same_trips
from commuter_service.rules.pass_simulation import MonthsNotSold, Offer, compare
from commuter_service.slips.checks import claim_of, item_faults
from commuter_service.slips.recheck import PaidItem, Rechecked, recheck
from fare_engine.fares.explanation_model import Notice, TrainLeg
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.station_lookup import find_places
from fare_engine.routing.candidates import Candidate, Order, SearchRequest, candidates
from fare_engine.routing.route_text import CommuterPass, Route
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period
from shared.http import NotFound, database_of
from shared.refusals import refuses

router = APIRouter(dependencies=[EMPLOYEES])

QUARTER_DAYS = 90
THOUGHT_OF = "候補"


class PeriodBody(Body):
    """A period, both days inclusive, of one employee or of all."""

    first: Day
    last: Day
    employee_id: Text | None = None


class OfferBody(Body):
    """A pass as it is sold: by its route, or over the usual way between stations.

    Without stations of its own, between those of the simulation.
    """

    route: Text | None = None
    start: Text | None = None
    end: Text | None = None
    via: list[Text] = Field(default=[], max_length=MOST_VIA)
    months: int
    yen: Yen

    def question(self, asked: SearchRequest) -> SearchRequest:
        """How its way is looked up."""
        start, end = self.start or asked.start, self.end or asked.end
        return replace(asked, start=start, end=end, via=tuple(self.via), order=Order.RECOMMENDED)

    def offer(self) -> Offer:
        """As the rule takes it. Raises MonthsNotSold."""
        return Offer(self.months, self.yen)


class SimulationBody(Body):
    """Home, office, and how often."""

    start: Text
    end: Text
    on: Day
    days_per_month: Annotated[int, Field(ge=0, le=31)]
    medium: Medium = Medium.IC
    offers: list[OfferBody] = Field(default=[], max_length=20)


class Difference(BaseModel):
    """An item that costs something else now; without `now_yen` it cannot be priced any more."""

    slip_id: str
    item_id: str
    employee_id: str
    employee_name: str
    item_on: date | None
    route: str | None
    route_words: list[str]
    before_yen: int
    now_yen: int | None
    difference_yen: int
    why: str


class RecheckAnswer(BaseModel):
    """How many items were priced again, and those that differ."""

    checked: int
    total_difference_yen: int
    items: list[Difference]


class SimulatedRoute(BaseModel):
    """A way to work."""

    route: str
    route_words: list[str]
    trains: tuple[TrainLeg, ...]
    through_yen: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedOffer:
    """A pass beside paying each ride, and what it would have saved on the last quarter's trips."""

    route: str
    route_words: list[str]
    months: int
    yen: int
    monthly_yen: int
    fares_yen: int
    saving_yen: int
    break_even_days: int | None
    past_quarter_saving_yen: int


class Simulation(BaseModel):
    """The offers beside each other; `best` is the route of the cheapest one that saves."""

    daily_yen: int
    fares_yen: int
    candidates: list[SimulatedRoute]
    offers: list[WeighedOffer]
    best: str | None
    notices: list[Notice]


class Findings(BaseModel):
    """Hints about a slip."""

    items: list[ClaimFinding]


@router.post("/rechecks", dependencies=[ACCOUNTING])
@refuses(NotFound, *PERIOD)
async def recheck_period(typed: PeriodBody, request: Request) -> RecheckAnswer:
    """Every looked-up item of a period, priced again with the passes and tariffs of now."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        period = Period(typed.first, typed.last)
        assert period.starts_on is not None
        assert period.ends_on is not None
        found = await queries.looked_up_items(
            tx, dealer, period.starts_on, period.ends_on, typed.employee_id
        )
        employees = {item.employee_id for item in found}
        passes = {one: await passes_of_owner(ctx, one) for one in employees}
        names = await queries.employee_names(tx, employees)
        policy = BusPolicy(ctx.setting.bus_policy)
        paid = [await _with_quoted_fares(ctx, paid_item(one), passes, policy) for one in found]
    items = {str(item.item_id): item for item in found}

    def checked() -> list[Rechecked]:
        return list(recheck(paid, passes, ctx.tariffs, bus_policy=policy))

    rows = await asyncio.to_thread(checked)
    return RecheckAnswer(
        checked=len(found),
        total_difference_yen=sum(row.difference_yen for row in rows),
        items=[_difference(row, items[row.item.item_id], names) for row in rows],
    )


@router.post("/simulations/passes")
@refuses(NotFound, MonthsNotSold, *GAP, *SEARCH, *PRICE)
async def simulate_passes(typed: SimulationBody, request: Request) -> Simulation:
    """Which pass is the cheapest for a way to work, and from how many days on it pays."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        passes = await passes_of_owner(ctx, ctx.employee_id)
        since = ctx.today - timedelta(days=QUARTER_DAYS)
        trips = await queries.looked_up_items(tx, dealer, since, ctx.today, ctx.employee_id)
    for one in typed.offers:
        one.offer()  # refused before the search
    question = SearchRequest(
        start=typed.start, end=typed.end, on=typed.on, medium=typed.medium, order=Order.FARE
    )
    routes = await asyncio.to_thread(_routes_of, typed.offers, question, ctx.tariffs)
    found = await asyncio.to_thread(candidates, question, ctx.tariffs)
    cheapest = found[0].through_yen
    hint = price_ride(
        Ride(typed.on, str(found[0].route), typed.medium), EmployeePasses(), ctx.tariffs
    )
    weighed = [
        _comparison(
            ctx.tariffs,
            typed,
            (one, route),
            daily_yen=cheapest * 2,
            past_yen=_past_saving_yen(ctx.tariffs, route, passes, trips),
        )
        for one, route in zip(typed.offers, routes, strict=True)
    ]
    best = max(weighed, key=lambda one: one.saving_yen, default=None)
    return Simulation(
        daily_yen=cheapest * 2,
        fares_yen=cheapest * 2 * typed.days_per_month,
        candidates=[_simulated_route(one) for one in found],
        offers=weighed,
        best=best.route if best and best.saving_yen > 0 else None,
        notices=list(hint.explanation.notices),
    )


def _routes_of(offers: Sequence[OfferBody], asked: SearchRequest, tariffs: Tariffs) -> list[Route]:
    """The routes of the offers. Every wrong name is refused at once, with the simulation's own."""
    names = {
        f"offers.{number}.{field}": name
        for number, one in enumerate(offers)
        if one.route is None
        for field, name in one.question(asked).names.items()
        if field.startswith("via") or getattr(one, field)
    }
    find_places(tariffs.network, asked.names | names)
    return [
        candidates(one.question(asked), tariffs)[0].route
        if one.route is None
        else read_pass_route(tariffs.network, one.route)
        for one in offers
    ]


def _simulated_route(found: Candidate) -> SimulatedRoute:
    return SimulatedRoute(
        route=str(found.route),
        route_words=route_words(str(found.route)),
        trains=found.trains,
        through_yen=found.through_yen,
        minutes=found.minutes,
    )


@router.get("/slips/{slip_id}/findings")
@refuses(NotFound)
async def list_findings(slip_id: UUID, request: Request) -> Findings:
    """Hints about a slip: the same trip twice, a roundabout way, a pass's section typed by hand."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        slip = await queries.slip_for(
            tx, ctx.dealer_id, slip_id, ctx.employee_id, accounting=ctx.accounting
        )
        items = await queries.items_of(tx, slip_id)
        days = [item.item_on for item in items if item.item_on]
        others = await queries.items_on_days(tx, slip.employee_id, days)
        passes = await passes_of_owner(ctx, slip.employee_id)
    policy = BusPolicy(ctx.setting.bus_policy)
    found = [*same_trips([claim_of(item) for item in items], map(claim_of, others))]
    found += await asyncio.to_thread(item_faults, items, passes, policy, ctx.tariffs)
    return Findings(items=found)


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


async def _with_quoted_fares(
    ctx: RequestContext, item: PaidItem, passes: dict[str, EmployeePasses], policy: BusPolicy
) -> PaidItem:
    ride = Ride(item.on, item.route, item.medium, bus_policy=policy)
    own = passes[item.employee_id] if item.with_passes else EmployeePasses()
    quoted = await with_quoted_fares(ctx.tx, ride, own, ctx.tariffs.network)
    return replace(item, quoted=quoted.quoted)


def _difference(row: Rechecked, item: SlipItem, names: dict[str, str]) -> Difference:
    return Difference(
        slip_id=str(item.slip_id),
        item_id=row.item.item_id,
        employee_id=item.employee_id,
        employee_name=names.get(item.employee_id, item.employee_id),
        item_on=item.item_on,
        route=item.route,
        route_words=route_words(item.route or ""),
        before_yen=row.item.charged_yen,
        now_yen=row.now_yen,
        difference_yen=row.difference_yen,
        why=row.why,
    )


def _comparison(
    tariffs: Tariffs,
    typed: SimulationBody,
    offer: tuple[OfferBody, Route],
    *,
    daily_yen: int,
    past_yen: int,
) -> WeighedOffer:
    one, route = offer
    thought = CommuterPass(THOUGHT_OF, 1, route, Period())
    ride = Ride(typed.on, str(route), typed.medium, round_trip=True)
    left = price_ride(ride, EmployeePasses(readable=(thought,)), tariffs)
    result = compare(
        one.offer(),
        daily_yen=daily_yen,
        daily_with_pass_yen=left.explanation.charged_yen,
        days=typed.days_per_month,
    )
    return WeighedOffer(
        route=str(route),
        route_words=route_words(str(route)),
        months=one.months,
        yen=one.yen,
        **asdict(result),
        past_quarter_saving_yen=past_yen,
    )


def _past_saving_yen(
    tariffs: Tariffs, route: Route, passes: EmployeePasses, trips: Iterable[SlipItem]
) -> int:
    """What the pass would have saved on the last quarter's trips."""
    thought = CommuterPass(THOUGHT_OF, 1, route, Period())
    with_it = EmployeePasses(passes.facts, (*passes.readable, thought))
    saved = 0
    for item in trips:
        paid = paid_item(item)
        rows = list(recheck([paid], {paid.employee_id: with_it}, tariffs))
        saved -= sum(row.difference_yen for row in rows)
    return saved
