"""Refusals of 乗換案内, each beside the field that it concerns."""

from collections.abc import Mapping, Sequence

from portal_service.api_client import FieldError, Problem

VIA_FIELDS = ("via", "via_2", "via_3")
FIELDS = ("start", *VIA_FIELDS, "end")
USUAL_FIELD = {
    "SAME_PLACE": "end",
    "NO_ROUTE_BETWEEN": "end",
    "NO_FARE_BETWEEN": "end",
    "NO_TARIFF_ON_DATE": "on",
    "STATION_CLOSED": "on",
}
"""The field of a refusal that names no station as it was typed."""
NOT_COVERED = frozenset(
    {
        "UNKNOWN_STATION",
        "STATION_OUTSIDE_AREA",
        "STATION_CLOSED",
        "NO_ROUTE_BETWEEN",
        "NO_FARE_BETWEEN",
        "NO_TARIFF_ON_DATE",
        "LOOK_UP_REFUSED",
        "LOOK_UP_UNAVAILABLE",
    }
)
"""Refusals of a question that the look-up has no answer to."""


def beside_station(problem: Problem, typed: Mapping[str, object], advice: str = "") -> Problem:
    """A refusal of 乗換案内 beside the field that it concerns, with the names to take instead.

    `typed` are the values of the form by field; a refusal that concerns none of them stays as it
    is. `advice` is the sentence that follows where the look-up does not know the way.
    """
    if problem.code == "STATIONS_REFUSED":
        return _each_beside_its_field(problem, typed, advice)
    field = _field(problem, typed)
    if problem.errors or field is None:
        return problem
    choices = _names(problem, "choices") or _names(problem, "suggestions")
    error = FieldError(field, _words(problem, choices, advice), problem.code, choices)
    return Problem(
        problem.status, problem.code, problem.title, problem.detail, (error,), problem.facts
    )


def is_not_covered(problem: Problem | None) -> bool:
    """Whether the look-up has no answer to this question, so that the amount is typed by hand."""
    if problem is None:
        return False
    return not NOT_COVERED.isdisjoint([problem.code, *(one.code for one in problem.errors)])


def _each_beside_its_field(problem: Problem, typed: Mapping[str, object], advice: str) -> Problem:
    """Several refused names. The service counts the via stations that are not empty."""
    errors = []
    for error in problem.errors:
        before, at, number = error.field.rpartition("via.")
        filled = [name for via in VIA_FIELDS if _text(typed, name := before + via)]
        field = filled[int(number)] if at else error.field
        choices = _names(problem, error.field)
        station = _text(typed, field)
        one = Problem(problem.status, error.code, error.message, "", facts={"station": station})
        errors.append(FieldError(field, _words(one, choices, advice), error.code, choices))
    return Problem(
        problem.status, problem.code, problem.title, problem.detail, tuple(errors), problem.facts
    )


def _field(problem: Problem, typed: Mapping[str, object]) -> str | None:
    named = {problem.facts.get("station"), *_names(problem, "stations")}
    others = [field for field in typed if field.rpartition(".")[2] in FIELDS]
    for field in (*FIELDS, *others):
        if _text(typed, field) in named:
            return field
    usual = USUAL_FIELD.get(problem.code)
    return usual if usual in typed else None


def _text(typed: Mapping[str, object], field: str) -> str:
    value = typed.get(field)
    return value.strip() if isinstance(value, str) else ""


def _words(problem: Problem, choices: Sequence[str], advice: str) -> str:
    name = problem.facts.get("station")
    if problem.code == "AMBIGUOUS_STATION":
        return f"「{name}」という駅は複数あります。どの駅か選んでください。"
    if choices:
        return f"「{name}」という駅は見つかりません。次の駅であれば選んでください。"
    sentence = problem.words.rstrip("。") + "。"
    return sentence + advice if is_not_covered(problem) else sentence


def _names(problem: Problem, fact: str) -> tuple[str, ...]:
    names = problem.facts.get(fact)
    return tuple(map(str, names)) if isinstance(names, list) else ()
