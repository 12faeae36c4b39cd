"""Latency from an approval to its mail: `./dev bench approval_to_mail_latency`.

Every part is a separate process, as in production: the API and the worker of the returns service,
the notifier's worker, an issuer, and a mail server (aiosmtpd); RabbitMQ between the services. Each
store approval forwards an application to headquarters, whose approver receives M4.
"""

import argparse
import asyncio
import multiprocessing
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import asyncpg
import httpx
import uvicorn
import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI
from joserfc.jwk import ECKey
from sqlalchemy import text

from bench.event_fixture import drop_events, write
from bench.event_latency import percentile
from event_contracts import SUBSCRIPTIONS, Event
from event_contracts.contract import ContractRegistered, Vehicle
from event_contracts.masters import StaffUpdated, StoreUpdated
from madoguchi.embedded.issuer import Grant, Issuer, IssuerSettings, create_issuer
from madoguchi.embedded.processes import service_process
from returns_service.app import SERVICE as RETURNS
from shared.auth import Principal, Role
from shared.clock import SystemClock, jst_day
from shared.db import EVERY_DEALER, Database
from shared.rabbitmq import Topology
from shared.testing import servers
from shared.testing.databases import TestDatabases, with_database
from shared.trace_context import new_id
from shared.worker import Delivery

PER_SECOND = 20
STORE = ("D01", "S10")
YAMADA = Principal("D01-E101", "山田 太郎", *STORE, "E101", frozenset({Role.SALES}), None)
SATO = Principal("D01-M100", "佐藤 誠", *STORE, "M100", frozenset({Role.MANAGER}), None)
SECRET = "of-the-bench-alone"
WARM = 20
FLOW = text("""
    INSERT INTO approval_flow (dealer_id, store_approval, hq_approval, hq_mails, version,
                               updated_at, updated_by)
    VALUES ('D01', true, true, ARRAY['hq@d01.example'], 1, now(), 'D01-H001')
""")
TELL_COMMIT = """
    CREATE FUNCTION notify_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('bench', NEW.aggregate_id); RETURN NULL; END $$;
    CREATE TRIGGER notify_commit AFTER INSERT ON outbox FOR EACH ROW
        WHEN (NEW.type = 'return.status_changed.v1') EXECUTE FUNCTION notify_commit();
"""
TELL_EFFECT = """
    CREATE FUNCTION notify_effect() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('bench', NEW.subject_id); RETURN NULL; END $$;
    CREATE TRIGGER notify_effect AFTER INSERT ON mail FOR EACH ROW EXECUTE FUNCTION notify_effect();
"""
METHOD = f"""\
Method: {PER_SECOND} approvals per second over HTTP, started on schedule without waiting for earlier
responses; each part is a separate process on this one machine, with RabbitMQ between returns
service and notifier. An approval begins when its request is sent. Commit and effect are observed by
PostgreSQL notifications at commit: the commit is that of the approval with its events, the effect
the notifier's commit of the mail into its ledger. Hand-over is the moment at which the mail server
(aiosmtpd) has received the whole mail and is about to answer 250. All times are from the machine's
monotonic clock."""


def run_issuer(url: str, port: int, key: dict[str, Any]) -> None:
    """The issuer's process."""
    app = FastAPI()
    app.mount("/issuer", create_issuer(_issuer_settings(url), ECKey.import_key(key)))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


def _issuer_settings(url: str) -> IssuerSettings:
    return IssuerSettings(
        url=f"{url}/issuer",
        audience="madoguchi",
        client_id="bench",
        redirect_uris=frozenset({"http://bench"}),
        signed_out_uris=frozenset(),
        people=(YAMADA, SATO),
        embedded=True,
        services={"madoguchi-notifier": SECRET},
    )


class Applicant:
    """Records when each mail arrived."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        """Record the arrival of a mail."""
        content = (envelope.original_content or b"").partition(b"\r\n\r\n")[0]
        [line] = [one for one in content.split(b"\r\n") if one.startswith(b"Message-ID: ")]
        self.taken[line.split(b" ", 1)[1].decode()] = time.monotonic()
        return "250 OK"


def run_mail_server(port: int, pipe: Connection) -> None:
    """The mail server's process; sends its recorded times on request."""

    async def run() -> None:
        clerk = Applicant()
        session = partial(SMTP, clerk, hostname="mail.example")
        await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
        await asyncio.to_thread(pipe.recv)
        pipe.send(clerk.taken)

    asyncio.run(run())


@dataclass(slots=True)
class MailTestbed:
    """The running parts, and the recorded instants of commits and effects."""

    url: str
    issuer: str
    returns: Database
    notifier: Database
    mail_server: Connection
    tokens: dict[str, str]
    committed: dict[str, float] = field(default_factory=dict)
    effects: dict[str, float] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)

    async def handed_over(self) -> dict[str, float]:
        """The arrival time of each application's mail."""
        self.mail_server.send("done")
        taken: dict[str, float] = await asyncio.to_thread(self.mail_server.recv)
        async with self.notifier.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(text("SELECT subject_id, message_id FROM mail"))
            return {r.subject_id: taken[r.message_id] for r in rows if r.message_id in taken}

    async def settled(self, mails: int) -> None:
        """Wait until `mails` mails have been sent, for a minute at most."""
        sent = text("SELECT count(*) FROM mail WHERE state = 'sent'")
        for _ in range(120):
            async with self.notifier.transaction(EVERY_DEALER) as tx:
                if (await tx.execute(sent)).scalar_one() >= mails:
                    return
            await asyncio.sleep(0.5)

    async def trouble(self) -> str:
        """The states and errors of the mails in the ledger, as text."""
        states = "SELECT state, last_error, count(*) FROM mail GROUP BY state, last_error"
        async with self.notifier.transaction(EVERY_DEALER) as tx:
            return "; ".join(str(tuple(row)) for row in await tx.execute(text(states)))


async def listen(stack: AsyncExitStack, url: str, moments: dict[str, float]) -> None:
    """Record the instant of the latest PostgreSQL notification per id."""
    connection = await asyncpg.connect(url)

    def note(_: object, __: int, ___: str, payload: object) -> None:
        moments[str(payload)] = time.monotonic()

    await connection.add_listener("bench", note)
    stack.push_async_callback(connection.close)


async def watch(admin: str, url: str, statements: str) -> None:
    """Install the notification triggers in a database."""
    connection = await asyncpg.connect(with_database(admin, url.rpartition("/")[2]))
    await connection.execute(statements)
    await connection.close()


async def know_masters(database: Database, contracts: int) -> None:
    """Store the masters and contracts in the returns service's database."""
    now = SystemClock().now()
    vehicle = Vehicle(
        model="プリウス", registration_no="品川 300 あ 1234", first_registered_on=date(2022, 7, 1)
    )
    final_on = jst_day(now) + timedelta(days=60)
    events: list[Event] = [StoreUpdated(dealer_id="D01", store_code="S10", name="本店")]
    for who, role in ((YAMADA, "sales"), (SATO, "manager")):
        code = who.staff_code or ""
        facts = {"name": who.name, "store_code": "S10", "role": role}
        events.append(StaffUpdated(dealer_id="D01", staff_code=code, **facts))
    events += [
        ContractRegistered(
            dealer_id="D01",
            contract_no=f"C{n:08}",
            product_code="SVP_R",
            final_on=final_on,
            vehicle=vehicle,
            store_code="S10",
            staff_code="E101",
            receivable_purchased=False,
            tfc_handled=False,
            customer_name="山本　太郎",
        )
        for n in range(contracts)
    ]
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(FLOW)
        for event in events:
            delivery = Delivery(new_id(), 1, now, now, None)
            await RETURNS.subscribers.handlers[event.wire_type](event, delivery, tx)


def environment(name: str, url: str, rabbitmq: str, prefix: str, issuer: str) -> dict[str, str]:
    """The settings common to every service."""
    values = {
        "DATABASE_URL": url,
        "RABBITMQ_URL": rabbitmq,
        "EVENT_PREFIX": prefix,
        "ISSUER": f"{issuer}/issuer",
        "JWKS_URL": f"{issuer}/issuer/jwks",
        "LOG_LEVEL": "ERROR",
    }
    return {f"{name}_{key}": value for key, value in values.items()}


def notifier_settings(api: int, issuer: int, smtp: int) -> dict[str, str]:
    """Environment of the notifier, by the ports of its neighbours."""
    return {
        "NOTIFIER_SENDER": "j-pass_uketsuke@toyota-finance.co.jp",
        "NOTIFIER_PRODUCT": "J-PASS",
        "NOTIFIER_EXPENSE_PRODUCT": "楽楽精算",
        "NOTIFIER_PORTAL_URL": "https://portal.example.jp",
        "NOTIFIER_SMTP_HOST": "127.0.0.1",
        "NOTIFIER_SMTP_PORT": str(smtp),
        "NOTIFIER_SMTP_STARTTLS": "false",
        "NOTIFIER_RETURNS_URL": f"http://127.0.0.1:{api}",
        "NOTIFIER_TOKEN_URL": f"http://127.0.0.1:{issuer}/issuer/token",
        "NOTIFIER_CLIENT_SECRET": SECRET,
    }


@asynccontextmanager
async def mail_testbed(contracts: int) -> AsyncIterator[MailTestbed]:
    """Start all parts, and clean up at the end."""
    postgres, end_postgres = await asyncio.to_thread(servers.find_postgres)
    broker = await asyncio.to_thread(servers.find_rabbitmq)
    if broker is None:
        raise SystemExit(servers.HOW_TO_GET_RABBITMQ)
    databases, prefix = TestDatabases(postgres), f"bench-{secrets.token_hex(3)}-"
    api, issuer, smtp = (servers.free_port() for _ in range(3))
    async with AsyncExitStack() as stack:
        stack.callback(end_postgres)
        stack.callback(broker[1])
        stack.push_async_callback(databases.drop_all)
        stack.push_async_callback(drop_events, broker[0], Topology(SUBSCRIPTIONS, prefix))
        urls = [await databases.create(f"{name}_service") for name in ("returns", "notifier")]
        for url, telling in zip(urls, (TELL_COMMIT, TELL_EFFECT), strict=True):
            await watch(postgres, url, telling)
        returns, notifier = Database(urls[0]), Database(urls[1])
        stack.push_async_callback(returns.close)
        stack.push_async_callback(notifier.close)
        await know_masters(returns, contracts)
        here, tokens = begin_processes(stack, f"http://127.0.0.1:{issuer}", issuer, smtp)
        common = (broker[0], prefix, f"http://127.0.0.1:{issuer}")
        for_returns = environment("RETURNS", urls[0], *common)
        for_notifier = environment("NOTIFIER", urls[1], *common) | notifier_settings(
            api, issuer, smtp
        )
        for child in (
            service_process("returns_service", "api", for_returns, api),
            service_process("returns_service", "worker", for_returns),
            service_process("notifier_service", "worker", for_notifier),
        ):
            task = asyncio.create_task(child.run())
            stack.push_async_callback(end, task)
        made = MailTestbed(
            f"http://127.0.0.1:{api}", f"{common[2]}/issuer", returns, notifier, here, tokens
        )
        await listen(stack, urls[0], made.committed)
        await listen(stack, urls[1], made.effects)
        yield made


def begin_processes(
    stack: AsyncExitStack, url: str, issuer: int, smtp: int
) -> tuple[Connection, dict[str, str]]:
    """Start issuer and mail server; returns the mail server's pipe and the tokens of two users."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    key = ECKey.generate_key("P-256", {"kid": "bench"})
    parts = [
        spawn.Process(
            target=run_issuer, args=(url, issuer, key.as_dict(private=True)), daemon=True
        ),
        spawn.Process(target=run_mail_server, args=(smtp, there), daemon=True),
    ]
    for part in parts:
        part.start()
        stack.callback(part.join)
        stack.callback(part.kill)
    made = Issuer(_issuer_settings(url), key)
    tokens = {
        who.user_id: made.tokens(Grant(who, "", "", "", 0))["access_token"]
        for who in (YAMADA, SATO)
    }
    return here, tokens


async def end(task: asyncio.Task[None]) -> None:
    """Stop a child process."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def answers(http: httpx.AsyncClient, url: str) -> None:
    """Wait until a process responds."""
    for _ in range(1200):
        try:
            (await http.get(url)).raise_for_status()
        except httpx.HTTPError:
            await asyncio.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not respond")


async def submit(at: MailTestbed, http: httpx.AsyncClient, count: int) -> list[str]:
    """Submit `count` applications for store approval; returns their ids."""
    headers = {"authorization": f"Bearer {at.tokens[YAMADA.user_id]}"}
    received = (jst_day(SystemClock().now()) - timedelta(days=1)).isoformat()
    form = {"kind": "RETURNED", "received_on": received, "contact_1": "03-0010-1000"}
    names = []
    for n in range(count):
        body = {**form, "contract_no": f"C{n:08}"}
        answer = await http.post("/api/returns/v1/applications", json=body, headers=headers)
        names.append(str(answer.raise_for_status().json()["application_id"]))
    return names


async def approve(at: MailTestbed, http: httpx.AsyncClient, name: str) -> None:
    """佐藤 approves."""
    headers = {"authorization": f"Bearer {at.tokens[SATO.user_id]}", "if-match": '"1"'}
    at.begun[name] = time.monotonic()
    path = f"/api/returns/v1/applications/{name}/approval"
    (await http.post(path, json={}, headers=headers)).raise_for_status()


async def measure(at: MailTestbed, seconds: int) -> list[str]:
    """Approve at the given rate; returns the table of latencies."""
    async with httpx.AsyncClient(base_url=at.url, timeout=30) as http:
        await answers(http, f"{at.issuer}/jwks")
        await answers(http, "/api/returns/v1/openapi.json")
        names = await submit(at, http, WARM + seconds * PER_SECOND)
        for name in names[:WARM]:
            await approve(at, http, name)
        await asyncio.sleep(3)
        start = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for n, name in enumerate(names[WARM:]):
                await asyncio.sleep(max(0.0, start + n / PER_SECOND - time.monotonic()))
                tasks.create_task(approve(at, http, name))
    await at.settled(len(names))
    handed_over = await at.handed_over()
    measured = names[WARM:]
    missing = [name for name in measured if name not in handed_over]
    if missing:
        raise SystemExit(f"{len(missing)} mails did not arrive: {await at.trouble()}")
    spans = {
        "approval to commit": [at.committed[n] - at.begun[n] for n in measured],
        "commit to effect": [at.effects[n] - at.committed[n] for n in measured],
        "effect to hand-over": [handed_over[n] - at.effects[n] for n in measured],
        "approval to hand-over": [handed_over[n] - at.begun[n] for n in measured],
    }
    lines = ["| span | p50 ms | p99 ms | longest ms |", "|---|---|---|---|"]
    for span, took in spans.items():
        figures = (percentile(took, share) for share in (0.5, 0.99, 1.0))
        lines.append(f"| {span} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
    whole, core = (
        percentile(spans[name], 0.99) for name in ("approval to hand-over", "commit to effect")
    )
    ratio = f"p99 of approval to hand-over / p99 of commit to effect: **{whole / core:.2f}**"
    return [*lines, "", f"{len(measured)} approvals. {ratio} (wanted <= 5)."]


async def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    args = parser.parse_args()
    async with mail_testbed(WARM + args.seconds * PER_SECOND) as at:
        lines = await measure(at, args.seconds)
    write("approval_to_mail_latency", [METHOD, "", *lines])


if __name__ == "__main__":
    uvloop.run(main())
