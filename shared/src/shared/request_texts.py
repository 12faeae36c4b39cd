"""Texts of a request: misleading characters are refused in every field of every API.

One place for all bodies and queries, whatever field is added later. A body that holds nothing
suspicious, as nearly all do, costs one search over its bytes.
"""

import json
import re
from collections.abc import Iterator

from fastapi import Request

from shared.errors import FieldError, FormErrors
from shared.refusals import refuses
from shared.text_safety import ENGLISH, LINE_CHARACTERS, MESSAGE, is_safe_text

CODE = "TEXT_UNPRINTABLE"
_SUSPICIOUS = re.compile(
    rb"\\[ubf]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c"
    rb"|\xe2\x80[\x8b\x8e\x8f\xa8-\xae]|\xe2\x81[\xa0\xa6-\xa9]|\xef\xbb\xbf|\xed[\xa0-\xbf]"
)
"""The UTF-8 of every refused character, and the escapes that JSON may write it with."""


@refuses(FormErrors)
async def refuse_misleading_texts(request: Request) -> None:
    """Raises FormErrors, one for each field whose text may not be kept."""
    wrong = [name for name, text in request.query_params.multi_items() if not _is_safe(text)]
    if getattr(request.scope.get("route"), "body_field", None) is not None:
        wrong += _wrong_in(await request.body())
    if wrong:
        names = dict.fromkeys(wrong)
        raise FormErrors(*(FieldError(name, CODE, MESSAGE, ENGLISH) for name in names))


def _wrong_in(body: bytes) -> list[str]:
    if not _SUSPICIOUS.search(body):
        return []
    try:
        found = json.loads(body)
    except ValueError:
        return []  # the framework refuses what cannot be read
    return [name for name, text in _texts(found, "") if not _is_safe(text)]


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Every text in a body with its place, also the names of its fields."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield name, str(key)
            yield from _texts(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts(part, f"{name}.{number}" if name else str(number))


def _is_safe(text: str) -> bool:
    return is_safe_text(text, also=LINE_CHARACTERS)
