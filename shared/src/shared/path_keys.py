"""Path type `key`: the identifier of a record, never the literal segment of another route.

`/returns/{application_id:key}` does not match `/returns/approvals`, in whatever order the two are
installed. Every literal segment is a word of small letters and hyphens; no identifier is.
"""

import re
from collections.abc import Iterable

from starlette.convertors import StringConvertor, register_url_convertor

LONGEST_LITERAL = 40


class KeyConvertor(StringConvertor):
    """Any one segment of a path that is not a word."""

    regex = rf"(?![a-z-]{{1,{LONGEST_LITERAL}}}(?:/|$))[^/]+"


register_url_convertor("key", KeyConvertor())


def register_words(name: str, words: Iterable[str]) -> None:
    """A path type of our own for one of these words."""
    regex = "|".join(map(re.escape, words))
    register_url_convertor(name, type(name, (StringConvertor,), {"regex": regex})())


def without_types(path: str) -> str:
    """`/returns/{application_id:key}` → `/returns/{application_id}`, as documents write it."""
    return re.sub(r":\w+}", "}", path)
