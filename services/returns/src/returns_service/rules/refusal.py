"""How does a rule say no? With the fact that stands in the way, as an error of its own."""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The family of a refusal; the HTTP layer turns it into a status in one place (D1)."""

    MISSING = "missing"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    INVALID = "invalid"


class Refused(Exception):
    """A rule refuses.

    `code` is stable and meant for programs, `kind` leads to 404, 403, 409 or 422, and `message`
    is the Japanese sentence for the screen.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]
    says: ClassVar[str]

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.says
        super().__init__(self.message)
