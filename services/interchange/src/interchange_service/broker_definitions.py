"""Broker definitions: users, exchanges and permissions, so that each dealer sends only for itself.

Every dealer has a user, an exchange and a queue of its own. Its user may write to its own exchange,
with routing keys that name it, and nothing else: no other exchange, no queue, no configuration.
The exchange is its own because RabbitMQ before 3.13 asks the topic permission for the routing key
only, not for those in the headers CC and BCC, and checks nothing where a permission is missing.

`rabbitmqctl import_definitions` takes the file, again after every change. What is no longer in it
stays on the broker, so a dealer that is shut out stays in the file: without rights and password.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractQueue

from interchange_service.models import DealerAccount

MOST_WAITING = 1000
MOST_BYTES_WAITING = 8 * 1024 * 1024
MOST_CONNECTIONS = 2
MOST_CHANNELS = 4
MOST_DELIVERIES = 5
NOTHING = "^$"
HASHING = "rabbit_password_hashing_sha256"

Definition = Mapping[str, object]
Definitions = dict[str, list[Definition]]


@dataclass(frozen=True, slots=True)
class BrokerNames:
    """Names of a dealer on the broker; `prefix` keeps several installations on one broker apart."""

    prefix: str = ""

    def exchange(self, dealer_id: str) -> str:
        """The dealer's own topic exchange."""
        return f"{self.prefix}ingress.{dealer_id}"

    def queue(self, dealer_id: str) -> str:
        """The queue of its messages."""
        return f"{self.prefix}ingress.{dealer_id}"

    def user(self, dealer_id: str) -> str:
        """The name by which the dealer's systems log in, and which each message must carry."""
        return f"{self.prefix}dealer-{dealer_id}"

    def dealer_of(self, user: str | None) -> str | None:
        """The dealer behind a user that the broker has checked."""
        start = f"{self.prefix}dealer-"
        return user.removeprefix(start) if user and user.startswith(start) else None

    async def declare(self, channel: AbstractChannel, dealer_id: str) -> AbstractQueue:
        """Declare a dealer's exchange and queue, as the definitions do."""
        exchange = await channel.declare_exchange(self.exchange(dealer_id), "topic", durable=True)
        queue = await channel.declare_queue(
            self.queue(dealer_id), durable=True, arguments=queue_arguments()
        )
        await queue.bind(exchange, binding(dealer_id))
        return queue


def binding(dealer_id: str) -> str:
    """The routing keys by which a dealer sends: the type of the event, with its code in it."""
    return f"dealer.{dealer_id}.#"


def queue_arguments() -> dict[str, Any]:
    """Limits that keep one dealer's flood from filling the broker: more is refused.

    One worker at a time consumes the queue, so that messages keep their order. A message that
    ends the connection of its consumer is dropped after a few attempts.
    """
    return {
        "x-queue-type": "quorum",
        "x-max-length": MOST_WAITING,
        "x-max-length-bytes": MOST_BYTES_WAITING,
        "x-overflow": "reject-publish",
        "x-single-active-consumer": True,
        "x-delivery-limit": MOST_DELIVERIES,
    }


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The user of the services themselves: all of their own installation, no administration."""

    name: str
    password_hash: str


def definitions(
    accounts: Iterable[DealerAccount],
    *,
    names: BrokerNames,
    vhost: str = "/",
    service: ServiceUser | None = None,
) -> Definitions:
    """The definitions of every dealer that has a password for AMQP; passwords only as hashes."""
    parts: Definitions = {
        "vhosts": [{"name": vhost}], "users": [], "permissions": [], "topic_permissions": [],
        "exchanges": [], "queues": [], "bindings": [],
    }  # fmt: skip
    if service is not None:
        own = f"^{re.escape(names.prefix)}"
        parts["users"].append(_user(service.name, service.password_hash))
        write = rf"{own}|^amq\.default$"  # the default exchange, for dead letters
        parts["permissions"].append(_right(service.name, vhost, own, write, own))
    for account in accounts:
        if account.amqp_password_hash is not None:
            for kind, part in _of_dealer(account, account.amqp_password_hash, names, vhost):
                parts[kind].append(part)
    return parts


def _of_dealer(
    account: DealerAccount, password_hash: str, names: BrokerNames, vhost: str
) -> Iterable[tuple[str, Definition]]:
    dealer_id, user = account.dealer_id, names.user(account.dealer_id)
    exchange, queue = names.exchange(dealer_id), names.queue(dealer_id)
    own_exchange, own_keys = f"^{re.escape(exchange)}$", rf"^dealer\.{re.escape(dealer_id)}\."
    if account.active:
        limits = {"max-connections": MOST_CONNECTIONS, "max-channels": MOST_CHANNELS}
        yield "users", _user(user, password_hash, limits)
        yield "permissions", _right(user, vhost, NOTHING, own_exchange, NOTHING)
    else:
        yield "users", _user(user, "", {"max-connections": 0, "max-channels": 0})
        yield "permissions", _right(user, vhost, NOTHING, NOTHING, NOTHING)
    keys = own_keys if account.active else NOTHING
    topics = {"user": user, "vhost": vhost, "exchange": exchange, "write": keys, "read": NOTHING}
    yield "topic_permissions", topics
    lasting = {"vhost": vhost, "durable": True, "auto_delete": False}
    yield "exchanges", {**lasting, "name": exchange, "type": "topic", "internal": False,
                        "arguments": {}}  # fmt: skip
    yield "queues", {**lasting, "name": queue, "arguments": queue_arguments()}
    yield "bindings", {
        "source": exchange, "vhost": vhost, "destination": queue, "destination_type": "queue",
        "routing_key": binding(dealer_id), "arguments": {},
    }  # fmt: skip


def _user(name: str, password_hash: str, limits: Mapping[str, int] | None = None) -> Definition:
    return {
        "name": name,
        "password_hash": password_hash,
        "hashing_algorithm": HASHING,
        "tags": "",
        "limits": dict(limits or {}),
    }


def _right(user: str, vhost: str, configure: str, write: str, read: str) -> Definition:
    return {"user": user, "vhost": vhost, "configure": configure, "write": write, "read": read}
