"""Noisy neighbour test: `./dev hostile` floods the broker as one dealer and measures the others.

Three dealers' systems send ten messages a second each over RabbitMQ; in every other phase a fourth
one floods its own exchange, over all connections that its limits allow, without waiting for
responses. The interchange and the returns service run as separate processes.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import pamqp.frame
from aio_pika.exceptions import AMQPError
from cryptography.fernet import Fernet
from pamqp import commands, header
from pamqp.body import ContentBody
from pamqp.header import ProtocolHeader
from sqlalchemy import insert, text

from bench.event_fixture import write
from bench.event_latency import percentile
from interchange_service.broker_definitions import BrokerNames, ServiceUser, definitions
from interchange_service.models import DealerAccount
from interchange_service.rules.credentials import broker_hash
from madoguchi.embedded.processes import service_process
from shared.db import EVERY_DEALER, Database
from shared.testing import servers
from shared.testing.broker_users import import_definitions, remove, why_not
from shared.testing.databases import TestDatabases

OTHERS = ("D01", "D02", "D03")
HOSTILE = "D66"
PER_SECOND = 10
FLOOD_PER_SECOND = 10_000
CONNECTIONS = 2
STEP_S = 0.01
WANTED = 2.0
CALM_MS = 1000
POOL = 5000
SECRET = "of-the-bench-alone"
TELL_COMMIT = """
    CREATE FUNCTION notify_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('bench', NEW.message_id); RETURN NULL; END $$;
    CREATE TRIGGER notify_commit AFTER INSERT ON accepted FOR EACH ROW
        WHEN (NEW.dealer_id <> 'D66') EXECUTE FUNCTION notify_commit();
"""
TELL_EFFECT = """
    CREATE FUNCTION notify_effect() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('bench', NEW.source_id); RETURN NULL; END $$;
    CREATE TRIGGER notify_effect AFTER INSERT ON reported_car FOR EACH ROW
        WHEN (NEW.dealer_id <> 'D66') EXECUTE FUNCTION notify_effect();
"""
KEPT = text("SELECT reason, count(*) FROM quarantined GROUP BY reason ORDER BY 2 DESC")
TAKEN = text("SELECT count(*) FROM accepted WHERE dealer_id = 'D66'")
METHOD = """\
Method: the other dealers' systems publish on schedule, each message with a confirm, without waiting
for earlier ones; a message begins when it is published. Commit and effect are observed by
PostgreSQL notifications at commit: that of the interchange which accepts the message, and that of
the returns service which stores the reported car. The flood is written to two sockets (all that the
dealer's limits allow) as prepared frames: per thousand messages 600 valid ones, 299 that violate
their schema, 100 without user_id, and one of a megabyte, occasionally of ten. It requests no
confirms and reads nothing; the broker throttles it by not reading. Flooder, the other dealers'
systems, broker, PostgreSQL and services share this one machine's cores."""


@dataclass(slots=True)
class Phase:
    """Measurements of the other dealers in one phase; times in seconds, by message."""

    name: str
    begun: dict[str, float] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    effect: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    offered: float = 0
    cores: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """A row of the table."""
        both = [list(times.values()) or [0.0] for times in (self.accepted, self.effect)]
        figures = [f"{percentile(t, p):,.1f}" for t in both for p in (0.5, 0.99)]
        lost = len(self.begun) - len(self.effect)
        cells = [self.name, len(self.begun), self.refused, lost, *figures, f"{self.offered:,.0f}"]
        return f"| {' | '.join(map(str, cells))} |"

    def of_cores(self) -> str:
        """Processor use by program, in cores."""
        most = sorted(self.cores.items(), key=itemgetter(1), reverse=True)
        return ", ".join(f"{of} {share:.2f}" for of, share in most[:4])


@dataclass(slots=True)
class Setup:
    """The databases and the broker of the bench."""

    address: str
    vhost: str
    names: BrokerNames
    interchange: Database
    notifications: asyncio.Queue[tuple[str, str, float]] = field(default_factory=asyncio.Queue)

    def url(self, user: str) -> str:
        """The broker URL of a user."""
        return f"amqp://{user}:{SECRET}@{self.address}/{self.vhost}"


@asynccontextmanager
async def setup() -> AsyncIterator[Setup]:
    """Create broker users, databases, and the services' workers; removed at the end."""
    postgres, end_postgres = await asyncio.to_thread(servers.find_postgres)
    rabbit = await asyncio.to_thread(servers.find_rabbitmq)
    if rabbit is None or (reason := why_not(rabbit[0])):
        raise SystemExit(reason if rabbit else servers.HOW_TO_GET_RABBITMQ)
    name = f"bench-{secrets.token_hex(3)}"
    names, databases = BrokerNames(f"{name}."), TestDatabases(postgres)
    made = Broker(name, names)
    async with AsyncExitStack() as stack:
        stack.callback(end_postgres)
        stack.push_async_callback(databases.drop_all)
        stack.callback(made.remove)
        await asyncio.to_thread(made.learn)
        urls = {s: await databases.create(f"{s}_service") for s in ("interchange", "returns")}
        database = Database(urls["interchange"])
        stack.push_async_callback(database.close)
        await _let_in(database)
        here = Setup(urlsplit(rabbit[0]).netloc.split("@")[1], name, names, database)
        for service, statement in (("interchange", TELL_COMMIT), ("returns", TELL_EFFECT)):
            listening = await asyncpg.connect(urls[service])
            stack.push_async_callback(listening.close)
            await databases.as_owner(urls[service], statement)
            await listening.add_listener("bench", _consumes(here, service))
            values = {
                "database_url": urls[service], "rabbitmq_url": here.url(f"{name}.services"),
                "event_prefix": f"{name}.", "issuer": "http://x", "jwks_url": "http://x",
                "log_level": "ERROR", "webhook_keys": Fernet.generate_key().decode(),
            }  # fmt: skip
            environment = {f"{service}_{key}".upper(): value for key, value in values.items()}
            running = asyncio.create_task(
                service_process(f"{service}_service", "worker", environment).run()
            )
            stack.push_async_callback(_end, running)
        yield here


@dataclass(slots=True)
class Broker:
    """The bench's users and exchanges on the broker."""

    name: str
    names: BrokerNames

    def accounts(self) -> list[DealerAccount]:
        """The dealers' accounts."""
        kept = {"name": "販売店", "active": True, "amqp_password_hash": broker_hash(SECRET)}
        return [DealerAccount(dealer_id=code, **kept) for code in (*OTHERS, HOSTILE)]

    def learn(self) -> None:
        """Create users, permissions, limits and exchanges."""
        service = ServiceUser(f"{self.name}.services", broker_hash(SECRET))
        import_definitions(
            definitions(self.accounts(), names=self.names, vhost=self.name, service=service)
        )

    def remove(self) -> None:
        """Remove users, exchanges and queues."""
        dealers = [self.names.user(code) for code in (*OTHERS, HOSTILE)]
        remove(self.name, [f"{self.name}.services", *dealers])


async def _let_in(database: Database) -> None:
    async with database.transaction(EVERY_DEALER) as tx:
        for code in (*OTHERS, HOSTILE):
            row = {"dealer_id": code, "name": "販売店", "amqp_password_hash": "kept"}
            await tx.execute(insert(DealerAccount).values(added_at=datetime.now(UTC), **row))


def _consumes(here: Setup, service: str) -> Callable[[object, int, str, object], None]:
    def record(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        here.notifications.put_nowait((service, str(payload), time.monotonic()))

    return record


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def message_of(dealer: str, key: str, **changes: object) -> tuple[dict[str, str], bytes]:
    """Headers and body of a returned car's message; `key` is its id and its source id."""
    headers = {
        "ce-specversion": "1.0", "ce-id": key, "ce-source": f"/dealers/{dealer}",
        "ce-type": "dealer.vehicle_returned.v1", "ce-time": f"{datetime.now(UTC):%FT%TZ}",
    }  # fmt: skip
    data = {
        "dealer_id": dealer, "source_id": key, "contract_no": "12345678",
        "received_on": "2025-07-14", **changes,
    }  # fmt: skip
    return headers, json.dumps(data).encode()


async def send_as(here: Setup, dealer: str, phase: Phase, seconds: float) -> None:
    """Send as one of the other dealers: ten messages a second, each with its confirm."""
    user = here.names.user(dealer)
    async with await aio_pika.connect(here.url(user)) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange(here.names.exchange(dealer), ensure=False)

        async def publish(key: str) -> None:
            headers, body = message_of(dealer, key)
            message = aio_pika.Message(
                body, headers=dict(headers), content_type="application/json", user_id=user,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )  # fmt: skip
            phase.begun[key] = time.monotonic()
            try:
                await exchange.publish(message, f"dealer.{dealer}.vehicle_returned", timeout=30)
            except (AMQPError, TimeoutError):
                phase.refused += 1

        begun = time.monotonic()
        async with asyncio.TaskGroup() as publishing:
            for n in range(int(seconds * PER_SECOND)):
                await asyncio.sleep(begun + n / PER_SECOND - time.monotonic())
                publishing.create_task(publish(f"{dealer}-{secrets.token_hex(6)}"))


def flood(address: str, vhost: str, user: str, exchange: str, seconds: float, rate: float) -> float:
    """Write prepared frames to a socket for `seconds`; returns the messages per second sent."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port or 5672))) as wire:
        _log_in(wire, vhost, user)
        pool = [_frames(user, exchange, n % 1000) for n in range(POOL)]
        random.shuffle(pool)
        begun, sent = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < seconds:
            due = int(passed * rate) - sent
            wire.sendall(b"".join(pool[(sent + n) % POOL] for n in range(min(due, 200))))
            sent += min(due, 200)
            if due < rate * STEP_S:
                time.sleep(STEP_S)
        return sent / (time.monotonic() - begun)


def _log_in(wire: socket.socket, vhost: str, user: str) -> None:
    """The AMQP handshake without a client library, which would react to the broker afterwards."""
    wire.sendall(ProtocolHeader(0, 9, 1).marshal())
    wire.recv(65536)
    wire.sendall(
        pamqp.frame.marshal(
            commands.Connection.StartOk({}, "PLAIN", f"\0{user}\0{SECRET}", "en_US"), 0
        )
    )
    wire.recv(65536)
    for frame, channel in (
        (commands.Connection.TuneOk(4, 131072, 0), 0),
        (commands.Connection.Open(vhost), 0),
        (commands.Channel.Open(), 1),
    ):
        wire.sendall(pamqp.frame.marshal(frame, channel))
    time.sleep(0.5)
    assert b"\x00\x14\x00\x0b" in wire.recv(65536), "the broker refuses the flooder's login"


def _frames(user: str, exchange: str, n: int) -> bytes:
    """One message of the flood: mostly valid, some invalid, one in a thousand very large."""
    changes = {"received_on": "soon"} if 600 <= n < 900 else {}
    headers, body = message_of(HOSTILE, f"f-{secrets.token_hex(6)}", **changes)
    if n == 0:
        body = b"x" * (1024 * 1024 * (10 if secrets.randbelow(10) == 0 else 1))
    properties = commands.Basic.Properties(
        content_type="application/json", headers=dict(headers), delivery_mode=2,
        user_id=None if n >= 900 else user,
    )  # fmt: skip
    parts: list[commands.Basic.Publish | header.ContentHeader | ContentBody] = [
        commands.Basic.Publish(exchange=exchange, routing_key=f"dealer.{HOSTILE}.x"),
        header.ContentHeader(body_size=len(body), properties=properties),
        *(ContentBody(body[at : at + 131064]) for at in range(0, len(body), 131064)),
    ]
    return b"".join(pamqp.frame.marshal(part, 1) for part in parts)


async def run_phase(here: Setup, name: str, seconds: float, rate: float) -> Phase:
    """Run one phase: the other dealers send, with the flood beside them unless `rate` is 0."""
    phase, before = Phase(name), _processor_seconds()
    hearing = asyncio.create_task(_note(here, phase))
    with multiprocessing.get_context("spawn").Pool(CONNECTIONS) as pool:
        where = (here.address, here.vhost, here.names.user(HOSTILE))
        what = (here.names.exchange(HOSTILE), seconds + 2, rate / CONNECTIONS)
        flooding = [
            pool.apply_async(flood, (*where, *what)) for _ in range(CONNECTIONS if rate else 0)
        ]
        await asyncio.sleep(2 if rate else 0)  # until the flood runs
        await asyncio.gather(*(send_as(here, dealer, phase, seconds) for dealer in OTHERS))
        phase.offered = sum([await asyncio.to_thread(one.get, 120) for one in flooding])
    phase.cores = {of: (s - before.get(of, 0)) / seconds for of, s in _processor_seconds().items()}
    for _ in range(200):
        if len(phase.effect) >= len(phase.begun) - phase.refused:
            break
        await asyncio.sleep(0.1)
    await _end(hearing)
    return phase


async def _note(here: Setup, phase: Phase) -> None:
    while True:
        service, key, at = await here.notifications.get()
        times = phase.accepted if service == "interchange" else phase.effect
        if key in phase.begun:
            times[key] = at - phase.begun[key]


def _processor_seconds() -> dict[str, float]:
    """Processor seconds used so far by each program of this machine."""
    used: dict[str, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:  # the process has ended meanwhile
            continue
        fields = rest.split()
        used[name] = used.get(name, 0) + (int(fields[11]) + int(fields[12])) / 100
    return used


async def measure(seconds: float, rounds: int, rate: float) -> None:
    """Run quiet and flood phases in turn, and write the results."""
    async with setup() as here:
        for _ in range(30):  # until the workers are up and the queues are empty
            warm = await run_phase(here, "warm", 2, 0)
            if warm.effect and percentile(list(warm.effect.values()), 0.99) < CALM_MS:
                break
        phases = []
        for turn in range(rounds):
            for name, flooding in (("quiet", 0.0), ("flood", rate)):
                phases.append(await run_phase(here, f"{name} {turn + 1}", seconds, flooding))
                print(phases[-1].line(), phases[-1].of_cores(), flush=True)
        async with here.interchange.transaction(EVERY_DEALER) as tx:
            kept = (await tx.execute(KEPT)).all()
            taken = await tx.scalar(TAKEN)
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in kept)
    became = f"Of the flood {taken:,} messages became events; quarantined: {reasons}."
    write("noisy_neighbour", [*_page(phases), "", became, "", METHOD])


def _page(phases: list[Phase]) -> list[str]:
    head = "phase | sent | refused | lost | accepted p50 | p99 | effect p50 | p99 | flood/s"
    ratios = []
    for kind in ("accepted", "effect"):
        times: dict[str, list[float]] = {"quiet": [], "flood": []}
        for phase in phases:
            times[phase.name.split()[0]] += getattr(phase, kind).values()
        for share, wanted in ((0.5, ""), (0.99, WANTED)):
            quiet, flooded = (percentile(times[of], share) for of in ("quiet", "flood"))
            cells = f"{quiet:,.1f} | {flooded:,.1f} | {flooded / quiet:.1f} | {wanted}"
            ratios.append(f"| {kind} p{share * 100:.0f} | {cells} |")
    used = "; ".join(f"{phase.name}: {phase.of_cores()}" for phase in phases)
    return [
        f"| {head} |",
        "|---" + "|---:" * 8 + "|",
        *(phase.line() for phase in phases),
        "",
        "| the others' latency, ms | quiet | flood | ratio | wanted at most |",
        "|---|---:|---:|---:|---:|",
        *ratios,
        "",
        f"Cores used, by program: {used}.",
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="length of a phase")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=FLOOD_PER_SECOND, help="flood per second")
    args = parser.parse_args()
    asyncio.run(measure(args.seconds, args.rounds, args.rate))
