"""What does this ride cost on this day with these passes? The front door of the engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from commuter_service.charging import RideCharge, charge_ride, deducting_passes
from commuter_service.explaining import (
    Explainer,
    explain_discounts,
    explain_legs,
    explain_notices,
    explain_passes,
)
from commuter_service.explanation import Explanation, ExtraCharge
from commuter_service.routes import BUS, CommuterPass, Route
from commuter_service.rules.bus_policy import BusPolicy
from commuter_service.rules.fare_rounding import Medium
from commuter_service.station_days import closed, shut_stations
from commuter_service.tariffs import Tariffs, tokyo_tariffs
from shared.errors import Refusal


class BusFareMissing(Refusal):
    """A bus section has no tariff here; its fare must be given as a charge of kind バス."""

    code: ClassVar[str] = "BUS_FARE_MISSING"


@dataclass(frozen=True, slots=True)
class Terms:
    """The circumstances of a priced ride.

    `on` is the item's day: it chooses the tables (R38) and the valid passes (R36). `charges` are
    one way and never reduced (F16). A round trip is charged twice (F14).
    """

    on: date
    medium: Medium = Medium.IC
    child: bool = False
    round_trip: bool = False
    charges: tuple[ExtraCharge, ...] = ()
    bus_policy: BusPolicy = BusPolicy.RAIL_ONLY


def price(
    route: Route,
    terms: Terms,
    passes: Sequence[CommuterPass] = (),
    tariffs: Tariffs | None = None,
) -> Explanation:
    """Price a ride; yen per item. Raises Refusal, e.g. NoTariffOnDate, BusFareMissing."""
    if route.has_unpriced_bus and not any(charge.kind == BUS for charge in terms.charges):
        raise BusFareMissing("バス区間の運賃が登録されていません。金額を入力してください。")
    shut = shut_stations(route, terms.on)
    if shut:
        raise closed(shut, terms.on)
    tariffs = tariffs or tokyo_tariffs()
    book = tariffs.book(terms.on, terms.medium, child=terms.child)
    deducting = deducting_passes(passes, terms.on, terms.bus_policy)
    charge = charge_ride(route, deducting, book)
    explainer = Explainer(route.network, book, passes)
    runs = tuple(explainer.run(run, any_pass=bool(deducting)) for run in charge.runs)
    trips = 2 if terms.round_trip else 1
    extra = sum(one.yen for one in terms.charges)
    positions = [position for position, _ in deducting]
    return Explanation(
        on=terms.on,
        medium=str(terms.medium),
        child=terms.child,
        trips=trips,
        route=str(route),
        legs=tuple(explain_legs(route)),
        runs=runs,
        discounts=tuple(explain_discounts(charge)),
        charges=terms.charges,
        passes=tuple(explain_passes(explainer, charge, positions, terms.on)),
        notices=tuple(explain_notices(explainer, charge)),
        through_yen=(charge.through_yen + extra) * trips,
        charged_yen=(charge.charged_yen + extra) * trips,
        deduction_yen=(charge.through_yen - charge.charged_yen) * trips,
        why=" / ".join([*(run.why for run in runs), *_discounts_given(charge)]),
        data_version=tariffs.edition,
    )


def _discounts_given(charge: RideCharge) -> Iterator[str]:
    for pair in charge.discounted:
        if pair.charge.discount_yen:
            yield f"乗継割引 {pair.charge.discount_yen}円"
