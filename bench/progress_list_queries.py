"""Progress list queries: `./dev bench progress_list_queries` compares 進捗一覧 with bare SQL.

A large database (300 dealers) and a small one, both with one dealer of 3,000 applications; the
large one also has a dealer with a tenth of all. Each measured call is followed by its bare
counterpart: the same statement through asyncpg, with the same role and row-level security.
"""

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import structlog
import uvloop
from sqlalchemy.ext.asyncio import AsyncSession

from bench.compare import alternate, ask, p, positional, principal_of_bench, token_of
from bench.event_fixture import write
from returns_service.actor import Person
from returns_service.app import create_app
from returns_service.models import Application, Base, Store
from returns_service.progress_list_query import (
    After,
    Page,
    count_by_status,
    counts_wanted,
    rows_wanted,
    search,
)
from returns_service.rules.progress_list import (
    ApplicationKind,
    ProgressSearch,
    name_key,
    number_key,
)
from returns_service.rules.return_status import Status, Tab
from returns_service.rules.return_visibility import Actor
from shared import migrate
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.main import tune_gc
from shared.roles import Role
from shared.testing import servers
from shared.testing.databases import TestDatabases, with_database

NOW = datetime(2025, 7, 15, 1, tzinfo=UTC)
SMALL_DEALER, LARGE_DEALER = "D02", "D03"
SMALL = 3_000
WORK_LIST_ROWS = 500
PATIENCE_S = 4
SURNAMES = [
    "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田",
    "佐々木", "山口", "松本",
]  # fmt: skip
NAMES = [
    "太郎", "花子", "一郎", "健一", "誠", "翔", "裕子", "恵子", "美咲", "陽菜", "大輔", "直樹",
    "由美", "真一", "千尋",
]  # fmt: skip
# Applications per thousand in each status: most are final, as after years of use.
SHARES: Mapping[Status, int] = {
    Status.COMPLETED: 820,
    Status.WITHDRAWN: 60,
    Status.TFC_PROCESSING: 40,
    Status.REQUESTED: 25,
    Status.STORE_PENDING: 20,
    Status.HQ_PENDING: 15,
    Status.TFC_HOLD: 6,
    Status.STAFF_REMANDED: 5,
    Status.STORE_REMANDED: 4,
    Status.HQ_REMANDED: 3,
    Status.TFC_CONTACT: 2,
}
BEFORE_TFC = {
    Status.STORE_PENDING, Status.HQ_PENDING, Status.STAFF_REMANDED, Status.STORE_REMANDED,
    Status.HQ_REMANDED,
}  # fmt: skip
CURRENT, PAST, RETURNS = Tab.CURRENT, Tab.PAST, ApplicationKind.VEHICLE_RETURN
TWO = frozenset({Status.HQ_PENDING, Status.TFC_HOLD})
Search = tuple[Tab | None, ProgressSearch]
# As the page queries: a tab, and then its search fields and filters.
SEARCHES: Mapping[str, Search] = {
    "現在": (CURRENT, ProgressSearch()),
    "過去": (PAST, ProgressSearch()),
    "現在, 車両返却": (CURRENT, ProgressSearch(kind=RETURNS)),
    "現在, 住所変更": (CURRENT, ProgressSearch(kind=ApplicationKind.ADDRESS_CHANGE)),
    "two statuses": (CURRENT, ProgressSearch(statuses=TWO)),
    "name, current": (CURRENT, ProgressSearch(customer_name="山本 太郎")),
    "name, past": (PAST, ProgressSearch(customer_name="山本")),
    "name that is not there": (PAST, ProgressSearch(customer_name="該当無し")),
    "number": (None, ProgressSearch(contract_no="C-0000000042")),
    "two days": (
        PAST,
        ProgressSearch(updated_from_on=date(2024, 7, 1), updated_to_on=date(2024, 7, 2)),
    ),
    "both tabs": (None, ProgressSearch()),
}
BASE = "/api/returns/v1"
BARE_SETTINGS = (
    "SELECT set_config('app.dealer', $1, true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('enable_bitmapscan', 'off', true)"
)
METHOD = """\
{count:,} applications of 300 dealers, most of them past, and a ninth as many applications that TFC
keeps; {small} has {few:,}, {large} {tenth:,}. A store sees a tenth of its dealer's. Each call of
the service is followed by its bare counterpart: the same statement through asyncpg, in its own
transaction, with the same role and row-level security, planned for its values as in the service;
{rounds} rounds, at least 20 for slow queries. Growth: the service's time for
{small} here divided by that in a database of 10,000 applications. Target: p99 ratio <= 2, growth
<= 1.5. A name's bare statement reads along the list, without the index of grams, which the service
asks first.
"""


@dataclass(frozen=True)
class FilledDatabase:
    """A filled database, through the service's own code and by bare SQL."""

    database: Database
    bare: asyncpg.Pool


def person(role: Role, dealer: str | None, store: str | None = None) -> Person:
    return Person("測定", None, (Actor(f"{dealer}-X", role, dealer, store),))


def dealers_of(count: int) -> list[str]:
    """The dealer of each application, mixed as they arrive over the years."""
    small, large = [SMALL_DEALER] * SMALL, [LARGE_DEALER] * (count // 10)
    rest = [f"D{4 + number % 297:02}" for number in range(count - len(small) - len(large))]
    mixed = small + large + rest
    random.Random(2).shuffle(mixed)
    return mixed


def applications(count: int) -> Iterator[dict[str, Any]]:
    """`count` applications, deterministic; each dealer has ten stores."""
    chance = random.Random(1)
    statuses = chance.choices(list(SHARES), list(SHARES.values()), k=count)
    for number, (dealer, status) in enumerate(zip(dealers_of(count), statuses, strict=True)):
        name = f"{chance.choice(SURNAMES)}　{chance.choice(NAMES)}"
        age = timedelta(seconds=chance.randrange(3 * 365 * 86_400))
        updated_at = NOW - (age if status.group.tab is PAST else age / 20)
        contract_no = f"C-{number:010}"
        yield {
            "application_id": f"RA-{number:08}",
            "dealer_id": dealer,
            "store_code": f"S{1 + number % 10}0",
            "contract_no": contract_no,
            "contract_key": number_key(contract_no),
            "customer_name": name,
            "name_key": name_key(name),
            "originator_id": f"{dealer}-E{number % 100}",
            "originator_name": "山田 太郎",
            "originator_role": "sales",
            "levels": ["store", "hq"],
            "round": 1,
            "status": status.value,
            "status_version": 3,
            "version": 3,
            "entered_at": updated_at,
            "submitted_at": updated_at,
            "requested_at": None if status in BEFORE_TFC else updated_at,
            "updated_at": updated_at,
            "contact_1": "03-0010-1000",
            "contact_2": None,
            "contact_3": "staff@example.jp",
            "completion_mail": True,
            "kind": "RETURNED",
            "received_on": date(2025, 7, 1),
            "unreturned_reason": None,
            "separate_procedure": False,
            "dealer_note": None,
            "dealer_note_version": 0,
        }


# Every ninth contract also has an application of another kind, kept by TFC.
CHANGE_APPLICATIONS = """
    INSERT INTO change_application (change_id, dealer_id, store_code, contract_no, contract_key,
                                    customer_name, name_key, kind, status, requested_at, updated_at)
    SELECT 'CH-' || application_id, dealer_id, store_code, contract_no, contract_key,
           customer_name, name_key, 'ADDRESS_CHANGE', status, requested_at, updated_at
    FROM application WHERE substr(application_id, 4)::int % 9 = 0
"""


async def fill(admin: str, url: str, count: int) -> None:
    """COPY rows into an empty database; a superuser bypasses row-level security."""
    connection = await asyncpg.connect(with_database(admin, urlsplit(url).path.lstrip("/")))
    stores = (
        {"dealer_id": f"D{dealer:02}", "store_code": f"S{store}0", "name": "本店", "unused": False}
        for dealer in range(1, 301)
        for store in range(1, 11)
    )
    tables: list[tuple[type[Base], Iterator[dict[str, Any]]]] = [
        (Store, (store | {"phone": None, "dealer_name": None} for store in stores)),
        (Application, applications(count)),
    ]
    for model, rows in tables:
        name = model.__tablename__
        columns = [column.key for column in model.__table__.columns if column.computed is None]
        records = (tuple(row[column] for column in columns) for row in rows)
        await connection.copy_records_to_table(name, records=records, columns=columns)
    await connection.execute(CHANGE_APPLICATIONS)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


@asynccontextmanager
async def filled_database(
    databases: TestDatabases, count: int, kept: str | None
) -> AsyncIterator[FilledDatabase]:
    """A database with `count` applications: the one at `kept`, migrated, or a new one."""
    url = kept or await databases.create("returns_service")
    began = time.perf_counter()
    if kept:
        await migrate.upgrade(kept, "returns_service")
    else:
        await fill(databases.admin_url, url, count)
    print(f"{count:,} applications in {time.perf_counter() - began:.0f} s: {url}", flush=True)
    database = Database(url, pool_size=4)
    bare = await asyncpg.create_pool(url, min_size=2, max_size=4)
    yield FilledDatabase(database, bare)
    await bare.close()
    await database.close()


@dataclass(frozen=True)
class ListQuery:
    """A query of the page: the service's own call, and the bare statement."""

    ours: Callable[[AsyncSession], Awaitable[object]]
    statement: str
    values: list[Any]


def searching(who: Person, tab: Tab | None, keys: ProgressSearch, page: Page) -> ListQuery:
    bare = positional(*rows_wanted(who, keys, tab, page))
    return ListQuery(lambda tx: search(tx, who, keys, tab, page), *bare)


def counting(who: Person, kind: ApplicationKind | None) -> ListQuery:
    bare = positional(*counts_wanted(who, kind))
    return ListQuery(lambda tx: count_by_status(tx, who, kind), *bare)


def own_work(who: Person) -> ListQuery:
    return searching(who, CURRENT, ProgressSearch(waiting=True), Page(WORK_LIST_ROWS))


def questions(who: Person) -> dict[str, ListQuery]:
    """Every query that the page makes for a person."""
    later = Page(51, After(NOW - timedelta(days=400), "RA-00000000"))
    found = {name: searching(who, *search, Page(51)) for name, search in SEARCHES.items()}
    found["過去, a later page"] = searching(who, PAST, ProgressSearch(), later)
    found["counts"] = counting(who, None)
    found["counts, 車両返却"] = counting(who, RETURNS)
    if who.self_actor.role is not Role.TFC:
        found["own work"] = own_work(who)
    return found


async def time_question(
    at: FilledDatabase, dealer: str, asked: ListQuery, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of the service's call and of the bare statement, in turn, each in a transaction."""

    async def ours() -> None:
        async with at.database.transaction(dealer, plan_by_values=True) as tx:
            await asked.ours(tx)

    async def bare() -> None:
        async with at.bare.acquire() as connection, connection.transaction():
            await connection.execute(BARE_SETTINGS, dealer)
            await connection.fetch(asked.statement, *asked.values)

    ours_s, bare_s = await alternate(rounds, ours, bare, timeout_s=PATIENCE_S)
    return ours_s, bare_s


PEOPLE: tuple[tuple[str, Person], ...] = (
    (f"{SMALL_DEALER} 店舗", person(Role.MANAGER, SMALL_DEALER, "S10")),
    (f"{SMALL_DEALER} 本部", person(Role.HQ, SMALL_DEALER)),
    (f"{LARGE_DEALER} 店舗", person(Role.MANAGER, LARGE_DEALER, "S10")),
    (f"{LARGE_DEALER} 本部", person(Role.HQ, LARGE_DEALER)),
    ("TFC", person(Role.TFC, None)),
)


async def table(small: FilledDatabase, large: FilledDatabase, rounds: int, only: str) -> list[str]:
    """The table of every query of every person, with the growth for the small dealer."""
    lines = [
        "| question | who | ours p50 | p99 | bare p50 | p99 | p99 ratio | growth p50 | p99 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    wanted = (
        (f"{name} | {who_asks}", who.self_actor.dealer_code or EVERY_DEALER, asked)
        for who_asks, who in PEOPLE
        for name, asked in questions(who).items()
    )
    for named, dealer, asked in wanted:
        if only not in named or not asked.statement:  # TFC sees no applications of other kinds
            continue
        ours, bare = await time_question(large, dealer, asked, rounds)
        growth = " | "
        if dealer == SMALL_DEALER:
            before, _ = await time_question(small, dealer, asked, rounds)
            growth = " | ".join(f"{p(ours, q) / p(before, q):.2f}" for q in (0.5, 0.99))
        lines.append(
            f"| {named} | {p(ours, 0.5):.1f} ms | {p(ours, 0.99):.1f} ms "
            f"| {p(bare, 0.5):.1f} ms | {p(bare, 0.99):.1f} ms "
            f"| {p(ours, 0.99) / p(bare, 0.99):.2f} | {growth} |"
        )
        print(lines[-1], flush=True)
    return lines


async def by_http(at: FilledDatabase, rounds: int) -> list[str]:
    """The list and the counts as the portal requests them, authenticated, one at a time."""
    clock = TravelClock()
    clock.travel_to(NOW)
    app, token = create_app(at.database, clock, principal_of_bench()), token_of(SMALL_DEALER)

    async def listed() -> None:
        status, _ = await ask(app, "GET", f"{BASE}/applications", token, {"tab": "current"})
        assert status == 200

    async def counted() -> None:
        status, _ = await ask(app, "GET", f"{BASE}/applications/counts", token, {})
        assert status == 200

    list_s, count_s = await alternate(rounds, listed, counted)
    return [
        f"- {what} by HTTP for {SMALL_DEALER}: {p(seconds, 0.5):.1f} ms, p99 {p(seconds, 0.99):.1f}"
        for what, seconds in (("The list", list_s), ("The counts", count_s))
    ]


def method(count: int, rounds: int) -> str:
    return METHOD.format(
        count=count, tenth=count // 10, few=SMALL, small=SMALL_DEALER, large=LARGE_DEALER,
        rounds=rounds,
    )  # fmt: skip


async def run(args: argparse.Namespace) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    postgres, end = await asyncio.to_thread(servers.find_postgres)
    databases = TestDatabases(postgres)
    count, rounds, (of_small, of_large) = args.applications, args.rounds, args.at
    try:
        async with (
            filled_database(databases, 10_000, of_small) as small,
            filled_database(databases, count, of_large) as large,
        ):
            if rounds:
                tune_gc()
                lines = await table(small, large, rounds, args.only)
                lines += ["", *await by_http(large, rounds)]
                if not args.only:
                    write("progress_list_queries", [method(count, rounds), *lines])
    finally:
        if not args.keep:
            await databases.drop_all()
        end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200, help="0 only fills the databases")
    parser.add_argument(
        "--only", default="", help="only queries and people whose names contain these words"
    )
    parser.add_argument("--keep", action="store_true", help="keep the databases for a later --at")
    parser.add_argument("--at", nargs=2, metavar=("SMALL", "LARGE"), default=(None, None))
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
