"""Malformed requests: what pydantic refuses, as the errors of fields in both languages."""

import re
from collections.abc import Mapping, Sequence

from shared.errors import FieldError

ANY = ("正しい形で入力してください。", "a value of the right form")
EMPTY = ("入力してください。", "required")
WORDS: Mapping[str, tuple[str, str]] = {
    "missing": EMPTY,
    "string_too_short": EMPTY,
    "too_short": ("{min_length}件以上を指定してください。", "at least {min_length}"),
    "string_too_long": (
        "{max_length}文字以内で入力してください。",
        "at most {max_length} characters",
    ),
    "greater_than_equal": ("{ge}以上で入力してください。", "at least {ge}"),
    "less_than_equal": ("{le}以下で入力してください。", "at most {le}"),
    "string_type": (ANY[0], "text"),
    "bool_type": (ANY[0], "true or false"),
    "bool_parsing": (ANY[0], "true or false"),
    "list_type": (ANY[0], "an array"),
    "uuid_parsing": (ANY[0], "a UUID"),
    "enum": ("{listed} のいずれかを指定してください。", "one of {listed}"),
    "literal_error": ("{listed} のいずれかを指定してください。", "one of {listed}"),
    "model_attributes_type": (
        "JSON のオブジェクトを Content-Type: application/json で送信してください。",
        "a JSON object, with Content-Type: application/json",
    ),
    "json_invalid": ("JSON として読み取れません。", "JSON, which this is not"),
}


def malformation(place: Sequence[object], kind: str, limits: Mapping[str, object]) -> FieldError:
    """The field error for an error of pydantic: `loc`, `type` and `ctx`."""
    listed = ", ".join(re.findall(r"'([^']*)'", str(limits.get("expected", ""))))
    japanese, english = (
        words.format_map({**limits, "listed": listed}) for words in WORDS.get(kind, ANY)
    )
    field = "body" if kind == "json_invalid" else ".".join(map(str, place[1:]))
    return FieldError(field or "body", kind, japanese, english)
