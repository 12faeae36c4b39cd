"""How does a rule say no?

Every refusal is named after the business fact that stands in the way, keeps a stable code for
programs and a Japanese sentence for the screen, and knows its kind, so that HTTP answers are
chosen in one place (D1: a role that may never do it, a wrong moment, somebody else's contract).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of no it is; the web layer maps it to 422, 409, 403 and 404 in this order."""

    INVALID = "invalid"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"


class Refusal(Exception):
    """The business says no. Subclasses set `code`, `kind` and `message`."""

    code: ClassVar[str]
    kind: ClassVar[Kind]
    message: str

    def __init__(self, message: str | None = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(self.message)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that cannot stay as it is: its name, a stable code, a Japanese sentence."""

    field: str
    code: str
    message: str


class FormErrors(Refusal):
    """What was typed cannot be accepted; `errors` lists every field at once."""

    code = "FORM_ERRORS"
    kind = Kind.INVALID

    def __init__(self, *errors: FieldError) -> None:
        self.errors = errors
        super().__init__("\n".join(error.message for error in errors))
