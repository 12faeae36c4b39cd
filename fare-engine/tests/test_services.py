"""Services: the tables fit the network, and the search over them keeps its promises."""

import random
from dataclasses import replace
from datetime import date

import pytest

from fare_engine.data_tables import Interval
from fare_engine.errors import FareError
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import NOT_SEARCHED, Network
from fare_engine.network.services import TrainRide, patterns_of, ride_between, stops_left_out
from fare_engine.network.station_lookup import qualified_name
from fare_engine.routing.candidates import (
    Candidate,
    Label,
    Order,
    SearchRequest,
    Weights,
    candidates,
)
from fare_engine.routing.fastest_journeys import FAR, rounds_of
from fare_engine.routing.route_text import parse_route
from fare_engine.routing.trains import journey_over, trains_of

DAY = date(2026, 4, 1)
KM_PER_HOUR = 125


def test_the_network_knows_every_stop_of_the_services(network: Network) -> None:
    assert stops_left_out(network) == []


def test_every_hop_is_ridden_over_joined_tracks_at_a_speed_of_trains(network: Network) -> None:
    for pattern in patterns_of(network):
        for number, hop in enumerate(pattern.hops):
            rides = ride_between(network, [hop])
            places = [network.place_of[end] for ride in rides for end in ride.stations]
            assert places[0] == network.place_of[hop.start]
            assert places[-1] == network.place_of[hop.end]
            assert places[1:-1:2] == places[2::2]
            tenths = TrainRide(pattern, number, number + 1).time
            km10 = sum(network.ride_km10(ride) for ride in rides)
            assert 0 < km10 * 60 <= KM_PER_HOUR * tenths + 60 * 10, hop.train


def test_every_station_but_those_of_express_lines_is_a_stop(network: Network) -> None:
    stops = {end for pattern in patterns_of(network) for hop in pattern.hops for end in
             (hop.start, hop.end)}  # fmt: skip
    for line in network.lines:
        if NOT_SEARCHED.isdisjoint((line.operator, line.system)):
            assert stops.issuperset(line.stops), line.title


def test_lines_without_services_carry_riders_by_average_speed() -> None:
    tables = replace(packaged_tariffs().network.tables, services=(), service_stops=())
    bare = Tariffs(Network(tables), packaged_tariffs().tables)
    best = candidates(SearchRequest("新宿", "東京", DAY), bare)[0]
    assert [train.name for train in best.trains] == ["中央線"]
    assert 10 <= best.minutes <= 20


@pytest.mark.parametrize(
    ("start", "end", "train", "minutes"),
    [
        ("横浜", "東京", "東海道線", 26),
        ("新橋", "横浜", "東海道線", 23),
        ("横浜", "新宿", "湘南新宿ライン", 30),
        ("新宿", "六本木", "都営大江戸線", 8),
        ("松戸", "上野", "常磐線快速", 19),
        ("大宮", "新宿", "埼京線", 32),
        ("田端", "品川", "京浜東北線", 28),
        ("新宿", "本八幡", "都営新宿線", 35),
        ("中野", "西船橋", "東西線", 52),
        ("三鷹", "千葉", "中央・総武線各駅停車", 92),
        ("神田", "荻窪", "中央線快速", 21),
        ("調布", "新宿", "京王線", 16),
        ("所沢", "池袋", "西武池袋線", 25),
        ("町田", "新宿", "小田急線", 34),
        ("大手町", "西船橋", "東西線", 30),
        ("品川", "横須賀中央", "京急線", 46),
    ],
)
def test_the_direct_train_is_among_the_first_two(
    start: str, end: str, train: str, minutes: int
) -> None:
    found = candidates(SearchRequest(start, end, DAY, order=Order.RECOMMENDED), packaged_tariffs())
    direct = [one for one in found[:2] if one.changes == 0]
    assert any(train in one.trains[0].name for one in direct)
    assert abs(direct[0].minutes - minutes) <= max(3, minutes * 0.2)


def questions(seed: int, count: int) -> list[SearchRequest]:
    network, dice = packaged_tariffs().network, random.Random(seed)
    places = list(network.places.values())
    pairs = [dice.sample(places, 2) for _ in range(count)]
    return [
        SearchRequest(qualified_name(network, a), qualified_name(network, b), DAY) for a, b in pairs
    ]


def asked(question: SearchRequest) -> list[Candidate]:
    try:
        return candidates(question, packaged_tariffs())
    except FareError:
        return []


def figures(one: Candidate) -> tuple[int, int, int]:
    return one.minutes, one.changes, one.charged_yen


@pytest.mark.rule("F22")
@pytest.mark.parametrize("seed", range(6))
def test_no_candidate_is_worse_than_another_in_all_respects(seed: int) -> None:
    for question in questions(seed, 5):
        found = asked(question)
        assert len(found) <= 5
        for one in found:
            for other in found:
                better = [a <= b for a, b in zip(figures(other), figures(one), strict=True)]
                assert one is other or not all(better)


@pytest.mark.rule("F22")
@pytest.mark.parametrize("seed", range(6))
def test_the_cheapest_and_the_direct_way_are_listed_in_every_order(seed: int) -> None:
    network = packaged_tariffs().network
    for question in questions(seed, 3):
        cheapest = asked(replace(question, order=Order.CHARGED, count=30))
        if not cheapest:
            continue
        first, last = cheapest[0].trains[0].start, cheapest[0].trains[-1].end
        fewest = min(one.changes for one in cheapest)
        for order in Order:
            found = asked(replace(question, order=order))
            assert min(one.charged_yen for one in found) == cheapest[0].charged_yen
            assert min(one.changes for one in found) == fewest
            assert {(one.trains[0].start, one.trains[-1].end) for one in found} == {(first, last)}
            for one in found:
                assert journey_over(one.route).changes <= one.changes
                assert trains_of(one.route, network)[-1].end == last


def test_labels_mark_the_best_of_the_list() -> None:
    found = asked(SearchRequest("高尾", "東京", DAY, order=Order.RECOMMENDED))
    marked = {label: [one for one in found if label in one.labels] for label in Label}
    assert {one.minutes for one in marked[Label.FASTEST]} == {min(one.minutes for one in found)}
    assert {one.charged_yen for one in marked[Label.CHEAPEST]} == {618}
    assert {one.changes for one in marked[Label.EASIEST]} == {0}
    assert [label.label_ja for label in Label] == ["早い", "安い", "楽"]


def test_the_recommended_order_follows_the_weights() -> None:
    question = SearchRequest("藤沢", "東京", DAY, order=Order.RECOMMENDED)
    assert asked(question)[0].changes == 0
    assert asked(replace(question, weights=Weights(0, 0)))[0].charged_yen == 816


@pytest.mark.parametrize("seed", range(3))
def test_a_line_more_never_makes_the_best_way_worse(seed: int, network: Network) -> None:
    dice, tables = random.Random(seed), network.tables
    names = sorted({row.station for row in tables.intervals})
    stops = dice.sample(names, 6)
    rows = tuple(
        Interval("試験鉄道", "試験線", i + 1, one, 40 * i, "") for i, one in enumerate(stops)
    )
    more = Network(replace(tables, intervals=tables.intervals + rows))
    places = dice.sample(list(network.places.values()), 12)
    for start in places[:4]:
        before, after = rounds_of(network).search(start), rounds_of(more).search(start)
        for end in places[4:]:
            assert min(after.times(end), default=FAR) <= min(before.times(end), default=FAR)


@pytest.mark.parametrize(
    ("text", "trains"),
    [
        ("横浜:東海道線:東京", ["東海道線"]),
        ("東京:山手線:品川:東海道線:横浜", ["東海道線"]),
        ("新宿:中央線:神田:山手線:秋葉原", ["中央線快速", "山手線"]),
        ("三鷹:中央線:中野:東西線:西船橋", ["東西線"]),
        ("東京:東海道新幹線:新横浜", ["東海道新幹線"]),
        ("三鷹:バス(武蔵境通り):調布", ["バス(武蔵境通り)"]),
    ],
)
def test_any_route_has_trains(network: Network, text: str, trains: list[str]) -> None:
    trains_ridden = trains_of(parse_route(network, text), network)
    names = [train.name for train in trains_ridden if train.kind == "train"]
    assert len(names) == len(trains)
    assert all(wanted in name for wanted, name in zip(trains, names, strict=True))


@pytest.mark.parametrize(("start", "end"), [("新宿", "舞浜"), ("舞浜", "新宿"), ("品川", "舞浜")])
def test_a_change_to_far_platforms_takes_longer(start: str, end: str) -> None:
    tariffs = packaged_tariffs()
    near = Tariffs(Network(replace(tariffs.network.tables, far_platforms=())), tariffs.tables)
    asked = SearchRequest(start, end, DAY, order=Order.FARE)
    far_way, near_way = candidates(asked, tariffs)[0], candidates(asked, near)[0]
    assert str(far_way.route) == str(near_way.route)  # changes at 東京 to or from 京葉線
    assert "東京" in [train.end for train in far_way.trains]
    assert far_way.minutes == near_way.minutes + 10
    assert [one.minutes for one in far_way.trains] == [one.minutes for one in near_way.trains]
    read_back = [journey_over(one.route).minutes for one in (far_way, near_way)]
    assert read_back[0] == read_back[1] + 10


@pytest.mark.parametrize(("start", "end"), [("東京", "舞浜"), ("舞浜", "東京"), ("有楽町", "新宿")])
def test_far_platforms_do_not_lengthen_other_rides(start: str, end: str) -> None:
    tariffs = packaged_tariffs()
    near = Tariffs(Network(replace(tariffs.network.tables, far_platforms=())), tariffs.tables)
    asked = SearchRequest(start, end, DAY)
    shown = [
        [(one.minutes, one.changes) for one in candidates(asked, of)] for of in (tariffs, near)
    ]
    assert shown[0] == shown[1]
