"""Dealer messages: which are accepted, each as one event."""

from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from interchange_service.actions.accept_message import (
    MOST_IN_QUARANTINE,
    AlreadySettled,
    accept,
    discard,
    quarantine_message,
)
from interchange_service.dealer_messages import judge
from interchange_service.rules.message_checks import InboundMessage, NotAccepted, Reason
from shared.db import EVERY_DEALER, Database

from .conftest import NOW, arrival


async def test_a_message_becomes_one_event_however_often_it_comes(database: Database) -> None:
    repeated = []
    for _ in range(2):
        async with database.transaction("D01") as tx:
            repeated.append((await accept(tx, arrival(), now=NOW)).repeated)
    async with database.transaction(EVERY_DEALER) as tx:
        events = (await tx.execute(text("SELECT type, aggregate_id, sequence FROM outbox"))).all()
    assert repeated == [False, True]
    assert [tuple(e) for e in events] == [("dealer.vehicle_returned.v1", "D01-R-1", 1)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": None}, Reason.SENDER_UNKNOWN),
        ({"sender": "D02"}, Reason.ADDRESS_OF_ANOTHER),
        ({"data": {"dealer_id": "D02"}}, Reason.PAYLOAD_OF_ANOTHER),
        ({"ce": {"ce-type": "return.completed.v1"}}, Reason.TYPE_NOT_ALLOWED),
        ({"ce": {"ce-time": None}}, Reason.TIME_MISSING),
        ({"ce": {"ce-time": "2025-07-15T01:05:01Z"}}, Reason.TIME_AHEAD),
        ({"ce": {"ce-time": "2025-06-15T00:59:59Z"}}, Reason.TIME_TOO_OLD),
        ({"ce": {"ce-specversion": "9"}}, Reason.NOT_A_CLOUD_EVENT),
        ({"body": b"\xff{"}, Reason.PAYLOAD_DOES_NOT_FIT),
        ({"data": {"received_on": "yesterday"}}, Reason.PAYLOAD_DOES_NOT_FIT),
        ({"data": {"place": "a\0b"}}, Reason.TEXT_NOT_ALLOWED),
        ({"body": b'"' + b"x" * 65536 + b'"'}, Reason.TOO_LARGE),
    ],
)
def test_what_is_refused_says_why(changes: dict[str, object], reason: Reason) -> None:
    with pytest.raises(NotAccepted) as refused:
        judge(arrival(**changes), now=NOW)
    assert refused.value.reason is reason


def structured(**changes: Any) -> InboundMessage:
    """The usual message in structured mode."""
    plain = arrival(data=changes.pop("data", {}))
    whole = {name.removeprefix("ce-"): value for name, value in plain.headers.items()}
    body = orjson.dumps({**whole, "data": orjson.loads(plain.body), **changes})
    return arrival(headers={}, body=body, content_type="application/cloudevents+json")


def filled_up_to(size: int) -> InboundMessage:
    """A valid message of `size` bytes; unknown fields are ignored."""
    empty = arrival(data={f"n{n}": "" for n in range(70)})
    room = size - len(empty.body)
    texts = [min(990, max(0, room - 990 * n)) for n in range(70)]
    return arrival(data={f"n{n}": "x" * length for n, length in enumerate(texts)})


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (arrival(), None),
        (structured(), None),
        (structured(data={"dealer_id": "D02"}), Reason.PAYLOAD_OF_ANOTHER),
        (structured(id=7), Reason.NOT_A_CLOUD_EVENT),
        (structured(time=None), Reason.TIME_MISSING),
        (arrival(ce={"ce-time": "2025-07-15T10:05:00+09:00"}), None),
        (arrival(ce={"ce-time": "2025-07-15T10:05:00.001+09:00"}), Reason.TIME_AHEAD),
        (arrival(ce={"ce-time": "2025-06-15T01:00:00Z"}), None),
        (arrival(ce={"ce-time": "2025-06-15T00:59:59.999Z"}), Reason.TIME_TOO_OLD),
        (arrival(ce={"ce-time": "2025-07-15T01:00:00"}), Reason.TIME_MISSING),
        (filled_up_to(65_536), None),
        (filled_up_to(65_537), Reason.TOO_LARGE),
        (arrival(ce={"ce-id": "x" * 200}), None),
        (arrival(ce={"ce-id": "x" * 201}), Reason.NOT_A_CLOUD_EVENT),
        (arrival(ce={"ce-id": ""}), Reason.NOT_A_CLOUD_EVENT),
        (arrival(ce={"ce-id": "a\tb"}), Reason.NOT_A_CLOUD_EVENT),
        (arrival(data={"place": "本" * 1000}), None),
        (arrival(data={"place": "本" * 1001}), Reason.TEXT_NOT_ALLOWED),
        (arrival(data={"unknown": ["a", {"b": "\x1b[2J"}]}), Reason.TEXT_NOT_ALLOWED),
        (arrival(data={"source_id": "R" * 160}), None),
        (arrival(data={"source_id": "R" * 161}), Reason.TEXT_NOT_ALLOWED),
        (arrival(data={"odometer_km": 9_999_999}), None),
        (arrival(data={"odometer_km": 10_000_000}), Reason.PAYLOAD_DOES_NOT_FIT),
        (arrival(data={"unknown": float("nan")}), Reason.PAYLOAD_DOES_NOT_FIT),
        (arrival(addressed=None), Reason.ADDRESS_OF_ANOTHER),
    ],
)
def test_the_edges_of_what_is_believed(message: InboundMessage, reason: Reason | None) -> None:
    assert refusal_of(message) == reason


def refusal_of(message: InboundMessage) -> Reason | None:
    try:
        judge(message, now=NOW)
    except NotAccepted as refused:
        return refused.reason
    return None


COPIES = text("""
    INSERT INTO quarantined SELECT gen_random_uuid(), dealer_id, channel, reason, detail, address,
        addressed, headers, content_type, body, size, received_at
    FROM quarantined, generate_series(3, :most) WHERE dealer_id = 'D01'
""")


async def test_quarantine_keeps_so_many_of_a_dealer_and_no_more(database: Database) -> None:
    async def aside(sender: str) -> bool:
        async with database.transaction(EVERY_DEALER) as tx:
            message = arrival(sender=sender, addressed=sender)
            refusal = NotAccepted(Reason.TIME_MISSING)
            return await quarantine_message(tx, message, refusal, now=NOW) is not None

    def overflown() -> float:
        name, of = "madoguchi_interchange_quarantine_overflow_total", {"dealer": "D01"}
        return REGISTRY.get_sample_value(name, of) or 0

    before = overflown()
    assert await aside("D01")
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(COPIES, {"most": MOST_IN_QUARANTINE})
    assert [await aside("D01"), await aside("D01"), await aside("D02")] == [True, False, True]
    assert overflown() == before + 1


async def test_a_refused_message_that_is_delivered_again_lies_there_once(
    database: Database,
) -> None:
    kept = []
    for message in (
        arrival(),
        arrival(again=True),
        arrival(again=True, ce={"ce-id": "other"}),
        arrival(),
    ):
        async with database.transaction(EVERY_DEALER) as tx:
            aside = await quarantine_message(tx, message, NotAccepted(Reason.TIME_MISSING), now=NOW)
            kept.append(aside is not None)
    assert kept == [True, False, True, True]


async def test_what_is_settled_is_settled_once(database: Database) -> None:
    async with database.transaction(EVERY_DEALER) as tx:
        refusal = NotAccepted(Reason.TIME_MISSING)
        kept = await quarantine_message(tx, arrival(), refusal, now=NOW)
        assert kept is not None
        await discard(tx, kept, by="o001", note="試験", now=NOW)
        with pytest.raises(AlreadySettled):
            await discard(tx, kept, by="o001", note="試験", now=NOW)
