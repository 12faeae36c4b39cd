"""Does a change of passes since a look-up alter what the item is charged (R56)?

The ride is priced twice by the tables of now: with the passes that the look-up knew, as the item
keeps them, and with those of now. A renewal, an end after the day, or a pass beside the ride alters
nothing, and nothing is said of it.
"""

from dataclasses import replace

from commuter_service.models import Slip, SlipItem
from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.provider_rides import is_source_route
from commuter_service.rules.pass_warning import ItemFacts, versions_changed
from commuter_service.rules.slip_approval import AT_HOME, SlipStatus
from fare_engine.errors import FareError
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import Tariffs
from fare_engine.routing.route_text import CommuterPass, known_route
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period

BUS_EXCLUDED = "BUS_EXCLUDED"


def charge_changed(
    slip: Slip, item: SlipItem, facts: ItemFacts, passes: EmployeePasses, tariffs: Tariffs
) -> bool:
    """Whether the passes of now deduct something else; also where nobody can tell."""
    keys = frozenset((str(one), int(version)) for one, version in item.passes_at_search)
    deleted = deleted_passes(item, passes)
    kept = frozenset[str]() if SlipStatus(slip.status) in AT_HOME else deleted
    seen = frozenset(key for key in keys if key[0] not in kept)
    if item.without_pass_reason is not None or not versions_changed(facts, seen, passes.facts):
        return False
    assert item.searched_on is not None
    try:
        then = _passes_then(item, keys, tariffs)
        now = tuple(one for one in passes.readable if item.searched_on in one.period)
        now += tuple(one for one in then if one.id in kept)
        if _routes(then) == _routes(now) and not passes.of_source:
            return False
        return _charged(item, then, tariffs) != _charged(item, now, tariffs)
    except (FareError, _CannotTell):
        return True


def deleted_passes(item: SlipItem, passes: EmployeePasses) -> frozenset[str]:
    """The passes of an item's look-up that exist no longer (R17)."""
    existing = {one.pass_id for one in passes.facts}
    return frozenset(str(one) for one, _ in item.passes_at_search) - existing


class _CannotTell(Exception):
    """The fares of another source's ride are quoted by that source alone."""


def _passes_then(
    item: SlipItem, keys: frozenset[tuple[str, int]], tariffs: Tariffs
) -> tuple[CommuterPass, ...]:
    kept = (item.explanation or {}).get("passes", ())
    always = Period(None, None)
    return tuple(
        CommuterPass(
            one["pass_id"], one["version"], known_route(tariffs.network, one["route"]), always
        )
        for one in kept
        if (one["pass_id"], one["version"]) in keys and not is_source_route(one["route"])
    )


def _routes(passes: tuple[CommuterPass, ...]) -> frozenset[str]:
    return frozenset(str(one.route) for one in passes)


def _charged(item: SlipItem, passes: tuple[CommuterPass, ...], tariffs: Tariffs) -> int:
    assert item.route is not None
    assert item.searched_on is not None
    if is_source_route(item.route):
        raise _CannotTell
    explanation = item.explanation or {}
    excluded = any(one["use"] == BUS_EXCLUDED for one in explanation.get("passes", ()))
    terms = Terms(
        on=item.searched_on,
        medium=Medium(item.medium or "ic"),
        child=explanation.get("child", False),
        round_trip=item.round_trip,
        charges=(),
        bus_policy=BusPolicy.NONE if excluded else BusPolicy.RAIL_ONLY,
    )
    route = known_route(tariffs.network, item.route)
    valid = [replace(one, period=Period(None, None)) for one in passes]
    return price(route, terms, valid, tariffs).charged_yen
