"""Errors of the fare engine: each named after the fact, with a stable code and a Japanese sentence.

The engine knows no HTTP: a service that uses it translates them into refusals of its own.
"""

from typing import ClassVar

Fact = str | list[str]
"""A value that a program may need, such as the name that was typed or the names to choose from."""


class FareError(Exception):
    """A question that the engine cannot answer; `facts` are values that a program may need."""

    code: ClassVar[str]

    def __init__(self, message: str, **facts: Fact) -> None:
        self.message = message
        self.facts = facts
        super().__init__(message)
