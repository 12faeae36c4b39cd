"""How is a refusal told? As an error named after the fact, with a stable code and a sentence.

Rules raise errors of their own that have the same four attributes; `http.py` turns any of them
into a problem+json answer, the portal shows `message` to the person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

Kind = Literal["invalid", "forbidden", "not_found", "conflict", "stale", "unauthenticated"]

STATUS: Mapping[Kind, int] = {
    "invalid": 422,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "stale": 428,
    "unauthenticated": 401,
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `message` is Japanese, to stand beside it."""

    field: str
    code: str
    message: str


class Refusal(Exception):
    """Something that was asked for is not done; nothing was changed."""

    code: ClassVar[str]
    kind: ClassVar[Kind]
    message: str = ""
    fields: Sequence[FieldError] = ()
    facts: Mapping[str, object] = {}

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Sequence[FieldError] = (),
        **facts: object,
    ) -> None:
        super().__init__(message or self.message)
        if message:
            self.message = message
        self.fields = fields
        self.facts = facts


def problem_of(refusal: object) -> dict[str, object]:
    """The RFC 9457 members of a refusal: type, title, status, code, and fields or facts if any."""
    code = str(getattr(refusal, "code"))  # noqa: B009 - duck typing on purpose, see the module
    kind: Kind = getattr(refusal, "kind")  # noqa: B009
    problem: dict[str, object] = {
        "type": f"urn:madoguchi:problem:{code.lower()}",
        "title": str(getattr(refusal, "message", "") or refusal),
        "status": STATUS[kind],
        "code": code,
    }
    if fields := getattr(refusal, "fields", ()):
        problem["errors"] = [asdict(f) for f in fields]
    if facts := getattr(refusal, "facts", {}):
        problem["facts"] = dict(facts)
    return problem
