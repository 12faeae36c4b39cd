"""How does a priced ride look at a glance? A strip of its sections: green on a pass, red charged.

A pure function from the explanation to an SVG text, the same for API, page and printed slip.
Without colours it is read by the hatching (on a pass), the full bar (charged) and the labels;
without the picture, by title and description. Styled by attributes alone, so that no style policy
blocks it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from xml.sax.saxutils import escape

from fare_engine.fares.explanation import Explanation, Leg, PriceKind

GREEN, RED, GREY, INK, PAPER = "#1b7f4b", "#c62828", "#767676", "#1f2933", "#ffffff"
CHARACTER = 13  # px, width of a full-width character at the size of the labels
MARGIN = 44
BAR_TOP, BAR_HEIGHT = 58, 14
HEIGHT = 122
STATES = {True: "支払", False: "定期区間", None: "バス・別途"}
COLOURS = {True: RED, False: GREEN, None: GREY}


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of one leg that is charged throughout, or ridden on passes; None for a bus."""

    line: str
    from_station: str
    to_station: str
    charged: bool | None
    yen: int | None  # of the paid part that begins here


def sections(explanation: Explanation) -> list[Section]:
    """The pieces of a ride in riding order."""
    edges = iter(_edges(explanation))
    found: list[Section] = []
    for leg in explanation.legs:
        if leg.km10 is None:
            found.append(Section(leg.line, leg.from_station, leg.to_station, None, None))
            continue
        # The names of the leg: a run knows a station of several names by one of them only.
        ridden = [(*ends, *next(edges)) for ends in pairwise(leg.stations)]
        for (charged, _), group in groupby(ridden, key=lambda edge: edge[2:4]):
            piece = list(group)
            yen = next((edge[4] for edge in piece if edge[4] is not None), None)
            found.append(Section(leg.line, piece[0][0], piece[-1][1], charged, yen))
    return found


def fare_diagram_svg(explanation: Explanation, ident: str = "strip") -> str:
    """The picture; `ident` must be unique in its page."""
    pieces = sections(explanation)
    widths = [_width(piece) for piece in pieces]
    starts = [MARGIN + sum(widths[:i]) for i in range(len(widths))]
    width = 2 * MARGIN + sum(widths)
    drawn = [
        part
        for piece, x, w in zip(pieces, starts, widths, strict=True)
        for part in _section(piece, x, w, ident)
    ]
    stops = [*zip(starts, (piece.from_station for piece in pieces), strict=True)]
    stops.append((width - MARGIN, pieces[-1].to_station))
    drawn += [part for x, name in stops for part in _stop(x, name)]
    drawn += _changes(explanation.legs, pieces, starts)
    title = f"{pieces[0].from_station}から{pieces[-1].to_station}までの控除の図"
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {HEIGHT}"',
            f' width="{width}" height="{HEIGHT}" aria-labelledby="{ident}-title {ident}-desc"',
            ' font-family="sans-serif" font-size="12">',
            f'<title id="{ident}-title">{escape(title)}</title>',
            f'<desc id="{ident}-desc">{escape(_description(explanation, pieces))}</desc>',
            _hatching(ident),
            *drawn,
            "</svg>",
        ]
    )


def _edges(explanation: Explanation) -> Iterator[tuple[bool, int, int | None]]:
    """Charged, number of the paid part or stretch, and its yen at its first edge."""
    for run in explanation.runs:
        winner = next(price for price in run.candidates if price.wins)
        yen = [part.yen for part in winner.parts]
        if winner.kind is PriceKind.THROUGH:
            yen = [run.charged_yen]
        number, last = 0, None
        for edge in run.edges:
            begins = edge.charged and edge.charged != last
            number += edge.charged != last
            price = yen.pop(0) if begins and yen else None
            yield edge.charged, number, price
            last = edge.charged


def _width(piece: Section) -> int:
    longest = max(len(piece.line), len(piece.from_station), len(piece.to_station), 4)
    return max(110, longest * CHARACTER + 16)


def _section(piece: Section, x: int, width: int, ident: str) -> Iterator[str]:
    colour = COLOURS[piece.charged]
    fill = colour if piece.charged else PAPER if piece.charged is None else f"url(#{ident}-hatch)"
    dashes = ' stroke-dasharray="4 3"' if piece.charged is None else ""
    middle = x + width // 2
    state = STATES[piece.charged]
    words = f"{state} {piece.yen}円" if piece.yen is not None else state
    yield (
        f'<rect x="{x}" y="{BAR_TOP}" width="{width}" height="{BAR_HEIGHT}" fill="{fill}"'
        f' stroke="{colour}" stroke-width="2"{dashes}/>'
    )
    yield _text(middle, BAR_TOP - 8, piece.line, INK)
    yield _text(middle, BAR_TOP + BAR_HEIGHT + 16, words, colour, bold=True)


def _stop(x: int, name: str) -> Iterator[str]:
    middle = BAR_TOP + BAR_HEIGHT // 2
    yield f'<circle cx="{x}" cy="{middle}" r="8" fill="{PAPER}" stroke="{INK}" stroke-width="2"/>'
    yield _text(x, 24, name, INK, bold=True)


def _changes(legs: tuple[Leg, ...], pieces: list[Section], starts: list[int]) -> list[str]:
    """Where the rider walks to a station of another name, both names are shown."""
    walks = {
        (one.to_station, other.from_station)
        for one, other in pairwise(legs)
        if one.to_station != other.from_station
    }
    return [
        _text(x, HEIGHT - 10, f"{before.to_station}から徒歩", GREY)
        for before, after, x in zip(pieces, pieces[1:], starts[1:], strict=False)
        if (before.to_station, after.from_station) in walks
    ]


def _text(x: int, y: int, words: str, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" text-anchor="middle" fill="{colour}"{weight}>{escape(words)}</text>'
    )


def _hatching(ident: str) -> str:
    return (
        f'<defs><pattern id="{ident}-hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
        f' patternTransform="rotate(45)"><rect width="6" height="6" fill="{PAPER}"/>'
        f'<rect width="3" height="6" fill="{GREEN}"/></pattern></defs>'
    )


def _description(explanation: Explanation, pieces: list[Section]) -> str:
    parts = [
        f"{piece.from_station}―{piece.to_station}({piece.line}): {STATES[piece.charged]}"
        + (f" {piece.yen}円" if piece.yen is not None else "")
        for piece in pieces
    ]
    figures = f"運賃{explanation.through_yen}円、支払{explanation.charged_yen}円。"
    return "、".join(parts) + "。" + figures
