"""What looks wrong with the items of a slip, seen beside the employee's passes and cheaper ways?"""

from collections.abc import Iterable

from commuter_service.models import SlipItem
from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.rules.claim_findings import (
    Claim,
    ClaimFinding,
    roundabout,
    typed_amount_on_pass,
)
from fare_engine.errors import FareError
from fare_engine.fares.tariffs import Tariffs
from fare_engine.routing.candidates import Order, SearchRequest, candidates
from fare_engine.routing.notation import route_words
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium


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
            cheapest = _cheapest(item, passes, policy, tariffs)
            fault = roundabout(claim, cheapest) if cheapest is not None else None
        if fault is not None:
            found.append(fault)
    return found


def _cheapest(
    item: SlipItem, passes: EmployeePasses, policy: BusPolicy, tariffs: Tariffs
) -> int | None:
    """The cheapest way between the same ends after the passes; None where none can be found."""
    assert item.route is not None
    assert item.item_on is not None
    stations = route_words(item.route)
    question = SearchRequest(
        start=stations[0],
        end=stations[-1],
        on=item.item_on,
        medium=Medium(item.medium or "ic"),
        passes=passes.readable if item.without_pass_reason is None else (),
        bus_policy=policy,
        order=Order.CHARGED,
        count=1,
    )
    try:
        (best, *_) = candidates(question, tariffs)
    except FareError:
        return None
    return best.charged_yen * (2 if item.round_trip else 1)
