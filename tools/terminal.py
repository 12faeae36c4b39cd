"""Terminal messages on standard error; standard output is reserved for scripts."""

import sys


class Failure(Exception):
    """A failure with its cause and what to do, in one or two lines."""


def say(words: str) -> None:
    """Print a message."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201
