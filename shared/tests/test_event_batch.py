"""Event batches: several events in one message, and one that cannot be read among them."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_rabbitmq
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from shared.amqp_properties import EventProperties
from shared.envelope import Envelope, to_headers
from shared.event_batch import (
    BATCH_HEADERS,
    STRUCTURED,
    read_message,
    to_batch,
)
from shared.outgoing import BYTES_PER_MESSAGE, chains_of, message_of
from shared.trace_context import new_id

EVENT = Envelope(
    event_id=new_id(),
    source="/contracts",
    type="contract.note_saved.v1",
    aggregate_type="contract",
    aggregate_id="契約-1",
    sequence=4,
    dealer_id="D01",
    occurred_at=datetime(2025, 7, 7, 1, 0, 0, 250_000, tzinfo=UTC),
    payload='{"name":"山田","n":12345678901,"share":0.1}'.encode(),
    headers={"actor": "D01-E101", "correlationid": "c"},
)


def event(aggregate: str, sequence: int, size: int = 2, kind: str = "contract") -> Envelope:
    payload = orjson.dumps({"x": "x" * size})
    names = {"aggregate_type": kind, "aggregate_id": aggregate, "sequence": sequence}
    return replace(EVENT, event_id=new_id(), payload=payload, **names)  # type: ignore[arg-type]


def test_a_batch_is_read_as_it_was_written() -> None:
    events = [EVENT, event("A", 1), event("A", 2)]
    assert read_message(BATCH_HEADERS, to_batch(events)) == (events, [])


def test_a_single_event_in_the_json_format_is_read_too() -> None:
    headers = {"content-type": f"{STRUCTURED}; charset=utf-8"}
    assert read_message(headers, to_batch([EVENT])[1:-1]) == ([EVENT], [])


def test_a_binary_message_is_read_as_ever() -> None:
    assert read_message(to_headers(EVENT), EVENT.payload) == ([EVENT], [])


def test_the_sdk_reads_each_event_of_a_batch() -> None:
    [item] = orjson.loads(to_batch([EVENT]))
    message = RabbitMQMessage({}, STRUCTURED, orjson.dumps(item))
    read = from_rabbitmq(message, JSONFormat(), CloudEvent)
    assert read.get_id() == str(EVENT.event_id)
    assert (read.get_source(), read.get_type()) == (EVENT.source, EVENT.type)
    assert (read.get_subject(), read.get_time()) == (EVENT.aggregate_id, EVENT.occurred_at)
    assert (read.get_extension("sequence"), read.get_extension("dealerid")) == ("4", "D01")
    assert read.get_data() == orjson.loads(EVENT.payload)


@pytest.mark.parametrize(
    "wrong",
    [
        {"specversion": "0.3"},
        {"id": "no-uuid"},
        {"id": 7},
        {"source": None},
        {"sequence": "0"},
        {"sequence": 4},
        {"sequence": "four"},
        {"time": "2025-07-15T00:00:00"},
        {"time": "yesterday"},
        {"data": ["a list"]},
        {"data": None},
        {"data": {"text": "\0"}},
        {"subject": "\0"},
        {"datacontenttype": "text/xml"},
        {"datacontenttype": 3},
    ],
)
def test_an_unreadable_event_leaves_the_others_of_its_batch(wrong: dict[str, Any]) -> None:
    before, after = event("A", 1), event("B", 1)
    items = orjson.loads(to_batch([before, EVENT, after]))
    items[1] |= wrong
    events, [refused] = read_message(BATCH_HEADERS, orjson.dumps(items))
    assert events == [before, after]
    assert refused.reason
    assert refused.headers.get("ce-id") == items[1]["id"]


@pytest.mark.parametrize("payload", [b'{"text": "\\ud800"}', b'{"n": 1e999999999}'])
def test_a_payload_that_only_lax_readers_accept_leaves_the_others_too(payload: bytes) -> None:
    before, after = event("A", 1), event("B", 1)
    body = to_batch([before, replace(EVENT, payload=payload), after])
    events, [refused] = read_message(BATCH_HEADERS, body)
    assert events == [before, after]
    assert read_message(refused.headers, refused.body)[0] == []
    assert refused.headers["ce-id"] == str(EVENT.event_id)


def test_an_event_that_lacks_an_attribute_can_be_read_alone_once_it_is_mended() -> None:
    items = orjson.loads(to_batch([EVENT]))
    del items[0]["dealerid"]
    _, [refused] = read_message(BATCH_HEADERS, orjson.dumps(items))
    mended = {**refused.headers, "ce-dealerid": "D01"}
    [read] = read_message(mended, refused.body)[0]
    assert (read.event_id, orjson.loads(read.payload)) == (
        EVENT.event_id,
        orjson.loads(EVENT.payload),
    )


@pytest.mark.parametrize("body", [b"", b"no json", b'{"a": 1}', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_batch_is_refused_whole(body: bytes) -> None:
    events, [refused] = read_message(BATCH_HEADERS, body)
    assert events == []
    assert (refused.body, refused.headers) == (body, BATCH_HEADERS)


def test_an_item_that_is_no_object_is_refused_alone() -> None:
    good = orjson.loads(to_batch([EVENT]))
    events, refused = read_message(BATCH_HEADERS, orjson.dumps([3, *good, None, [1]]))
    assert events == [EVENT]
    assert [one.body for one in refused] == [b"3", b"null", b"[1]"]


sequences = st.lists(
    st.tuples(
        st.sampled_from("ABCDE"),
        st.sampled_from(["contract", "return"]),
        st.sampled_from([1, 9, BYTES_PER_MESSAGE // 3, BYTES_PER_MESSAGE + 1]),
    ),
    max_size=40,
)


@given(sequences, st.integers(1, 7))
def test_packing_keeps_every_event_once_and_an_aggregates_in_one_chain_and_in_order(
    given: list[tuple[str, str, int]], most: int
) -> None:
    batch = [event(name, n, size, kind) for n, (name, kind, size) in enumerate(given, 1)]
    chains = chains_of(batch, most)
    flat = [[one for group in chain for one in group] for chain in chains]
    assert sorted(e.sequence for chain in flat for e in chain) == [e.sequence for e in batch]
    homes = [{e.stream for e in chain} for chain in flat]
    assert sum(map(len, homes)) == len({e.stream for e in batch})
    for chain in flat:
        for stream in {e.stream for e in chain}:
            numbers = [e.sequence for e in chain if e.stream == stream]
            assert all(a < b for a, b in pairwise(numbers))
    for group in (group for chain in chains for group in chain):
        assert len({e.aggregate_type for e in group}) == 1
        assert len(group) <= most
        assert len(group) == 1 or sum(len(e.payload) for e in group) <= BYTES_PER_MESSAGE


def test_an_event_that_is_alone_is_a_binary_message() -> None:
    [[group]] = chains_of([EVENT], 100)
    message = message_of(group)
    assert isinstance(message.properties, EventProperties)
    assert (message.routing_key, message.body) == (EVENT.type, EVENT.payload)


def test_one_event_per_message_if_older_readers_must_understand_it() -> None:
    groups = [g for chain in chains_of([event("A", n) for n in (1, 2, 3)], 1) for g in chain]
    assert [len(group) for group in groups] == [1, 1, 1]


def test_events_of_one_aggregate_type_share_a_message() -> None:
    [[group], [other]] = chains_of([event("A", 1), event("B", 1), event("R", 1, kind="return")], 9)
    message = message_of(group)
    assert (message.routing_key, len(message.events)) == ("contract.batch", 2)
    assert read_message(message.properties.headers or {}, message.body)[0] == group
    assert len(other) == 1
