"""Recheck of a period: what its items would cost with the passes and tariffs of now.

Figures only, without words: a route is read once, a fare book is made once per day and medium.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.provider_charges import charge_source_ride
from commuter_service.provider_rides import QuotedFares, is_source_route, parse_source_ride
from fare_engine.errors import FareError
from fare_engine.fares.pricing import Terms
from fare_engine.fares.ride_charge import charge_ride, deducting_passes
from fare_engine.fares.tariffs import Tariffs
from fare_engine.routing.route_text import known_route
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium


@dataclass(frozen=True, slots=True)
class PaidItem:
    """What an item was decided by, and what it claims; `charges_yen` are one way."""

    item_id: str
    employee_id: str
    on: date
    route: str
    medium: Medium
    trips: int
    charged_yen: int
    charges_yen: int = 0
    child: bool = False
    with_passes: bool = True
    pass_ids: frozenset[str] = frozenset()
    quoted: QuotedFares = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rechecked:
    """An item that differs: `now_yen` None where it cannot be priced, with the reason."""

    item: PaidItem
    now_yen: int | None
    why: str = ""

    @property
    def difference_yen(self) -> int:
        """Yen to pay on top, or to recover if negative; 0 where nobody can tell."""
        return 0 if self.now_yen is None else self.now_yen - self.item.charged_yen


PURGED = "控除に使われた定期区間が削除されているため、再計算できません"


def recheck(
    items: Iterable[PaidItem],
    passes: Mapping[str, EmployeePasses],
    tariffs: Tariffs,
    *,
    bus_policy: BusPolicy = BusPolicy.RAIL_ONLY,
) -> Iterator[Rechecked]:
    """The items whose charge differs now, or that cannot be priced any more."""
    for item in items:
        own = passes.get(item.employee_id, EmployeePasses())
        if item.pass_ids - {one.pass_id for one in own.facts}:
            yield Rechecked(item, None, PURGED)
            continue
        try:
            now = _charged(item, own, bus_policy, tariffs)
        except FareError as fact:
            yield Rechecked(item, None, fact.message)
            continue
        if now != item.charged_yen:
            yield Rechecked(item, now)


def _charged(item: PaidItem, own: EmployeePasses, bus_policy: BusPolicy, tariffs: Tariffs) -> int:
    if not item.with_passes:
        own = EmployeePasses()
    if is_source_route(item.route):
        terms = Terms(item.on, item.medium, child=item.child, bus_policy=bus_policy)
        ride, of_source = parse_source_ride(item.route), own.of_source
        priced = charge_source_ride(
            ride, terms, own.readable, of_source, item.quoted, tariffs.network
        )
        return (priced.charged_yen + item.charges_yen) * item.trips
    book = tariffs.book(item.on, item.medium, child=item.child)
    deducting = deducting_passes(own.readable, item.on, bus_policy)
    charge = charge_ride(known_route(tariffs.network, item.route), deducting, book)
    return (charge.charged_yen + item.charges_yen) * item.trips
