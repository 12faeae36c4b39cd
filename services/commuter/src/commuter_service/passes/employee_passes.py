"""Passes of an employee: those that the fare engine deducts, and those it can no longer read.

Only confirmed versions of the employee's own passes (R21, R37). A pass whose station or line is
gone is never deducted in silence: it is reported with its reason, to be registered again (R39).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.provider_charges import charge_source_ride, explain_source_ride
from commuter_service.provider_rides import (
    QuotedFares,
    SourcePass,
    SourceRide,
    covered_by,
    fares_needed,
    is_source_route,
    own_part,
    parse_source_ride,
)
from commuter_service.queries import PassRecord, period_of, source_fares
from commuter_service.rules.pass_validity import PassFacts, valid_passes
from fare_engine.errors import FareError
from fare_engine.fares.explanation_model import Explanation, ExtraCharge, Notice
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.ride_charge import deducting_passes
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.network import Network
from fare_engine.routing.route_text import (
    CommuterPass,
    PassHasGap,
    Route,
    RouteDisconnected,
    known_route,
)
from fare_engine.routing.route_words import section_of
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium

PASS_UNREADABLE = "PASS_UNREADABLE"  # noqa: S105 - a commuter pass


def read_pass(network: Network, text: str) -> Route | SourceRide:
    """The route of a pass, over our lines or another source's. Raises as `read_pass_route`."""
    return parse_source_ride(text) if is_source_route(text) else read_pass_route(network, text)


def read_pass_route(network: Network, text: str) -> Route:
    """The route of a pass; its sections must join. Raises PassHasGap and as `parse_route`."""
    try:
        return known_route(network, text)
    except RouteDisconnected as fact:
        raise PassHasGap(f"定期区間がつながっていません。{fact.message}") from fact


@dataclass(frozen=True, slots=True)
class UnreadablePass:
    """A confirmed pass that deducts nothing because its route is no more."""

    pass_id: str
    route: str
    why: str

    @property
    def notice(self) -> Notice:
        """What the item says of it."""
        section = section_of(self.route)
        text = f"定期区間「{section}」は控除されません({self.why})。再登録してください。"
        return Notice(PASS_UNREADABLE, text)


@dataclass(frozen=True, slots=True)
class EmployeePasses:
    """The confirmed passes of one employee: facts for the rules, routes for the engine.

    A pass of another source stands in `of_source`, and its part over our lines in `readable` too.
    """

    facts: tuple[PassFacts, ...] = ()
    readable: tuple[CommuterPass, ...] = ()
    unreadable: tuple[UnreadablePass, ...] = ()
    of_source: tuple[SourcePass, ...] = ()

    def keys_on(self, employee_id: str, on: date) -> list[list[str | int]]:
        """(id, version) of the passes valid on a day, as an item keeps them (R56)."""
        return [list(one.key) for one in valid_passes(self.facts, employee_id, on)]


def passes_of_employee(records: Iterable[PassRecord], network: Network) -> EmployeePasses:
    """Read the confirmed versions of an employee's passes."""
    facts: list[PassFacts] = []
    readable: list[CommuterPass] = []
    unreadable: list[UnreadablePass] = []
    of_source: list[SourcePass] = []
    for record in records:
        if (fact := record.facts) is None or record.confirmed is None:
            continue
        facts.append(fact)
        period = period_of(record.confirmed)
        try:
            route: Route | SourceRide | None = read_pass(network, record.confirmed.route)
        except FareError as gone:
            unreadable.append(UnreadablePass(fact.pass_id, record.confirmed.route, gone.message))
            continue
        if isinstance(route, SourceRide):
            of_source.append(SourcePass(fact.pass_id, fact.version, route, period))
            route = own_part(route, network)
        if route is not None:
            readable.append(CommuterPass(fact.pass_id, fact.version, route, period))
    return EmployeePasses(tuple(facts), tuple(readable), tuple(unreadable), tuple(of_source))


@dataclass(frozen=True, slots=True)
class Ride:
    """What a person decided in the look-up: a route on a day.

    `quoted`: the fares of a ride over another source's lines, as `with_quoted_fares` reads them.
    """

    on: date
    route: str
    medium: Medium = Medium.IC
    round_trip: bool = False
    child: bool = False
    charges: tuple[ExtraCharge, ...] = ()
    bus_policy: BusPolicy = BusPolicy.RAIL_ONLY
    quoted: QuotedFares = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Priced:
    """A priced ride with the notices about passes that could not be read."""

    explanation: Explanation
    notices: tuple[Notice, ...]


def price_ride(ride: Ride, passes: EmployeePasses, tariffs: Tariffs) -> Priced:
    """Price a ride after the passes of its day (R36); one of another source by what it quoted.

    Raises what the engine refuses, SourceFareMissing.
    """
    terms = Terms(
        on=ride.on,
        medium=ride.medium,
        child=ride.child,
        round_trip=ride.round_trip,
        charges=ride.charges,
        bus_policy=ride.bus_policy,
    )
    if is_source_route(ride.route):
        named, own, of_source = parse_source_ride(ride.route), passes.readable, passes.of_source
        charge = charge_source_ride(named, terms, own, of_source, ride.quoted, tariffs.network)
        explained = explain_source_ride(charge, own, of_source)
        return Priced(explained, unusable_on(passes, ride.on))
    route = known_route(tariffs.network, ride.route)
    explanation = price(route, terms, passes.readable, tariffs)
    return Priced(explanation, unusable_on(passes, ride.on))


async def with_quoted_fares(
    tx: AsyncSession, ride: Ride, passes: EmployeePasses, network: Network
) -> Ride:
    """The ride with the fares that its source quoted in a look-up; other rides as they are."""
    if not is_source_route(ride.route):
        return ride
    own = [one for _, one in deducting_passes(passes.readable, ride.on, ride.bus_policy)]
    of_source = [one for one in passes.of_source if ride.on in one.period]
    covered = covered_by(own, of_source, network)
    needed = fares_needed(parse_source_ride(ride.route), covered, network)
    quoted = await source_fares(tx, map(str, needed), ride.on, ride.medium)
    return replace(ride, quoted=quoted)


def unusable_on(passes: EmployeePasses, on: date) -> tuple[Notice, ...]:
    """Notices of the passes that would be valid on a day and cannot be read."""
    valid = {one.pass_id for one in passes.facts if on in one.period}
    unread: Sequence[UnreadablePass] = [one for one in passes.unreadable if one.pass_id in valid]
    return tuple(one.notice for one in unread)
