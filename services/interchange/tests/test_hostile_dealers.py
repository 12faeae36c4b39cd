"""Hostile dealers: no system can read, disturb or impersonate another's, or stop the consumers. C4.

On a real broker with the users of the generated definitions. What the broker does not refuse is
quarantined with its reason, and well-behaved dealers are served.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import aiormq
import orjson
import pytest
from pamqp.commands import Basic
from sqlalchemy import insert, select, text

from event_contracts import EVENTS, EXAMPLES, SUBSCRIPTIONS, read
from event_contracts.dealer import DealerEvent
from event_contracts.examples_of import newest_example
from interchange_service.actions.accept_message import release
from interchange_service.amqp_consumer import AmqpConsumers
from interchange_service.broker_definitions import MOST_WAITING, BrokerNames
from interchange_service.models import DealerAccount, Quarantined
from interchange_service.rules.message_checks import LARGEST_BODY, NotAccepted, Reason
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.rabbitmq import Topology
from shared.testing.broker_users import rabbitmqctl, why_not
from shared.testing.databases import TestDatabases

from .conftest import NOW
from .dealer_broker import Broker, Hall, System, an_id

DEALERS = ("D01", "D02", "D03")
ON_THE_BROKER = (*DEALERS, "D04", "D06")


@pytest.fixture(scope="module")
async def broker(rabbitmq_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """Dealers, and D09, which is disabled."""
    if reason := why_not(rabbitmq_url):
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{reason}\n")  # noqa: T201  loud
        pytest.skip(reason)
    name = f"test-{secrets.token_hex(4)}"
    address = rabbitmq_url.split("@")[1].rstrip("/")
    made = Broker(address, name, BrokerNames(f"{name}."))
    try:
        await made.learn(*ON_THE_BROKER, shut_out=("D09",))
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
async def hall(broker: Broker, databases: TestDatabases) -> AsyncIterator[Hall]:
    """An interchange that serves D01 to D03; its clock is near NOW."""
    database = Database(await databases.create("interchange_service"))
    async with database.transaction(EVERY_DEALER) as tx:
        for dealer_id in DEALERS:
            row = {"dealer_id": dealer_id, "name": "販売店", "added_at": NOW}
            await tx.execute(insert(DealerAccount).values(amqp_password_hash="kept", **row))
    clock = TravelClock()
    clock.travel_to(NOW)
    dealers = AmqpConsumers(
        broker.service_url, broker.names, database, clock, rate=1000, look_s=0.2
    )
    serving = asyncio.create_task(dealers.run())
    yield Hall(database, dealers)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await database.close()


@pytest.fixture
async def system(broker: Broker, hall: Hall) -> AsyncIterator[System]:
    """D01's system."""
    async with broker.system_of("D01") as system:
        yield system


async def test_a_message_becomes_an_event(system: System, hall: Hall) -> None:
    sent = {"ce": {"ce-id": an_id()}, "data": {"source_id": an_id()}}
    assert await system.sends(**sent) == "ok"
    assert await system.sends(**sent) == "ok"  # sent again, for the answer was lost
    later = {**sent, "ce": {"ce-id": an_id()}, "data": {**sent["data"], "place": "本店"}}
    assert await system.sends(**later) == "ok"
    await hall.accepted("D01", later["ce"]["ce-id"])
    aggregate = f"D01-{sent['data']['source_id']}"
    sequences = [number for _, key, number in await hall.events("D01") if key == aggregate]
    assert sequences == [1, 2]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"exchange": "{prefix}ingress.D02"}, "access to exchange '{prefix}ingress.D02'"),
        ({"exchange": "{prefix}ingress.D02", "key": "dealer.D02.x"}, "access to exchange"),
        ({"exchange": "{prefix}events", "key": "dealer.x.v1"}, "access to exchange '{prefix}ev"),
        ({"exchange": "", "key": "{prefix}ingress.D02"}, "access to exchange 'amq.default'"),
        ({"exchange": "", "key": "{prefix}contracts.events"}, "exchange 'amq.default'"),
        ({"exchange": "amq.topic"}, "access to exchange 'amq.topic'"),
        ({"key": "dealer.D02.vehicle_returned"}, "access to topic"),
        ({"key": "dealer.D01"}, "access to topic"),
        ({"key": "return.completed.v1"}, "access to topic"),
        ({"user_id": "{prefix}dealer-D02"}, "user_id property set to"),
        ({"user_id": "{prefix}services"}, "user_id property set to"),
    ],
)
async def test_the_broker_lets_nobody_speak_for_another(
    system: System, broker: Broker, changes: dict[str, str], refusal: str
) -> None:
    here = {name: value.format(prefix=broker.names.prefix) for name, value in changes.items()}
    answer = await system.sends(**here)
    assert answer.startswith(("ACCESS_REFUSED", "PRECONDITION_FAILED"))
    assert refusal.format(prefix=broker.names.prefix) in answer


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("queue_declare", {"queue": "mine"}),
        ("queue_declare", {"queue": ""}),
        ("queue_delete", {"queue": "{prefix}ingress.D01"}),
        ("queue_purge", {"queue": "{prefix}ingress.D01"}),
        ("exchange_declare", {"exchange": "mine"}),
        ("exchange_delete", {"exchange": "{prefix}ingress.D01"}),
        ("queue_bind", {"queue": "{prefix}ingress.D02", "exchange": "{prefix}ingress.D01",
                        "routing_key": "#"}),
        ("exchange_bind", {"destination": "{prefix}events", "source": "{prefix}ingress.D01"}),
        ("basic_get", {"queue": "{prefix}ingress.D01"}),
        ("basic_get", {"queue": "{prefix}ingress.D02"}),
        ("basic_get", {"queue": "{prefix}contracts.events"}),
    ],
)  # fmt: skip
async def test_the_broker_lets_dealers_neither_read_nor_configure(
    system: System, broker: Broker, hall: Hall, what: str, words: dict[str, str]
) -> None:
    here = {name: value.format(prefix=broker.names.prefix) for name, value in words.items()}
    assert "ACCESS_REFUSED" in await system.tries(what, **here)


async def test_the_broker_lets_dealers_not_consume(system: System, broker: Broker) -> None:
    async def take(_: object) -> None:
        raise AssertionError("read")

    for dealer in ("D01", "D02"):
        queue = broker.names.queue(dealer)
        assert "ACCESS_REFUSED" in await system.tries("basic_consume", queue, take)


@pytest.mark.parametrize("header", ["CC", "BCC"])
async def test_further_routing_keys_reach_nobody_else(
    system: System, broker: Broker, hall: Hall, header: str
) -> None:
    """RabbitMQ before 3.13 asks no permission for these; only exchanges keep dealers apart."""
    message_id = an_id()
    keys = {"headers": {header: ["dealer.D02.vehicle_returned", broker.names.queue("D02")]}}
    answer = await system.sends(ce={"ce-id": message_id}, properties=keys)
    if "ACCESS_REFUSED" not in answer:
        assert answer == "ok"
        await hall.accepted("D01", message_id)
    async with broker.system_of("D02") as neighbour:
        after = an_id()
        await neighbour.sends(ce={"ce-id": after})
        await hall.accepted("D02", after)
    in_the_neighbours = text("SELECT count(*) FROM quarantined WHERE addressed = 'D02'")
    async with hall.database.transaction(EVERY_DEALER) as tx:
        assert await tx.scalar(in_the_neighbours) == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user_id": None}, Reason.SENDER_UNKNOWN),
        ({"data": {"dealer_id": "D02"}}, Reason.PAYLOAD_OF_ANOTHER),
        ({"body": b"x" * (10 * 1024 * 1024)}, Reason.TOO_LARGE),
        ({"data": {"received_on": "soon"}}, Reason.PAYLOAD_DOES_NOT_FIT),
        ({"data": {"odometer_km": 10**30}}, Reason.PAYLOAD_DOES_NOT_FIT),
        ({"body": b"[" * 60_000}, Reason.PAYLOAD_DOES_NOT_FIT),
        ({"data": {"note": [[[[[[[[[[[[]]]]]]]]]]]]}}, Reason.PAYLOAD_DOES_NOT_FIT),
        ({"data": {"source_id": "漢" * 201}}, Reason.TEXT_NOT_ALLOWED),
        ({"data": {"place": "本\u0000店"}}, Reason.TEXT_NOT_ALLOWED),
        ({"data": {"place": "本\u202e店"}}, Reason.TEXT_NOT_ALLOWED),
        ({"ce": {"ce-type": "return.completed.v1"}}, Reason.TYPE_NOT_ALLOWED),
        ({"ce": {"ce-type": "dealer.vehicle_stolen.v1"}}, Reason.TYPE_NOT_ALLOWED),
        ({"ce": {"ce-time": "2025-07-15T01:30:00Z"}}, Reason.TIME_AHEAD),
        ({"ce": {"ce-time": "2025-06-01T00:00:00Z"}}, Reason.TIME_TOO_OLD),
        ({"ce": {"ce-time": "9999-12-31T23:59:59-14:00"}}, Reason.TIME_AHEAD),
        ({"ce": {"ce-time": None}}, Reason.TIME_MISSING),
        ({"ce": {"ce-source": None}}, Reason.NOT_A_CLOUD_EVENT),
        ({"content_type": "te\0xt"}, Reason.PAYLOAD_DOES_NOT_FIT),
        ({"ce": {"ce-x": "\0" * 5000}, "data": {"received_on": "soon"}},
         Reason.PAYLOAD_DOES_NOT_FIT),
    ],
)  # fmt: skip
async def test_what_the_broker_lets_through_lies_in_quarantine(
    system: System, hall: Hall, changes: dict[str, Any], reason: Reason
) -> None:
    message_id = an_id()
    ce = {"ce-id": message_id} | changes.get("ce", {})
    assert await system.sends(**changes | {"ce": ce}) == "ok"
    kept = await hall.quarantined(message_id)
    sender = "" if reason is Reason.SENDER_UNKNOWN else "D01"
    assert (kept.reason, kept.dealer_id, kept.channel) == (reason, sender, "amqp")
    assert len(kept.body) <= LARGEST_BODY
    behaved = an_id()
    assert await system.sends(ce={"ce-id": behaved}) == "ok"
    await hall.accepted("D01", behaved)


async def test_without_its_topic_permission_a_dealer_still_speaks_for_itself_only(
    broker: Broker, hall: Hall
) -> None:
    """RabbitMQ lets everything pass where a topic permission is missing."""
    await asyncio.to_thread(
        rabbitmqctl, "clear_topic_permissions", "-p", broker.name, broker.names.user("D06")
    )
    async with broker.system_of("D06") as system:
        assert await system.sends(key="dealer.D02.vehicle_returned") == "no route"
        assert await system.sends(key="dealer.D06") == "ok"
        assert await system.sends() == "ok"


async def test_an_id_used_for_something_else_is_refused(system: System, hall: Hall) -> None:
    message_id = an_id()
    assert await system.sends(ce={"ce-id": message_id}) == "ok"
    await hall.accepted("D01", message_id)
    assert await system.sends(ce={"ce-id": message_id}, data={"place": "別"}) == "ok"
    assert (await hall.quarantined(message_id)).reason == Reason.MESSAGE_ID_REUSED


async def test_a_released_message_is_judged_again_but_for_its_time(
    system: System, hall: Hall
) -> None:
    late, foreign = an_id(), an_id()
    await system.sends(ce={"ce-id": late, "ce-time": "2025-01-01T00:00:00Z"})
    await system.sends(ce={"ce-id": foreign}, data={"dealer_id": "D02"})
    kept = await hall.quarantined(late)
    async with hall.database.transaction(EVERY_DEALER) as tx:
        assert not (await release(tx, kept, by="o001", now=NOW)).repeated
    await hall.accepted("D01", late)
    kept = await hall.quarantined(foreign)
    with pytest.raises(NotAccepted) as refused:
        async with hall.database.transaction(EVERY_DEALER) as tx:
            await release(tx, kept, by="o001", now=NOW)
    assert refused.value.reason is Reason.PAYLOAD_OF_ANOTHER
    assert (await hall.quarantined(foreign)).settled_at is None


class Unreadable(Basic.Properties):
    """Properties that are not valid UTF-8; the broker accepts them."""

    def marshal(self) -> bytes:
        good: bytes = super().marshal()
        return good.replace(b"broken", b"br\xff\xfeen")


async def test_a_message_that_no_client_can_read_stops_nobody(broker: Broker, hall: Hall) -> None:
    """It ends every connection that consumes it, until the broker drops it."""
    async with broker.system_of("D03") as hostile, broker.system_of("D02") as neighbour:
        channel = await hostile.connection.channel()
        wire = await channel.get_underlay_channel()
        properties = Unreadable(
            message_id="broken", user_id=broker.names.user("D03"), delivery_mode=2
        )
        exchange = broker.names.exchange("D03")
        await wire.basic_publish(
            b"x", exchange=exchange, routing_key="dealer.D03.x", properties=properties
        )
        during, after = an_id(), an_id()
        assert await neighbour.sends(ce={"ce-id": during}) == "ok"
        await hall.accepted("D02", during)
        assert await hostile.sends(ce={"ce-id": after}) == "ok"
        await hall.accepted("D03", after)
        unread = select(Quarantined).where(Quarantined.dealer_id == "D03")
        kept = await hall.eventually(lambda tx: tx.scalar(unread))
        assert (kept.reason, kept.detail) == (
            Reason.NOT_A_CLOUD_EVENT,
            "properties: UTF-8 のプロパティ",
        )
        await channel.close()


async def test_the_services_have_their_own_installation_and_no_more(broker: Broker) -> None:
    async with await aio_pika.connect(broker.service_url) as connection:
        await Topology(SUBSCRIPTIONS, broker.names.prefix).declare(connection)
        channel = await connection.channel()
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
            await channel.declare_queue("of-another-installation")


async def test_connections_and_channels_are_few(broker: Broker, hall: Hall) -> None:
    async with broker.system_of("D03") as first, broker.system_of("D03") as second:
        with pytest.raises(aio_pika.exceptions.AMQPError):
            async with broker.system_of("D03"):
                pass
        channels = [await first.connection.channel() for _ in range(3)]
        channels.append(await second.connection.channel())
        with pytest.raises(aio_pika.exceptions.AMQPError, match="channels opened for user"):
            await second.connection.channel()


async def test_who_is_shut_out_does_not_get_in(broker: Broker) -> None:
    with pytest.raises(aio_pika.exceptions.AMQPError):
        async with broker.system_of("D09"):
            pass


async def test_a_queue_that_is_full_refuses_its_own_dealer_only(broker: Broker) -> None:
    """Without a consumer: what waits is bounded, and the publisher is refused."""
    async with broker.system_of("D04") as flooding, broker.system_of("D06") as neighbour:
        channel = await flooding.connection.channel()
        wire = await channel.get_underlay_channel()
        properties = Basic.Properties(user_id=broker.names.user("D04"), delivery_mode=2)
        exchange = broker.names.exchange("D04")
        answers = await asyncio.gather(
            *(
                wire.basic_publish(
                    b"x", exchange=exchange, routing_key="dealer.D04.x", properties=properties
                )
                for _ in range(2 * MOST_WAITING)
            ),
            return_exceptions=True,
        )
        taken = sum(isinstance(answer, Basic.Ack) for answer in answers)
        assert MOST_WAITING <= taken < 1.5 * MOST_WAITING
        assert await flooding.sends() == "rejected"
        assert await neighbour.sends() == "ok"
        with contextlib.suppress(aio_pika.exceptions.AMQPError):
            await channel.close()


async def test_a_dealer_that_is_new_is_served_without_a_restart(broker: Broker, hall: Hall) -> None:
    await broker.learn("D07")
    row = {"dealer_id": "D07", "name": "新販売店", "amqp_password_hash": "kept", "added_at": NOW}
    async with hall.database.transaction(EVERY_DEALER) as tx:
        await tx.execute(insert(DealerAccount).values(row))
    async with broker.system_of("D07") as system:
        message_id = an_id()
        assert await system.sends(ce={"ce-id": message_id}) == "ok"
        await hall.accepted("D07", message_id)


async def test_every_type_that_dealers_may_send_is_accepted_in_order(
    broker: Broker, hall: Hall
) -> None:
    """With the examples of the wire, each in binary mode and then in structured mode."""
    types = sorted(name for name, model in EVENTS.items() if issubclass(model, DealerEvent))
    assert len(types) == 8
    expected = set()
    async with broker.system_of("D02") as system:
        for wire_type in types:
            example = newest_example(EXAMPLES, wire_type)
            data = {**example, "dealer_id": "D02"}
            binary = {"ce-id": an_id(), "ce-type": wire_type}
            body = orjson.dumps(data)
            assert await system.sends(ce=binary, body=body) == "ok"
            whole = {
                "specversion": "1.0", "id": an_id(), "type": wire_type, "source": "/dealers/D02",
                "time": "2025-07-15T00:59:00Z", "data": data,
            }  # fmt: skip
            structured = "application/cloudevents+json"
            nothing = dict.fromkeys(("ce-id", "ce-type", "ce-source", "ce-time", "ce-specversion"))
            sent = orjson.dumps(whole)
            assert await system.sends(ce=nothing, body=sent, content_type=structured) == "ok"
            await hall.accepted("D02", str(whole["id"]))
            key = read(wire_type, body).aggregate_id
            expected.add((wire_type, key))
    events = await hall.events("D02")
    for wire_type, key in expected:
        numbers = [number for name, k, number in events if (name, k) == (wire_type, key)]
        assert len(numbers) == 2
        of_aggregate = [number for _, k, number in events if k == key]
        assert of_aggregate == list(range(1, len(of_aggregate) + 1))
