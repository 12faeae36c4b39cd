"""TLS to PostgreSQL and RabbitMQ: a wrong CA or host name is refused, with one clear line."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import pytest

from madoguchi.backup import back_up
from shared.db import Database
from shared.inbox import Inbox
from shared.notifications import NotificationListener
from shared.postgres_connection import DatabaseUnavailable, connect
from shared.rabbitmq import InboundBuffer, RabbitTransport, Topology, consume
from shared.rabbitmq_connection import connect as connect_broker
from shared.testing.certificates import Certificates, make_certificates
from shared.testing.databases import TestDatabases
from shared.testing.servers import free_port
from shared.transport import TransportDown


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def newest_postgres() -> Path:
    """The programs of Debian's newest PostgreSQL: the wheel's is built without TLS."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL with TLS is installed (Debian: postgresql)")
    return found[-1].parent


@pytest.fixture(scope="module")
def encrypted(certificates: Certificates) -> Iterator[str]:
    """The URL of a superuser on a server that speaks TLS, and refuses to speak without."""
    programs, port = newest_postgres(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-test-tls-"))
    user = "postgres" if os.geteuid() == 0 else None
    for file in (certificates.chain, certificates.key):
        shutil.copy(file, folder / file.name)
        (folder / file.name).chmod(0o600)
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user, user)
    how = ["--auth=trust", "-U", "postgres", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
    data = folder / "data"
    subprocess.run([programs / "initdb", *how, data], user=user, check=True, capture_output=True)
    (data / "pg_hba.conf").write_text("hostssl all all all trust\n")
    settings = (
        *("listen_addresses=localhost", f"port={port}", f"unix_socket_directories={folder}"),
        *("ssl=on", f"ssl_cert_file={folder}/chain.pem", f"ssl_key_file={folder}/key", "fsync=off"),
    )
    options = [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], user=user, stderr=log, stdout=log
        )
    yield f"postgresql://postgres@localhost:{port}/postgres"
    server.send_signal(signal.SIGINT)
    server.wait(20)
    shutil.rmtree(folder, ignore_errors=True)


async def ready(url: str) -> str:
    async with asyncio.timeout(10):
        while True:
            try:
                connection = await connect(url)
            except DatabaseUnavailable as not_yet:
                if "certificate" in str(not_yet):
                    return str(not_yet)
                await asyncio.sleep(0.1)
                continue
            shown = await connection.fetchval(
                "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            )
            await connection.close()
            return str(shown)


async def test_postgresql_is_known_by_its_certificate(
    encrypted: str, certificates: Certificates
) -> None:
    def verified(url: str, ca: Path) -> str:
        return f"{url}?sslmode=verify-full&sslrootcert={ca}"

    assert (await ready(verified(encrypted, certificates.ca))).startswith("TLSv1")
    other_name = encrypted.replace("localhost", "127.0.0.1")
    for url, said in (
        (verified(encrypted, certificates.stranger), "unable to get local issuer certificate"),
        (verified(other_name, certificates.ca), "IP address mismatch"),
        (f"{encrypted}?sslmode=disable", "no encryption"),
    ):
        with pytest.raises(DatabaseUnavailable, match=said) as refused:
            await connect(url)
        assert "\n" not in str(refused.value)


async def test_every_part_uses_the_parameters_of_the_url(
    encrypted: str, certificates: Certificates, tmp_path: Path
) -> None:
    query = f"sslmode=verify-full&sslrootcert={certificates.ca}"
    await ready(f"{encrypted}?{query}")
    databases = TestDatabases(f"{encrypted}?{query}", durable=False)
    url = await databases.create("shared")  # migrated over TLS
    assert url.endswith(query)
    database, listener = Database(url), NotificationListener(url, ("outbox",))
    assert await database.is_ready()
    listening = asyncio.create_task(listener.run())
    async with asyncio.timeout(10):
        while not listener["outbox"].listening:
            await listener["outbox"].wait(listener["outbox"].count)
    listening.cancel()
    await back_up({"contracts": databases.superuser_url(url)}, tmp_path / "backup")  # pg_dump
    assert (tmp_path / "backup" / "contracts.dump").stat().st_size > 1000
    await database.close()
    await databases.drop_all()


def test_a_migration_that_is_refused_says_so_in_one_line(
    encrypted: str, certificates: Certificates
) -> None:
    url = f"{encrypted}?sslmode=verify-full&sslrootcert={certificates.stranger}"
    given = {"DATABASE_URL": url, "RABBITMQ_URL": "amqp://x/", "ISSUER": "x", "JWKS_URL": "x"}
    done = subprocess.run(
        [sys.executable, "-m", "shared.main", "returns_service", "migrate"],
        env={**os.environ, **{f"RETURNS_{name}": value for name, value in given.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("returns: PostgreSQL's certificate is refused: unable to get")


@pytest.fixture
async def tls_broker(rabbitmq_url: str, certificates: Certificates) -> AsyncIterator[str]:
    """The address of a server that ends TLS in front of the broker."""
    to = urlsplit(rabbitmq_url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(to.hostname, to.port or 5672)
        await asyncio.gather(
            pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True
        )

    server = await asyncio.start_server(
        join, "localhost", 0, ssl=certificates.server_context(), family=2
    )
    port = server.sockets[0].getsockname()[1]
    yield f"{to.username}:{to.password}@{{}}:{port}/"
    server.close()


async def test_rabbitmq_is_known_by_its_certificate(
    tls_broker: str,
    certificates: Certificates,
    topology: Topology,
    databases: TestDatabases,
) -> None:
    def url(host: str, ca: Path) -> str:
        return f"amqps://{tls_broker.format(host)}?cafile={ca}"

    good = url("localhost", certificates.ca)
    transport = RabbitTransport(good, topology)
    await transport.publish([])  # declares the topology
    await transport.close()
    database = Database(await databases.create("shared"))
    buffer = InboundBuffer(Inbox(database, "returns"))
    consuming = asyncio.create_task(consume(good, topology, "returns", buffer))
    async with asyncio.timeout(20):
        while not await buffer.has_consumer():  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(0.1)
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    await database.close()
    for wrong, said in (
        (url("localhost", certificates.stranger), "unable to get local issuer certificate"),
        (url("127.0.0.1", certificates.ca), "IP address mismatch"),
    ):
        with pytest.raises((OSError, aio_pika.exceptions.AMQPError), match=said):
            await connect_broker(wrong, timeout=10)
        with pytest.raises(TransportDown):
            await RabbitTransport(wrong, topology).publish([])
