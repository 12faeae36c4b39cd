"""Limits of dealers' data: the server refuses what the JSON Schema refuses, and no more."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from event_contracts import EXAMPLES
from event_contracts.examples_of import newest_example
from event_contracts.sender_schema import DEALER_EVENTS, sender_schema
from interchange_service.dealer_messages import judge
from interchange_service.rules.message_checks import NotAccepted

from .conftest import NOW, arrival

WRONG: dict[str, list[Any]] = {
    "source_id": ["", "   ", "　", 7, None, "R" * 161, "a\tb"],
    "received_on": ["0001-01-01", "2025-02-30", "20250714", "2025-7-4", 1795910400, "", None],
    "ordered_on": ["1999-12-31", "2025-W28-1", "soon", True],
    "odometer_km": [-5, True, "12000", 10_000_000, 1.5, []],
    "contract_no": ["", "１２３４５６７８", "1" * 21, 12345678],
    "registration_no": ["あ" * 101, 1],
    "place": ["x" * 1001, False],
    "staff_code": ["", " ", 1, "s" * 51],
    "store_code": ["", "　"],
    "vehicle_code": ["", None],
    "name": ["", "　", "あ" * 101, None, "a\x00b"],
    "mail": ["a@b..jp", "a@b.jp.", "<a@b.jp>", "@b.jp", "a@[b", "a b@c.jp", "a@b"],
    "phone": ["０３－１２３４", "電話", "0" * 21],
    "mobile_phone": ["090*1234"],
    "role": ["SALES", "", None],
    "active": ["true", 1, None],
    "fields": [["phone"], "name", [1]],
}  # fmt: skip
RIGHT: dict[str, list[Any]] = {
    "source_id": ["R" * 160, "返却 1", "R-1"],
    "received_on": ["2025-07-15", "2024-02-29", "2000-01-01"],
    "odometer_km": [0, 9_999_999, None],
    "contract_no": ["1", "AB-12"],
    "place": ["", "　", "x" * 1000],
    "name": ["山田　太郎", "髙﨑①㈱", "辻\U000e0100"],
    "mail": ["a@b.jp", "a..b@docomo.ne.jp", "ab.@ezweb.ne.jp", "", None],
    "phone": ["03-1234-5678", "+81 3 1234 5678"],
}


def cases(values: dict[str, list[Any]]) -> list[tuple[str, str, Any]]:
    return [
        (wire_type, field, value)
        for wire_type in DEALER_EVENTS
        for field in sender_schema(wire_type)["properties"]
        for value in values.get(field, ())
    ]


def is_accepted(wire_type: str, data: dict[str, Any]) -> bool:
    try:
        judge(arrival(ce={"ce-type": wire_type}, data=data), now=NOW)
    except NotAccepted:
        return False
    return True


def fits_schema(wire_type: str, data: dict[str, Any]) -> bool:
    checker = FormatChecker(formats=("date",))
    validator = Draft202012Validator(sender_schema(wire_type), format_checker=checker)
    return bool(validator.is_valid(data))


def data_of(wire_type: str, field: str, value: object) -> dict[str, Any]:
    return {**newest_example(EXAMPLES, wire_type), field: value}


@pytest.mark.parametrize(("wire_type", "field", "value"), cases(WRONG))
def test_what_the_schema_refuses_is_refused(wire_type: str, field: str, value: object) -> None:
    data = data_of(wire_type, field, value)
    if value is None and field not in sender_schema(wire_type)["required"] and field != "active":
        pytest.fail(f"{field} of {wire_type} may be null: it is no wrong value")
    assert (is_accepted(wire_type, data), fits_schema(wire_type, data)) == (False, False)


@pytest.mark.parametrize(("wire_type", "field", "value"), cases(RIGHT))
def test_what_the_schema_allows_is_accepted(wire_type: str, field: str, value: object) -> None:
    data = data_of(wire_type, field, value)
    assert (is_accepted(wire_type, data), fits_schema(wire_type, data)) == (True, True)


def test_every_text_and_number_has_a_limit() -> None:
    open_ = [
        f"{wire_type} {field}"
        for wire_type in DEALER_EVENTS
        for field, shape in sender_schema(wire_type)["properties"].items()
        for one in shape.get("anyOf", [shape])
        if one["type"] in {"string", "integer"}
        and not one.keys() & {"pattern", "maximum", "enum", "maxLength"}
    ]
    assert open_ == []


@pytest.mark.parametrize("day", ["2025-07-16", "2036-01-01"])
def test_a_day_that_is_still_to_come_is_refused(day: str) -> None:
    """In Japan it is the 15th; a day to come is the one thing that no schema can state."""
    with pytest.raises(NotAccepted) as refused:
        judge(arrival(data={"received_on": day}), now=NOW)
    assert [fault.attribute for fault in refused.value.faults] == ["data.received_on"]
    assert is_accepted("dealer.vehicle_returned.v1", {"received_on": "2025-07-15"})


@pytest.mark.parametrize(
    ("field", "value", "english"),
    [
        ("contract_no", 210010000020, "a text in quotes: the contract number: up to 20 ASCII"),
        ("contract_no", 12345678, "a text in quotes: the contract number: up to 20 ASCII"),
        ("source_id", 2**40, "a text in quotes: text of 1 to 160 characters"),
        ("odometer_km", 10_000_000, "a whole number from 0 to 9999999"),
        ("odometer_km", 10**18, "a whole number from 0 to 9999999"),
        ("unknown", 2**31, "a number between -2147483647 and 2147483647"),
    ],
)
def test_a_wrong_number_is_answered_with_the_limit_of_its_own_field(
    field: str, value: int, english: str
) -> None:
    """However large it is: the general limit of numbers is for fields that nobody knows."""
    with pytest.raises(NotAccepted) as refused:
        judge(arrival(data={field: value}), now=NOW)
    [one] = refused.value.faults
    assert one.attribute == f"data.{field}"
    assert one.expected.english.startswith(english)


def test_unknown_fields_are_ignored_and_named() -> None:
    checked = judge(arrival(data={"contractNo": "1", "x": None}), now=NOW)
    assert checked.ignored == ("contractNo", "x")
