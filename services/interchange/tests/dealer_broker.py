"""Broker fixtures: a real broker with the generated definitions, and dealers' systems."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiormq
from aio_pika.abc import AbstractConnection
from pamqp.commands import Basic
from sqlalchemy import select, text

from interchange_service.amqp_consumer import AmqpConsumers
from interchange_service.broker_definitions import BrokerNames, ServiceUser, definitions
from interchange_service.models import AcceptedMessage, DealerAccount, Quarantined
from interchange_service.rules.credentials import broker_hash
from shared.db import EVERY_DEALER, Database
from shared.rabbitmq_connection import connect
from shared.testing.broker_users import import_definitions, remove

from .conftest import NOW, arrival


@dataclass
class Broker:
    """A virtual host with users of its own; `names` begin with the prefix of the installation."""

    address: str
    name: str
    names: BrokerNames
    passwords: dict[str, str] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)

    @property
    def service_user(self) -> str:
        return f"{self.names.prefix}services"

    def url(self, user: str, password: str) -> str:
        return f"amqp://{user}:{quote(password)}@{self.address}/{self.name}"

    @property
    def service_url(self) -> str:
        return self.url(self.service_user, self.passwords["services"])

    async def learn(self, *dealers: str, shut_out: tuple[str, ...] = ()) -> None:
        """Import the definitions of these dealers."""
        for name in ("services", *dealers, *shut_out):
            self.passwords.setdefault(name, secrets.token_urlsafe(12))
        accounts = [
            DealerAccount(
                dealer_id=dealer, name="販売店", active=dealer in dealers, added_at=NOW,
                amqp_password_hash=broker_hash(self.passwords[dealer]),
            )
            for dealer in (*dealers, *shut_out)
        ]  # fmt: skip
        service = ServiceUser(self.service_user, broker_hash(self.passwords["services"]))
        made = definitions(accounts, names=self.names, vhost=self.name, service=service)
        self.users |= {str(user["name"]) for user in made["users"]}
        await asyncio.to_thread(import_definitions, made)

    @asynccontextmanager
    async def system_of(self, dealer: str) -> AsyncIterator["System"]:
        """A dealer's system that is logged in."""
        url = self.url(self.names.user(dealer), self.passwords[dealer])
        connection = await connect(url)
        try:
            yield System(self, dealer, connection)
        finally:
            await connection.close()

    def remove(self) -> None:
        remove(self.name, self.users)


@dataclass
class System:
    """A dealer's system; each attempt has a channel of its own."""

    broker: Broker
    dealer: str
    connection: AbstractConnection

    async def sends(self, **changes: Any) -> str:
        """Publish D01's usual message with changes; "ok", or how the broker refuses it.

        `exchange`, `key` and `user_id` say where it goes and as whose; the rest is `arrival`'s.
        """
        exchange = changes.pop("exchange", self.broker.names.exchange(self.dealer))
        key = changes.pop("key", f"dealer.{self.dealer}.vehicle_returned")
        own = self.broker.names.user(self.dealer)
        properties = changes.pop("properties", {})
        user_id = changes.pop("user_id", own)
        changes["data"] = {"dealer_id": self.dealer} | changes.get("data", {})
        sent = arrival(**changes)
        message = Basic.Properties(
            content_type=sent.content_type, user_id=user_id, delivery_mode=2,
            headers={**sent.headers, **properties.pop("headers", {})}, **properties,
        )  # fmt: skip
        channel = await self.connection.channel(on_return_raises=True)
        wire = await channel.get_underlay_channel()
        try:
            answer = await wire.basic_publish(
                sent.body, exchange=exchange, routing_key=key, properties=message, mandatory=True
            )
        except aiormq.exceptions.PublishError:
            return "no route"
        except aiormq.exceptions.DeliveryError:
            return "rejected"
        except aiormq.exceptions.ChannelClosed as refused:
            return str(refused)
        finally:
            if not channel.is_closed:
                await channel.close()
        return "ok" if isinstance(answer, Basic.Ack) else "rejected"

    async def tries(self, what: str, *words: Any, **more: Any) -> str:
        """Use a channel; "ok", or how the broker refuses it."""
        channel = await self.connection.channel()
        wire = await channel.get_underlay_channel()
        try:
            await getattr(wire, what)(*words, **more)
        except aiormq.exceptions.ChannelClosed as refused:
            return str(refused)
        await channel.close()
        return "ok"


class Hall:
    """A running interchange, and the results of messages."""

    def __init__(self, database: Database, dealers: AmqpConsumers) -> None:
        self.database = database
        self.dealers = dealers

    async def eventually(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        """The first result that is not None."""
        for _ in range(400):
            async with self.database.transaction(EVERY_DEALER) as tx:
                if found := await question(tx):
                    return found
            await asyncio.sleep(0.05)
        raise AssertionError("nothing came")

    async def quarantined(self, message_id: str) -> Quarantined:
        """The refused message of this id, once it is there."""
        wanted = select(Quarantined).where(Quarantined.headers["ce-id"].astext == message_id)
        found: Quarantined = await self.eventually(lambda tx: tx.scalar(wanted))
        return found

    async def accepted(self, dealer: str, message_id: str) -> None:
        key = (AcceptedMessage.dealer_id == dealer, AcceptedMessage.message_id == message_id)
        await self.eventually(lambda tx: tx.scalar(select(AcceptedMessage).where(*key)))

    async def events(self, dealer: str) -> list[tuple[str, str, int]]:
        """Type, aggregate and sequence of a dealer's events, in order."""
        events = text("""SELECT type, aggregate_id, sequence FROM outbox WHERE dealer_id = :dealer
                       ORDER BY position""")
        async with self.database.transaction(EVERY_DEALER) as tx:
            return [tuple(row) for row in (await tx.execute(events, {"dealer": dealer})).all()]


def an_id() -> str:
    return f"m-{secrets.token_hex(6)}"
