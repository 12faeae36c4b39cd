"""Trips that commuters know: is a usual train offered first, with the minutes that it takes?

known_trips.csv: from, to, the usual direct trains by the lines that they run on (through running
joined by ・) and the minutes of each. Usual is the next train of those that are quick enough to
wait for, at least twenty runs a day, and any other within ten minutes of the best, waits included.
Computed from the timetables of Mini Tokyo 3D (MIT licence, state of August 2026), weekdays from
10 to 16 h.
"""

import csv
from datetime import date
from pathlib import Path

import pytest

from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.routing.candidates import Candidate, Order, SearchRequest, candidates

FILE = Path(__file__).with_name("known_trips.csv")
DAY = date(2026, 4, 1)
FIRST = 2  # candidates that a reader looks at


def trips() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_the_train(one: Candidate, lines: list[str], minutes: float) -> bool:
    """A direct ride on one of the lines, its minutes within 20 % or three of the usual ones."""
    rides = [train for train in one.trains if train.kind == "train"]
    named = len(rides) == 1 and any(line in rides[0].name for line in lines)
    return named and abs(one.minutes - minutes) <= max(3, minutes * 0.2)


@pytest.mark.parametrize("trip", trips(), ids=lambda trip: f"{trip['from']}-{trip['to']}")
def test_a_usual_train_is_among_the_first(trip: dict[str, str]) -> None:
    asked = SearchRequest(trip["from"], trip["to"], DAY, order=Order.RECOMMENDED)
    found = candidates(asked, packaged_tariffs())[:FIRST]
    usual = [
        (lines.split("・"), float(minutes))
        for lines, minutes in zip(
            trip["trains"].split(" | "), trip["minutes"].split(" | "), strict=True
        )
    ]
    shown = [(one.minutes, [train.name for train in one.trains]) for one in found]
    assert any(is_the_train(one, *train) for one in found for train in usual), shown
