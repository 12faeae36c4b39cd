"""AMQP conformance: does a test system accept valid and refuse invalid messages over AMQP?

Acceptance is verified over HTTPS: the same message sent there must be reported as a duplicate.
Since AMQP does not report when a worker has read a message, retries wait longer each time.
"""

import asyncio
import json
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.exceptions import AMQPError

from interchange_service.broker_definitions import BrokerNames
from interchange_service.rules.cloud_event import STRUCTURED
from madoguchi.cli.interface_conformance import Line, System
from madoguchi.cli.interface_conformance_cases import RETURNED, Case, Message, fresh
from shared.rabbitmq_connection import connect

WAITS_S = (0.5, 1, 2, 4, 8)


async def try_amqp(url: str, system: System) -> list[Line]:
    """Publish the cases as the user of the URL, and collect the responses."""
    user = unquote(urlsplit(url).username or "")
    prefix = user.removesuffix(f"dealer-{system.dealer}")
    exchange = BrokerNames(prefix).exchange(system.dealer)
    own = f"dealer.{system.dealer}.vehicle_returned"
    lines = []
    for name, english, structured in (
        ("AMQP バイナリモード", "AMQP binary mode", False),
        ("AMQP 構造化モード", "AMQP structured mode", True),
    ):
        got = "not accepted"
        for wait_s in WAITS_S:
            message = fresh(RETURNED, system.dealer, datetime.now(UTC))
            got = await _publish(url, exchange, own, _amqp(message, user, structured=structured))
            if got != "confirmed":
                break
            await asyncio.sleep(wait_s)
            got = await system.answer(Case(name, english, message, ""))
            if got == "202 repeated=true":
                break
        lines.append(Line(name, english, "202 repeated=true", got))
    message = fresh(RETURNED, system.dealer, datetime.now(UTC))
    foreign = f"dealer.{system.dealer}X.vehicle_returned"
    for name, english, key, of in (
        ("AMQP 別の販売店の宛先", "AMQP another dealer's routing key", foreign, user),
        ("AMQP 別の user_id", "AMQP another user_id", own, "somebody"),
    ):
        got = await _publish(url, exchange, key, _amqp(message, of, structured=False))
        lines.append(Line(name, english, "refused", got))
    return lines


def _amqp(message: Message, user: str, *, structured: bool) -> aio_pika.Message:
    if structured:
        return aio_pika.Message(message.structured(), content_type=STRUCTURED, user_id=user)
    return aio_pika.Message(
        json.dumps(message.data, ensure_ascii=False).encode(),
        content_type="application/json",
        headers={f"ce-{name}": value for name, value in message.attributes.items()},
        user_id=user,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


async def _publish(url: str, exchange: str, key: str, message: aio_pika.Message) -> str:
    """`confirmed`, `refused` by the broker, or another error."""
    try:
        async with await connect(url) as connection:
            channel = await connection.channel()
            place = await channel.get_exchange(exchange, ensure=False)
            await place.publish(message, key, timeout=10)
    except (AMQPError, asyncio.CancelledError) as error:
        return "refused" if "_" in str(error) else type(error).__name__
    except OSError as error:
        return type(error).__name__
    return "confirmed"
