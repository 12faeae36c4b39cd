"""Payload checks: the data of a dealer's event against the JSON Schema that dealers are given.

The server has no limits of its own: what the published schema allows is accepted, and nothing else.
Every field that is wrong is named at once, with what was expected there.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from pydantic.json_schema import JsonSchemaValue

from event_contracts.limits import LIMITS
from event_contracts.sender_schema import sender_schema
from interchange_service.rules.message_checks import (
    Expected,
    Fault,
    NotAccepted,
    Reason,
    check_numbers,
    check_texts,
    fault,
)

TYPE_NAMES: Mapping[str, Expected] = {
    "string": Expected("文字列", "text"),
    "integer": Expected("整数", "a whole number"),
    "boolean": Expected("true または false", "true or false"),
    "array": Expected("配列", "an array"),
    "object": Expected("オブジェクト", "an object"),
}
OF_LIMIT = {limit.english: Expected(limit.japanese, limit.english) for limit in LIMITS}
REQUIRED = Expected("必須です", "required")
TEXT_RULES = frozenset({"maxLength"})


def check_payload(wire_type: str, payload: object) -> tuple[str, ...]:
    """The names of unknown fields, which are ignored. Raises NotAccepted for wrong ones."""
    if not isinstance(payload, dict):
        raise NotAccepted(
            Reason.PAYLOAD_DOES_NOT_FIT, fault("data", "JSON のオブジェクト", "a JSON object")
        )
    check_texts(payload)
    found = sorted(_leaves(_validator(wire_type).iter_errors(payload)), key=lambda e: str(e.path))
    if found:
        too_long = all(error.validator in TEXT_RULES for error in found)
        reason = Reason.TEXT_NOT_ALLOWED if too_long else Reason.PAYLOAD_DOES_NOT_FIT
        raise NotAccepted(reason, *(one for error in found for one in _faults(error)))
    check_numbers(payload)
    known = sender_schema(wire_type)["properties"]
    return tuple(str(name) for name in payload if name not in known)


def past_days(wire_type: str) -> tuple[str, ...]:
    """The fields with the day on which something happened."""
    fields: Mapping[str, JsonSchemaValue] = sender_schema(wire_type)["properties"]
    return tuple(name for name, shape in fields.items() if shape.get("format") == "date")


@cache
def _validator(wire_type: str) -> Draft202012Validator:
    return Draft202012Validator(
        sender_schema(wire_type), format_checker=FormatChecker(formats=("date",))
    )


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """One error for each wrong field: of an optional one, what is wrong with its value."""
    seen = set()
    for error in errors:
        inner = [e for e in error.context or () if e.validator_value != "null"]
        leaf = inner[0] if error.validator == "anyOf" and inner else error
        if (place := tuple(leaf.absolute_path)) not in seen or leaf.validator == "required":
            seen.add(place)
            yield leaf


def _faults(error: ValidationError) -> Iterator[Fault]:
    place = ".".join(["data", *map(str, error.absolute_path)])
    if error.validator == "required":
        missing = next(name for name in _listed(error) if f"'{name}'" in error.message)
        yield Fault(f"{place}.{missing}", REQUIRED)
    else:
        yield Fault(place, _expected(error))


def _expected(error: ValidationError) -> Expected:
    schema: JsonSchemaValue = error.schema if isinstance(error.schema, dict) else {}
    if words := OF_LIMIT.get(schema.get("description", "")):
        return _quoted(words) if error.validator == "type" and schema["type"] == "string" else words
    if error.validator in {"enum", "const"}:
        listed = ", ".join(_listed(error))
        return Expected(f"{listed} のいずれか", f"one of {listed}")
    return TYPE_NAMES.get(str(schema.get("type")), TYPE_NAMES["object"])


def _quoted(words: Expected) -> Expected:
    """What is expected where a number or another value stands in place of a text."""
    return Expected(f"引用符で囲んだ文字列：{words.japanese}", f"a text in quotes: {words.english}")


def _listed(error: ValidationError) -> list[str]:
    """The names or values that a keyword lists; `const` has one."""
    value: object = error.validator_value
    return [str(one) for one in (value if isinstance(value, list) else [value])]
