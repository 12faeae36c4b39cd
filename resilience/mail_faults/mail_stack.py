"""Mail stack of a run: the programs, and queries of their state."""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from event_contracts import SUBSCRIPTIONS
from resilience.mail_faults.checker import Entry, Taken
from resilience.mail_faults.mail_cases import application, commuter_pass
from shared.rabbitmq import Topology
from shared.rabbitmq_connection import connect
from shared.testing.databases import TestDatabases
from shared.testing.servers import free_port

SMTP_TIMEOUT_S = 1
LEDGER = "SELECT subject_id, mail_kind, address, state, message_id FROM mail"
STATES = "SELECT state, count(*) AS mails FROM mail GROUP BY state ORDER BY state"
UNSETTLED = "SELECT count(*) FROM mail WHERE state IN ('scheduled', 'sending')"
SETTLED = "SELECT count(*) FROM mail WHERE settled_at IS NOT NULL"
RECEIVED = "SELECT count(*) FROM inbox_stream WHERE next_sequence > 1"
UNTOLD = """
    SELECT count(*) FROM mail WHERE state IN ('sent', 'failed', 'unknown') AND NOT EXISTS (
        SELECT FROM outbox WHERE payload->>'mail_id' = mail_id::text
        AND type = CASE state WHEN 'unknown' THEN 'mail.outcome_unknown.v1'
                              ELSE 'mail.' || state || '.v1' END)
"""
HURRY = """
    UPDATE mail SET due_at = clock_timestamp()
    WHERE state = 'scheduled' AND claim IS NULL AND due_at > clock_timestamp();
    NOTIFY mail
"""
NOBODY_IS_LEFT = """
    UPDATE mail SET due_at = clock_timestamp() WHERE state IN ('scheduled', 'sending')
"""


@dataclass(slots=True)
class Program:
    """One process that is killed and restarted."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    fallen: list[str]
    answers_at: int | None = None
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; returns when it responds, if it has a port."""
        words = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.command,
            env={**os.environ, **self.environment},
            stdout=words,
            stderr=words,
        )
        os.close(words)
        while self.answers_at is not None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.answers_at)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def kill(self) -> None:
        """SIGKILL."""
        if self._process is None:
            return
        if self._process.returncode is not None:
            self.fallen.append(f"{self.name}: {self.log.read_text(errors='replace')[-2000:]}")
        else:
            self._process.kill()
        await self._process.wait()
        self._process = None

    async def start_again(self) -> None:
        """Kill it and start it."""
        await self.kill()
        await self.start()

    async def stand_still(self, seconds: float) -> None:
        """Suspend it for `seconds`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)


@dataclass(slots=True)
class FakeReturnsService:
    """The endpoints of the returns and commuter services and the issuer that a notifier calls."""

    unavailable: bool = False

    def app(self) -> Starlette:
        """The application with the endpoints."""

        async def token(_: Request) -> JSONResponse:
            return JSONResponse({"access_token": "a-token", "expires_in": 3600})

        async def recipients(request: Request) -> JSONResponse:
            if self.unavailable:
                return JSONResponse({}, 503)
            number = int(request.path_params["application_id"].removeprefix("A"))
            return JSONResponse(application(number))

        async def of_pass(request: Request) -> JSONResponse:
            if self.unavailable:
                return JSONResponse({}, 503)
            number = int(request.path_params["pass_id"].removeprefix("A"))
            return JSONResponse(commuter_pass(number))

        path = "/api/returns/v1/internal/applications/{application_id}/recipients"
        pass_path = "/api/commuter/v1/internal/passes/{pass_id}/recipients"
        return Starlette(
            routes=[
                Route("/token", token, methods=["POST"]),
                Route(path, recipients),
                Route(pass_path, of_pass),
            ]
        )


@dataclass(slots=True)
class MailStack:
    """The running parts. `fallen` names the programs that ended by themselves."""

    rabbitmq_url: str
    topology: Topology
    database: asyncpg.Pool
    taken_file: Path
    fakes: FakeReturnsService
    mail_server: Program
    notifiers: list[Program]
    fallen: list[str] = field(default_factory=list)

    async def hurry(self) -> None:
        """End every retry delay."""
        await self.database.execute(HURRY)

    async def unsettled(self) -> int:
        """Number of mails scheduled or being sent."""
        return int(await self.database.fetchval(UNSETTLED))

    async def settled(self) -> int:
        """Number of settled mails."""
        return int(await self.database.fetchval(SETTLED))

    async def received(self) -> int:
        """Number of applications whose events the notifiers have received."""
        return int(await self.database.fetchval(RECEIVED))

    async def states(self) -> str:
        """Number of mails by state, as text."""
        rows = await self.database.fetch(STATES)
        return ", ".join(f"{row['state']} {row['mails']}" for row in rows)

    async def settle(self, events: int, longest_s: float) -> None:
        """Wait until all mails are settled: kill every program once more, then only wait."""
        deadline = time.monotonic() + longest_s
        while await self.received() < events and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        for notifier in self.notifiers:
            await notifier.kill()
        await self.database.execute(NOBODY_IS_LEFT)
        for notifier in self.notifiers:
            await notifier.start()
        while await self.unsettled() and time.monotonic() < deadline:
            await self.hurry()
            await asyncio.sleep(0.2)
        await asyncio.sleep(1)

    async def mail_log(self) -> list[Entry]:
        """The ledger's rows."""
        return [Entry(*row) for row in await self.database.fetch(LEDGER)]

    async def unpublished(self) -> int:
        """Number of settled mails without an event."""
        return int(await self.database.fetchval(UNTOLD))

    async def attempts(self) -> int:
        """Number of attempts in the ledger."""
        return int(await self.database.fetchval("SELECT coalesce(sum(attempts), 0) FROM mail"))

    def taken(self) -> list[Taken]:
        """The mails that the server accepted."""
        lines = self.taken_file.read_text().splitlines()
        return [Taken(*line.split(" ")) for line in lines]


@asynccontextmanager
async def running_mail_stack(
    postgres_url: str, rabbitmq_url: str, seed: str, settings: dict[str, str]
) -> AsyncIterator[MailStack]:
    """Start all parts, with separate queues, and clean up at the end."""
    prefix = f"mails-{secrets.token_hex(3)}-"
    databases, fakes = TestDatabases(postgres_url), FakeReturnsService()
    port = free_port()
    config = uvicorn.Config(fakes.app(), host="127.0.0.1", port=port, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    with tempfile.TemporaryDirectory(prefix="madoguchi-mail-faults-") as name:
        folder = Path(name)
        url = await databases.create("notifier_service")
        database = await asyncpg.create_pool(
            url, min_size=1, max_size=2, server_settings={"app.dealer": "*"}
        )
        mail_stack = _mail_stack(folder, database, (rabbitmq_url, prefix, seed), fakes)
        smtp_port = mail_stack.mail_server.answers_at
        environment = _environment(url, rabbitmq_url, prefix, f"http://127.0.0.1:{port}")
        environment |= {"NOTIFIER_SMTP_PORT": str(smtp_port), **settings}
        for number in (1, 2):
            command = ("-m", "shared.main", "notifier_service", "worker")
            log = folder / f"notifier-{number}.log"
            mail_stack.notifiers.append(
                Program(f"notifier {number}", command, environment, log, mail_stack.fallen)
            )
        try:
            for program in (mail_stack.mail_server, *mail_stack.notifiers):
                await program.start()
            yield mail_stack
        finally:
            for program in (*mail_stack.notifiers, mail_stack.mail_server):
                await program.kill()
            server.should_exit = True
            await serving
            await database.close()
            await _clean_up(mail_stack)
            await databases.drop_all()


def _mail_stack(
    folder: Path, database: asyncpg.Pool, names: tuple[str, str, str], fakes: FakeReturnsService
) -> MailStack:
    rabbitmq_url, prefix, seed = names
    fallen: list[str] = []
    smtp_port, taken = free_port(), folder / "taken"
    taken.touch()
    command = ("-m", "resilience.mail_faults.mail_server", "--port", str(smtp_port), "--seed", seed)
    mail_server = Program(
        "mail server",
        (*command, "--taken", str(taken)),
        {},
        folder / "mail-server.log",
        fallen,
        answers_at=smtp_port,
    )
    topology = Topology(SUBSCRIPTIONS, prefix)
    return MailStack(rabbitmq_url, topology, database, taken, fakes, mail_server, [], fallen)


def _environment(url: str, rabbitmq_url: str, prefix: str, fakes: str) -> dict[str, str]:
    values = {
        "database_url": url,
        "rabbitmq_url": rabbitmq_url,
        "event_prefix": prefix,
        "issuer": fakes,
        "jwks_url": f"{fakes}/jwks",
        "sender": "j-pass_uketsuke@toyota-finance.co.jp",
        "product": "J-PASS",
        "expense_product": "楽楽精算",
        "portal_url": "https://portal.example.jp",
        "smtp_host": "127.0.0.1",
        "smtp_starttls": "false",
        "smtp_timeout_s": str(SMTP_TIMEOUT_S),
        "returns_url": fakes,
        "token_url": f"{fakes}/token",
        "client_secret": "secret",
        "log_level": "ERROR",
    }
    return {f"NOTIFIER_{name.upper()}": value for name, value in values.items()}


async def _clean_up(mail_stack: MailStack) -> None:
    topology = mail_stack.topology
    async with (
        await connect(mail_stack.rabbitmq_url) as connection,
        connection.channel() as channel,
    ):
        for service in topology.subscriptions:
            await channel.queue_delete(topology.queue(service))
        await channel.queue_delete(topology.unparsed)
        await channel.exchange_delete(topology.exchange)
