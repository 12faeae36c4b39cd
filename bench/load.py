"""Load test: `./dev bench load` simulates an office day on the whole product and watches memory.

The product runs as `./dev up --processes` starts it. Users log in and visit the portal's pages
with think time; the finance company's core publishes events that change contracts.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import secrets
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape

import httpx
import psutil
import uvloop
from sqlalchemy import text

from bench.compare import p
from bench.event_fixture import drop_events, write
from event_contracts import SUBSCRIPTIONS
from madoguchi.embedded.demo import demo_masters
from madoguchi.embedded.demo_users import demo_people
from resilience.rolling.reconciliation import TAKEN_IN
from resilience.rolling.tfc_core import FinanceCompany
from shared.auth import Role
from shared.db import EVERY_DEALER, Database
from shared.rabbitmq import RabbitTransport, Topology
from shared.testing import servers
from tests.running_product import Product, running

METHOD = """\
Method: `madoguchi up --processes --rabbitmq` started by the bench; users log in at the issuer and
then visit: list, detail, every fourth time a memo saved there, progress list, for managers the
dashboard; with think time between two pages. The finance company's core publishes on the exchange
(a contract is flagged as handled by it, and cleared again); each event changes a row in contracts.
All processes, including the simulated users, share the machine's cores. Memory is the RSS of each
process, sampled every two seconds after all users have logged in."""
LIST = "/contracts?mode=general&final_to=2099-12"
MISSING = "を表示できません"
GROWN, PATIENCE_S = 1.05, 120


@dataclass(slots=True)
class Day:
    """Measurements: seconds by page, failures, RSS samples by process."""

    thinking: tuple[float, float]
    pages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Walker:
    """One simulated user with their own browser session and address."""

    day: Day
    who: str
    leads: bool
    http: httpx.AsyncClient
    rng: random.Random

    async def sign_in(self) -> None:
        """Log in as a browser does."""
        login = await self.http.get("/auth/login")
        where = httpx.URL(login.headers["location"])
        chosen = await self.http.post(
            str(where.copy_with(query=None)), data={**where.params, "person": self.who}
        )
        await self.http.get(chosen.headers["location"])

    async def walk(self) -> None:
        """Visit pages until the day is over; start times are spread."""
        await self._think(self.rng.random())
        turn = 0
        while not self.day.over.is_set():
            turn += 1
            shown = await self._see("customer list", LIST)
            found = re.findall(r'href="/contracts/(\w+)"', shown)
            if found:
                await self._look_at(self.rng.choice(found), change=turn % 4 == 1)
            await self._see("progress list", "/returns")
            if self.leads:
                await self._see("dashboard", "/dashboard")

    async def _look_at(self, contract_no: str, *, change: bool) -> None:
        path = f"/contracts/{contract_no}"
        shown = await self._see("customer detail", path)
        form = re.search(rf'<form[^>]*action="{path}/memo".*?</form>', shown, re.DOTALL)
        if change and form and not self.day.over.is_set():
            hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0])
            typed = {name: unescape(value) for name, value in hidden}
            typed["note"] = f"{self.rng.randrange(10**6)}"
            await self._see("memo saved", f"{path}/memo", typed)

    async def _see(self, name: str, path: str, form: dict[str, str] | None = None) -> str:
        """Request one page, then wait; returns the page's text, empty on failure."""
        if self.day.over.is_set():
            return ""
        began = time.perf_counter()
        try:
            answer = await self.http.request("POST" if form else "GET", path, data=form)
        except httpx.HTTPError as cause:
            self.day.wrong[f"{name}: {type(cause).__name__}"] += 1
            return ""
        finally:
            seconds = time.perf_counter() - began
        right = answer.status_code == (303 if form else 200) and MISSING not in answer.text
        saved_elsewhere = form is not None and answer.status_code == 409
        if right:
            self.day.pages[name].append(seconds)
        elif saved_elsewhere:
            self.day.pages["memo: version conflict"].append(seconds)
        else:
            self.day.wrong[f"{name}: {answer.status_code}"] += 1
        await self._think()
        return answer.text if right else ""

    async def _think(self, share: float = 1) -> None:
        seconds = self.rng.uniform(*self.day.thinking) * share
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.day.over.wait(), seconds)


async def everybody(people: Sequence[Walker]) -> None:
    """All users concurrently."""
    await asyncio.gather(*(one.walk() for one in people))


def walkers(day: Day, url: str, users: int) -> Iterator[Walker]:
    """`users` users; the demo's staff are used several times, each with a separate session."""
    at_dealers = [who for who in demo_people(demo_masters()) if who.dealer and who.store]
    for number in range(users):
        who = at_dealers[number % len(at_dealers)]
        transport = httpx.AsyncHTTPTransport(local_address=f"127.0.3.{number % 250 + 1}")
        http = httpx.AsyncClient(base_url=url, transport=transport, timeout=30)
        leads = bool(who.roles & {Role.MANAGER, Role.HQ})
        yield Walker(day, who.user_id, leads, http, random.Random(number))


async def watch_memory(day: Day, product: Product) -> None:
    """Sample every process of the product until the day is over."""
    while not day.over.is_set():
        root = psutil.Process(product.process.pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                day.memory[name_of(process)].append(process.memory_info().rss)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(day.over.wait(), 2)


def name_of(process: psutil.Process) -> str:
    """A name of a process by its command line, with the process id."""
    words = process.cmdline()
    if "shared.main" in words:
        at = words.index("shared.main")
        return f"{words[at + 1].removesuffix('_service')} {words[at + 2]} ({process.pid})"
    if "portal_service" in words:
        return f"portal ({process.pid})"
    return f"{'pages and issuer' if 'up' in words else process.name()} ({process.pid})"


async def until_quiet(contracts: str, streams: dict[str, int]) -> str:
    """The number of events not yet processed when called, and the seconds until all were."""
    began = time.perf_counter()
    under_way: list[int] = []
    database = Database(contracts)
    while time.perf_counter() - began < PATIENCE_S:
        async with database.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(text(TAKEN_IN))
            taken = {row[0]: int(row[1]) for row in rows}
        under_way.append(sum(last - taken.get(stream, 0) for stream, last in streams.items()))
        if not under_way[-1]:
            break
        await asyncio.sleep(0.02)
    await database.close()
    seconds = time.perf_counter() - began
    if under_way[-1]:
        return f"{under_way[-1]} of them were not processed {seconds:.0f} s later: MISSED"
    return f"at the end {under_way[0]} were in flight, {seconds:.2f} s later none"


async def the_day(
    product: Product, contracts: str, rabbitmq: str, prefix: str, asked: argparse.Namespace
) -> list[str]:
    """Run the day: all users log in, work for `asked.minutes`, and stop."""
    day = Day((asked.think * 2 / 3, asked.think * 4 / 3))
    database = Database(contracts)
    async with database.transaction(EVERY_DEALER) as tx:
        rows = await tx.execute(text("SELECT contract_no, dealer_id FROM contract ORDER BY 1"))
        known = [(row.contract_no, row.dealer_id) for row in rows]
    await database.close()
    transport = RabbitTransport(rabbitmq, Topology(SUBSCRIPTIONS, prefix=prefix))
    outside = FinanceCompany(transport, known)
    people = list(walkers(day, product.url, asked.users))
    for number in range(0, len(people), 5):
        await asyncio.gather(*(one.sign_in() for one in people[number : number + 5]))
    print(f"{len(people)} logged in", flush=True)
    telling = asyncio.create_task(outside.run(asked.events))
    watching = asyncio.create_task(watch_memory(day, product))
    walking = asyncio.create_task(everybody(people))
    done, _ = await asyncio.wait({telling, watching, walking}, timeout=asked.minutes * 60)
    for early in done:
        early.result()  # a task that ends before the day does has failed: raise its error
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    lag = await until_quiet(contracts, outside.streams())
    day.over.set()
    await asyncio.gather(walking, watching)
    await transport.close()
    for one in people:
        await one.http.aclose()
    return report(day, asked, outside.published, lag)


def report(day: Day, asked: argparse.Namespace, events: int, lag: str) -> list[str]:
    """The result tables."""
    seen = sum(map(len, day.pages.values()))
    about = (
        f"{asked.users} people, {asked.think:g} s to think on average ({day.thinking[0]:.0f} to "
        f"{day.thinking[1]:.0f}), {asked.minutes:g} minutes: {seen:,} pages,\n"
        f"{seen / asked.minutes / 60:.1f} a second. {events:,} events, {asked.events:g} a second;\n"
        f"{lag}."
    )
    lines = [
        METHOD,
        "",
        about,
        "",
        f"Errors: **{sum(day.wrong.values())}** {dict(day.wrong) or ''}".rstrip(),
        "",
        "| page | times | p50 | p99 |",
        "|---|---|---|---|",
    ]
    for name, times in sorted(day.pages.items()):
        lines.append(
            f"| {name} | {len(times):,} | {p(times, 0.5):.0f} ms | {p(times, 0.99):.0f} ms |"
        )
    return [*lines, "", *memory_table(day.memory)]


def memory_table(memory: dict[str, list[int]]) -> list[str]:
    """First and last third of the samples, by process; growth over 5 % is marked."""
    lines = ["| process | RSS, first third | last third | ratio |", "|---|---|---|---|"]
    for name, samples in sorted(memory.items()):
        third = max(1, len(samples) // 3)
        first, last = statistics.mean(samples[:third]), statistics.mean(samples[-third:])
        grown = " GREW" if last > GROWN * first else ""
        kind = re.sub(r" \(\d+\)$", "", name)
        lines.append(
            f"| {kind} | {first / 2**20:.1f} MB | {last / 2**20:.1f} MB "
            f"| {last / first:.3f}{grown} |"
        )
    return lines


@contextmanager
def started(prefix: str, rabbitmq: str, postgres: str | None) -> Iterator[Product]:
    """Start the product as processes, on its own PostgreSQL unless one is given."""
    flags = ["--processes", "--rabbitmq", rabbitmq, "--event-prefix", prefix]
    with running(*flags, *(["--postgres", postgres] if postgres else [])) as product:
        yield product


def contracts_url(product: Product) -> str:
    """The URL of the contracts database, from the environment of the processes."""
    for process in psutil.Process(product.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if url := process.environ().get("CONTRACTS_DATABASE_URL"):
                return url
    raise RuntimeError("no process of the contracts service runs")


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--events", type=float, default=50, help="a second")
    parser.add_argument("--think", type=float, default=15, help="average seconds between pages")
    parser.add_argument(
        "--postgres", help="postgresql://... of a superuser; default: its own server"
    )
    return parser.parse_args(argv)


def main() -> None:
    """Start, measure, write."""
    asked = options()
    os.environ.setdefault("NO_COLOR", "1")
    found = servers.find_rabbitmq()
    if found is None:
        raise SystemExit(servers.HOW_TO_GET_RABBITMQ)
    prefix = f"load-{secrets.token_hex(3)}-"
    try:
        with started(prefix, found[0], asked.postgres) as product:
            contracts = contracts_url(product)
            lines = uvloop.run(the_day(product, contracts, found[0], prefix, asked))
        write("load", lines)
    finally:
        uvloop.run(drop_events(found[0], Topology(SUBSCRIPTIONS, prefix=prefix)))
        found[1]()


if __name__ == "__main__":
    main()
