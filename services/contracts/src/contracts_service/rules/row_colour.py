"""Row colour: which colour does a contract's row have today, and why? (D36-D45).

First match wins, top to bottom: grey, green, blue, red, yellow, white. Nothing is stored: the
colour depends on the day. What a stronger colour hides remains visible in `urgency` and the flags.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from contracts_service.rules.calendar_days import first_day_reaching, japanese_date, months_before

RED_MONTHS = 2
YELLOW_MONTHS = 4


class Colour(StrEnum):
    """The six colours, in order of precedence."""

    GREY = "grey"
    GREEN = "green"
    BLUE = "blue"
    RED = "red"
    YELLOW = "yellow"
    WHITE = "white"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFacts:
    """The facts behind the colour; `transferred_in_on`: a move to this store was reflected."""

    final_on: date
    completed: bool = False
    tfc_handled: bool = False
    transferred_in_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowColour:
    """The colour, its reason, and the urgency that a stronger colour may hide.

    `urgency` is RED, YELLOW or WHITE, from the deadlines alone.
    """

    colour: Colour
    urgency: Colour
    overdue: bool
    transferred_in: bool
    tfc_handled: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourBounds:
    """The same decision as plain comparisons with columns, for SQL, in order of precedence.

    grey `final_on < overdue_before`; green `green_from <= transferred_in_on <= green_until`; blue
    the flag; red `final_on < red_before` and open; yellow `final_on < yellow_before` and open;
    else white.
    """

    overdue_before: date
    green_from: date
    green_until: date
    red_before: date
    yellow_before: date


@lru_cache(maxsize=8192)  # rows of one day have few distinct facts
def row_colour(facts: RowFacts, *, today: date, green_days: int | None = None) -> RowColour:
    """The row's colour on `today` (JST). Green ends after `green_days`; None: never."""
    overdue = today > facts.final_on
    transferred_in = _recently_moved_here(facts, today=today, green_days=green_days)
    urgency = _urgency(facts, today=today)
    if overdue:
        colour = Colour.GREY
    elif transferred_in:
        colour = Colour.GREEN
    elif facts.tfc_handled:
        colour = Colour.BLUE
    else:
        colour = urgency
    return RowColour(
        colour=colour,
        urgency=urgency,
        overdue=overdue,
        transferred_in=transferred_in,
        tfc_handled=facts.tfc_handled,
        reason=_reason(colour, facts),
    )


def colour_bounds(today: date, *, green_days: int | None = None) -> ColourBounds:
    """The bounds that give the colours of `row_colour` on `today`."""
    return ColourBounds(
        overdue_before=today,
        green_from=date.min if green_days is None else today - timedelta(days=green_days - 1),
        green_until=today,
        red_before=first_day_reaching(today, RED_MONTHS),
        yellow_before=first_day_reaching(today, YELLOW_MONTHS),
    )


def _recently_moved_here(facts: RowFacts, *, today: date, green_days: int | None) -> bool:
    if facts.transferred_in_on is None or facts.transferred_in_on > today:
        return False
    return green_days is None or (today - facts.transferred_in_on).days < green_days


def _urgency(facts: RowFacts, *, today: date) -> Colour:
    if facts.completed:
        return Colour.WHITE
    # The deadline day itself is still on time: red begins the day after it (D42), and exactly four
    # months before is not yet less than four (D43).
    if today > months_before(facts.final_on, RED_MONTHS):
        return Colour.RED
    if today > months_before(facts.final_on, YELLOW_MONTHS):
        return Colour.YELLOW
    return Colour.WHITE


def _reason(colour: Colour, facts: RowFacts) -> str:
    match colour:
        case Colour.GREY:
            return f"最終回期日（{japanese_date(facts.final_on)}）を経過しています"
        case Colour.GREEN:
            moved_on = facts.transferred_in_on
            since = japanese_date(moved_on) if moved_on else ""
            return f"{since}に他店舗から異動してきたお客様です"
        case Colour.BLUE:
            return "TFCにて対応するお客様です（車両全損等）"
        case Colour.WHITE if facts.completed:
            return "最終回対応は完了しています"
        case Colour.WHITE:
            white_until = japanese_date(months_before(facts.final_on, YELLOW_MONTHS))
            return f"{white_until}までは、最終回まで４ヶ月以上あります"
    due = japanese_date(months_before(facts.final_on, RED_MONTHS))
    until = f"（{due}）を過ぎ、" if colour is Colour.RED else f"は{due}です。"
    return f"結果入力期限{until}最終回対応が未完了です"
