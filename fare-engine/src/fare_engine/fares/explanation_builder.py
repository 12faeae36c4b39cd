"""Builds the explanation of a charged ride: parts, covered edges, reasons, notices."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise

from fare_engine.fares.explanation_model import (
    CandidatePrice,
    CoveredEdge,
    DiscountExplanation,
    Leg,
    Notice,
    PaidPart,
    PassExplanation,
    PassUse,
    PriceKind,
    Reason,
    RiddenEdge,
    RunExplanation,
)
from fare_engine.fares.fare_with_source import (
    MAY_BE_DISCOUNTED,
    MAY_BE_SPECIAL,
    MAY_BE_SURCHARGED,
    TICKET_FOR_IC,
    UNCONFIRMED,
)
from fare_engine.fares.ride_charge import RideCharge, RunCharge
from fare_engine.fares.tariffs import FareBook, NoFareBetween
from fare_engine.network.network import Network, Ride
from fare_engine.network.station_closures import closed_stations
from fare_engine.routing.route_text import BusRide, CommuterPass, Route, route_text
from fare_engine.rules.bus_policy import BUS_NOTICE, is_guaranteed
from fare_engine.rules.fare_deduction import Stretch, merged, outside_parts

MOST_STRETCHES_LISTED = 3
NOTICES = {
    MAY_BE_SPECIAL: "特定区間の運賃が適用される可能性があります。この日付の特定運賃は未確認です。",
    MAY_BE_SURCHARGED: "加算運賃がかかる区間を含みます。加算額は未確認のため含まれていません。",
    MAY_BE_DISCOUNTED: "会社間の乗継割引が適用される可能性があります。割引額は未確認のため"
    "差し引いていません。",
    UNCONFIRMED: "運賃未確認: 公表された運賃表で確認できていない運賃を含みます。",
    TICKET_FOR_IC: "ICカードの運賃が登録されていない区間、またはICカードを続けて利用できない区間"
    "を含みます。きっぷの運賃で計算しました。",
}
RIDE_WHY = {
    Reason.NO_PASS: "有効な定期区間がありません",
    Reason.NOT_ON_PASS: "経路が定期区間と重なりません",
    Reason.INSIDE_PASS: "全区間が定期区間内です",
}
PASS_WHY = {
    PassUse.USED: "控除に使用しました",
    PassUse.NOT_CHEAPER: "この定期区間を使わない方が安い",
    PassUse.NOT_ON_ROUTE: "経路が定期区間と重なりません",
    PassUse.NOT_VALID_ON_DAY: "明細の日付が有効期間外です",
    PassUse.BUS_EXCLUDED: "バス区間を含む定期区間は控除しない設定です",
    PassUse.STATION_CLOSED: "営業していない駅を含むため控除できません。登録し直してください",
}


@dataclass(frozen=True, slots=True)
class Explainer:
    """What every part of one explanation needs to know."""

    network: Network
    book: FareBook
    passes: Sequence[CommuterPass]

    def run(self, charge: RunCharge, *, any_pass: bool) -> RunExplanation:
        """Explain one run; `any_pass`: whether any pass deducts on the day."""
        names = [self.network.stations[station].name for station in charge.run.stations]
        reason = _reason(charge, any_pass=any_pass)
        return RunExplanation(
            operator=self.network.stations[charge.run.stations[0]].operator,
            from_station=names[0],
            to_station=names[-1],
            through_yen=charge.through_yen,
            charged_yen=charge.charged_yen,
            deduction_yen=charge.through_yen - charge.charged_yen,
            reason=reason,
            why=self.why(charge, any_pass=any_pass),
            candidates=tuple(self._candidates(charge)),
            covered=tuple(self._covered(charge)),
            edges=tuple(
                RiddenEdge(a, b, any(i <= position < j for i, j in charge.payment.parts))
                for position, (a, b) in enumerate(pairwise(names))
            ),
        )

    def why(self, charge: RunCharge, *, any_pass: bool) -> str:
        """The reason of one run in a sentence."""
        stations, run = self.network.stations, charge.run
        ride = f"{stations[run.stations[0]].name}―{stations[run.stations[-1]].name}"
        reason, through = _reason(charge, any_pass=any_pass), charge.through_yen
        if reason in RIDE_WHY:
            return f"{ride}: {RIDE_WHY[reason]}"
        if reason is Reason.OUTSIDE_CHEAPER:
            paid = [self._part(charge, part) for part in charge.payment.parts]
            parts = "+".join(f"{p.from_station}―{p.to_station} {p.yen}円" for p in paid)
            return f"{ride}: 定期区間外の運賃の方が安い({parts}、通し{through}円)"
        outside = self._least_outside(charge)
        if outside is None:
            return f"{ride}: 定期区間外だけの運賃がないため、通しの運賃です"
        if outside == through:
            return f"{ride}: 通しの運賃と定期区間外の合計が同額({outside}円)"
        prices = f"通し{through}円、定期区間外の合計{outside}円"
        return f"{ride}: 通しの運賃の方が安い({prices})"

    def _least_outside(self, charge: RunCharge) -> int | None:
        """None where each way outside has a part without a fare, as between 赤坂見附 and 永田町."""
        prices = self._candidates(charge)
        return min((one.yen for one in prices if one.kind is PriceKind.OUTSIDE), default=None)

    def used_passes(self, charge: RunCharge) -> frozenset[int]:
        """Positions of the passes that the winning payment rides on."""
        paid = {edge for i, j in charge.payment.parts for edge in range(i, j)}
        return frozenset(
            position
            for position, stretches in charge.stretches
            if any(edge not in paid for i, j in stretches for edge in range(i, j))
        )

    def _candidates(self, charge: RunCharge) -> Iterator[CandidatePrice]:
        length = len(charge.run.tracks)
        paths = dict.fromkeys([((0, length),), charge.payment.parts, *_paths(charge, length)])
        for parts in paths:
            if not all(self._has_fare(charge, part) for part in parts):
                continue
            paid = tuple(self._part(charge, part) for part in parts)
            through = parts == ((0, length),)
            yield CandidatePrice(
                kind=PriceKind.THROUGH if through else PriceKind.OUTSIDE,
                yen=sum(part.yen for part in paid),
                parts=paid,
                pass_ids=() if through else self._pass_ids(charge, parts),
                wins=parts == charge.payment.parts,
            )

    def _has_fare(self, charge: RunCharge, part: Stretch) -> bool:
        a, b = charge.run.stations[part[0]], charge.run.stations[part[1]]
        return _yen(self.book, charge.run.system, a, b) is not None

    def _part(self, charge: RunCharge, part: Stretch) -> PaidPart:
        a, b = charge.run.stations[part[0]], charge.run.stations[part[1]]
        fare = self.book.fare(charge.run.system, a, b)
        stations = self.network.stations
        return PaidPart(stations[a].name, stations[b].name, fare.yen, fare.tariff)

    def _pass_ids(self, charge: RunCharge, parts: Iterable[Stretch]) -> tuple[str, ...]:
        paid = {edge for i, j in parts for edge in range(i, j)}
        return tuple(
            self.passes[position].id
            for position, stretches in charge.stretches
            if any(edge not in paid for i, j in stretches for edge in range(i, j))
        )

    def _covered(self, charge: RunCharge) -> Iterator[CoveredEdge]:
        stations = self.network.stations
        passes_on: dict[int, tuple[str, ...]] = defaultdict(tuple)
        for index, stretches in charge.stretches:
            for i, j in stretches:
                for position in range(i, j):
                    passes_on[position] += (self.passes[index].id,)
        for position, track in enumerate(charge.run.tracks):
            on = passes_on.get(position)
            if on:
                line = self.network.lines[self.network.edges[track].line]
                a, b = charge.run.stations[position : position + 2]
                yield CoveredEdge(line.operator, line.name, stations[a].name, stations[b].name, on)


def explain_legs(route: Route) -> Iterator[Leg]:
    """The sections of a ride with their stations."""
    network = route.network
    for leg in route.legs:
        if isinstance(leg, BusRide):
            stops = (leg.from_stop, leg.to_stop)
            yield Leg("", leg.line, leg.from_stop, leg.to_stop, None, stops)
        else:
            yield _rail_leg(network, leg)


def explain_passes(
    explainer: Explainer, charge: RideCharge, deducting: Iterable[int], on: date
) -> Iterator[PassExplanation]:
    """What became of each pass, in the order given."""
    used = frozenset[int]().union(*(explainer.used_passes(run) for run in charge.runs))
    met = {position for run in charge.runs for position, _ in run.stretches}
    allowed = set(deducting)
    for position, one in enumerate(explainer.passes):
        if on not in one.period:
            use = PassUse.NOT_VALID_ON_DAY
        elif closed_stations(one.route, on):
            use = PassUse.STATION_CLOSED
        elif position not in allowed:
            use = PassUse.BUS_EXCLUDED
        elif position not in met:
            use = PassUse.NOT_ON_ROUTE
        else:
            use = PassUse.USED if position in used else PassUse.NOT_CHEAPER
        guaranteed = is_guaranteed(has_bus=one.route.has_bus)
        yield PassExplanation(
            one.id,
            one.version,
            route_text(one.route),
            str(one.period),
            use,
            PASS_WHY[use],
            guaranteed,
        )


def explain_discounts(charge: RideCharge) -> Iterator[DiscountExplanation]:
    """The pairs of runs that were charged together."""
    for pair in charge.discounted:
        systems = charge.runs[pair.first].run.system, charge.runs[pair.first + 1].run.system
        yield DiscountExplanation(
            systems, pair.charge.through_yen, pair.charge.charged_yen, pair.charge.discount_yen
        )


def explain_notices(explainer: Explainer, charge: RideCharge) -> Iterator[Notice]:
    """Unconfirmed fares, bus sections, and the split-ticket hint (F13)."""
    codes: dict[str, None] = {}
    for run in charge.runs:
        ends = run.run.stations[0], run.run.stations[-1]
        codes |= dict.fromkeys(explainer.book.fare(run.run.system, *ends).notices)
        for i, j in run.payment.parts:
            part = run.run.stations[i], run.run.stations[j]
            codes |= dict.fromkeys(explainer.book.fare(run.run.system, *part).notices)
    if any(_may_be_discounted(explainer.book, *runs) for runs in pairwise(charge.runs)):
        codes[MAY_BE_DISCOUNTED] = None
    for code in codes:
        yield Notice(code, NOTICES[code])
    if any(one.route.has_bus for one in explainer.passes):
        yield Notice("BUS_NOT_GUARANTEED", BUS_NOTICE)
    for run in charge.runs:
        yield from _split_hint(explainer, run)


def _may_be_discounted(book: FareBook, one: RunCharge, other: RunCharge) -> bool:
    """Whether two runs that are both charged in full may have a discount that is not recorded."""
    if not all(run.charged_yen == run.through_yen for run in (one, other)):
        return False
    fares = [
        book.fare(run.run.system, run.run.stations[0], run.run.stations[-1]) for run in (one, other)
    ]
    return book.may_be_discounted(*fares)


def _split_hint(explainer: Explainer, charge: RunCharge) -> Iterator[Notice]:
    """Two tickets for one run are cheaper: worth knowing, never charged (F13)."""
    run, book = charge.run, explainer.book
    if charge.charged_yen < charge.through_yen:
        return
    ends = (run.nodes[0], run.nodes[-1])
    inner = [s for s, node in zip(run.stations, run.nodes, strict=True) if node not in ends]
    splits = [
        (first + second, s)
        for s in inner
        if (first := _yen(book, run.system, run.stations[0], s)) is not None
        and (second := _yen(book, run.system, s, run.stations[-1])) is not None
    ]
    best = min(splits, default=None)
    if best and best[0] < charge.through_yen:
        saved = charge.through_yen - best[0]
        name = explainer.network.stations[best[1]].name
        yield Notice("SPLIT_TICKET_HINT", f"{name}で分けて購入すると{saved}円安くなります。")


def _yen(book: FareBook, system: str, a: int, b: int) -> int | None:
    """A fare, None where the tariff has none between the two."""
    try:
        return book.yen(system, a, b)
    except NoFareBetween:
        return None


def _rail_leg(network: Network, ride: Ride) -> Leg:
    line = network.lines[ride.line]
    names = tuple(network.stations[station].name for station in ride.stations)
    return Leg(line.operator, line.name, names[0], names[-1], network.ride_km10(ride), names)


def _paths(charge: RunCharge, length: int) -> Iterator[tuple[Stretch, ...]]:
    """Payments worth showing: outside every combination of the covered stretches, or of none."""
    union = merged([stretch for _, found in charge.stretches for stretch in found])
    sizes: Iterable[int] = range(1, len(union) + 1)
    if len(union) > MOST_STRETCHES_LISTED:
        sizes = (1, len(union))
    for size in sizes:
        for used in combinations(union, size):
            parts = outside_parts(length, used)
            nodes = charge.run.nodes
            if all(nodes[i] != nodes[j] for i, j in parts):  # no part returns to its start
                yield parts


def _reason(charge: RunCharge, *, any_pass: bool) -> Reason:
    if not any_pass:
        return Reason.NO_PASS
    if not charge.stretches:
        return Reason.NOT_ON_PASS
    if not charge.payment.parts:
        return Reason.INSIDE_PASS
    cheaper = charge.charged_yen < charge.through_yen
    return Reason.OUTSIDE_CHEAPER if cheaper else Reason.THROUGH_CHEAPER
