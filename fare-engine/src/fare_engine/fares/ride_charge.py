"""What does a ride cost, and what is left of it after the passes? The figures, without the words.

Each run is charged by itself (rules/fare_deduction.py); neighbouring runs with a transfer discount
are charged together (rules/transfer_discount.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

from fare_engine.fares.segments import Run
from fare_engine.fares.tariffs import FareBook, NoFareBetween
from fare_engine.network.station_closures import closed_stations
from fare_engine.routing.route_text import CommuterPass, Route
from fare_engine.rules.bus_policy import BusPolicy, deducts
from fare_engine.rules.fare_deduction import (
    PaidParts,
    Stretch,
    cheapest_payment,
    covered_stretches,
)
from fare_engine.rules.transfer_discount import CombinedCharge, combined_charge

# More than any fare: a part that returns to its own start, or has no fare, is no part to pay.
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
    apart: tuple[int, int]

    @property
    def through_saving(self) -> int:
        """What charging them together takes off their through fares."""
        return self.apart[0] - self.charge.through_yen

    @property
    def charged_saving(self) -> int:
        """What charging them together takes off what is left of them after the passes."""
        return self.apart[1] - self.charge.charged_yen


@dataclass(frozen=True)
class RideCharge:
    """A ride one way, in yen. Charges such as 特急料金 are not in it.

    `chains`: where discounts are possible, the pairs of runs that could be charged together. One
    discount a chain is given, for the pair where it saves most.
    """

    runs: tuple[RunCharge, ...]
    chains: tuple[tuple[DiscountedPair, ...], ...]

    @cached_property
    def through_yen(self) -> int:
        """All through fares, discounts taken off."""
        saved = sum(max(pair.through_saving for pair in chain) for chain in self.chains)
        return sum(run.through_yen for run in self.runs) - saved

    @cached_property
    def charged_yen(self) -> int:
        """All that is left to pay, discounts taken off."""
        saved = sum(pair.charged_saving for pair in self.discounted)
        return sum(run.charged_yen for run in self.runs) - saved

    @property
    def discounted(self) -> list[DiscountedPair]:
        """The pair of each chain that is charged together."""
        return [max(chain, key=lambda pair: pair.charged_saving) for chain in self.chains]


def deducting_passes(
    passes: Sequence[CommuterPass], on: date, bus_policy: BusPolicy
) -> list[tuple[int, CommuterPass]]:
    """The passes that deduct on a day, with their positions in the given order."""
    return [
        (position, one)
        for position, one in enumerate(passes)
        if on in one.period
        and deducts(has_bus=one.route.has_bus, policy=bus_policy)
        and not closed_stations(one.route, on)
    ]


def charge_ride(
    route: Route, passes: Sequence[tuple[int, CommuterPass]], book: FareBook
) -> RideCharge:
    """Charge a ride by the fares of a book; passes as from `deducting_passes`."""
    runs = tuple([_charge_run(run, passes, book) for run in route.runs])
    return RideCharge(runs, tuple(_chains(runs, book)) if len(runs) > 1 else ())


def _charge_run(run: Run, passes: Sequence[tuple[int, CommuterPass]], book: FareBook) -> RunCharge:
    stations, nodes, tracks = run.stations, run.nodes, run.tracks
    yen, system = book.yen, run.system
    if nodes[0] == nodes[-1]:
        raise NoFareBetween("出発駅に戻る経路には運賃がありません")

    def fare(start: int, end: int) -> int:
        if nodes[start] == nodes[end]:
            return UNPAYABLE
        try:
            return yen(system, stations[start], stations[end])
        except NoFareBetween:  # a tariff of pairs may lack one
            return UNPAYABLE

    stretches = []
    for position, one in passes:
        covered = one.route.tracks
        if not covered.isdisjoint(tracks):
            flags = [track in covered for track in tracks]
            stretches.append((position, tuple(covered_stretches(flags))))
    every = [stretch for _, found in stretches for stretch in found]
    through = yen(system, stations[0], stations[-1])
    payment = cheapest_payment(len(tracks), every, fare)
    return RunCharge(run, through, payment, tuple(stretches))


def _chains(runs: Sequence[RunCharge], book: FareBook) -> Iterator[tuple[DiscountedPair, ...]]:
    """Neighbouring runs between which discounts exist, as chains of overlapping pairs."""
    chain: list[DiscountedPair] = []
    for position, (one, other) in enumerate(pairwise(runs)):
        discount = book.discounts.get((one.run.system, other.run.system))
        if discount:
            chain.append(_pair(position, one, other, discount, book))
        elif chain:
            yield tuple(chain)
            chain = []
    if chain:
        yield tuple(chain)


def _pair(
    position: int, one: RunCharge, other: RunCharge, discount: int, book: FareBook
) -> DiscountedPair:
    start = (one.run.system, one.run.stations[0])
    end = (other.run.system, other.run.stations[-1])
    charge = combined_charge(
        through_yen=book.combined_yen(start, end),
        first_yen=one.charged_yen,
        second_yen=other.charged_yen,
        discount_yen=discount,
    )
    apart = (one.through_yen + other.through_yen, one.charged_yen + other.charged_yen)
    return DiscountedPair(position, charge, apart)
