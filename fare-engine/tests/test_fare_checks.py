"""Fares between two stations as others print them: fare_checks.csv, each with its source."""

import csv
from datetime import date
from pathlib import Path

import pytest

from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.network import Network
from fare_engine.rules.fare_rounding import Medium

TEXT = (Path(__file__).parent / "fare_checks.csv").read_text(encoding="utf-8")
CHECKS = list(csv.DictReader(TEXT.splitlines()))


def system_between(network: Network, a: int, b: int) -> str:
    """The one fare system that serves both stations."""
    (system,) = {line.system for line in network.lines if a in line.stops} & {
        line.system for line in network.lines if b in line.stops
    }
    return system


@pytest.mark.parametrize(
    "check", CHECKS, ids=lambda row: f"{row['from']}-{row['to']}-{row['medium']}"
)
def test_fare_is_as_printed(network: Network, tariffs: Tariffs, check: dict[str, str]) -> None:
    ends = [network.station(check["operator"], check[end]) for end in ("from", "to")]
    book = tariffs.book(date.fromisoformat(check["date"]), Medium(check["medium"]))
    assert book.fare(system_between(network, *ends), *ends).yen == int(check["expected"])
