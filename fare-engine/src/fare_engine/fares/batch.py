"""Many rides at once: rows of a file in, priced rows out, in order; a bad row stops no other.

Columns in: date, medium, from, to, via, route, pass, avoid, only (the last three and via joined by
" | "; avoid and only name operators). `price_batch` appends through_fare and charged in yen, why,
error as "CODE: sentence": over the route if one is given, else over the fastest way from `from` to
`to`. `list_candidates` writes a row for each candidate, at least one for each row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.fares.explanation_model import TrainLeg
from fare_engine.fares.pricing import ChargedRide, Terms, charge
from fare_engine.fares.tariffs import FareBook, Tariffs
from fare_engine.network.normalize import plain_name
from fare_engine.routing.candidates import (
    Candidate,
    Order,
    SearchRequest,
    candidates,
    operators_avoided,
)
from fare_engine.routing.name_escaping import split_words, unescaped
from fare_engine.routing.route_text import CommuterPass, Route, known_route, parse_pass
from fare_engine.routing.trains import trains_of
from fare_engine.rules.fare_rounding import Medium

COLUMNS = ("date", "medium", "from", "to", "via", "route", "pass", "avoid", "only")
APPENDED = ("through_fare", "charged", "why", "error")
CANDIDATE_COLUMNS = ("row", "place", "minutes", "changes", "trains", "labels")
SEPARATOR = "|"


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


@dataclass(frozen=True, slots=True)
class Avoided:
    """Operators that no row may use, and those that every row must keep to (none: any)."""

    avoid: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


def price_batch(
    rows: Iterable[Mapping[str, str | None]], tariffs: Tariffs, avoided: Avoided = Avoided()
) -> Iterator[dict[str, str]]:
    """Price rows one by one, keeping their order and their other columns."""
    search = _Search(tariffs)
    for row in rows:
        columns = _text_columns(row)
        try:
            priced = _charge_row(columns, search, avoided)
            answer = (str(priced.through_yen), str(priced.charged_yen), priced.why, "")
        except FareError as fact:
            answer = ("", "", "", f"{fact.code}: {fact.message}")
        yield columns | dict(zip(APPENDED, answer, strict=True))


def list_candidates(
    rows: Iterable[Mapping[str, str | None]],
    tariffs: Tariffs,
    order: Order = Order.RECOMMENDED,
    avoided: Avoided = Avoided(),
) -> Iterator[list[dict[str, str]]]:
    """The candidates of each row as rows of their own, with `row` and `place` counted from 1.

    A row with a route has that route as its only candidate; its minutes are not known. A refused
    row stands once, with its error and without a place.
    """
    search = _Search(tariffs)
    empty = dict.fromkeys((*CANDIDATE_COLUMNS, *APPENDED), "")
    for number, row in enumerate(rows, start=1):
        columns = _text_columns(row)
        kept = empty | columns | {"row": str(number)}
        try:
            found = _candidate_columns(columns, search, order, avoided)
        except FareError as fact:
            yield [kept | {"error": f"{fact.code}: {fact.message}"}]
        else:
            yield [kept | {"place": str(i)} | one for i, one in enumerate(found, start=1)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A row as the engine takes it; `route` None where the way is searched."""

    terms: Terms
    passes: tuple[CommuterPass, ...]
    route: Route | None
    question: SearchRequest


class _Search:
    """Searches, each way once: rows of days with the same fares share a question."""

    def __init__(self, tariffs: Tariffs) -> None:
        self.tariffs = tariffs
        self._found: dict[tuple[FareBook, frozenset[int], SearchRequest], list[Candidate]] = {}

    def candidates(self, question: SearchRequest) -> list[Candidate]:
        """As `candidates`."""
        on, days = question.on, self.tariffs.network.days_of
        valid = tuple([one for one in question.passes if on in one.period])
        shut = frozenset(s for s, (first, last) in days.items() if not first <= on <= last)
        book = self.tariffs.book(on, question.medium, child=question.child)
        key = (book, shut, replace(question, on=date.min, passes=valid))
        if key not in self._found:  # a refusal names its day and is not kept
            self._found[key] = candidates(question, self.tariffs)
        return self._found[key]


def _charge_row(row: Mapping[str, str], search: _Search, avoided: Avoided) -> ChargedRide:
    asked = _read(row, search.tariffs, avoided)
    route = asked.route
    if route is None:
        question = replace(asked.question, order=Order.TIME, count=1)
        route = search.candidates(question)[0].route
    return charge(route, asked.terms, asked.passes, search.tariffs)


def _candidate_columns(
    row: Mapping[str, str], search: _Search, order: Order, avoided: Avoided
) -> Iterable[dict[str, str]]:
    asked = _read(row, search.tariffs, avoided)
    if asked.route is not None:
        trains = trains_of(asked.route, search.tariffs.network)
        changes = sum(1 for one in trains if one.kind == "train") - 1
        figures = {"changes": str(changes), "trains": trains_text(trains)}
        return [figures | _fares(charge(asked.route, asked.terms, asked.passes, search.tariffs))]
    return [
        {
            "minutes": str(one.minutes),
            "changes": str(one.changes),
            "trains": trains_text(one.trains),
            "labels": f" {SEPARATOR} ".join(label.label_ja for label in one.labels),
        }
        | _fares(charge(one.route, asked.terms, asked.passes, search.tariffs))
        for one in search.candidates(replace(asked.question, order=order))
    ]


def _fares(priced: ChargedRide) -> dict[str, str]:
    return {
        "route": str(priced.route),
        "through_fare": str(priced.through_yen),
        "charged": str(priced.charged_yen),
        "why": priced.why,
    }


def trains_text(trains: Sequence[TrainLeg]) -> str:
    """新宿 湘南新宿ライン 横浜: stations and trains in riding order, walks included."""
    words: list[str] = []
    for train in trains:
        words += [*([] if words and words[-1] == train.start else [train.start])]
        words += [train.name, train.end]
    return " ".join(words)


def _read(row: Mapping[str, str], tariffs: Tariffs, avoided: Avoided) -> _Asked:
    """Read one row; raises FareError."""
    network = tariffs.network
    terms = Terms(parse_day(row.get("date", "")), parse_medium(row.get("medium", "")))
    passes = tuple(
        parse_pass(network, text, str(number))
        for number, text in enumerate(_parts(row.get("pass", "")), start=1)
    )
    avoid = operators_avoided(
        network,
        [*avoided.avoid, *_parts(row.get("avoid", ""))],
        _parts(row.get("only", "")) or avoided.only,
    )
    start, end = row.get("from", "").strip(), row.get("to", "").strip()
    via, text = tuple(map(unescaped, _parts(row.get("via", "")))), row.get("route", "").strip()
    question = SearchRequest(start, end, terms.on, terms.medium, via, avoid, passes)
    if text:
        route = known_route(network, text)
        check_ends(route, start, end)
        return _Asked(terms, passes, route, question)
    if not (start and end):
        raise PlacesMissing("出発駅と到着駅、または経路を入力してください")
    return _Asked(terms, passes, None, question)


def _text_columns(row: Mapping[str, str | None]) -> dict[str, str]:
    return {column: value or "" for column, value in row.items() if isinstance(column, str)}


def check_ends(route: Route, start: str, end: str) -> None:
    """Refuse a route that does not lead from `start` to `end`, where those are given."""
    for wanted, is_end in ((start, route.first_name), (end, route.last_name)):
        if wanted and plain_name(_unqualified(wanted)) != plain_name(is_end):
            raise RouteEndsDiffer(f"経路の端({is_end})が指定の駅({wanted})と異なります")


def _unqualified(name: str) -> str:
    return name.partition("(")[0].rpartition("/")[2]


def _parts(text: str) -> list[str]:
    return [part for part in split_words(text, "|") if part]
