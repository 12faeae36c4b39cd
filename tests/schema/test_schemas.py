"""Schema compatibility: events may gain optional fields, but not break readers or writers."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from event_contracts import EVENTS, EXAMPLES, PayloadDoesNotFit, UnknownEventType, read
from event_contracts.contract import NoteSaved
from tools import schemas

PUBLISHED = sorted(EXAMPLES.glob("*.json"))


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_every_example_ever_published_can_be_read(path: Path) -> None:
    event = read(path.name.rsplit(".", 2)[0], path.read_bytes())
    assert event.wire_type == path.name.rsplit(".", 2)[0]
    assert event.aggregate_id


def test_every_type_has_an_example() -> None:
    assert {path.name.rsplit(".", 2)[0] for path in PUBLISHED} == set(EVENTS)


def test_reading_ignores_unknown_fields() -> None:
    payload = {"dealer_id": "D01", "contract_no": "C1", "note_version": 1, "length": 2, "new": 3}
    assert read("contract.note_saved.v1", json.dumps(payload)) == NoteSaved(
        dealer_id="D01", contract_no="C1", note_version=1, length=2
    )


def test_building_refuses_unknown_fields() -> None:
    with pytest.raises(ValidationError):
        NoteSaved(dealer_id="D01", contract_no="C1", note_version=1, length=2, new=3)  # type: ignore[call-arg]


def test_a_type_of_a_later_version_is_unknown() -> None:
    with pytest.raises(UnknownEventType, match=r"note_saved\.v9"):
        read("contract.note_saved.v9", "{}")


def test_a_missing_field_is_named_without_the_values() -> None:
    with pytest.raises(PayloadDoesNotFit, match="length") as caught:
        read(
            "contract.note_saved.v1",
            '{"dealer_id": "D01", "contract_no": "secret", "note_version": 1}',
        )
    assert "secret" not in str(caught.value)


OLD = {
    "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
    "required": ["a"],
}


@pytest.mark.parametrize(
    ("new", "faults"),
    [
        (OLD, []),
        ({**OLD, "properties": {**OLD["properties"], "c": {"type": "string"}}}, []),  # type: ignore[dict-item]
        ({**OLD, "properties": {"a": {"type": "string"}}}, ["b is gone"]),
        ({**OLD, "required": ["a", "b"]}, ["b is newly required"]),
        ({**OLD, "required": []}, ["a is no longer always there"]),
        (
            {**OLD, "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
            ["b is of another type"],
        ),
    ],
)
def test_only_optional_fields_may_be_added(new: dict[str, object], faults: list[str]) -> None:
    assert schemas.breaks(OLD, new) == faults


def test_a_published_type_may_not_be_removed() -> None:
    assert "gone.v1 was published and is gone" in schemas.faults({"gone.v1": {}})


def test_the_committed_files_are_current() -> None:
    assert schemas.faults(schemas.published_at("HEAD")) == []
