"""Route and pass texts: what they mean, and how they are refused."""

from dataclasses import replace
from datetime import date

import pytest

from fare_engine.data_tables import network_tables
from fare_engine.errors import FareError
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import NoFareBetween, packaged_tariffs
from fare_engine.network.network import Network, Ride
from fare_engine.network.station_lookup import UnknownStation
from fare_engine.routing.route_text import (
    AmbiguousLine,
    PassHasGap,
    PeriodUnreadable,
    RouteDisconnected,
    RouteUnreadable,
    UnknownLine,
    parse_pass,
    parse_period,
    parse_route,
    route_text,
)
from fare_engine.rules.period import Period, PeriodReversed


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (
            "高円寺:JR東日本/中央線:新宿:JR東日本/山手線:品川",
            "高円寺:JR東日本/中央線:新宿:JR東日本/山手線:品川",
        ),
        ("渋谷:東横線:横浜", "渋谷:東急/東横線:横浜"),
        ("渋谷：東横線：横浜", "渋谷:東急/東横線:横浜"),
        ("新宿:新宿線:本八幡", "新宿:都営/新宿線:本八幡"),
        ("高田馬場:新宿線:所沢", "高田馬場:西武/新宿線:所沢"),
        ("市ケ谷:新宿線:新宿", "市ヶ谷:都営/新宿線:新宿"),
        ("浅草:銀座線:渋谷", "浅草:東京メトロ/銀座線:渋谷"),
        # A branch is found under the name of its line.
        ("中野坂上:丸ノ内線:方南町", "中野坂上:東京メトロ/丸ノ内線(方南町支線):方南町"),
        (
            "秋葉原:総武線:千葉",
            "秋葉原:JR東日本/総武線(御茶ノ水支線):錦糸町:JR東日本/総武線:千葉",
        ),
        # Changes on foot are found, or written.
        (
            "上野:山手線:原宿:千代田線:大手町",
            "上野:JR東日本/山手線:原宿:徒歩:明治神宮前:東京メトロ/千代田線:大手町",
        ),
        (
            "渋谷:銀座線:赤坂見附:徒歩:永田町:有楽町線:飯田橋",
            "渋谷:東京メトロ/銀座線:赤坂見附:徒歩:永田町:東京メトロ/有楽町線:飯田橋",
        ),
        ("東京:中央線:四ツ谷:中央線:新宿", "東京:JR東日本/中央線:新宿"),
        # One station in two spellings is no walk.
        (
            "麹町:有楽町線:市ケ谷:都営/新宿線:新宿",
            "麹町:東京メトロ/有楽町線:市ケ谷:都営/新宿線:新宿",
        ),
        # Names that people know a line by.
        ("大宮:アーバンパークライン:柏", "大宮:東武/野田線:柏"),
        ("上野:宇都宮線:宇都宮", "上野:JR東日本/東北線:宇都宮"),
        ("新栃木:宇都宮線:東武宇都宮", "新栃木:東武/宇都宮線:東武宇都宮"),
        ("千葉:外房線(千葉-蘇我):蘇我", "千葉:JR東日本/外房線:蘇我"),
        ("秋葉原:つくばエクスプレス:つくば", "秋葉原:つくばエクスプレス/つくばエクスプレス:つくば"),
        ("新宿:中央線:三鷹:バス:調布", "新宿:JR東日本/中央線:三鷹:バス:調布"),
    ],
)
def test_route_text(network: Network, text: str, means: str) -> None:
    assert route_text(parse_route(network, text)) == means


def test_a_loop_is_ridden_the_shorter_way(network: Network) -> None:
    for start, end, km10 in (("有楽町", "神田", 21), ("神田", "有楽町", 21), ("新宿", "品川", 106)):
        ride = parse_route(network, f"{start}:山手線:{end}").legs[0]
        assert isinstance(ride, Ride)
        assert network.ride_km10(ride) == km10


def test_metro_change_outside_the_gates_is_one_fare(network: Network) -> None:
    route = parse_route(network, "渋谷:銀座線:赤坂見附:有楽町線:飯田橋")
    assert [run.system for run in route.runs] == ["東京メトロ"]


def test_line_with_its_own_table_is_a_fare_of_its_own(network: Network) -> None:
    route = parse_route(network, "渋谷:田園都市線:三軒茶屋:世田谷線:山下")
    assert [run.system for run in route.runs] == ["東急", "東急/世田谷線"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("東京", RouteUnreadable),
        ("東京:中央線", RouteUnreadable),
        ("東京::新宿", RouteUnreadable),
        ("新宿:山手線:新宿", RouteUnreadable),
        ("東狂:中央線:新宿", UnknownStation),
        ("東京:京浜線:品川", UnknownLine),
        ("東京:東急/中央線:新宿", UnknownLine),
        ("東京:中央線:横浜", RouteDisconnected),
        ("東京:中央線:新宿:東横線:横浜", RouteDisconnected),
        ("東京:徒歩:渋谷", RouteDisconnected),
    ],
)
def test_refused_route(network: Network, text: str, error: type[FareError]) -> None:
    with pytest.raises(error):
        parse_route(network, text)


def test_line_of_two_operators_needs_one_in_front() -> None:
    """三田線 shares 目黒―白金高輪 with 南北線; suppose it had its name, too."""
    tables = network_tables()
    renamed = tuple(
        replace(row, line="南北線") if (row.operator, row.line) == ("都営", "三田線") else row
        for row in tables.intervals
    )
    network = Network(replace(tables, intervals=renamed, line_totals=()))
    with pytest.raises(AmbiguousLine, match="東京メトロ/南北線、都営/南北線"):
        parse_route(network, "目黒:南北線:白金高輪")
    assert str(parse_route(network, "目黒:都営/南北線:白金高輪")) == "目黒:都営/南北線:白金高輪"


def test_pass_text(network: Network) -> None:
    one = parse_pass(network, "東京:中央線:新宿 [2026-04-01~2026-09-30]", "P1", 3)
    assert (one.id, one.version, str(one.route)) == ("P1", 3, "東京:JR東日本/中央線:新宿")
    assert one.period == Period(date(2026, 4, 1), date(2026, 9, 30))


def test_pass_with_a_gap_is_refused(network: Network) -> None:
    with pytest.raises(PassHasGap):
        parse_pass(network, "東京:中央線:新宿:東横線:横浜", "1")


@pytest.mark.rule("R4", "R64")
@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2022/04/01~", Period(date(2022, 4, 1), None)),
        ("~2022/08/31", Period(None, date(2022, 8, 31))),
        ("2022-04-01~2022-08-31", Period(date(2022, 4, 1), date(2022, 8, 31))),
        ("2022/04/01～2022/08/31", Period(date(2022, 4, 1), date(2022, 8, 31))),
        ("", Period()),
    ],
)
def test_period_text(text: str, period: Period) -> None:
    assert parse_period(text) == period


@pytest.mark.rule("R6")
def test_reversed_period_is_refused() -> None:
    with pytest.raises(PeriodReversed):
        parse_period("2022/08/31~2022/04/01")


@pytest.mark.parametrize("text", ["2022-13-01~", "2022/04/01", "abc~def"])
def test_unreadable_period_is_refused(text: str) -> None:
    with pytest.raises(PeriodUnreadable):
        parse_period(text)


def test_a_pass_covers_the_line_that_shares_its_tracks(network: Network) -> None:
    def tracks(text: str) -> frozenset[int]:
        return parse_route(network, text).tracks

    assert tracks("東京:山手線:品川") == tracks("東京:東海道線:品川")
    assert tracks("神田:中央線:東京") == tracks("神田:山手線:東京")
    assert tracks("小竹向原:副都心線:池袋") == tracks("小竹向原:有楽町線:池袋")
    assert tracks("新宿:中央線:代々木").isdisjoint(tracks("新宿:山手線:代々木"))  # F9


def test_two_names_of_one_station_have_no_fare_between_them(network: Network) -> None:
    route = parse_route(network, "赤坂見附:丸ノ内線:国会議事堂前:南北線:永田町")
    with pytest.raises(NoFareBetween):
        price(route, Terms(date(2026, 3, 14)), (), packaged_tariffs())


@pytest.mark.parametrize(
    ("text", "fares"),
    [
        ("三鷹:中央線:新宿:中央線:高円寺", ["三鷹―新宿", "新宿―高円寺"]),
        ("高円寺:中央線:新宿:中央線:三鷹", ["高円寺―新宿", "新宿―三鷹"]),
        # Once round: the second time at 代々木, where both lines pass, ends the fare.
        (
            "三鷹:中央線:新宿:山手線:品川:東海道線:東京:中央線:高円寺",
            ["三鷹―代々木", "代々木―高円寺"],
        ),
        ("高円寺:中央線:東京:東海道線:品川", ["高円寺―品川"]),
    ],
)
def test_a_fare_ends_where_the_rider_comes_a_second_time(
    network: Network, text: str, fares: list[str]
) -> None:
    route = parse_route(network, text)
    names = [[network.stations[run.stations[end]].name for end in (0, -1)] for run in route.runs]
    assert ["―".join(ends) for ends in names] == fares
    ridden = [track for run in route.runs for track in run.tracks]
    assert len(ridden) == sum(len(leg.edges) for leg in route.legs if isinstance(leg, Ride))
