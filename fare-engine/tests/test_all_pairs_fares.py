"""All fares of a system at once are the fares one by one, which the search relies on."""

import random
from datetime import date

import pytest

from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.network.network import Network
from fare_engine.routing.all_pairs_fares import NO_FARE, system_fares
from fare_engine.rules.fare_rounding import Medium

PAIRS_PER_SYSTEM = 400


@pytest.mark.parametrize(
    ("day", "medium", "child"),
    [
        (date(2026, 3, 14), Medium.IC, False),
        (date(2026, 3, 14), Medium.TICKET, True),
        (date(2026, 3, 13), Medium.TICKET, False),
    ],
)
def test_the_matrix_holds_the_fares_of_the_book(
    network: Network, tariffs: Tariffs, day: date, medium: Medium, *, child: bool
) -> None:
    dice = random.Random(day.toordinal())
    book = tariffs.book(day, medium, child=child)
    for system in dict.fromkeys(line.system for line in network.lines):
        try:
            fares = system_fares(book, system)
        except NoTariffOnDate:
            continue
        size = len(fares.stations)
        pairs = [dice.sample(range(size), 2) for _ in range(min(PAIRS_PER_SYSTEM, size**2))]
        for i, j in pairs:
            ends = fares.stations[i], fares.stations[j]
            try:
                expected = book.fare(system, *ends).yen
            except NoFareBetween:
                expected = NO_FARE
            names = [network.stations[end].name for end in ends]
            assert (names, int(fares.yen[i, j])) == (names, expected)
