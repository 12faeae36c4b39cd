"""乗換案内: stations, candidate routes, and many priced rides at once (R22, R36-R38, F22).

The search runs outside any transaction: another implementation of it may ask a server far away.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from commuter_service import queries
from commuter_service.actions.quoted_fares import keep_source_fares
from commuter_service.adapters import network_store
from commuter_service.adapters.ekispert import quoted_fares_of, text_of
from commuter_service.adapters.route_providers import RouteProvider
from commuter_service.api.dependencies import (
    EMPLOYEES,
    Body,
    Day,
    RouteText,
    Text,
    context_in,
    dealer_of,
)
from commuter_service.api.refusal_groups import PRICE, SEARCH
from commuter_service.fare_errors import refusal_of
from commuter_service.passes.employee_passes import (
    EmployeePasses,
    Priced,
    Ride,
    passes_of_employee,
    price_ride,
    unusable_on,
    with_quoted_fares,
)
from commuter_service.provider_rides import route_words
from commuter_service.request_context import RequestContext
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.slip_kind import (
    SlipDeed,
    SlipKind,
    UnconfirmedPassBlocks,
    check_unconfirmed_pass,
)
from fare_engine.errors import FareError
from fare_engine.fares.explanation_model import Explanation, ExtraCharge, Notice, TrainLeg
from fare_engine.fares.itinerary import ItineraryLeg, itinerary
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.station_lookup import Suggestion, suggest
from fare_engine.routing.candidates import Candidate, Label, Order, SearchRequest, Weights
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium
from shared.errors import problem_of
from shared.http import NotFound, database_of
from shared.openapi import Problem
from shared.refusals import refuses

router = APIRouter(dependencies=[EMPLOYEES])

MOST_RIDES = 1000
MOST_VIA = 3
MOST_CHARGES = 10
Yen = Annotated[int, Field(ge=0, le=10_000_000)]


class ChargeBody(Body):
    """特急料金 and the like, one way."""

    kind: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]
    yen: Yen

    @property
    def charge(self) -> ExtraCharge:
        """As the engine takes it."""
        return ExtraCharge(self.kind, self.yen)


class RouteSearchBody(Body):
    """What is typed into 乗換案内; without `for_pass` the own passes are deducted.

    `round_trip` and `charges` are priced as a decision prices them, and change no route.
    `slip_id`: the look-up belongs to this slip, and its owner's passes are deducted.
    """

    start: Annotated[Text, Field(examples=["東京"])]
    end: Annotated[Text, Field(examples=["新宿"])]
    on: Annotated[Day, Field(examples=["2025-07-14"])]
    via: list[Text] = Field(default=[], max_length=MOST_VIA)
    avoid: list[Text] = Field(default=[], max_length=30)
    medium: Medium = Medium.IC
    child: bool = False
    round_trip: bool = False
    charges: list[ChargeBody] = Field(default=[], max_length=MOST_CHARGES)
    order: Order = Order.RECOMMENDED
    for_pass: bool = False
    slip_id: UUID | None = None

    def ride(self, route: str, bus_policy: BusPolicy) -> Ride:
        """A candidate as the engine prices it."""
        charges = tuple(one.charge for one in self.charges)
        return Ride(self.on, route, self.medium, self.round_trip, self.child, charges, bus_policy)


class RideBody(Body):
    """A ride with its route given; `employee_id` of somebody else is for accounting only."""

    on: Annotated[Day, Field(examples=["2025-07-14"])]
    route: Annotated[RouteText, Field(examples=["東京:JR中央線:新宿"])]
    medium: Medium = Medium.IC
    round_trip: bool = False
    child: bool = False
    charges: list[ChargeBody] = Field(default=[], max_length=MOST_CHARGES)
    employee_id: Text | None = None

    def ride(self, bus_policy: BusPolicy) -> Ride:
        """As the engine takes it."""
        charges = tuple(one.charge for one in self.charges)
        return Ride(
            self.on, self.route, self.medium, self.round_trip, self.child, charges, bus_policy
        )


class RidesBody(Body):
    """Rides to price."""

    rides: list[RideBody] = Field(min_length=1, max_length=MOST_RIDES)


class Stations(BaseModel):
    """The stations that begin as typed."""

    items: list[Suggestion]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedRide:
    """A priced ride: its figures, and the whole explanation."""

    route: str
    route_words: list[str]
    through_yen: int
    charged_yen: int
    deduction_yen: int
    why: str
    notices: list[Notice]
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRoute(PricedRide):
    """A route that one may decide; `told_yen` is what another source says.

    `minutes` from the first departure to the arrival; `changes` to another train.
    """

    minutes: int
    changes: int
    trains: tuple[TrainLeg, ...]
    labels: tuple[Label, ...]
    itinerary: tuple[ItineraryLeg, ...]
    told_yen: int | None


class Candidates(BaseModel):
    """The candidate routes of a day."""

    on: date
    items: list[CandidateRoute]
    notices: list[Notice]


class NotPriced(BaseModel):
    """A ride that cannot be priced, and why."""

    problem: Problem


class Deductions(BaseModel):
    """The rides in the order given."""

    items: list[PricedRide | NotPriced]


@router.get("/stations")
async def suggest_stations(prefix: Text, request: Request) -> Stations:
    """Stations whose name begins so, in kanji, kana or romaji."""
    async with database_of(request).transaction() as tx:
        tariffs = await network_store.tariffs_in_force(tx)
    return Stations(items=suggest(tariffs.network, prefix))


@router.post("/look-ups")
@refuses(NotFound, UnconfirmedPassBlocks, *SEARCH, *PRICE)
async def look_up_routes(typed: RouteSearchBody, request: Request) -> Candidates:
    """Up to five candidate routes with what is charged after the passes (R37, F22)."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        passes = EmployeePasses() if typed.for_pass else await _passes_for(ctx, typed)
    policy = BusPolicy(ctx.setting.bus_policy)
    question = SearchRequest(
        start=typed.start,
        end=typed.end,
        on=typed.on,
        medium=typed.medium,
        via=tuple(typed.via),
        avoid=frozenset(typed.avoid),
        passes=passes.readable,
        child=typed.child,
        bus_policy=policy,
        order=typed.order,
        weights=Weights(ctx.setting.yen_per_minute, ctx.setting.yen_per_change),
    )
    source: RouteProvider = request.app.state.look_up
    found = await asyncio.to_thread(source.candidates, question, ctx.tariffs, passes.of_source)
    quoted = quoted_fares_of(found)
    if quoted:
        async with database_of(request).transaction(dealer) as tx:
            await keep_source_fares(tx, quoted.values(), now=ctx.now)
    rides = [replace(typed.ride(text_of(one), policy), quoted=quoted) for one in found]
    return Candidates(
        on=typed.on,
        items=[
            _offered(one, price_ride(ride, passes, ctx.tariffs))
            for one, ride in zip(found, rides, strict=True)
        ],
        notices=list(unusable_on(passes, typed.on)),
    )


def _offered(one: Candidate, priced: Priced) -> CandidateRoute:
    return CandidateRoute(
        **_figures(priced),
        minutes=one.minutes,
        changes=one.changes,
        trains=one.trains,
        labels=one.labels,
        itinerary=itinerary(replace(priced.explanation, trains=one.trains)),
        told_yen=one.told_yen,
    )


@router.post("/deductions", response_model_exclude_unset=True)
@refuses(NotFound, RightMissing)
async def price_rides(typed: RidesBody, request: Request) -> Deductions:
    """Price rides, each alone: an explanation or a problem, in the order given."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        passes = await _passes_by_employee(ctx, typed.rides)
        rides = [
            (ride, await _with_quoted_fares(ctx, ride, passes[ride.employee_id or ctx.employee_id]))
            for ride in typed.rides
        ]

    def priced() -> list[PricedRide | NotPriced]:
        return [
            _answered(ride, passes[body.employee_id or ctx.employee_id], ctx.tariffs)
            for body, ride in rides
        ]

    return Deductions(items=await asyncio.to_thread(priced))


async def _with_quoted_fares(ctx: RequestContext, typed: RideBody, passes: EmployeePasses) -> Ride:
    ride = typed.ride(BusPolicy(ctx.setting.bus_policy))
    try:
        return await with_quoted_fares(ctx.tx, ride, passes, ctx.tariffs.network)
    except FareError:  # an unreadable route; `_answered` says so
        return ride


async def passes_of_owner(ctx: RequestContext, employee_id: str) -> EmployeePasses:
    """An employee's passes as the engine takes them."""
    return passes_of_employee(await queries.passes_of(ctx.tx, employee_id), ctx.tariffs.network)


def _figures(priced: Priced) -> dict[str, Any]:
    explanation = priced.explanation
    return {
        "route": explanation.route,
        "route_words": route_words(explanation.route),
        "through_yen": explanation.through_yen,
        "charged_yen": explanation.charged_yen,
        "deduction_yen": explanation.deduction_yen,
        "why": explanation.why,
        "notices": [*explanation.notices, *priced.notices],
        "explanation": explanation,
    }


async def _passes_for(ctx: RequestContext, typed: RouteSearchBody) -> EmployeePasses:
    """Whose passes are deducted: the slip's owner's, who must have none unconfirmed (R22)."""
    owner, kind = ctx.employee_id, SlipKind.TRANSPORT
    if typed.slip_id is not None:
        slip = await queries.slip_for(
            ctx.tx,
            ctx.dealer_id,
            typed.slip_id,
            ctx.employee_id,
            accounting=ctx.accounting,
        )
        owner, kind = slip.employee_id, queries.kind_of(slip)
    if owner == ctx.employee_id:
        waits = await queries.has_unconfirmed_pass(ctx.tx, owner)
        check_unconfirmed_pass(kind, SlipDeed.SEARCH, has_unconfirmed_pass=waits)
    return await passes_of_owner(ctx, owner)


async def _passes_by_employee(
    ctx: RequestContext, rides: list[RideBody]
) -> dict[str, EmployeePasses]:
    employees = {ride.employee_id or ctx.employee_id for ride in rides}
    if employees != {ctx.employee_id} and not ctx.accounting:
        raise RightMissing("他の社員の控除を計算する権限がありません")
    found = {}
    for one in employees:
        await queries.employee_by_id(ctx.tx, ctx.dealer_id, one)
        found[one] = await passes_of_owner(ctx, one)
    return found


def _answered(ride: Ride, passes: EmployeePasses, tariffs: Tariffs) -> PricedRide | NotPriced:
    try:
        return PricedRide(**_figures(price_ride(ride, passes, tariffs)))
    except FareError as fact:
        return NotPriced(problem=Problem.model_validate(problem_of(refusal_of(fact))))
