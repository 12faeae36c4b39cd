"""Terminal: words for the person there. What a script reads goes to standard output instead."""

import sys


class Failure(Exception):
    """What failed, why, and what to type: one or two lines for a person."""


def say(words: str) -> None:
    """Print a line for the person."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201
