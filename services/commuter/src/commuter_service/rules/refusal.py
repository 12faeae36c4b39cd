"""What does a refusal look like: a stable code for machines, a Japanese sentence for people."""

from typing import ClassVar


class Refusal(Exception):
    """A question or command that the business refuses.

    `code` never changes once published; `message` is shown as it is.
    """

    code: ClassVar[str] = "REFUSED"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
