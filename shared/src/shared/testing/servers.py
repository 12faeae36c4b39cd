"""Test servers: where PostgreSQL and RabbitMQ come from; the first of these that answers.

1. `POSTGRES_URL`, `RABBITMQ_URL`; 2. a server on localhost; 3. Docker through testcontainers;
4. an installed server, started as a private one; 5. RabbitMQ: `apt-get install` as root on Debian,
PostgreSQL: the embedded wheel. Each start registers its own end. `TEST_SERVERS=own` leaves out 2.
"""

import asyncio
import os
import secrets
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aio_pika
import asyncpg

from event_contracts import SUBSCRIPTIONS
from shared.rabbitmq import Topology
from shared.rabbitmq_connection import connect
from shared.testing.disposable_servers import (
    DidNotStart,
    PrivatePostgres,
    PrivateRabbitMQ,
    rabbitmq_program,
)

Cleanup = Callable[[], None]

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For HTTP clients of local servers: trusts nobody, and so spares each client the reading of the
certificates of every authority, which takes longer than most requests."""

HOW_TO_GET_RABBITMQ = (
    "NO RABBITMQ: its tests are skipped. Set RABBITMQ_URL=amqp://user:password@host:5672/, or run "
    "Docker, or install it (Debian: apt-get install rabbitmq-server)."
)


def find_postgres() -> tuple[str, Cleanup]:
    """The URL of a superuser on a PostgreSQL server, and how to end what was started for it."""
    for url in _given("POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"):
        if url and asyncio.run(_postgres_answers(url)):
            return url, _nothing
    return _postgres_in_docker() or _embedded_postgres()


def find_rabbitmq() -> tuple[str, Cleanup] | None:
    """The URL of a RabbitMQ broker, and how to end what was started for it; None without any."""
    for url in _given("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/"):
        if url and asyncio.run(_rabbitmq_answers(url)):
            return url, _nothing
    if found := _rabbitmq_in_docker():
        return found
    if rabbitmq_program() is None:
        _install_from_debian()
    program = rabbitmq_program()
    return _private_rabbitmq(program) if program else None


def _given(name: str, local: str) -> tuple[str | None, ...]:
    own = os.environ.get("TEST_SERVERS") == "own"
    return (os.environ.get(name), None if own else local)


@asynccontextmanager
async def own_topology(rabbitmq_url: str) -> AsyncIterator[Topology]:
    """An exchange and queues of a test's own; deleted after it."""
    topology = Topology(SUBSCRIPTIONS, prefix=f"test-{secrets.token_hex(4)}-")
    yield topology
    async with await connect(rabbitmq_url) as connection, connection.channel() as channel:
        for service in SUBSCRIPTIONS:
            await channel.queue_delete(topology.queue(service))
        await channel.queue_delete(topology.unparsed)
        await channel.exchange_delete(topology.exchange)


def free_port() -> int:
    """A TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _postgres_answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=3)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    superuser = await connection.fetchval(
        "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    )
    await connection.close()
    return bool(superuser)


async def _rabbitmq_answers(url: str) -> bool:
    try:
        connection = await connect(url, timeout=3)
    except (OSError, aio_pika.exceptions.AMQPError, TimeoutError):
        return False
    await connection.close()
    return True


def _docker_runs() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0  # noqa: S603


def _postgres_in_docker() -> tuple[str, Cleanup] | None:
    if not _docker_runs():
        return None
    from testcontainers.postgres import PostgresContainer

    container = PostgresContainer("postgres:18").start()
    return container.get_connection_url(driver=None), container.stop


def _rabbitmq_in_docker() -> tuple[str, Cleanup] | None:
    if not _docker_runs():
        return None
    from testcontainers.rabbitmq import RabbitMqContainer

    container = RabbitMqContainer("rabbitmq:4").start()
    host, port = container.get_container_host_ip(), container.get_exposed_port(5672)
    return f"amqp://guest:guest@{host}:{port}/", container.stop


def _embedded_postgres() -> tuple[str, Cleanup]:
    """On TCP: a process without capabilities, as in a container, does not reach its folder."""
    server = PrivatePostgres(free_port(), durable=False)
    asyncio.run(server.start())
    return server.url, server.remove


def _install_from_debian() -> None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "rabbitmq-server"]):
        done = subprocess.run([apt, *command], capture_output=True, check=False, env=quiet)  # noqa: S603
        if done.returncode != 0:
            return


def _private_rabbitmq(program: str) -> tuple[str, Cleanup] | None:
    """A broker of our own beside whatever else runs."""
    broker = PrivateRabbitMQ(program, port=free_port(), distribution_port=free_port())
    try:
        asyncio.run(broker.start())
    except DidNotStart:
        broker.remove()
        return None
    return broker.url, broker.remove


def _nothing() -> None:
    """Somebody else's server goes on."""
