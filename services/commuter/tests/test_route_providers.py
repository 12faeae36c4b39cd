"""乗換案内 by another source: 駅すぱあと API, answered by a server of our own (conftest.py)."""

from datetime import date
from typing import Any

import pytest

from commuter_service.adapters.ekispert import (
    Ekispert,
    RouteSearchRefused,
    RouteSearchUnavailable,
    SourceCandidate,
    text_of,
)
from commuter_service.adapters.route_providers import (
    OwnEngine,
    RouteProviderSettings,
    route_provider_of,
)
from commuter_service.provider_rides import SourcePass, parse_source_ride
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.routing.candidates import (
    NoRouteBetween,
    Order,
    SamePlace,
    SearchRequest,
    UnknownOperator,
)
from fare_engine.routing.route_text import parse_pass
from fare_engine.rules.fare_rounding import Medium
from fare_engine.rules.period import Period

from .conftest import CONDITION, SEARCH, EkispertServer, course, line, refusal

DAY = date(2026, 3, 14)


def source(ekispert_server: EkispertServer) -> Ekispert:
    settings = RouteProviderSettings(
        source="ekispert", ekispert_url=ekispert_server.url, ekispert_key="k-123"
    )
    found = route_provider_of(settings)
    assert isinstance(found, Ekispert)
    return found


def test_the_setting_chooses_and_our_engine_is_the_default() -> None:
    assert isinstance(route_provider_of(RouteProviderSettings()), OwnEngine)
    with pytest.raises(ValueError, match="EKISPERT_KEY"):
        route_provider_of(RouteProviderSettings(source="ekispert"))


def test_what_is_asked(ekispert_server: EkispertServer) -> None:
    ekispert_server.courses = course("253", ["新宿", "東京"], line("ＪＲ中央線快速"))
    question = SearchRequest("新宿", "東京", DAY, via=("四ツ谷",), order=Order.CHARGED, count=3)
    source(ekispert_server).candidates(question, packaged_tariffs())
    assert ekispert_server.asked == [
        (CONDITION, {"key": "k-123", "ticketSystemType": "ic"}),
        (
            SEARCH,
            {
                "key": "k-123",
                "viaList": "新宿:四ツ谷:東京",
                "date": "20260314",
                "searchType": "plain",
                "sort": "price",
                "answerCount": "3",
                "conditionDetail": "T32:F33i:A23:",
            },
        ),
    ]


def test_a_single_course_is_read_priced_and_deducted_by_us(
    ekispert_server: EkispertServer, network: Network
) -> None:
    ekispert_server.courses = course("440", ["三鷹", "東京"], line("ＪＲ中央線快速"), minutes="30")
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    (one,) = source(ekispert_server).candidates(
        SearchRequest("三鷹", "東京", DAY, passes=own), packaged_tariffs()
    )
    assert str(one.route) == "三鷹:JR東日本/中央線:東京"
    assert (one.minutes, one.through_yen, one.charged_yen, one.told_yen) == (34, 440, 253, 440)


@pytest.mark.rule("F22")
def test_several_courses_come_in_our_order(
    ekispert_server: EkispertServer, network: Network
) -> None:
    metro = course("209", ["新宿", "東京"], line("東京メトロ丸ノ内線"), minutes="20")
    rail = course("253", ["新宿", "東京"], [line("ＪＲ中央線快速")])
    ekispert_server.courses = [metro, rail]
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    found = source(ekispert_server).candidates(
        SearchRequest("新宿", "東京", DAY, passes=own, order=Order.CHARGED), packaged_tariffs()
    )
    assert [one.charged_yen for one in found] == [0, 209]


def test_walks_operators_in_names_and_other_fares_are_understood(
    ekispert_server: EkispertServer,
) -> None:
    lines = [line("都営浅草線"), line("徒歩", "walk"), line("都営新宿線")]
    found = course("199", ["押上／都営地下鉄", "東日本橋", "馬喰横山", "新宿(都営)"], lines)
    ekispert_server.courses = found
    (one,) = source(ekispert_server).candidates(
        SearchRequest("押上", "新宿", DAY), packaged_tariffs()
    )
    assert str(one.route).endswith("東日本橋:徒歩:馬喰横山:都営/新宿線:新宿")
    assert (one.through_yen, one.told_yen) == (272, 199)


def test_avoided_operators_are_left_out_of_ours_and_of_its_own(
    ekispert_server: EkispertServer,
) -> None:
    ekispert_server.courses = [
        course("209", ["新宿", "東京"], line("東京メトロ丸ノ内線")),
        course("500", ["新宿", "東京"], line("東京メトロ未知線")),
    ]
    asked = SearchRequest("新宿", "東京", DAY, avoid=frozenset({"東京メトロ"}))
    with pytest.raises(NoRouteBetween):
        source(ekispert_server).candidates(asked, packaged_tariffs())


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (SearchRequest("新宿", "新宿", DAY), SamePlace),
        (SearchRequest("梅田", "梅田", DAY), SamePlace),
        (SearchRequest("新宿", "東京", DAY, avoid=frozenset({"未知"})), UnknownOperator),
    ],
)
def test_nothing_is_asked_that_is_refused_here(
    ekispert_server: EkispertServer, asked: SearchRequest, refused: type[Exception]
) -> None:
    with pytest.raises(refused):
        source(ekispert_server).candidates(asked, packaged_tariffs())
    assert ekispert_server.asked == []


MIDOSUJI = "大阪メトロ御堂筋線"
MIDOSUJI_STOPS = [
    "新大阪",
    "西中島南方",
    "中津(大阪府)",
    "梅田",
    "淀屋橋",
    "本町",
    "心斎橋",
    "なんば",
]
MIDOSUJI_TEXT = (
    "新大阪:駅すぱあと/大阪メトロ御堂筋線/Down:西中島南方:〃:中津(大阪府):〃:梅田:〃:淀屋橋"
    ":〃:本町:〃:心斎橋:〃:なんば"
)


def in_osaka(ekispert_server: EkispertServer) -> None:
    """新大阪 to なんば, and the fares of its parts."""
    ekispert_server.courses = course(
        "290", ["新大阪", "なんば"], line(MIDOSUJI, minutes=15), minutes="15", data="S1"
    )
    ekispert_server.stations = {"S1": MIDOSUJI_STOPS}
    for places, fare in (
        ("新大阪:梅田", "240"),
        ("本町:なんば", "190"),
        ("梅田:なんば", "240"),
        ("新大阪:本町", "290"),
    ):
        found = course(fare, places.split(":"), line(MIDOSUJI))
        ekispert_server.fares[places, MIDOSUJI] = found


def pass_of_source(text: str, until: date | None = None) -> SourcePass:
    return SourcePass("s1", 1, parse_source_ride(text), Period(None, until))


def test_a_ride_outside_our_network_keeps_the_names_and_fare_of_the_source(
    ekispert_server: EkispertServer,
) -> None:
    in_osaka(ekispert_server)
    (one,) = source(ekispert_server).candidates(
        SearchRequest("新大阪", "なんば", DAY), packaged_tariffs()
    )
    assert text_of(one) == MIDOSUJI_TEXT
    assert (one.minutes, one.changes, one.through_yen, one.charged_yen) == (19, 0, 290, 290)
    assert [(train.name, train.minutes, train.stops) for train in one.trains] == [(MIDOSUJI, 15, 7)]
    assert [asked["viaList"] for asked in ekispert_server.searches()] == ["新大阪:なんば"]


@pytest.mark.parametrize(
    ("held", "charged", "asked_parts"),
    [
        ("梅田:駅すぱあと/大阪メトロ御堂筋線/Down:淀屋橋:〃:本町", 290,
         ["新大阪:梅田", "本町:なんば"]),
        ("なんば:駅すぱあと/大阪メトロ御堂筋線/Up:心斎橋:〃:本町", 290, ["新大阪:本町"]),
        ("新大阪:駅すぱあと/大阪メトロ御堂筋線/Down:西中島南方:〃:中津(大阪府):〃:梅田", 240,
         ["梅田:なんば"]),
        (MIDOSUJI_TEXT, 0, []),
        ("新大阪:駅すぱあと/阪急京都線/Down:西中島南方", 290, []),
    ],
)  # fmt: skip
@pytest.mark.rule("F1")
def test_a_pass_of_the_source_covers_equal_edges(
    ekispert_server: EkispertServer, held: str, charged: int, asked_parts: list[str]
) -> None:
    in_osaka(ekispert_server)
    (one,) = source(ekispert_server).candidates(
        SearchRequest("新大阪", "なんば", DAY), packaged_tariffs(), [pass_of_source(held)]
    )
    assert (one.through_yen, one.charged_yen) == (290, charged)
    assert [asked["viaList"] for asked in ekispert_server.searches()[1:]] == asked_parts


def test_a_pass_of_the_source_that_has_ended_deducts_nothing(
    ekispert_server: EkispertServer,
) -> None:
    in_osaka(ekispert_server)
    ended = pass_of_source(MIDOSUJI_TEXT, date(2026, 3, 13))
    (one,) = source(ekispert_server).candidates(
        SearchRequest("新大阪", "なんば", DAY), packaged_tariffs(), [ended]
    )
    assert one.charged_yen == 290


def test_our_pass_is_deducted_from_a_ride_that_leaves_our_network(
    ekispert_server: EkispertServer, network: Network
) -> None:
    lines = [line("ＪＲ中央線快速", minutes=28), line("未知新線", minutes=150)]
    ekispert_server.courses = course("9000", ["三鷹", "東京", "遠方"], lines)
    for key, fare, rode in (
        (("三鷹:新宿", "ＪＲ中央線快速"), "253", lines[0]),
        (("東京:遠方", "未知新線"), "8500", lines[1]),
    ):
        ekispert_server.fares[key] = course(fare, key[0].split(":"), rode)
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    (one,) = source(ekispert_server).candidates(
        SearchRequest("三鷹", "遠方", DAY, passes=own), packaged_tariffs()
    )
    assert isinstance(one, SourceCandidate)
    assert (one.through_yen, one.charged_yen, one.changes) == (9000, 253 + 8500, 1)
    assert one.priced.winner.pass_ids == ("1",)


def test_a_part_without_a_fare_is_no_way_to_pay(ekispert_server: EkispertServer) -> None:
    in_osaka(ekispert_server)
    ekispert_server.fares = {}
    held = "新大阪:駅すぱあと/大阪メトロ御堂筋線/Down:西中島南方:〃:中津(大阪府):〃:梅田"
    (one,) = source(ekispert_server).candidates(
        SearchRequest("新大阪", "なんば", DAY), packaged_tariffs(), [pass_of_source(held)]
    )
    assert one.charged_yen == 290


def test_without_the_stations_a_line_is_one_edge(ekispert_server: EkispertServer) -> None:
    in_osaka(ekispert_server)
    ekispert_server.stations = {}
    (one,) = source(ekispert_server).candidates(
        SearchRequest("新大阪", "なんば", DAY),
        packaged_tariffs(),
        [pass_of_source("なんば:駅すぱあと/大阪メトロ御堂筋線/Up:新大阪")],
    )
    assert text_of(one) == "新大阪:駅すぱあと/大阪メトロ御堂筋線/Down:なんば"
    assert one.charged_yen == 0


def test_tickets_are_asked_for_as_tickets_and_children_are_not_priced(
    ekispert_server: EkispertServer,
) -> None:
    in_osaka(ekispert_server)
    asked = SearchRequest("新大阪", "なんば", DAY, Medium.TICKET)
    source(ekispert_server).candidates(asked, packaged_tariffs())
    assert ekispert_server.searches()[0]["conditionDetail"] == "T32:F33n:A23:"
    with pytest.raises(NoRouteBetween):
        source(ekispert_server).candidates(
            SearchRequest("新大阪", "なんば", DAY, child=True), packaged_tariffs()
        )


@pytest.mark.parametrize("shape", ["one", "list"])
def test_its_refusal_is_ours(ekispert_server: EkispertServer, shape: str) -> None:
    body = refusal("W403", "認証エラー")
    if shape == "list":
        body["ResultSet"]["Error"] = [body["ResultSet"]["Error"]]
    ekispert_server.broken = (403, body)
    with pytest.raises(RouteSearchRefused, match="認証エラー"):
        source(ekispert_server).candidates(SearchRequest("新宿", "東京", DAY), packaged_tariffs())


@pytest.mark.parametrize(
    ("status", "answer"),
    [(502, b"<html>bad gateway</html>"), (200, b"[]x"), (500, {"a": 1}), (200, {"ResultSet": []})],
)
def test_no_readable_answer_is_unavailable(
    ekispert_server: EkispertServer, status: int, answer: Any
) -> None:
    ekispert_server.broken = (status, answer)
    with pytest.raises(RouteSearchUnavailable):
        source(ekispert_server).candidates(SearchRequest("新宿", "東京", DAY), packaged_tariffs())


def test_nobody_there_is_unavailable() -> None:
    settings = RouteProviderSettings(
        source="ekispert", ekispert_url="http://127.0.0.1:9", ekispert_key="k", timeout_seconds=2
    )
    with pytest.raises(RouteSearchUnavailable):
        route_provider_of(settings).candidates(
            SearchRequest("新宿", "東京", DAY), packaged_tariffs()
        )


def test_all_questions_of_a_look_up_share_one_limit_of_time(
    ekispert_server: EkispertServer,
) -> None:
    in_osaka(ekispert_server)
    late = Ekispert(ekispert_server.url, "k", timeout_s=0)
    with pytest.raises(RouteSearchUnavailable, match="間に合いません"):
        late.candidates(SearchRequest("新大阪", "なんば", DAY), packaged_tariffs())
