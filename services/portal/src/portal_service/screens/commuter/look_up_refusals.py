"""Refusals of 乗換案内, each beside the field that it concerns."""

from collections.abc import Mapping, Sequence

from portal_service.api_client import FieldError, Problem

FIELDS = ("start", "via", "via_2", "via_3", "end")
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
    return problem is not None and problem.code in NOT_COVERED


def _field(problem: Problem, typed: Mapping[str, object]) -> str | None:
    named = {problem.facts.get("station"), *_names(problem, "stations")}
    for field in FIELDS:
        value = typed.get(field)
        if isinstance(value, str) and value.strip() in named:
            return field
    usual = USUAL_FIELD.get(problem.code)
    return usual if usual in typed else None


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
