"""Charges of a ride quoted by a route provider, after the passes, with their explanation.

The explanation has the shape of the engine's, so that page, strip and printed slip show it alike.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from commuter_service.provider_rides import (
    SOURCE,
    EdgeKey,
    PaidWay,
    QuotedFare,
    QuotedFares,
    SourceEdge,
    SourceFareMissing,
    SourcePass,
    SourceRide,
    covered_by,
    edges_of,
    part_of,
    ways_to_pay,
)
from fare_engine.fares.explanation_builder import PASS_WHY, RIDE_WHY
from fare_engine.fares.explanation_model import (
    CandidatePrice,
    Explanation,
    Leg,
    Notice,
    PaidPart,
    PassExplanation,
    PassUse,
    PriceKind,
    Reason,
    RiddenEdge,
    RunExplanation,
    TrainLeg,
)
from fare_engine.fares.fare_with_source import TariffRef
from fare_engine.fares.pricing import Terms
from fare_engine.fares.ride_charge import deducting_passes
from fare_engine.network.network import Network
from fare_engine.routing.route_text import CommuterPass

QUOTED_BY_SOURCE = Notice("FARE_OF_SOURCE", f"運賃は{SOURCE}の回答による金額です。")


@dataclass(frozen=True)
class SourceCharge:
    """A ride of the source, one way: the ways to pay it, and the cheapest, in yen."""

    ride: SourceRide
    edges: tuple[SourceEdge, ...]
    terms: Terms
    quoted: QuotedFares
    covered: Mapping[str, frozenset[EdgeKey]]

    @cached_property
    def prices(self) -> list[tuple[int, PaidWay]]:
        """The ways to pay that have fares, the through fare first."""
        ways = [(self._way_yen(way), way) for way in ways_to_pay(self.edges, self.covered)]
        return [(yen, way) for yen, way in ways if yen is not None]

    @property
    def through_yen(self) -> int:
        """Before the passes."""
        return self.prices[0][0]

    @cached_property
    def winner(self) -> PaidWay:
        """The cheapest way; of equals the one without passes."""
        return min(self.prices, key=lambda price: price[0])[1]

    @property
    def charged_yen(self) -> int:
        """After the passes."""
        return min(yen for yen, _ in self.prices)

    @property
    def reason(self) -> Reason:
        """Why the winner won."""
        if not self.covered:
            return Reason.NO_PASS
        if len(self.prices) == 1:
            return Reason.NOT_ON_PASS
        if not self.winner.parts:
            return Reason.INSIDE_PASS
        return Reason.OUTSIDE_CHEAPER if self.winner.pass_ids else Reason.THROUGH_CHEAPER

    @property
    def why(self) -> str:
        """The reason in a sentence."""
        ride = f"{self.edges[0].start}―{self.edges[-1].end}"
        if self.reason in RIDE_WHY:
            return f"{ride}: {RIDE_WHY[self.reason]}"
        outside = min(yen for yen, way in self.prices if way.pass_ids)
        prices = f"通し{self.through_yen}円、定期区間外の合計{outside}円"
        cheaper = "定期区間外の運賃" if self.winner.pass_ids else "通しの運賃"
        return f"{ride}: {cheaper}の方が安い({prices})"

    def part(self, i: int, j: int) -> QuotedFare:
        """What the source quoted for a part; raises SourceFareMissing if it was not asked."""
        whole = (i, j) == (0, len(self.edges))
        text = str(self.ride if whole else part_of(self.ride, self.edges, i, j))
        found = self.quoted.get((text, self.terms.on, self.terms.medium))
        if found is None or (whole and found.yen is None):
            raise SourceFareMissing
        return found

    def _way_yen(self, way: PaidWay) -> int | None:
        yen = [self.part(i, j).yen for i, j in way.parts]
        known = [one for one in yen if one is not None]
        return sum(known) if len(known) == len(yen) else None


def charge_source_ride(  # noqa: PLR0913, PLR0917 - a ride, its circumstances, and what was quoted
    ride: SourceRide,
    terms: Terms,
    passes: Sequence[CommuterPass],
    source_passes: Sequence[SourcePass],
    quoted: QuotedFares,
    network: Network,
) -> SourceCharge:
    """Charge a ride by the fares that the source quoted; raises SourceFareMissing."""
    if terms.child:
        raise SourceFareMissing
    own = [one for _, one in deducting_passes(passes, terms.on, terms.bus_policy)]
    valid = [one for one in source_passes if terms.on in one.period]
    covered = covered_by(own, valid, network)
    charge = SourceCharge(ride, edges_of(ride, network), terms, quoted, covered)
    charge.part(0, len(charge.edges))
    return charge


def explain_source_ride(
    charge: SourceCharge, passes: Sequence[CommuterPass], source_passes: Sequence[SourcePass]
) -> Explanation:
    """The whole explanation; `data_version` names the source."""
    terms, run = charge.terms, _run(charge)
    extra = sum(one.yen for one in terms.charges)
    through = (charge.through_yen + extra) * terms.trips
    charged = (charge.charged_yen + extra) * terms.trips
    return Explanation(
        on=terms.on,
        medium=str(terms.medium),
        child=terms.child,
        trips=terms.trips,
        route=str(charge.ride),
        legs=tuple(_legs(charge)),
        runs=(run,),
        discounts=(),
        charges=terms.charges,
        passes=tuple(_passes(charge, passes, source_passes)),
        notices=(QUOTED_BY_SOURCE,),
        through_yen=through,
        charged_yen=charged,
        deduction_yen=through - charged,
        why=charge.why,
        data_version=SOURCE,
        trains=trains_of_source(charge.ride, charge.part(0, len(charge.edges)).minutes),
    )


def _run(charge: SourceCharge) -> RunExplanation:
    edges, winner = charge.edges, charge.winner
    paid = {edge for i, j in winner.parts for edge in range(i, j)}
    return RunExplanation(
        operator=SOURCE,
        from_station=edges[0].start,
        to_station=edges[-1].end,
        through_yen=charge.through_yen,
        charged_yen=charge.charged_yen,
        deduction_yen=charge.through_yen - charge.charged_yen,
        reason=charge.reason,
        why=charge.why,
        candidates=tuple(
            CandidatePrice(
                kind=PriceKind.OUTSIDE if way.pass_ids else PriceKind.THROUGH,
                yen=yen,
                parts=tuple(_part(charge, i, j) for i, j in way.parts),
                pass_ids=way.pass_ids,
                wins=way == winner,
            )
            for yen, way in charge.prices
        ),
        covered=(),
        edges=tuple(
            RiddenEdge(edge.start, edge.end, number in paid) for number, edge in enumerate(edges)
        ),
    )


def _part(charge: SourceCharge, i: int, j: int) -> PaidPart:
    on = charge.terms.on
    table = TariffRef(SOURCE, "API", on, on, "source", 0, None, 0)
    yen = charge.part(i, j).yen
    assert yen is not None  # a way with a part without a fare is no price
    return PaidPart(charge.edges[i].start, charge.edges[j - 1].end, yen, table)


def _legs(charge: SourceCharge) -> Iterator[Leg]:
    """The trains; their kilometres are not known, and 0."""
    for number, leg in enumerate(charge.ride.legs):
        if not leg.is_walk:
            ends = [edge.end for edge in charge.edges if edge.leg == number]
            yield Leg(SOURCE, leg.line, leg.stops[0], leg.stops[-1], 0, (leg.stops[0], *ends))


def _passes(
    charge: SourceCharge, passes: Iterable[CommuterPass], source_passes: Iterable[SourcePass]
) -> Iterator[PassExplanation]:
    named = {one.id: str(one.ride) for one in source_passes}
    met = {one for _, way in charge.prices for one in way.pass_ids}
    every: dict[str, CommuterPass | SourcePass] = {one.id: one for one in passes}
    every |= {one.id: one for one in source_passes}
    for one in every.values():
        if charge.terms.on not in one.period:
            use = PassUse.NOT_VALID_ON_DAY
        elif one.id in charge.winner.pass_ids:
            use = PassUse.USED
        else:
            use = PassUse.NOT_CHEAPER if one.id in met else PassUse.NOT_ON_ROUTE
        route = named[one.id] if isinstance(one, SourcePass) else str(one.route)
        yield PassExplanation(
            one.id, one.version, route, str(one.period), use, PASS_WHY[use], guaranteed=True
        )


def trains_of_source(ride: SourceRide, minutes: Sequence[int]) -> tuple[TrainLeg, ...]:
    """Trains and walks, with the minutes that the source quoted."""
    return tuple(
        TrainLeg(
            "walk" if leg.is_walk else "train",
            leg.line,
            () if leg.is_walk else (SOURCE,),
            leg.stops[0],
            leg.stops[-1],
            taken,
            0 if leg.is_walk else len(leg.stops) - 1,
        )
        for leg, taken in zip(ride.legs, minutes or [0] * len(ride.legs), strict=True)
    )
