"""Path type `key`: the identifier of a record, never the literal segment of another route.

`/returns/{application_id:key}` does not match `/returns/approvals`, in whatever order the two are
installed. Every literal segment is a word of small letters and hyphens; no identifier is.
"""

import re
from collections.abc import Iterable

from starlette.convertors import Convertor, register_url_convertor

LONGEST_LITERAL = 40


class SegmentConvertor(Convertor[str]):
    """One segment of a path that fits a pattern."""

    def __init__(self, regex: str) -> None:
        self.regex = regex

    def convert(self, value: str) -> str:
        """The identifier as it stands in the path."""
        return value

    def to_string(self, value: str) -> str:
        """The segment for an identifier."""
        return value


register_url_convertor("key", SegmentConvertor(rf"(?![a-z-]{{1,{LONGEST_LITERAL}}}(?:/|$))[^/]+"))


def register_words(name: str, words: Iterable[str]) -> None:
    """A path type of our own for one of these words."""
    register_url_convertor(name, SegmentConvertor("|".join(map(re.escape, words))))


def without_types(path: str) -> str:
    """`/returns/{application_id:key}` → `/returns/{application_id}`, as documents write it."""
    return re.sub(r":\w+}", "}", path)
