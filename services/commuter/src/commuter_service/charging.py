"""What does a ride cost, and what is left of it after the passes? The figures, without the words.

Each run is charged by itself (rules/fare_deduction.py); neighbouring runs with a transfer discount
are charged together (rules/transfer_discount.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

from commuter_service.routes import CommuterPass, Route, Run
from commuter_service.rules.bus_policy import BusPolicy, deducts
from commuter_service.rules.fare_deduction import (
    PaidParts,
    Stretch,
    cheapest_payment,
    covered_stretches,
)
from commuter_service.rules.transfer_discount import CombinedCharge, combined_charge
from commuter_service.tariffs import FareBook, NoFareBetween

# More than any fare: a part that returns to its own start is no part to pay.
UNPAYABLE = 10**9


@dataclass(frozen=True, slots=True)
class RunCharge:
    """One run: its through fare, the cheapest payment, and the stretches of each pass on it."""

    run: Run
    through_yen: int
    payment: PaidParts
    stretches: tuple[tuple[int, tuple[Stretch, ...]], ...]

    @property
    def charged_yen(self) -> int:
        """What is left to pay."""
        return self.payment.yen


@dataclass(frozen=True, slots=True)
class DiscountedPair:
    """Runs `first` and `first + 1`, charged together."""

    first: int
    charge: CombinedCharge


@dataclass(frozen=True)
class RideCharge:
    """A ride one way, in yen. Charges such as 特急料金 are not in it."""

    runs: tuple[RunCharge, ...]
    pairs: tuple[DiscountedPair, ...]

    @cached_property
    def through_yen(self) -> int:
        """All through fares, discounts taken off."""
        return self._total({p.first: p.charge.through_yen for p in self.pairs}, charged=False)

    @cached_property
    def charged_yen(self) -> int:
        """All that is left to pay, discounts taken off."""
        return self._total({p.first: p.charge.charged_yen for p in self.pairs}, charged=True)

    def _total(self, together: dict[int, int], *, charged: bool) -> int:
        return sum(together.values()) + sum(
            run.charged_yen if charged else run.through_yen
            for position, run in enumerate(self.runs)
            if position not in together and position - 1 not in together
        )


def deducting_passes(
    passes: Sequence[CommuterPass], on: date, bus_policy: BusPolicy
) -> list[tuple[int, CommuterPass]]:
    """The passes that deduct on a day, with their positions in the given order."""
    return [
        (position, one)
        for position, one in enumerate(passes)
        if on in one.period and deducts(has_bus=one.route.has_bus, policy=bus_policy)
    ]


def charge_ride(
    route: Route, passes: Sequence[tuple[int, CommuterPass]], book: FareBook
) -> RideCharge:
    """Charge a ride by the fares of a book; passes as from `deducting_passes`."""
    runs = tuple([_charge_run(run, passes, book) for run in route.runs])
    return RideCharge(runs, tuple(_pairs(runs, book)) if len(runs) > 1 else ())


def _charge_run(run: Run, passes: Sequence[tuple[int, CommuterPass]], book: FareBook) -> RunCharge:
    stations, tracks = run.stations, run.tracks
    yen, system = book.yen, run.system
    if stations[0] == stations[-1]:
        raise NoFareBetween("出発駅に戻る経路には運賃がありません")

    def fare(start: int, end: int) -> int:
        a, b = stations[start], stations[end]
        return yen(system, a, b) if a != b else UNPAYABLE

    stretches = []
    for position, one in passes:
        covered = one.route.tracks
        if not covered.isdisjoint(tracks):
            flags = [track in covered for track in tracks]
            stretches.append((position, tuple(covered_stretches(flags))))
    every = [stretch for _, found in stretches for stretch in found]
    payment = cheapest_payment(len(tracks), every, fare)
    through = yen(system, stations[0], stations[-1])
    return RunCharge(run, through, payment, tuple(stretches))


def _pairs(runs: Sequence[RunCharge], book: FareBook) -> list[DiscountedPair]:
    """Neighbouring runs with a discount; one discount a ride."""
    pairs: list[DiscountedPair] = []
    for position, (one, other) in enumerate(pairwise(runs)):
        discount = book.discount(one.run.system, other.run.system)
        if not discount or pairs:
            continue
        charge = combined_charge(
            through_yen=book.combined_yen(
                (one.run.system, one.run.stations[0]), (other.run.system, other.run.stations[-1])
            ),
            first_yen=one.charged_yen,
            second_yen=other.charged_yen,
            discount_yen=discount,
        )
        pairs.append(DiscountedPair(position, charge))
    return pairs
