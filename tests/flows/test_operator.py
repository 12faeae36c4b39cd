"""Operator commands at the command line, beside a running product."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from madoguchi.cli.databases import own_database
from madoguchi.embedded.demo import COLUMNS, demo_contracts, demo_masters, write_csv
from shared.clock import SystemClock, jst_day
from shared.db import EVERY_DEALER, Database
from tests.running_product import Product, eventually, running

TODAY = jst_day(SystemClock().now())


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running() as started:
        yield started


def madoguchi(product: Product, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "madoguchi.cli.main", *words, "--data", str(product.data)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def in_database(product: Product, service: str, act: Callable[[Database], object]) -> object:
    async def run() -> object:
        database = Database(await own_database(service, product.data))
        try:
            return await act(database)  # type: ignore[misc]
        finally:
            await database.close()

    return asyncio.run(run())


def contracts_in(product: Product) -> object:
    async def count(database: Database) -> int:
        async with database.transaction(EVERY_DEALER) as tx:
            return int((await tx.execute(text("SELECT count(*) FROM contract"))).scalar_one())

    return in_database(product, "contracts", count)


Rows = list[dict[str, str]]


def fresh_rows(count: int, seed: int = 77) -> Rows:
    made = demo_contracts(seed, count, TODAY, dealers=demo_masters().dealers)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in made]
    for n, row in enumerate(rows):
        row["契約番号"] = f"99{seed:02}{n:08}"
    return rows


def write(file: Path, rows: Rows, encoding: str = "utf-8") -> None:
    write_csv(file, (tuple(row.values()) for row in rows), encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_file_of_contracts_is_imported_completely(
    product: Product, tmp_path: Path, encoding: str
) -> None:
    before = contracts_in(product)
    file = tmp_path / "contracts.csv"
    seed = {"utf-8": 11, "utf-8-sig": 12, "cp932": 13}[encoding]
    write(file, fresh_rows(20, seed), encoding)
    done = madoguchi(product, "import-contracts", str(file))
    assert (done.returncode, contracts_in(product)) == (0, before + 20)  # type: ignore[operator]
    assert "20行を取り込みました" in done.stdout
    again = madoguchi(product, "import-contracts", str(file))
    assert "新規 0、変更 0" in again.stdout


def test_a_file_with_faults_lists_each_and_imports_nothing(
    product: Product, tmp_path: Path
) -> None:
    before = contracts_in(product)
    rows = fresh_rows(10, 21)
    rows[1]["最終回年月日"] = rows[1]["リース満了年月日"] = "2025/02/30"
    rows[4]["制度"] = "夢のプラン"
    rows[7]["契約番号"] = rows[2]["契約番号"]
    rows[9]["店舗コード"] = "S77"
    file = tmp_path / "faults.csv"
    write(file, rows)
    done = madoguchi(product, "import-contracts", str(file))
    assert (done.returncode, contracts_in(product)) == (1, before)
    for line, column in ((3, "最終回年月日"), (6, "制度"), (9, "契約番号"), (11, "店舗コード")):
        assert any(
            said.startswith(f"{line}行目") and column in said for said in done.stdout.splitlines()
        ), done.stdout
    assert "4行に誤りがあり、取り込みませんでした" in done.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("契約番号\n2025年".encode("utf-16-le") + b"\x80\x81", "読み取れません"),
        ("契約番号,なにか\n1,2\n".encode(), "列「住所」がありません"),
        (b"", "ファイルが空です"),
    ],
    ids=["neither UTF-8 nor Shift_JIS", "wrong columns", "empty"],
)
def test_a_file_of_another_kind_is_refused_as_a_whole(
    product: Product, tmp_path: Path, content: bytes, said: str
) -> None:
    before = contracts_in(product)
    file = tmp_path / "wrong.csv"
    file.write_bytes(content)
    done = madoguchi(product, "import-contracts", str(file))
    assert (done.returncode, contracts_in(product)) == (1, before)
    assert said in done.stdout


def test_many_rows_with_one_fault_at_the_end_import_nothing(
    product: Product, tmp_path: Path, *, long: bool
) -> None:
    count = 200_000 if long else 20_000
    before = contracts_in(product)
    file = tmp_path / "large.csv"
    rows = fresh_rows(count, 31)
    rows[-1]["残高"] = "たくさん"
    write(file, rows)
    done = madoguchi(product, "import-contracts", str(file))
    assert (done.returncode, contracts_in(product)) == (1, before)
    assert f"{count + 1}行目" in done.stdout


def test_a_backup_restores_into_empty_databases_only(product: Product, tmp_path: Path) -> None:
    file = tmp_path / "kept.csv"
    write(file, fresh_rows(2, 51))
    assert "新規 2" in madoguchi(product, "import-contracts", str(file)).stdout
    done = madoguchi(product, "backup", "--to", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "receipt file(s) copied" in done.stdout
    assert madoguchi(product, "backup", "--to", str(tmp_path / "kept")).returncode == 1
    source = ("restore", "--from", str(tmp_path / "kept"))
    assert "is not empty" in madoguchi(product, *source).stderr
    with tempfile.TemporaryDirectory(prefix="madoguchi-test-") as folder:
        elsewhere = replace(product, data=Path(folder))
        done = madoguchi(elsewhere, *source)
        assert "The services are consistent" in done.stdout, done.stdout + done.stderr
        assert "receipt file(s) put back, 0 were there" in done.stdout
        assert "新規 0、変更 0" in madoguchi(elsewhere, "import-contracts", str(file)).stdout


def test_a_dead_event_is_listed_replayed_and_skipped(product: Product) -> None:
    # It forges events, so the services are inconsistent from here on.
    rows = fresh_rows(2, 41)
    file = product.data / "two.csv"
    write(file, rows)
    assert madoguchi(product, "import-contracts", str(file)).returncode == 0

    async def spoil(database: Database) -> None:
        async with database.transaction(EVERY_DEALER) as tx:
            await tx.execute(
                text("""
                    WITH logged AS (
                    INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id,
                        sequence, dealer_id, occurred_at, payload, headers)
                    SELECT gen_random_uuid(), 0, 'contract.of_the_future.v1', 'contract', :c, 2,
                        'D01', now(), '{}', '{}'
                    RETURNING position, created_at, lane)
                    INSERT INTO outbox_queue SELECT * FROM logged
                """),
                {"c": rows[0]["契約番号"]},
            )

    in_database(product, "contracts", spoil)

    def dead() -> str:
        return madoguchi(product, "events", "dead", "--service", "returns").stdout

    listed = eventually(dead, lambda shown: "UnknownEvent" in shown)
    event = next(word for word in listed.split() if word.count("-") == 4)

    replayed = madoguchi(product, "events", "replay", "--service", "returns", event)
    assert "1 dead event(s) will be retried" in replayed.stdout
    eventually(dead, lambda shown: event in shown)
    skipped = madoguchi(
        product, "events", "skip", "--service", "returns", event, "--reason", "from a test"
    )
    assert skipped.returncode == 0, skipped.stderr
    assert event not in dead()
    again = madoguchi(product, "events", "skip", "--service", "returns", event, "--reason", "twice")
    assert again.returncode != 0


def test_the_log_is_replayed_without_a_second_effect(product: Product) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    span = ["--from", f"{yesterday:%Y-%m-%d}", "--to", f"{tomorrow:%Y-%m-%d}"]
    done = madoguchi(product, "events", "replay-log", "--service", "contracts", *span)
    assert "will be published again" in done.stdout

    async def unpublished(database: Database) -> int:
        async with database.transaction() as tx:
            question = "SELECT count(*) FROM outbox_queue"
            return int((await tx.execute(text(question))).scalar_one())

    eventually(lambda: in_database(product, "contracts", unpublished), lambda left: left == 0)


def test_an_unknown_service_is_named(product: Product) -> None:
    done = madoguchi(product, "events", "dead", "--service", "kitchen")
    assert done.returncode != 0
    assert "contracts" in done.stderr


def test_a_kill_and_a_restart_lose_nothing(product: Product) -> None:
    before = contracts_in(product)
    product.kill()
    seconds = product.start()
    assert seconds > 0
    assert contracts_in(product) == before
    with closing(httpx.Client(timeout=60)) as http:
        assert http.get(f"{product.url}/auth/login", follow_redirects=False).status_code < 400


def test_ctrl_c_stops_it_cleanly_however_often_it_is_pressed(product: Product) -> None:
    product.stop(times=3)
    assert product.process.returncode == 0
    assert "Traceback" not in (product.data / "log.txt").read_text()
