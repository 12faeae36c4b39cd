"""Refusals: errors named after the fact, with a stable code and a message.

Rules of every service raise these; `http.py` answers them as problem+json, the portal shows
`message` to the person and each `FieldError` beside its field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as _field
from enum import StrEnum
from typing import ClassVar

Fact = bool | int | str | list[str] | None
"""A machine-readable value, such as the current version in a conflict."""


class Kind(StrEnum):
    """The category of a refusal; the one place that decides the HTTP status (D1)."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    VERSION_CONFLICT = "version_conflict"
    VERSION_MISSING = "version_missing"
    UNAUTHENTICATED = "unauthenticated"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 422,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.VERSION_CONFLICT: 412,
    Kind.VERSION_MISSING: 428,
    Kind.UNAUTHENTICATED: 401,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """The error of one field; `message` is Japanese, shown beside the field.

    `english` is for programs of others; without it they read the Japanese.
    """

    field: str
    code: str
    message: str
    english: str = _field(default="", compare=False)

    def in_language(self, *, english: bool) -> dict[str, str]:
        """The members of a problem's `errors`."""
        words = (self.english if english else "") or self.message
        return {"field": self.field, "code": self.code, "message": words}


class Refusal(Exception):
    """A request is refused; nothing was changed.

    A subclass sets `code` (stable, for programs), `kind` (by default: the input is invalid) and
    `message` (Japanese, for the screen); `english` as well where programs of others call. `facts`
    are machine-readable values, such as the current version in a conflict.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind] = Kind.INVALID
    message: str = ""
    english: str = ""

    def __init__(self, message: str | None = None, **facts: Fact) -> None:
        if message is not None:
            self.message = message
        self.facts = facts
        super().__init__(self.message)


class BodyUnreadable(Refusal):
    """The body is not valid UTF-8."""

    code = "BODY_UNREADABLE"
    kind = Kind.INVALID
    message = "送信内容を読み取れません。"
    english = "The body cannot be read as UTF-8."


class KeyUsedForAnother(Refusal):
    """The Idempotency-Key was used before with a different request."""

    code = "IDEMPOTENCY_KEY_USED"
    kind = Kind.INVALID
    message = "この Idempotency-Key は別の内容で使用済みです。"
    english = "This Idempotency-Key was used for another request."


class FormErrors(Refusal):
    """The input is invalid; `fields` lists every field at once."""

    code = "FORM_ERRORS"
    kind = Kind.INVALID
    message = "入力内容に誤りがあります。"
    english = "The request has a wrong value; errors names each field."

    def __init__(self, *fields: FieldError) -> None:
        self.fields = fields
        super().__init__()


def problem_of(refusal: Refusal, *, english: bool = False) -> dict[str, object]:
    """The RFC 9457 members of a refusal: type, title, status, code, and errors or facts if any."""
    problem: dict[str, object] = {
        "type": f"urn:madoguchi:problem:{refusal.code.lower()}",
        "title": (refusal.english if english else "") or refusal.message,
        "status": STATUS[refusal.kind],
        "code": refusal.code,
    }
    if isinstance(refusal, FormErrors):
        problem["errors"] = [one.in_language(english=english) for one in refusal.fields]
    if refusal.facts:
        problem["facts"] = dict(refusal.facts)
    return problem
