"""The trains of a chosen candidate are found again over its route, by their names."""

import random
from dataclasses import replace

import pytest

from fare_engine.network.network import NOT_SEARCHED, Network
from fare_engine.routing.fastest_journeys import rounds_of
from fare_engine.routing.route_text import parse_route, route_text
from fare_engine.routing.trains import Journey, journey_by, journey_of, journey_over
from fare_engine.routing.trains_over_route import ChosenTrain


def chosen(journey: Journey) -> list[ChosenTrain]:
    """What a page sends of a journey."""
    trains = [one for one in journey.trains if one.kind == "train"]
    return [ChosenTrain(one.name, one.end, one.minutes) for one in trains]


@pytest.mark.parametrize("seed", range(3))
def test_every_searched_journey_is_found_again_by_its_trains(network: Network, seed: int) -> None:
    dice, rounds, asked, others = random.Random(seed), rounds_of(network), 0, 0
    places = list(network.places.values())
    while asked < 40:
        a, b = dice.sample(places, 2)
        for rides in rounds.search(a, NOT_SEARCHED, ends=b).ways(b):
            searched = journey_of(network, rides)
            route = parse_route(network, route_text(searched.route))
            if tuple(route.legs) != tuple(searched.route.legs):
                continue  # the long way round a loop reads back as the short one
            again = journey_by(route, chosen(searched))
            assert again is not None
            assert chosen(again) == chosen(searched)
            assert abs(again.minutes - searched.minutes) <= 2  # a namesake is waited for longer
            asked += 1
            others += journey_over(route).trains != searched.trains
    assert others  # without their names other trains would be shown


def test_trains_that_do_not_run_so_are_refused(network: Network) -> None:
    [rides] = list(rounds_of(network).search((at(network, "東京"),)).ways((at(network, "新宿"),)))[
        :1
    ]
    journey = journey_of(network, rides)
    [train, *_] = chosen(journey)
    assert journey_by(journey.route, [train]) is not None
    for wrong in (replace(train, name="のぞみ"), replace(train, end="中野")):
        assert journey_by(journey.route, [wrong]) is None
    assert journey_by(journey.route, [train, train]) is None
    assert journey_by(journey.route, []) is None


def at(network: Network, name: str) -> int:
    return network.station("JR東日本", name)
