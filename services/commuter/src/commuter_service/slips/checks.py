"""Slip checks: each item beside the employee's passes and cheaper ways."""

from collections.abc import Iterable, Sequence

from commuter_service.models import SlipItem
from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.rules.claim_findings import (
    Claim,
    ClaimFinding,
    Way,
    roundabout,
    typed_amount_on_pass,
)
from fare_engine.errors import FareError
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.network import Network, Ride
from fare_engine.network.station_lookup import qualified_name
from fare_engine.routing.candidates import Candidate, Order, SearchRequest, candidates
from fare_engine.routing.name_escaping import names_in
from fare_engine.routing.route_text import known_route
from fare_engine.routing.trains import journey_over
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium

MOST_WAYS = 20


def claim_of(item: SlipItem) -> Claim:
    """An item as the findings take it."""
    return Claim(
        str(item.item_id),
        str(item.slip_id),
        item.item_on,
        item.route or "",
        item.words,
        item.amount_yen or 0,
    )


def item_faults(
    items: Iterable[SlipItem], passes: EmployeePasses, policy: BusPolicy, tariffs: Tariffs
) -> list[ClaimFinding]:
    """What looks wrong with items by themselves: at most one finding each."""
    found = []
    for item in items:
        if item.item_on is None:
            continue
        claim = claim_of(item)
        valid = [one for one in passes.readable if item.item_on in one.period]
        ends = [(one.route.first_name, one.route.last_name) for one in valid]
        fault = typed_amount_on_pass(claim, ends)
        if fault is None and item.source == "look_up":
            fault = _roundabout(claim, item, _ways(item, passes, policy, tariffs), tariffs)
        if fault is not None:
            found.append(fault)
    return found


def _roundabout(
    claim: Claim, item: SlipItem, ways: Sequence[Way], tariffs: Tariffs
) -> ClaimFinding | None:
    """Compare the fare of an item, without charges beside it, with the fares of other ways."""
    assert item.route is not None
    try:
        ridden = journey_over(known_route(tariffs.network, item.route))
    except FareError:
        return None  # of an edition before: its lines are no longer those
    minutes, changes = ridden.minutes, ridden.changes
    if item.journey is not None:  # by the trains that were chosen
        minutes, changes = item.journey["minutes"], item.journey["changes"]
    trips = 2 if item.round_trip else 1
    beside = sum(one["yen"] for one in (item.explanation or {}).get("charges", ())) * trips
    yen = claim.amount_yen - beside
    return roundabout(claim, Way("", minutes, changes, yen), ways)


def _ways(item: SlipItem, passes: EmployeePasses, policy: BusPolicy, tariffs: Tariffs) -> list[Way]:
    """Other ways between the same ends, after the passes; none where none can be found."""
    assert item.route is not None
    assert item.item_on is not None
    start, end = _ends(item.route, tariffs.network)
    question = SearchRequest(
        start=start,
        end=end,
        on=item.item_on,
        medium=Medium(item.medium or "ic"),
        passes=passes.readable if item.without_pass_reason is None else (),
        bus_policy=policy,
        order=Order.CHARGED,
        count=MOST_WAYS,
    )
    try:
        found = candidates(question, tariffs)
    except FareError:
        return []
    trips = 2 if item.round_trip else 1
    return [Way(_words(one), one.minutes, one.changes, one.charged_yen * trips) for one in found]


def _ends(text: str, network: Network) -> tuple[str, str]:
    """The ends of a route, with the operators where several places bear the name."""
    names = names_in(text)
    try:
        legs = known_route(network, text).legs
    except FareError:
        return names[0], names[-1]
    first, last = legs[0], legs[-1]
    return (
        _name_of(network, first.stations[0]) if isinstance(first, Ride) else names[0],
        _name_of(network, last.stations[-1]) if isinstance(last, Ride) else names[-1],
    )


def _name_of(network: Network, station: int) -> str:
    return qualified_name(network, network.places[network.place_of[station]])


def _words(one: Candidate) -> str:
    """新宿→(中央線快速)→東京."""
    trains = [train for train in one.trains if train.kind == "train"]
    return "".join(f"{train.start}→({train.name})→" for train in trains) + trains[-1].end
