"""Candidate routes of the look-up."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from fare_engine.data_tables import StationDates, fare_tables
from fare_engine.fares.explanation_model import PassUse
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.ride_charge import charge_ride
from fare_engine.fares.tariffs import (
    NoFareBetween,
    NoTariffOnDate,
    Tariffs,
    packaged_tariffs,
)
from fare_engine.network.network import NOT_SEARCHED, Network, Ride
from fare_engine.network.station_closures import StationClosed
from fare_engine.network.station_lookup import qualified_name
from fare_engine.routing.all_pairs_fares import NO_FARE, stations_of, system_fares
from fare_engine.routing.candidates import (
    NoRouteBetween,
    Order,
    SamePlace,
    SearchRequest,
    UnknownOperator,
    candidates,
)
from fare_engine.routing.cheapest_route import cheapest_path, prepare_fares
from fare_engine.routing.fastest_journeys import rounds_of
from fare_engine.routing.route_text import CommuterPass, Route, parse_pass, parse_route
from fare_engine.routing.trains import journey_of
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period

DAY = date(2026, 3, 14)


def quick_ways(network: Network, a: Sequence[int], b: Sequence[int]) -> list[list[Ride]]:
    """The rides of the quickest ways by number of trains, with any operator and without each."""
    rounds, found = rounds_of(network), []
    for operator in ("", *network.operators[:6]):
        for rides in rounds.search(a, NOT_SEARCHED | {operator}).ways(b):
            route = journey_of(network, rides).route
            found.append([leg for leg in route.legs if isinstance(leg, Ride)])
    return found


def meets_itself(route: Route) -> bool:
    visits = [leg.stations for leg in route.legs if isinstance(leg, Ride)]
    passed = [station for stations in visits for station in stations[1:]]
    return len(set(passed)) < len(passed)


def routes(question: SearchRequest) -> list[str]:
    return [str(one.route) for one in candidates(question, packaged_tariffs())]


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
def test_usual_way_comes_first(start: str, end: str, first: str) -> None:
    assert routes(SearchRequest(start, end, DAY, order=Order.RECOMMENDED))[0] == first


def test_some_different_candidates_in_order() -> None:
    found = candidates(SearchRequest("八王子", "品川", DAY), packaged_tariffs())
    assert len({str(one.route) for one in found}) == len(found)
    assert 2 <= len(found) <= 5
    assert [one.minutes for one in found] == sorted(one.minutes for one in found)


def test_every_candidate_begins_and_ends_at_the_named_places() -> None:
    for order in Order:
        for one in candidates(
            SearchRequest("八王子", "大手町", DAY, order=order), packaged_tariffs()
        ):
            assert (one.route.first_name, one.route.last_name) == ("八王子", "大手町")


@pytest.mark.parametrize(("order", "figure"), [("fare", "through_yen"), ("charged", "charged_yen")])
def test_money_orders_sort_by_money(network: Network, order: str, figure: str) -> None:
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    found = candidates(
        SearchRequest("八王子", "東京", DAY, passes=own, order=Order(order)), packaged_tariffs()
    )
    figures = [getattr(one, figure) for one in found]
    assert figures == sorted(figures)


def test_cheapest_way_is_found_even_if_it_is_slow(network: Network) -> None:
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    question = SearchRequest("八王子", "東京", DAY, passes=own, order=Order.CHARGED)
    best = candidates(question, packaged_tariffs())[0]
    assert best.charged_yen == 199 + 409  # JR to 高尾, 京王 to 新宿, then the pass
    assert candidates(replace(question, order=Order.TIME), packaged_tariffs())[0].charged_yen == 616


@pytest.mark.rule("F13")
def test_search_never_sells_split_tickets(network: Network) -> None:
    others = frozenset(network.operators) - {"JR東日本"}
    cheapest = candidates(
        SearchRequest("八王子", "東京", DAY, avoid=others, order=Order.FARE), packaged_tariffs()
    )[0]
    assert cheapest.through_yen == 902


def test_via_stations_are_passed_in_order() -> None:
    found = candidates(SearchRequest("高円寺", "品川", DAY, via=("東京",)), packaged_tariffs())
    assert str(found[0].route) == "高円寺:JR東日本/中央線:東京:JR東日本/東海道線:品川"
    assert found[0].through_yen == 341


ROPPONGI = (
    "六本木:都営/大江戸線(環状部):新宿:東京メトロ/丸ノ内線:新宿三丁目:東京メトロ/副都心線:渋谷"
)


@pytest.mark.parametrize(
    ("start", "via", "end", "order", "route", "through"),
    [
        # The rider turns back at the via station: two fares, and the text still says so.
        ("三鷹", "新宿", "高円寺", "time", "三鷹:{0}:新宿:{0}:高円寺", 253 + 199),
        ("三鷹", "東京", "新宿", "time", "三鷹:{0}:東京:{0}:新宿", 440 + 253),
        ("JR東日本/新宿", "東京", "JR東日本/新宿", "time", "新宿:{0}:東京:{0}:新宿", 253 * 2),
        # The ride continues: one fare from end to end, regardless of the sections' fares.
        ("八王子", "三鷹", "新宿", "charged", "八王子:{0}:新宿", 616),
        ("荻窪", "新宿", "東京", "charged", "荻窪:東京メトロ/丸ノ内線:東京", 252),
        # The cheapest way of each section is 東京メトロ's; together they turn back at 新宿: 387.
        ("六本木", "新宿", "渋谷", "fare", ROPPONGI, 286),
    ],
)
def test_a_via_station_is_part_of_one_ride(  # noqa: PLR0917 - one column each
    network: Network, start: str, via: str, end: str, order: str, route: str, through: int
) -> None:
    best = candidates(
        SearchRequest(start, end, DAY, via=(via,), order=Order(order)), packaged_tariffs()
    )[0]
    assert str(best.route) == route.format("JR東日本/中央線")
    assert best.through_yen == through
    again = price(parse_route(network, str(best.route)), Terms(DAY), (), packaged_tariffs())
    assert again.through_yen == through


def test_avoided_operators_are_not_ridden() -> None:
    every = routes(SearchRequest("品川", "横浜", DAY))
    assert any("京急" in route for route in every)
    avoided = routes(
        SearchRequest("品川", "横浜", DAY, avoid=frozenset({"京急"}), order=Order.FARE)
    )
    assert avoided
    assert not any("京急" in route for route in avoided)


def test_express_lines_are_not_proposed() -> None:
    assert not any("新幹線" in route for route in routes(SearchRequest("東京", "小田原", DAY)))


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (SearchRequest("新宿", "新宿", DAY), SamePlace),
        (SearchRequest("新宿", "東京", DAY, via=("東京",)), SamePlace),
        (SearchRequest("新宿", "西国分寺", DAY, avoid=frozenset({"JR東日本"})), NoRouteBetween),
        (SearchRequest("新宿", "東京", DAY, avoid=frozenset({"東京急行"})), UnknownOperator),
        (SearchRequest("池袋", "飯能", date(2026, 3, 13)), NoTariffOnDate),
    ],
)
def test_refused_question(question: SearchRequest, error: type[Exception]) -> None:
    with pytest.raises(error):
        candidates(question, packaged_tariffs())


def test_a_walk_at_an_end_only_where_nothing_else_leads_there() -> None:
    avoid = frozenset({"JR東日本"})
    (first, *_) = routes(SearchRequest("久里浜", "三浦海岸", DAY, avoid=avoid))
    assert first == "京急久里浜:京急/久里浜線:三浦海岸"
    assert all(route.endswith(":大手町") for route in routes(SearchRequest("横浜", "大手町", DAY)))


def test_cheapest_way_rides_a_pass_of_another_operator_in_between(network: Network) -> None:
    own = (parse_pass(network, "池袋:丸ノ内線:大手町", "1"),)
    question = SearchRequest("西浦和", "石川町", DAY, passes=own, order=Order.CHARGED)
    assert candidates(question, packaged_tariffs())[0].charged_yen <= 341 + 0 + 616


@pytest.mark.rule("F22", "F19")
@pytest.mark.parametrize(
    "seed", [413, 44162, 491537, 119051, 1927, 32911060, 1075, 1203, *range(60)]
)
def test_no_quick_way_is_cheaper_than_the_cheapest(seed: int) -> None:
    network, dice = packaged_tariffs().network, random.Random(seed)
    start, end = dice.sample([places[0] for places in network.places.values()], 2)
    ways = quick_ways(network, (start,), (end,))
    own = []
    if ways:
        leg = dice.choice(dice.choice(ways))
        own = [CommuterPass("1", 1, Route(network, (leg,)), Period())]
    starts, goals = (network.places[network.place_of[one]] for one in (start, end))
    names = qualified_name(network, starts), qualified_name(network, goals)
    question = SearchRequest(*names, DAY, passes=tuple(own), order=Order.CHARGED)
    try:
        best = candidates(question, packaged_tariffs())[0].charged_yen
    except (NoFareBetween, NoTariffOnDate, SamePlace, NoRouteBetween):
        return
    book = packaged_tariffs().book(DAY, Medium.IC)
    for rides in ways:
        try:
            charged = charge_ride(Route(network, tuple(rides)), list(enumerate(own)), book)
        except (NoFareBetween, NoTariffOnDate):
            continue
        # A way that ends with a walk is shown only where nothing else leads to the place.
        if rides[0].stations[0] in starts and rides[-1].stations[-1] in goals:
            assert best <= charged.charged_yen


@pytest.mark.rule("F22")
@pytest.mark.parametrize("seed", range(60))
def test_the_search_over_fares_knows_what_the_way_costs(seed: int) -> None:
    """Its own sum, fare by fare, is what the pricing charges for the way that it gives back."""
    network, dice = packaged_tariffs().network, random.Random(seed)
    book = packaged_tariffs().book(DAY, Medium.IC)
    ends = dice.sample(list(network.places.values()), 2)
    ways = quick_ways(network, ends[0], ends[1])
    passes = []
    for number in range(dice.randint(0, 3) if ways else 0):
        leg = dice.choice(dice.choice(ways))
        passes.append(CommuterPass(str(number), 1, Route(network, (leg,)), Period()))
    limit = 10**4
    way = cheapest_path(book, (ends[0], ends[1]), passes, NOT_SEARCHED, limit)
    if way is None or meets_itself(way):  # a station met twice: two fares instead of one
        return
    yen = charge_ride(way, list(enumerate(passes)), book).charged_yen
    assert cheapest_path(book, (ends[0], ends[1]), passes, NOT_SEARCHED, yen) is None
    again = cheapest_path(book, (ends[0], ends[1]), passes, NOT_SEARCHED, yen + 1)
    assert again is not None
    assert charge_ride(again, list(enumerate(passes)), book).charged_yen == yen


@pytest.mark.rule("R38")
@pytest.mark.parametrize("day", ["2022-07-11", "2026-03-13", "2026-03-14"])
@pytest.mark.parametrize("medium", list(Medium))
def test_all_fares_at_once_are_the_fares_one_by_one(day: str, medium: Medium) -> None:
    network = packaged_tariffs().network
    book = packaged_tariffs().book(date.fromisoformat(day), medium)
    dice = random.Random(day)
    for system in dict.fromkeys(line.system for line in network.lines):
        try:
            fares = system_fares(book, system)
        except NoTariffOnDate:
            with pytest.raises(NoTariffOnDate):
                book.fare(system, *stations_of(network, system)[:2])
            continue
        for _ in range(200):
            i, j = dice.sample(range(len(fares.stations)), 2)
            a, b = fares.stations[i], fares.stations[j]
            try:
                yen = book.yen(system, a, b)
            except NoFareBetween:
                yen = NO_FARE
            assert fares.yen[i, j] == fares.yen[j, i] == yen


def with_closed(network: Network, name: str, last: str) -> Tariffs:
    closed = StationDates("JR東日本", name, None, date.fromisoformat(last), "test")
    dates = (*network.tables.station_dates, closed)
    return Tariffs(Network(replace(network.tables, station_dates=dates)), packaged_tariffs().tables)


@pytest.mark.rule("R39")
def test_a_pass_of_a_closed_station_is_not_deducted_and_says_so(network: Network) -> None:
    tariffs = with_closed(network, "四ツ谷", "2026-03-31")
    own = [parse_pass(tariffs.network, "四ツ谷:中央線:新宿", "1")]
    ride = parse_route(tariffs.network, "東京:中央線:新宿")
    last, after = (
        price(ride, Terms(day), own, tariffs) for day in (date(2026, 3, 31), date(2026, 4, 1))
    )
    assert (last.charged_yen, last.passes[0].use) == (209, PassUse.USED)
    assert (after.charged_yen, after.passes[0].use) == (253, PassUse.STATION_CLOSED)
    assert "登録し直してください" in after.passes[0].why


@pytest.mark.rule("R39")
def test_a_station_is_looked_up_only_while_it_is_in_use(network: Network) -> None:
    before, opening = date(2023, 3, 17), date(2023, 3, 18)
    avoid = frozenset(network.operators) - {"JR東日本"}
    with pytest.raises(StationClosed, match="幕張豊砂"):
        candidates(SearchRequest("東京", "幕張豊砂", before, avoid=avoid), packaged_tariffs())
    assert candidates(SearchRequest("東京", "幕張豊砂", opening, avoid=avoid), packaged_tariffs())
    tariffs = with_closed(network, "四ツ谷", "2026-03-31")
    with pytest.raises(StationClosed):
        price(
            parse_route(tariffs.network, "四ツ谷:中央線:新宿"), Terms(date(2026, 4, 1)), (), tariffs
        )
    through = candidates(SearchRequest("東京", "新宿", date(2026, 4, 1), avoid=avoid), tariffs)
    assert through[0].through_yen == 253  # trains still run past it


@pytest.mark.rule("R39")
@pytest.mark.parametrize("order", [Order.TIME, Order.FARE])
def test_nobody_changes_at_a_closed_station_whatever_was_asked_before(
    network: Network, order: Order
) -> None:
    tariffs = with_closed(network, "四ツ谷", "2026-03-31")
    avoid = frozenset(network.operators) - {"JR東日本", "東京メトロ"}

    def changes(day: date) -> bool:
        asked = SearchRequest("新宿", "六本木一丁目", day, avoid=avoid, order=order)
        found = candidates(asked, tariffs)
        return any("JR東日本/中央線:四ツ谷" in str(one.route) for one in found)

    assert changes(date(2026, 3, 31))
    assert not changes(date(2026, 4, 1))


@pytest.mark.rule("R39")
def test_the_cheapest_way_does_not_change_at_a_station_that_closed_since_the_last_question(
    network: Network,
) -> None:
    """Both days share their fares; only the search for the cheapest rides through 赤羽."""
    tariffs = with_closed(network, "赤羽", "2026-05-01")

    def changes(day: date) -> bool:
        asked = SearchRequest("大宮", "東京", day, order=Order.CHARGED)
        texts = [str(one.route) for one in candidates(asked, tariffs)]
        return any("赤羽:徒歩" in text or ":赤羽:" in text for text in texts)

    assert changes(date(2026, 5, 1))
    assert tariffs.book(date(2026, 5, 1), Medium.IC) is tariffs.book(date(2026, 5, 2), Medium.IC)
    assert not changes(date(2026, 5, 2))


@pytest.mark.rule("F22")
def test_the_order_by_fare_finds_the_cheapest_fare_whatever_the_passes(network: Network) -> None:
    own = (
        parse_pass(network, "東京:中央線:新宿", "1"),
        parse_pass(network, "新宿:中央線:八王子", "2"),
    )
    question = SearchRequest("八王子", "東京", DAY, passes=own, order=Order.FARE)
    assert (
        candidates(question, packaged_tariffs())[0].through_yen == 528 + 252
    )  # JR to 荻窪, then 東京メトロ
    assert (
        candidates(replace(question, order=Order.CHARGED), packaged_tariffs())[0].charged_yen == 0
    )


@pytest.mark.rule("F22")
@pytest.mark.parametrize("with_passes", [False, True])
def test_a_prepared_search_finds_the_same_charge(with_passes: bool, long: bool) -> None:
    network, dice = packaged_tariffs().network, random.Random(22)
    plain, prepared = (Tariffs(network, fare_tables()).book(DAY, Medium.IC) for _ in range(2))
    prepare_fares(prepared)
    places = list(network.places.values())
    for _ in range(60 if long else 20):
        a, b = dice.sample(places, 2)
        passes = []
        for number in range(dice.randint(1, 3) if with_passes else 0):
            start, end = dice.sample(places, 2)
            ways = quick_ways(network, start, end)
            legs = tuple(ways[0]) if ways else ()
            passes += [CommuterPass(str(number), 1, Route(network, legs), Period())] if legs else []
        charges = [
            way and charge_ride(way, list(enumerate(passes)), book).charged_yen
            for book in (plain, prepared)
            for way in [cheapest_path(book, (a, b), passes, NOT_SEARCHED, 10**4)]
        ]
        assert charges[0] == charges[1]
