"""CloudEvents as libraries send them: what is unset, how it is labelled, and batches."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import http as sdk_http
from cloudevents.core.bindings import rabbitmq as sdk_rabbitmq
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from sqlalchemy import text

from interchange_service.actions.accept_message import ingest
from interchange_service.dealer_messages import LARGEST_BATCH, judge
from interchange_service.rules.cloud_event import BATCHED, MOST_IN_BATCH, STRUCTURED
from interchange_service.rules.message_checks import InboundMessage, NotAccepted, Reason
from shared.db import EVERY_DEALER, Database

from .conftest import NOW, arrival
from .interchange_api import InterchangeApi, open_interchange_api

DATA = {"dealer_id": "D01", "source_id": "R-1", "received_on": "2025-07-14"}
EVENT = {
    "specversion": "1.0",
    "id": "m-1",
    "source": "/dealers/D01/dms",
    "type": "dealer.vehicle_returned.v1",
    "time": "2025-07-15T00:59:00Z",
    "data": DATA,
}


@pytest.fixture
async def interchange_api(database: Database) -> AsyncIterator[InterchangeApi]:
    async with open_interchange_api(database) as opened:
        yield opened


def structured(content_type: str = STRUCTURED, **changes: Any) -> InboundMessage:
    """The event in structured mode; None is sent as null, and `...` leaves an attribute out."""
    event = {name: value for name, value in {**EVENT, **changes}.items() if value is not ...}
    return arrival(headers={}, body=json.dumps(event).encode(), content_type=content_type)


def binary(content_type: str | None = "application/json", **changes: Any) -> InboundMessage:
    return arrival(content_type=content_type, **changes)


def encoded(data: object) -> str:
    return base64.b64encode(json.dumps(data).encode()).decode()


def prefixed(prefix: str) -> InboundMessage:
    """The event with the header names of another binding."""
    names = {name: str(value) for name, value in EVENT.items() if name != "data"}
    return arrival(headers={prefix + name: value for name, value in names.items()})


@pytest.mark.parametrize(
    "message",
    [
        structured(subject=None, dataschema=None, datacontenttype=None, data_base64=None),
        structured("Application/CloudEvents+JSON; Charset=UTF-8"),
        structured('application/cloudevents+json;charset="utf-8"'),
        structured(data=..., data_base64=encoded(DATA)),
        structured(data=None, data_base64=encoded(DATA), datacontenttype="application/json"),
        structured(datacontenttype="application/vnd.dms+json"),
        structured(partitionkey="a", anumber=3, aflag=True),
        structured(time="2025-07-15t09:59:00.123456789+09:00"),
        structured(time="2025-07-15 00:59:00Z"),
        binary('Application/JSON;Charset="UTF-8"'),
        binary(None),
        binary("text/json"),
        binary(body=b"\xef\xbb\xbf" + arrival().body),
        binary(data={"place": "東京　千代田\u00a01"}),
        binary(data={"place": "辻\U000e0100 👨\u200d👩"}),
        prefixed("cloudevents:"),
        prefixed("cloudevents_"),
    ],
)
def test_what_libraries_send_is_accepted(message: InboundMessage) -> None:
    assert judge(message, now=NOW).message_id == "m-1"


@pytest.mark.parametrize(
    ("message", "reason", "attributes"),
    [
        (structured(id=None, source=""), Reason.NOT_A_CLOUD_EVENT, ["id", "source"]),
        (structured(id=7), Reason.NOT_A_CLOUD_EVENT, ["id"]),
        (structured(specversion="0.3"), Reason.NOT_A_CLOUD_EVENT, ["specversion"]),
        (structured(source="/" * 501), Reason.NOT_A_CLOUD_EVENT, ["source"]),
        (structured(time="2025-07-15T00:59:00"), Reason.TIME_MISSING, ["time"]),
        (structured(time=None), Reason.TIME_MISSING, ["time"]),
        (binary(ce={"ce-time": "2025-07-15T00:59:00"}), Reason.TIME_MISSING, ["time"]),
        (structured(time="yesterday"), Reason.NOT_A_CLOUD_EVENT, ["time"]),
        (structured(time=1752541140), Reason.NOT_A_CLOUD_EVENT, ["time"]),
        (structured(time="0001-01-01T00:00:00+09:00"), Reason.TIME_TOO_OLD, ["time"]),
        (structured(data_base64=encoded(DATA)), Reason.NOT_A_CLOUD_EVENT, ["data_base64"]),
        (structured(data=..., data_base64="%%%"), Reason.NOT_A_CLOUD_EVENT, ["data_base64"]),
        (structured(data=...), Reason.PAYLOAD_DOES_NOT_FIT, ["data"]),
        (structured(type="return.completed.v1"), Reason.TYPE_NOT_ALLOWED, ["type"]),
        (structured("application/cloudevents+xml"), Reason.NOT_A_CLOUD_EVENT, ["Content-Type"]),
        (structured(f"{STRUCTURED}; charset=shift_jis"), Reason.NOT_A_CLOUD_EVENT,
         ["Content-Type"]),
        (arrival(headers={}, body=b"[]", content_type=STRUCTURED), Reason.NOT_A_CLOUD_EVENT,
         ["body"]),
        (arrival(headers={}, body=b'{"a": 1,}', content_type=STRUCTURED),
         Reason.NOT_A_CLOUD_EVENT, ["body"]),
        (binary("application/x-www-form-urlencoded"), Reason.PAYLOAD_DOES_NOT_FIT,
         ["datacontenttype"]),
        (binary(body="在庫".encode("cp932")), Reason.PAYLOAD_DOES_NOT_FIT, ["data"]),
        (binary(data={"source_id": None, "role": 1}), Reason.PAYLOAD_DOES_NOT_FIT,
         ["data.source_id"]),
        (binary(data={"place": "\ud800"}), Reason.TEXT_NOT_ALLOWED, ["data.place"]),
        (binary(data={"place": "本\u202e店"}), Reason.TEXT_NOT_ALLOWED, ["data.place"]),
    ],
)  # fmt: skip
def test_a_refusal_names_what_is_wrong(
    message: InboundMessage, reason: Reason, attributes: list[str]
) -> None:
    with pytest.raises(NotAccepted) as refused:
        judge(message, now=NOW)
    assert refused.value.reason is reason
    assert [fault.attribute for fault in refused.value.faults] == attributes
    assert all(f.expected.japanese and f.expected.english for f in refused.value.faults)


@pytest.mark.parametrize("value", [None, "", "サービス部"])
async def test_messages_of_the_python_sdk_are_accepted(
    interchange_api: InterchangeApi, value: str | None
) -> None:
    """As its HTTP and RabbitMQ bindings write them."""
    attributes = {name: v for name, v in EVENT.items() if name not in {"data", "time"}}
    at = datetime(2025, 7, 15, 0, 59, tzinfo=UTC)
    event = CloudEvent({**attributes, "time": at}, {**DATA, "place": value})
    key = await interchange_api.key()
    path, authorization = "/dealers/D01/events", {"authorization": f"Bearer {key}"}
    for write in (sdk_http.to_binary, sdk_http.to_structured):
        sent = write(event, JSONFormat())
        headers = {**sent.headers, **authorization}
        answer = await interchange_api.http.post(path, content=sent.body, headers=headers)
        assert answer.status_code == 202, answer.text
    for write_amqp in (sdk_rabbitmq.to_binary, sdk_rabbitmq.to_structured):
        made = write_amqp(event, JSONFormat())
        message = arrival(headers=made.headers, content_type=made.content_type, body=made.body)
        assert judge(message, now=NOW).message_id == "m-1"


def several(count: int, **of_second: Any) -> list[dict[str, Any]]:
    """Events with ids m-0, m-1, ..."""
    events = [{**EVENT, "id": f"m-{n}", "data": {**DATA, "source_id": f"R-{n}"}}
              for n in range(count)]  # fmt: skip
    if of_second:
        events[1] = {**events[1], **of_second}
    return events


async def posted(api: InterchangeApi, events: object, path: str = "/events") -> Any:
    headers = {"authorization": f"Bearer {await api.key()}", "content-type": BATCHED}
    content = events if isinstance(events, bytes) else json.dumps(events).encode()
    return await api.http.post(f"/dealers/D01{path}", content=content, headers=headers)


@pytest.mark.parametrize("path", ["/events", "/events/batch"])
async def test_a_batch_is_answered_event_by_event(
    interchange_api: InterchangeApi, path: str
) -> None:
    answer = await posted(interchange_api, several(3, time=None), path)
    assert answer.status_code == 207
    assert answer.headers["ratelimit-remaining"] == "597"
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [202, 422, 202]
    assert results[0]["accepted"] == {"message_id": "m-0", "repeated": False, "ignored": []}
    assert results[1]["problem"]["code"] == "TIME_MISSING"
    kept = await interchange_api.rows("SELECT quarantined_id::text, reason FROM quarantined")
    assert kept == [(results[1]["problem"]["facts"]["quarantined_id"], "TIME_MISSING")]
    again = await posted(interchange_api, several(3), path)
    assert again.status_code == 202
    assert [r["accepted"]["repeated"] for r in again.json()["results"]] == [True, False, True]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ({}, (422, "NOT_A_CLOUD_EVENT")),
        (b"[{", (422, "NOT_A_CLOUD_EVENT")),
        (several(MOST_IN_BATCH + 1), (413, "TOO_LARGE")),
        (b"[" + b" " * LARGEST_BATCH + b"]", (413, "TOO_LARGE")),
    ],
)
async def test_a_batch_that_cannot_be_split_is_refused_whole(
    interchange_api: InterchangeApi, events: object, expected: tuple[int, str]
) -> None:
    answer = await posted(interchange_api, events)
    assert (answer.status_code, answer.json()["code"]) == expected
    assert await interchange_api.rows("SELECT count(*) FROM quarantined") == [(1,)]


async def test_a_batch_counts_each_of_its_events(database: Database) -> None:
    async with open_interchange_api(database, per_minute=5) as api:
        key = await api.key()
        headers = {"authorization": f"Bearer {key}", "content-type": BATCHED}
        for count, status in ((3, 202), (3, 429), (2, 202)):
            body = json.dumps(several(count)).encode()
            answer = await api.http.post("/dealers/D01/events", content=body, headers=headers)
            assert answer.status_code == status


async def test_a_batch_over_amqp_is_taken_apart(database: Database) -> None:
    body = json.dumps(several(3, type="dealer.nothing.v1")).encode()
    async with database.transaction(EVERY_DEALER) as tx:
        batch = arrival(headers={}, body=body, content_type=BATCHED)
        await ingest(tx, batch, now=NOW)
        await ingest(tx, arrival(headers={}, body=b"3", content_type=BATCHED), now=NOW)
    async with database.transaction(EVERY_DEALER) as tx:
        events = (await tx.execute(text("SELECT aggregate_id FROM outbox ORDER BY 1"))).all()
        kept = (await tx.execute(text("SELECT reason FROM quarantined ORDER BY 1"))).all()
    assert [row[0] for row in events] == ["D01-R-0", "D01-R-2"]
    assert [row[0] for row in kept] == ["NOT_A_CLOUD_EVENT", "TYPE_NOT_ALLOWED"]
