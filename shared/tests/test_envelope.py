"""Event envelope: the CloudEvents SDK reads what is written here, and the other way round."""

from datetime import UTC, datetime

from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_rabbitmq, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.envelope import JSON, Envelope, from_headers, to_headers
from shared.trace_context import new_id

EVENT = Envelope(
    event_id=new_id(),
    source="/returns",
    type="return.status_changed.v1",
    aggregate_type="application",
    aggregate_id="A1",
    sequence=4,
    dealer_id="D01",
    occurred_at=datetime(2025, 7, 7, 1, 0, 0, 250_000, tzinfo=UTC),
    payload='{"name":"山田"}'.encode(),
    headers={"actor": "D01-E101"},
)


def test_the_sdk_reads_what_the_core_writes() -> None:
    message = RabbitMQMessage(dict(to_headers(EVENT)), JSON, EVENT.payload)
    read = from_rabbitmq(message, JSONFormat(), CloudEvent)
    assert read.get_id() == str(EVENT.event_id)
    assert (read.get_source(), read.get_type()) == (EVENT.source, EVENT.type)
    assert (read.get_subject(), read.get_time()) == (EVENT.aggregate_id, EVENT.occurred_at)
    assert read.get_extension("sequence") == "4"
    assert read.get_data() == {"name": "山田"}


def test_the_core_reads_what_the_sdk_writes() -> None:
    attributes = {name.removeprefix("ce-"): value for name, value in to_headers(EVENT).items()} | {
        "time": EVENT.occurred_at,
        "datacontenttype": JSON,
    }
    message = to_binary(CloudEvent(attributes, EVENT.payload), JSONFormat())
    assert isinstance(message.body, bytes)
    assert from_headers(message.headers, message.body) == EVENT
