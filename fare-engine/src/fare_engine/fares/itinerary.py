"""Itinerary of a priced ride: its trains and walks, with what is charged or on a pass.

What pages and prints draw as a strip. A pure function of the explanation, so that a ride that was
priced before trains were known has an itinerary too: one leg for each fare line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Literal

from fare_engine.fares.explanation_model import Explanation, PriceKind, TrainLeg
from fare_engine.routing.route_words import line_words


class Coverage(StrEnum):
    """Who pays for a section: the claim, a commuter pass, or a charge of its own (bus)."""

    CHARGED = "charged"
    ON_PASS = "on_pass"  # noqa: S105 - a commuter pass
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True)
class FareSection:
    """A piece of one fare line under one coverage.

    `yen`: the fare of the paid part that begins here; none where an earlier section holds it.
    """

    line: str
    start: str
    end: str
    coverage: Coverage
    yen: int | None


@dataclass(frozen=True, slots=True)
class ItineraryLeg:
    """A train with its sections, or a walk without any; `minutes` is none where not known."""

    kind: Literal["train", "walk"]
    name: str
    start: str
    end: str
    minutes: int | None
    sections: tuple[FareSection, ...] = ()


@dataclass(frozen=True, slots=True)
class _Edge:
    """One track of the ride; `part` numbers the paid part or the stretch on passes."""

    line: str
    start: str
    end: str
    coverage: Coverage
    part: int
    yen: int | None


def itinerary(explanation: Explanation) -> tuple[ItineraryLeg, ...]:
    """The trains and walks of a ride in riding order."""
    edges = list(_edges(explanation))
    rides = [one for one in explanation.trains if one.kind == "train"]
    shares = _shares(edges, rides)
    if shares is None:
        return tuple(_with_walks(_by_fare_line(explanation, edges)))
    ridden = iter(shares)
    legs = (
        ItineraryLeg(
            one.kind,
            one.name,
            one.start,
            one.end,
            one.minutes,
            tuple(_sections(next(ridden))) if one.kind == "train" else (),
        )
        for one in explanation.trains
    )
    return tuple(_with_walks(legs))


def _with_walks(legs: Iterable[ItineraryLeg]) -> Iterator[ItineraryLeg]:
    """The legs, with a walk where a train leaves from a place of another name."""
    before = ""
    for leg in legs:
        if before and before != leg.start:
            yield ItineraryLeg("walk", "徒歩", before, leg.start, None)
        yield leg
        before = leg.end


def _shares(edges: list[_Edge], rides: list[TrainLeg]) -> list[list[_Edge]] | None:
    """The edges of each train; None where the trains do not fit the edges."""
    shares: list[list[_Edge]] = []
    rest = iter(edges)
    for train in rides:
        share: list[_Edge] = []
        for edge in rest:
            share.append(edge)
            if edge.end == train.end:
                break
        shares.append(share)
    fits = all(
        share and (share[0].start, share[-1].end) == (train.start, train.end)
        for share, train in zip(shares, rides, strict=True)
    )
    return shares if rides and fits and next(rest, None) is None else None


def _by_fare_line(explanation: Explanation, edges: list[_Edge]) -> Iterator[ItineraryLeg]:
    rest = iter(edges)
    for leg in explanation.legs:
        share = [next(rest) for _ in pairwise(leg.stations)]
        sections = tuple(_sections(share))
        yield ItineraryLeg(
            "train", line_words(leg.line), leg.from_station, leg.to_station, None, sections
        )


def _sections(edges: list[_Edge]) -> Iterator[FareSection]:
    for (line, coverage, _), group in groupby(
        edges, key=lambda edge: (edge.line, edge.coverage, edge.part)
    ):
        piece = list(group)
        yen = next((edge.yen for edge in piece if edge.yen is not None), None)
        yield FareSection(line, piece[0].start, piece[-1].end, coverage, yen)


def _edges(explanation: Explanation) -> Iterator[_Edge]:
    """Every track of the ride under the names of its leg.

    A run knows a station of several names by one of them only.
    """
    charged = _charged(explanation)
    for leg in explanation.legs:
        line = line_words(leg.line)
        for start, end in pairwise(leg.stations):
            if leg.km10 is None:
                yield _Edge(line, start, end, Coverage.SEPARATE, 0, None)
            else:
                yield replace(next(charged), line=line, start=start, end=end)


def _charged(explanation: Explanation) -> Iterator[_Edge]:
    """Coverage, number of the part, and its yen at its first edge."""
    part = 0
    for run in explanation.runs:
        winner = next(price for price in run.candidates if price.wins)
        yen = [one.yen for one in winner.parts]
        if winner.kind is PriceKind.THROUGH:
            yen = [run.charged_yen]
        last = None
        for edge in run.edges:
            begins = edge.charged and edge.charged != last
            part += edge.charged != last
            coverage = Coverage.CHARGED if edge.charged else Coverage.ON_PASS
            yield _Edge("", "", "", coverage, part, yen.pop(0) if begins and yen else None)
            last = edge.charged
