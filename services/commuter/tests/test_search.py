"""Candidate routes of the look-up."""

import random
from dataclasses import replace
from datetime import date

import pytest

from commuter_service.charging import charge_ride
from commuter_service.network import Network, tokyo_network
from commuter_service.pathfinding import path_finder
from commuter_service.routes import CommuterPass, Route, parse_pass
from commuter_service.rules.fare_rounding import Medium
from commuter_service.rules.pass_period import Period
from commuter_service.search import (
    NoRouteBetween,
    Order,
    Question,
    SamePlace,
    UnknownOperator,
    candidates,
)
from commuter_service.station_names import qualified_name
from commuter_service.tariffs import NoFareBetween, NoTariffOnDate, tokyo_tariffs

DAY = date(2026, 3, 14)


def routes(question: Question) -> list[str]:
    return [str(one.route) for one in candidates(question)]


@pytest.mark.parametrize(
    ("start", "end", "first"),
    [
        ("新宿", "東京", "新宿:JR東日本/中央線:東京"),
        ("高円寺", "品川", "高円寺:JR東日本/中央線:新宿:JR東日本/山手線:品川"),
        ("渋谷", "横浜", "渋谷:東急/東横線:横浜"),
        ("池袋", "所沢", "池袋:西武/池袋線:所沢"),
        ("北千住", "中目黒", "北千住:東京メトロ/日比谷線:中目黒"),
    ],
)
def test_quickest_way_comes_first(start: str, end: str, first: str) -> None:
    assert routes(Question(start, end, DAY))[0] == first


def test_up_to_five_different_candidates_in_order() -> None:
    found = candidates(Question("三鷹", "東京", DAY))
    assert len({str(one.route) for one in found}) == len(found) == 5
    assert [one.minutes for one in found] == sorted(one.minutes for one in found)


def test_every_candidate_begins_and_ends_at_the_named_places() -> None:
    for order in Order:
        for one in candidates(Question("八王子", "大手町", DAY, order=order)):
            assert (one.route.first_name, one.route.last_name) == ("八王子", "大手町")


@pytest.mark.parametrize(("order", "figure"), [("fare", "through_yen"), ("charged", "charged_yen")])
def test_money_orders_sort_by_money(network: Network, order: str, figure: str) -> None:
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    found = candidates(Question("八王子", "東京", DAY, passes=own, order=Order(order)))
    figures = [getattr(one, figure) for one in found]
    assert figures == sorted(figures)


def test_cheapest_way_is_found_even_if_it_is_slow(network: Network) -> None:
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    question = Question("八王子", "東京", DAY, passes=own, order=Order.CHARGED)
    best = candidates(question)[0]
    assert best.charged_yen == 199 + 409  # JR to 高尾, 京王 to 新宿, then the pass
    assert candidates(replace(question, order=Order.TIME))[0].charged_yen == 616


@pytest.mark.rule("F13")
def test_search_never_sells_split_tickets(network: Network) -> None:
    others = frozenset(network.operators) - {"JR東日本"}
    cheapest = candidates(Question("八王子", "東京", DAY, avoid=others, order=Order.FARE))[0]
    assert cheapest.through_yen == 902


def test_via_stations_are_passed_in_order() -> None:
    found = candidates(Question("高円寺", "品川", DAY, via=("東京",)))
    assert str(found[0].route) == "高円寺:JR東日本/中央線:東京:JR東日本/東海道線:品川"
    assert found[0].through_yen == 341


def test_avoided_operators_are_not_ridden() -> None:
    every = routes(Question("品川", "横浜", DAY))
    assert any("京急" in route for route in every)
    avoided = routes(Question("品川", "横浜", DAY, avoid=frozenset({"京急"}), order=Order.FARE))
    assert avoided
    assert not any("京急" in route for route in avoided)


def test_express_lines_are_not_proposed() -> None:
    assert not any("新幹線" in route for route in routes(Question("東京", "小田原", DAY)))


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (Question("新宿", "新宿", DAY), SamePlace),
        (Question("新宿", "東京", DAY, via=("東京",)), SamePlace),
        (Question("新宿", "西国分寺", DAY, avoid=frozenset({"JR東日本"})), NoRouteBetween),
        (Question("新宿", "東京", DAY, avoid=frozenset({"東京急行"})), UnknownOperator),
        (Question("池袋", "飯能", date(2026, 3, 13)), NoTariffOnDate),
    ],
)
def test_refused_question(question: Question, error: type[Exception]) -> None:
    with pytest.raises(error):
        candidates(question)


def test_a_walk_at_an_end_only_where_nothing_else_leads_there() -> None:
    (first, *_) = routes(Question("久里浜", "三浦海岸", DAY))
    assert first == "京急久里浜:京急/久里浜線:三浦海岸"
    assert all(route.endswith(":大手町") for route in routes(Question("横浜", "大手町", DAY)))


def test_cheapest_way_rides_a_pass_of_another_operator_in_between(network: Network) -> None:
    own = (parse_pass(network, "池袋:丸ノ内線:大手町", "1"),)
    question = Question("西浦和", "石川町", DAY, passes=own, order=Order.CHARGED)
    assert candidates(question)[0].charged_yen <= 341 + 0 + 616


@pytest.mark.rule("F22")
@pytest.mark.parametrize("seed", [413, 44162, 491537, 119051, 1927, *range(40)])
def test_no_quick_way_is_cheaper_than_the_cheapest(seed: int) -> None:
    network, dice = tokyo_network(), random.Random(seed)
    start, end = dice.sample([places[0] for places in network.places.values()], 2)
    ways = path_finder(network).ways((start,), (end,), 30)
    own = []
    if ways:
        leg = dice.choice(dice.choice(ways)[1])
        own = [CommuterPass("1", 1, Route(network, (leg,)), Period())]
    names = qualified_name(network, start), qualified_name(network, end)
    question = Question(*names, DAY, passes=tuple(own), order=Order.CHARGED)
    try:
        best = candidates(question)[0].charged_yen
    except (NoFareBetween, SamePlace, NoRouteBetween):
        return
    book = tokyo_tariffs().book(DAY, Medium.IC)
    for _, rides in ways:
        try:
            charged = charge_ride(Route(network, tuple(rides)), list(enumerate(own)), book)
        except NoFareBetween:
            continue
        # Two discounts in one ride, or one over three fares, are beyond the search.
        if not charged.chains:
            assert best <= charged.charged_yen
