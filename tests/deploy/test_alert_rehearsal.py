"""Rehearsal: alerts are provoked at real processes, and end by what the runbook says to do.

A real Prometheus with the rules of deploy/observability, their waiting times shortened, scrapes an
API and a worker of the contracts service. `ALERT_REHEARSAL=FILE` files what happened.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from madoguchi.cli.main import main
from shared.db import EVERY_DEALER, Database
from shared.rabbitmq import Topology
from shared.testing.servers import free_port

RULES = Path(__file__).parents[2] / "deploy" / "observability" / "alerts.yml"
PROMETHEUS = shutil.which("prometheus")
pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="no Prometheus: apt-get install it")

EVENT = """
    INSERT INTO inbox (event_id, stream, sequence, type, aggregate_type, aggregate_id, dealer_id,
        occurred_at, payload, headers, state)
    VALUES (gen_random_uuid(), '/returns/application/{id}', {n}, 'return.of_the_future.v1',
        'application', '{id}', 'D01', now(), '{{}}', '{{}}', '{state}')
"""
WAITING = [
    "INSERT INTO inbox_stream VALUES ('/returns/application/A', 1)",
    EVENT.format(id="A", n=1, state="waiting"),
]
UNPUBLISHED = """
    WITH logged AS (
        INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence,
            dealer_id, occurred_at, payload, headers)
        VALUES (gen_random_uuid(), 0, 'contract.rehearsed.v1', 'contract', '1', 1, 'D01', now(),
            '{}', '{}')
        RETURNING position, created_at, lane)
    INSERT INTO outbox_queue SELECT * FROM logged
"""
TIMER = """
    INSERT INTO timer (kind, key, due_at, payload)
    VALUES ('forget_erased_customers_words', '1', now() - interval '1 hour', '{}')
"""
GAP = [
    "INSERT INTO inbox_stream VALUES ('/returns/application/B', 1)",
    EVENT.format(id="B", n=3, state="parked"),
]
REFUSED = """
    INSERT INTO inbox_refused (refused_id, reason, routing_key, headers, body)
    VALUES (gen_random_uuid(), 'it is no event', 'x', '{}', '')
"""


HEAD = """\
# Alerts, provoked and healed by their runbook chapters

Written by `./dev rehearse`: a real Prometheus with `deploy/observability/alerts.yml`, its waiting
times shortened to seconds, scrapes an API and a worker of the contracts service.

| step | then fire | and are over |
|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Stage:
    """The database of contracts, its processes' environment, and Prometheus."""

    url: str
    environment: Mapping[str, str]
    worker_port: int
    prometheus: str
    log: list[str] = field(default_factory=list)

    async def run(self, *statements: str) -> None:
        database = Database(self.url)
        async with database.transaction(EVERY_DEALER) as tx:
            for statement in statements:
                await tx.execute(text(statement))
        await database.close()

    async def firing(self) -> set[str]:
        asked = {"query": 'ALERTS{alertstate="firing", service="contracts"}'}
        async with httpx.AsyncClient(timeout=10) as http:
            answer = await http.get(f"{self.prometheus}/api/v1/query", params=asked)
        return {one["metric"]["alertname"] for one in answer.json()["data"]["result"]}

    async def until(self, *, fire: set[str], end: set[str], what: str) -> None:
        """Wait until the first fire and the others do not."""
        seen = set[str]()
        for _ in range(600):
            seen = await self.firing()
            if fire <= seen and not end & seen:
                self.log.append(f"| {what} | {_words(fire)} | {_words(end)} |")
                return
            await asyncio.sleep(0.2)
        raise AssertionError((what, seen))

    async def command(self, *words: str) -> str:
        asked = [*words, "--service", "contracts", "--database", self.url]
        done = await asyncio.to_thread(CliRunner().invoke, main, ["events", *asked])
        assert done.exit_code == 0, done.output
        return done.stdout


def _words(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "–"


@contextmanager
def process(part: str, port: int, environment: Mapping[str, str]) -> Iterator[None]:
    words = ["-m", "shared.main", "contracts_service", part, "--port", str(port)]
    running = subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        running.terminate()
        running.wait(20)


def hurried(rules: str) -> str:
    """The rules with waiting times and ages of seconds; what they look at stays as it is."""
    rules = re.sub(r"for: \d+[mh]", "for: 1s", rules)
    return re.sub(r"(_seconds\)) > (?:60|120|300)$", r"\1 > 2", rules, flags=re.MULTILINE)


def write_configuration(folder: Path, *ports: int) -> None:
    """Write what Prometheus reads: our rules, hurried, and the ports that it scrapes."""
    targets = [f"127.0.0.1:{port}" for port in ports]
    (folder / "alerts.yml").write_text(hurried(RULES.read_text()))
    (folder / "prometheus.yml").write_text(
        "global: { scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s }\n"
        "rule_files: [alerts.yml]\n"
        f"scrape_configs: [{{ job_name: madoguchi, static_configs: [{{ targets: {targets} }}] }}]\n"
    )


@pytest.fixture
async def stage(
    new_database: Callable[[str], Awaitable[str]],
    rabbitmq_url: str,
    topology: Topology,
    tmp_path: Path,
) -> AsyncIterator[Stage]:
    """An API without a worker, scraped every second."""
    api, worker, own = free_port(), free_port(), free_port()
    url = await new_database("contracts_service")
    environment = {
        "CONTRACTS_DATABASE_URL": url,
        "CONTRACTS_RABBITMQ_URL": rabbitmq_url,
        "CONTRACTS_EVENT_PREFIX": topology.prefix,
        "CONTRACTS_ISSUER": "http://issuer",
        "CONTRACTS_JWKS_URL": "http://issuer/jwks",
    }
    write_configuration(tmp_path, api, worker)
    assert PROMETHEUS is not None
    command = [
        PROMETHEUS, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/d",
        f"--web.listen-address=127.0.0.1:{own}", "--query.lookback-delta=5s",
    ]  # fmt: skip
    log = (tmp_path / "log").open("w")
    prometheus = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: ASYNC220 - starts
    try:
        with process("api", api, environment):
            staged = Stage(url, environment, worker, f"http://127.0.0.1:{own}")
            await answers(f"http://127.0.0.1:{api}/metrics")
            await answers(f"{staged.prometheus}/-/ready")
            yield staged
            file_log(staged.log)
    finally:
        prometheus.terminate()
        await asyncio.to_thread(prometheus.wait, 20)
        log.close()


def file_log(lines: list[str]) -> None:
    if file := os.environ.get("ALERT_REHEARSAL"):
        Path(file).write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")


async def answers(url: str) -> None:
    async with httpx.AsyncClient(timeout=10) as http:
        for _ in range(600):
            try:
                if (await http.get(url)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(url)


async def skip_dead_event(stage: Stage) -> None:
    listed = await stage.command("dead")
    [event] = re.findall(r"^([0-9a-f-]{36})  return\.", listed, re.MULTILINE)
    await stage.command("skip", str(UUID(event)), "--reason", "rehearsal")


async def test_alerts_are_provoked_and_healed_as_the_runbook_says(stage: Stage) -> None:
    lost = {"ProcessGone", "OutboxNotPublished", "InboxLags", "TimersLate"}
    await stage.run(*WAITING, UNPUBLISHED, TIMER)
    await stage.until(fire=lost, end=set(), what="no worker runs; events and a timer wait")
    with process("worker", stage.worker_port, stage.environment):
        await stage.until(fire={"DeadLetters"}, end=lost, what="a worker is started")
        await skip_dead_event(stage)
        await stage.until(fire=set(), end={"DeadLetters"}, what="`events skip`")
        await stage.run(*GAP)
        await stage.until(fire={"EventMissing"}, end=set(), what="event 3 comes, 1 and 2 do not")
        await stage.command("pass-gap", "/returns/application/B", "--reason", "rehearsal")
        await stage.until(fire={"DeadLetters"}, end={"EventMissing"}, what="`events pass-gap`")
        await skip_dead_event(stage)
        await stage.until(fire=set(), end={"DeadLetters", *lost}, what="`events skip`")
        await stage.run(REFUSED)
        await stage.until(fire={"MessagesRefused"}, end=set(), what="a message that is no event")
        await stage.run("UPDATE inbox_refused SET settled_at = now(), settled_as = 'skipped'")
        await stage.until(fire=set(), end={"MessagesRefused"}, what="it is discarded")
    await stage.until(fire={"ProcessGone"}, end=set(), what="the worker ends")
