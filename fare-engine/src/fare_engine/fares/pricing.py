"""What does this ride cost on this day with these passes? The front door of the engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.fares.explanation_builder import (
    Explainer,
    explain_discounts,
    explain_legs,
    explain_notices,
    explain_passes,
)
from fare_engine.fares.explanation_model import Explanation, ExtraCharge
from fare_engine.fares.ride_charge import RideCharge, charge_ride, deducting_passes
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.station_closures import closed, closed_stations
from fare_engine.routing.name_escaping import BUS
from fare_engine.routing.route_text import CommuterPass, Route
from fare_engine.routing.trains import trains_of
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.fare_rounding import Medium


class BusFareMissing(FareError):
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

    @property
    def trips(self) -> int:
        """How often the ride is charged."""
        return 2 if self.round_trip else 1


@dataclass(frozen=True, slots=True)
class ChargedRide:
    """A ride with its figures and the reasons for them; `explanation` says all the rest."""

    route: Route
    terms: Terms
    tariffs: Tariffs
    charge: RideCharge
    deducting: Sequence[tuple[int, CommuterPass]]
    explainer: Explainer

    @property
    def through_yen(self) -> int:
        """Before the passes, for all trips and with the charges beside the fare."""
        return self._total(self.charge.through_yen)

    @property
    def charged_yen(self) -> int:
        """The same after the passes."""
        return self._total(self.charge.charged_yen)

    @property
    def why(self) -> str:
        """Why each run costs what it costs, and the discounts given."""
        any_pass = bool(self.deducting)
        reasons = [self.explainer.why(run, any_pass=any_pass) for run in self.charge.runs]
        return " / ".join([*reasons, *_discounts_given(self.charge)])

    def explanation(self) -> Explanation:
        """The object behind page, printed slip and API."""
        terms, charge, explainer = self.terms, self.charge, self.explainer
        positions = [position for position, _ in self.deducting]
        return Explanation(
            on=terms.on,
            medium=str(terms.medium),
            child=terms.child,
            trips=terms.trips,
            route=str(self.route),
            legs=tuple(explain_legs(self.route)),
            runs=tuple(explainer.run(run, any_pass=bool(positions)) for run in charge.runs),
            discounts=tuple(explain_discounts(charge)),
            charges=terms.charges,
            passes=tuple(explain_passes(explainer, charge, positions, terms.on)),
            notices=tuple(explain_notices(explainer, charge)),
            through_yen=self.through_yen,
            charged_yen=self.charged_yen,
            deduction_yen=self.through_yen - self.charged_yen,
            why=self.why,
            data_version=self.tariffs.edition,
            trains=trains_of(self.route, self.route.network),
        )

    def _total(self, yen: int) -> int:
        return (yen + sum(one.yen for one in self.terms.charges)) * self.terms.trips


def charge(
    route: Route,
    terms: Terms,
    passes: Sequence[CommuterPass],
    tariffs: Tariffs,
) -> ChargedRide:
    """Charge a ride. Raises FareError, e.g. NoTariffOnDate, BusFareMissing."""
    if route.has_unpriced_bus and not any(one.kind == BUS for one in terms.charges):
        raise BusFareMissing("バス区間の運賃が登録されていません。金額を入力してください。")
    shut = closed_stations(route, terms.on)
    if shut:
        raise closed(shut, terms.on)
    book = tariffs.book(terms.on, terms.medium, child=terms.child)
    deducting = deducting_passes(passes, terms.on, terms.bus_policy)
    found = charge_ride(route, deducting, book)
    explainer = Explainer(route.network, book, passes)
    return ChargedRide(route, terms, tariffs, found, deducting, explainer)


def price(
    route: Route,
    terms: Terms,
    passes: Sequence[CommuterPass],
    tariffs: Tariffs,
) -> Explanation:
    """Price a ride with its whole explanation. Raises as `charge`."""
    return charge(route, terms, passes, tariffs).explanation()


def _discounts_given(charge: RideCharge) -> Iterator[str]:
    for pair in charge.discounted:
        if pair.charge.discount_yen:
            yield f"乗継割引 {pair.charge.discount_yen}円"
