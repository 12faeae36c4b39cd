"""Customer erasure: afterwards no table of any service contains the customer's data."""

import asyncio
import subprocess
import sys
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import SUBSCRIPTIONS
from madoguchi.cli.databases import own_database
from madoguchi.embedded.demo import COLUMNS, demo_contracts, demo_masters, write_csv
from shared.clock import JST, SystemClock, jst_day
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.trace_context import new_id
from tests.running_product import Product, completed_mark, eventually, running, step

YAMADA, SATO, TANAKA, TFC, OPERATOR = "D01-E101", "D01-M100", "D01-H001", "T001", "O001"


def customer(n: int) -> dict[str, str]:
    """A customer distinguishable from every other row of the demo."""
    kana = "アイウエオカキクケコサシスセソタチツテト"[n % 20]
    return {
        "契約者名": f"消田{n:02} 忘子",
        "契約者名カナ": f"ケシタ{kana * 3} ワスレコ",
        "郵便番号": f"999-90{n:02}",
        "住所": f"忘却県消去市一丁目{n:02}番三号",
        "電話番号": f"099-9876-54{n:02}",
    }


PRODUCT = "SELECT product_code FROM contract WHERE contract_no = :no"
COMPLETE_LONG_AGO = """
    UPDATE contract SET completed_on = '2018-01-31', completion_basis = 'tfc'
    WHERE contract_no IN (SELECT contract_no FROM contract WHERE completed_on IS NULL
                          AND pending_change_id IS NULL ORDER BY contract_no LIMIT 3)
"""
MAILS_WITH_TEXT = """
    SELECT count(*) FROM mail
    WHERE contract_no = :no AND (body IS NOT NULL OR subject IS NOT NULL OR address IS NOT NULL)
"""
THE_REQUEST_ITSELF = {"contracts": {"outbox"}}
"""What services are asked to erase leaves the log after minutes (test_erasure_is_whole)."""
TABLES = """
    SELECT quote_ident(table_name) FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running() as started:
        yield started


def madoguchi(product: Product, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "madoguchi.cli.main", *words, "--data", str(product.data)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def customers_come_in(product: Product, file: Path) -> list[dict[str, str]]:
    """Import contracts of Yamada's store, each with a different customer."""
    made = demo_contracts(61, 400, jst_day(SystemClock().now()), dealers=demo_masters().dealers)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in made]
    rows = [r for r in rows if (r["販売店コード"], r["スタッフコード"]) == ("D01", "E101")][:20]
    for n, row in enumerate(rows):
        row |= {"契約番号": f"9861{n:08}", **customer(n)}
    write_csv(file, (tuple(row.values()) for row in rows))
    done = madoguchi(product, "import-contracts", str(file))
    assert done.returncode == 0, done.stdout
    return rows


def returnable(http: httpx.Client, rows: list[dict[str, str]]) -> dict[str, str] | None:
    """The first contract that can be reported; None while the returns service has none."""
    for row in rows:
        form = http.get(f"/returns/v1/contracts/{row['契約番号']}/form")
        if form.status_code == httpx.codes.OK and form.json()["eligible"]:
            return row
    return None


def reported(product: Product, contract_no: str) -> str:
    report = {"contract_no": contract_no, "kind": "RETURNED", "contact_3": "y@d01.example.jp"}
    sent = product.as_person(YAMADA).post(
        "/returns/v1/applications",
        json={**report, "received_on": f"{datetime.now(JST):%Y-%m-%d}"},
        headers={"Idempotency-Key": contract_no},
    )
    assert sent.status_code == 201, sent.text
    return str(sent.json()["application_id"])


def finished(product: Product, application: str, name: str) -> None:
    """Put the application on hold with a reason that names the customer, and complete it."""
    sato, tanaka, tfc = map(product.as_person, (SATO, TANAKA, TFC))
    step(sato, application, "approval")
    step(tanaka, application, "approval")
    step(tfc, application, "acceptance")
    step(tfc, application, "hold", reason=f"{name}様に確認中")
    step(tfc, application, "release")
    assert step(tfc, application, "completion") == "完了"


def tfc_says(row: dict[str, str], product_code: str, sequence: int) -> Envelope:
    """The finance company's event on the contract, as it arrives over the broker."""
    contract_no = row["契約番号"]
    payload = {
        "dealer_id": "D01",
        "contract_no": contract_no,
        "product_code": product_code,
        "final_on": "2026-01-31",
        "loan": {},
        "vehicle": {"model": "X", "registration_no": "1", "first_registered_on": "2020-01-01"},
        "customer": {"name": row["契約者名"], "address": row["住所"], "phone": row["電話番号"]},
        "store_code": row["店舗コード"],
    }
    return Envelope(
        event_id=new_id(),
        source="/tfc",
        type="tfc.contract_updated.v1",
        aggregate_type="tfc",
        aggregate_id=contract_no,
        sequence=sequence,
        dealer_id="D01",
        occurred_at=datetime.now(UTC),
        payload=orjson.dumps(payload),
    )


async def tables_with(tx: AsyncSession, words: Collection[str]) -> set[str]:
    """The tables that contain one of the words in any column, including bytes."""
    forms = [form for word in words for form in (word, word.encode().hex())]
    found = set()
    for table in (await tx.scalars(text(TABLES))).all():
        holds = f"""SELECT EXISTS (SELECT FROM {table} t, unnest(CAST(:forms AS text[])) AS w (word)
                    WHERE position(word IN to_jsonb(t)::text) > 0)"""
        if (await tx.execute(text(holds), {"forms": forms})).scalar_one():
            found.add(table)
    return found


def traces(product: Product, row: dict[str, str]) -> dict[str, set[str]]:
    """By service, the tables that still contain data of the customer."""
    own = [row[column] for column in customer(0)]
    words = {*own, own[0].replace(" ", ""), own[1].replace(" ", "")}

    async def look() -> dict[str, set[str]]:
        found = {}
        for service in SUBSCRIPTIONS:
            database = Database(await own_database(service, product.data))
            async with database.transaction(EVERY_DEALER) as tx:
                found[service] = await tables_with(tx, words)
            await database.close()
        return {service: tables for service, tables in found.items() if tables}

    return asyncio.run(look())


def value_of(product: Product, service: str, question: str, contract_no: str) -> Any:
    """The value of a query about a contract in a service's database."""

    async def ask() -> Any:
        database = Database(await own_database(service, product.data))
        async with database.transaction(EVERY_DEALER) as tx:
            answer = (await tx.execute(text(question), {"no": contract_no})).scalar_one()
        await database.close()
        return answer

    return asyncio.run(ask())


def in_inbox(product: Product, service: str, *events: Envelope, body: bytes = b"") -> None:
    async def put() -> None:
        database = Database(await own_database(service, product.data))
        inbox = Inbox(database, service)
        if events:
            await inbox.store(events)
        if body:
            await inbox.refuse("it is no event", "tfc.contract_updated.v1", {}, body)
        await database.close()

    asyncio.run(put())


def left_everywhere(product: Product, row: dict[str, str], code: str) -> dict[str, set[str]]:
    """Leave the customer in inboxes and refused messages too; returns the tables they are in."""
    contract_no, name = row["契約番号"], row["契約者名"]
    waits_for_event_six = tfc_says(row, code, 7)
    in_inbox(product, "contracts", waits_for_event_six)
    in_inbox(product, "contracts", body=f"<xml>{row['住所']}</xml>".encode())
    in_inbox(product, "returns", body=f"{contract_no}: {name}".encode())
    known = traces(product, row)
    assert known["contracts"] >= {"contract", "inbox", "inbox_refused", "customer_list_export"}
    assert "outbox" in known["contracts"]
    assert known["returns"] >= {"contract_view", "application", "history", "inbox_refused"}
    assert value_of(product, "notifier", MAILS_WITH_TEXT, contract_no) >= 3
    return known


def test_after_an_erasure_no_table_of_any_service_contains_the_customer(
    product: Product, tmp_path: Path
) -> None:
    rows = customers_come_in(product, tmp_path / "contracts.csv")
    yamada, sato, operator = map(product.as_person, (YAMADA, SATO, OPERATOR))
    row = eventually(lambda: returnable(yamada, rows), lambda found: found is not None)
    assert row is not None
    contract_no, name = row["契約番号"], row["契約者名"]
    code = value_of(product, "contracts", PRODUCT, contract_no)

    def erase(reason: str = "本人の請求") -> httpx.Response:
        order = {"contract_no": contract_no, "reason": reason}
        return operator.post("/contracts/v1/erasures", json=order)

    assert erase().json()["code"] in {"CONTRACT_STILL_OPEN", "RETURN_STILL_OPEN"}
    application = reported(product, contract_no)
    refused = eventually(erase, lambda answer: answer.json()["code"] == "RETURN_STILL_OPEN")
    assert refused.status_code == 409
    finished(product, application, name)
    eventually(lambda: completed_mark(yamada, contract_no), lambda mark: mark == "完了")
    eventually(product.completion_mails, lambda mails: any(contract_no in s for _, s in mails))
    asked = {"mode": "individual", "customer_name": name}
    assert sato.get("/contracts/v1/contracts.csv", params=asked).status_code == 200
    known = left_everywhere(product, row, code)

    named = erase(f"{name}様の請求")
    assert named.json()["errors"][0]["code"] == "NAMES_THE_CUSTOMER"
    assert traces(product, row) == known
    first = erase()
    assert first.status_code == 200, first.text
    eventually(lambda: traces(product, row), lambda found: found in ({}, THE_REQUEST_ITSELF))
    eventually(
        lambda: value_of(product, "notifier", MAILS_WITH_TEXT, contract_no), lambda kept: kept == 0
    )
    assert erase("もう一度").json() == first.json()

    again = madoguchi(product, "import-contracts", str(tmp_path / "contracts.csv"))
    assert again.returncode == 0
    in_inbox(product, "contracts", *(tfc_says(row, code, n) for n in range(1, 7)))
    eventually(lambda: traces(product, row), lambda found: found in ({}, THE_REQUEST_ITSELF))


def test_due_customers_are_listed_and_then_erased(product: Product) -> None:
    product.in_database("contracts", COMPLETE_LONG_AGO)
    listed = madoguchi(product, "retention", "due").stdout
    assert "3 due." in listed, listed
    contract_no = listed.split()[0]
    words = ("erase-customer", contract_no, "--reason", "本人の請求")
    tried = madoguchi(product, *words, "--dry-run").stdout
    assert f"{contract_no}: its customer would be erased. Nothing was changed." in tried
    assert "3 due." in madoguchi(product, "retention", "run", "--dry-run").stdout
    assert "3 due." in madoguchi(product, "retention", "due").stdout
    done = madoguchi(product, *words)
    assert f"{contract_no}: erased" in done.stdout, done.stdout + done.stderr
    gone = madoguchi(product, "retention", "run")
    assert "2 erased." in gone.stdout, gone.stdout + gone.stderr
    unknown = madoguchi(product, "erase-customer", "NONE", "--reason", "x")
    assert (unknown.returncode, "CONTRACT_NOT_FOUND" in unknown.stdout) == (1, True)
