"""What do many rides cost? One row in, one row out, in order; a bad row never stops the others.

Columns in: date, medium, from, to, via, route, pass (via and pass joined by " | "). Appended:
through_fare and charged in yen, why, error as "CODE: sentence". With a route the row is priced over
it; without one, over the quickest way from `from` to `to`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.fares.pricing import ChargedRide, Terms, charge
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.normalize import plain_name
from fare_engine.routing.candidates import SearchRequest, candidates
from fare_engine.routing.notation import split_words, unescaped
from fare_engine.routing.route_text import Route, known_route, parse_pass
from fare_engine.rules.fare_rounding import Medium

COLUMNS = ("date", "medium", "from", "to", "via", "route", "pass")
APPENDED = ("through_fare", "charged", "why", "error")


class DateUnreadable(FareError):
    """The day is neither YYYY-MM-DD nor YYYY/MM/DD."""

    code: ClassVar[str] = "DATE_UNREADABLE"


class UnknownMedium(FareError):
    """The fare medium is neither ic nor ticket."""

    code: ClassVar[str] = "UNKNOWN_MEDIUM"


class PlacesMissing(FareError):
    """Neither a route nor both ends were given."""

    code: ClassVar[str] = "PLACES_MISSING"


class RouteEndsDiffer(FareError):
    """The given ends are not the ends of the given route."""

    code: ClassVar[str] = "ROUTE_ENDS_DIFFER"


def parse_day(text: str) -> date:
    """Read YYYY-MM-DD or YYYY/MM/DD (R64)."""
    try:
        return date.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        raise DateUnreadable(f"日付はYYYY/MM/DDで入力してください: {text}") from None


def parse_medium(text: str) -> Medium:
    """Read ic or ticket; empty is ic."""
    try:
        return Medium(text.strip().lower() or Medium.IC)
    except ValueError:
        raise UnknownMedium(f"運賃の種類はicかticketで入力してください: {text}") from None


def price_batch(
    rows: Iterable[Mapping[str, str | None]], tariffs: Tariffs
) -> Iterator[dict[str, str]]:
    """Price rows one by one, keeping their order and their other columns."""
    for row in rows:
        columns = {column: value or "" for column, value in row.items() if isinstance(column, str)}
        try:
            priced = charge_row(columns, tariffs)
            answer = (str(priced.through_yen), str(priced.charged_yen), priced.why, "")
        except FareError as fact:
            answer = ("", "", "", f"{fact.code}: {fact.message}")
        yield columns | dict(zip(APPENDED, answer, strict=True))


def charge_row(row: Mapping[str, str], tariffs: Tariffs) -> ChargedRide:
    """Charge one row; raises FareError."""
    network = tariffs.network
    terms = Terms(parse_day(row.get("date", "")), parse_medium(row.get("medium", "")))
    passes = tuple(
        parse_pass(network, text, str(number))
        for number, text in enumerate(_parts(row.get("pass", "")), start=1)
    )
    start, end = row.get("from", "").strip(), row.get("to", "").strip()
    text = row.get("route", "").strip()
    if text:
        route = known_route(network, text)
        check_ends(route, start, end)
    elif start and end:
        question = SearchRequest(start, end, terms.on, terms.medium, passes=passes, count=1)
        via = tuple(map(unescaped, _parts(row.get("via", ""))))
        route = candidates(replace(question, via=via), tariffs)[0].route
    else:
        raise PlacesMissing("出発駅と到着駅、または経路を入力してください")
    return charge(route, terms, passes, tariffs)


def check_ends(route: Route, start: str, end: str) -> None:
    """Refuse a route that does not lead from `start` to `end`, where those are given."""
    for wanted, is_end in ((start, route.first_name), (end, route.last_name)):
        if wanted and plain_name(_unqualified(wanted)) != plain_name(is_end):
            raise RouteEndsDiffer(f"経路の端({is_end})が指定の駅({wanted})と異なります")


def _unqualified(name: str) -> str:
    return name.partition("(")[0].rpartition("/")[2]


def _parts(text: str) -> list[str]:
    return [part for part in split_words(text, "|") if part]
