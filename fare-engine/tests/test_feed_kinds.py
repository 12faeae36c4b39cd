"""Feeds as publishers really write them: each kind once, small."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fare_engine.data_tables import fare_tables, network_tables
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.gtfs.editions import merged
from fare_engine.gtfs.feed_import import Imported, imported
from fare_engine.gtfs.report import import_report
from fare_engine.network.network import Network, Ride
from fare_engine.routing.route_text import parse_route

DAY = date(2026, 4, 1)
WriteFeed = Callable[..., Path]


def lines_of(feed: Imported) -> dict[str, str]:
    """Stops by line, one letter each."""
    found: dict[str, str] = {}
    for row in feed.network.intervals:
        found[row.line] = found.get(row.line, "") + row.station.removesuffix("停")
    return found


def fares_of(feed: Imported) -> dict[tuple[str, str], int | None]:
    """Yen by line and pair of stops."""
    tables = {f"{row.operator}/{row.table}": row.line for row in feed.network.line_tables}
    return {
        (tables.get(row.operator, ""), f"{row.station_a[0]}{row.station_b[0]}"): row.ic_yen
        for row in feed.fares.special_fares
    }


def yen(feed: Imported, route: str, on: date = DAY) -> int:
    joined = merged(network_tables(), fare_tables(), feed)
    tariffs = Tariffs(Network(joined.network), joined.fares)
    return price(parse_route(tariffs.network, route), Terms(on), (), tariffs).through_yen


def facts(feed: Imported) -> str:
    return "\n".join(map(str, feed.notices))


def test_routes_of_one_name_are_one_line_if_they_run_along_it(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    routes = {
        "上": ("本線", ["ABCD"]),
        "下": ("本線", ["DCBA"]),
        "急": ("本線", ["AD"]),
        "経": ("本線", ["AXD"]),
    }
    rules = "a,上,A,D,\na,下,D,A,\na,急,A,D,\nb,経,A,D,\nb,経,A,X,"
    feed = imported(write_feed(tmp_path, routes, "a,200,JPY\nb,300,JPY", rules))
    assert lines_of(feed) == {"本線": "ABCD", "本線(2)": "AXD"}
    assert fares_of(feed) == {("本線", "AD"): 200, ("本線(2)", "AD"): 300, ("本線(2)", "AX"): 300}


def test_an_express_at_another_price_is_a_line_of_its_own(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    routes = {"各": ("本線", ["ABC"]), "急": ("本線", ["AC"])}
    feed = imported(write_feed(tmp_path, routes, "a,200,JPY\nb,500,JPY", "a,各,A,C,\nb,急,A,C,"))
    assert fares_of(feed) == {("本線", "AC"): 200, ("本線(2)", "AC"): 500}


def test_a_price_that_depends_on_the_direction_is_left_out_and_reported(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    routes = {"上": ("本線", ["ABC"]), "下": ("本線", ["CBA"])}
    rules = "a,上,A,C,\nb,下,C,A,\na,上,A,B,"
    feed = imported(write_feed(tmp_path, routes, "a,200,JPY\nb,300,JPY", rules))
    assert fares_of(feed) == {("本線", "AB"): 200}
    assert "本線: 運賃が複数ある区間は、どの運賃も取り込みませんでした(A停―C停)" in facts(feed)


def test_numbers_of_lines_avoid_names_that_the_feed_has(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    routes = {"1": ("本線", ["AB"]), "2": ("本線", ["CD"]), "3": ("本線(2)", ["EF"])}
    assert lines_of(imported(write_feed(tmp_path, routes))) == {
        "本線": "AB",
        "本線(3)": "CD",
        "本線(2)": "EF",
    }


def test_two_agencies_of_one_name_are_one_operator(write_feed: WriteFeed, tmp_path: Path) -> None:
    agency = "agency_id,agency_name\n1,みどり野バス\n2,みどり野バス\n"
    table = "route_id,agency_id,route_long_name,route_type\nx,1,本線,3\ny,2,本線,3\n"
    routes = {"x": ("本線", ["ABC"]), "y": ("本線", ["CBA"])}
    feed = imported(write_feed(tmp_path, routes, agency=agency, routes_table=table))
    assert lines_of(feed) == {"本線": "ABC"}


def test_a_loop_keeps_its_closing_edge(write_feed: WriteFeed, tmp_path: Path) -> None:
    routes = {"環": ("環状線", ["ABCDA"])}
    rules = "\n".join(f"a,環,{a},{b}," for a in "ABCD" for b in "ABCD")
    corners = zip("ABCD", ("35.0,139.0", "35.1,139.0", "35.1,139.1", "35.0,139.1"), strict=True)
    stops = "".join(f"{stop},{stop}停,{place}\n" for stop, place in corners)
    tables = {"stops": f"stop_id,stop_name,stop_lat,stop_lon\n{stops}"}
    feed = imported(write_feed(tmp_path, routes, "a,180,JPY", rules, **tables))
    assert lines_of(feed) == {"環状線": "ABCDA"}
    network = Network(merged(network_tables(), fare_tables(), feed).network)
    (ride,) = parse_route(network, "D停:環状線:A停").legs
    assert isinstance(ride, Ride)
    assert [network.stations[s].name for s in ride.stations] == ["D停", "A停"]
    assert yen(feed, "D停:環状線:A停") == 180


def test_a_way_out_round_and_back_is_one_line(write_feed: WriteFeed, tmp_path: Path) -> None:
    routes = {"循": ("循環線", ["ABCDBA"])}
    feed = imported(
        write_feed(tmp_path, routes, "a,100,JPY\nb,150,JPY", "a,循,A,B,\nb,循,C,A,\nb,循,D,A,")
    )
    assert lines_of(feed) == {"循環線": "ABCD"}
    assert yen(feed, "C停:循環線:A停") == 150


def test_staying_on_board_past_a_stop_for_the_second_time_is_one_fare(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    routes = {"寄": ("病院線", ["ABCBD"])}
    feed = imported(write_feed(tmp_path, routes, "b,150,JPY", "b,寄,A,C,\nb,寄,C,D,\nb,寄,A,D,"))
    assert lines_of(feed) == {"病院線": "ABC", "病院線(2)": "CBD"}
    assert yen(feed, "A停:病院線:B停:病院線(2):D停") == 150


@pytest.mark.parametrize("info", [None, "feed_publisher_name\nみどり野バス\n"])
@pytest.mark.parametrize(
    ("days", "first"),
    [
        (("service_id,start_date\n平日,20260405\n土,20260404\n", None), date(2026, 4, 4)),
        ((None, "date,exception_type\n20260402,2\n20260410,1\n"), date(2026, 4, 10)),
    ],
)
def test_without_a_first_day_the_calendars_first_day_counts(
    write_feed: WriteFeed,
    tmp_path: Path,
    info: str | None,
    days: tuple[str | None, str | None],
    first: date,
) -> None:
    tables = {"calendar": days[0], "calendar_dates": days[1], "feed_info": info}
    feed = imported(write_feed(tmp_path, {"1": ("本線", ["AB"])}, **tables))
    assert feed.first_day == first
    assert "開始日(feed_start_date)がないため" in facts(feed)
    assert ("feed_info.txt: ファイルがありません" in facts(feed)) == (info is None)


def test_lines_without_fares_come_in_and_say_so(write_feed: WriteFeed, tmp_path: Path) -> None:
    feed = imported(write_feed(tmp_path, {"1": ("本線", ["AB"])}))
    assert lines_of(feed) == {"本線": "AB"}
    assert "運賃のファイルがないため、運賃は取り込まれません" in facts(feed)
    with pytest.raises(NoTariffOnDate):
        yen(feed, "A停:本線:B停")


def test_a_line_without_fares_beside_a_priced_one(write_feed: WriteFeed, tmp_path: Path) -> None:
    routes = {"1": ("本線", ["AB"]), "2": ("支線", ["CD"])}
    feed = imported(write_feed(tmp_path, routes, "a,200,JPY", "a,1,A,B,"))
    assert yen(feed, "A停:本線:B停") == 200
    assert "運賃のない路線があります(支線)" in facts(feed)


def test_one_fare_without_rules_holds_for_every_ride_on_one_vehicle(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    routes = {"1": ("一号", ["AB"]), "2": ("二号", ["BC"])}
    feed = imported(write_feed(tmp_path, routes, "a,200,JPY"))
    assert yen(feed, "A停:一号:B停") == 200
    assert yen(feed, "A停:一号:B停:二号:C停") == 400  # a bus charges again


def test_a_railway_without_routes_in_its_rules_charges_once(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    routes = {"1": ("一号線", ["AB"]), "2": ("二号線", ["BC"])}
    rules = "a,,A,B,\na,,B,C,\nb,,A,C,"
    feed = imported(write_feed(tmp_path, routes, "a,200,JPY\nb,250,JPY", rules, kind=1))
    assert yen(feed, "A停:一号線:B停:二号線:C停") == 250


def test_zones_passed_on_the_way_choose_the_fare(write_feed: WriteFeed, tmp_path: Path) -> None:
    routes = {"1": ("経由一", ["ABD"]), "2": ("経由二", ["ACD"])}
    rules = "n,,A,D,A\nn,,A,D,B\nn,,A,D,D\nf,,A,D,A\nf,,A,D,C\nf,,A,D,D"
    feed = imported(write_feed(tmp_path, routes, "n,200,JPY\nf,300,JPY", rules))
    assert fares_of(feed) == {("経由一", "AD"): 200, ("経由二", "AD"): 300}


def test_a_fare_of_one_agency_is_not_another_agencys(write_feed: WriteFeed, tmp_path: Path) -> None:
    feed = imported(
        write_feed(
            tmp_path,
            {"x": ("本線", ["AB"]), "y": ("町線", ["CD"])},
            agency="agency_id,agency_name\n1,みどり野バス\n2,町バス\n",
            fare_attributes="fare_id,price,currency_type,agency_id\na,200,JPY,1\nb,100,JPY,2\n",
            routes_table="route_id,agency_id,route_long_name,route_type\nx,1,本線,3\ny,2,町線,3\n",
        )
    )
    assert fares_of(feed) == {("本線", "AB"): 200, ("町線", "CD"): 100}


LEG_RULES = "network_id,from_area_id,to_area_id,fare_product_id,rule_priority\n"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("net,駅,町,near,\n,駅,,far,\n", 200),  # an open end leaves the listed area out
        ("net,駅,町,near,1\n,駅,,far,2\n", 300),  # priorities decide
    ],
)
def test_open_ends_of_the_second_kind(
    write_feed: WriteFeed, tmp_path: Path, rules: str, expected: int
) -> None:
    feed = imported(
        write_feed(
            tmp_path,
            {"1": ("本線", ["AB"])},
            route_networks="network_id,route_id\nnet,1\n",
            stop_areas="area_id,stop_id\n駅,A\n町,B\n",
            fare_products="fare_product_id,amount,currency,rider_category_id\n"
            "near,200,JPY,大人\nnear,100,JPY,小児\nfar,300,JPY,\n",
            rider_categories="rider_category_id,is_default_fare_category\n大人,1\n小児,0\n",
            fare_leg_rules=LEG_RULES + rules,
        )
    )
    assert fares_of(feed) == {("本線", "AB"): expected}


def test_what_fares_v2_cannot_hold_is_reported(write_feed: WriteFeed, tmp_path: Path) -> None:
    feed = imported(
        write_feed(
            tmp_path,
            {"1": ("本線", ["AB"])},
            fare_products="fare_product_id,amount,currency\na,200,JPY\n",
            fare_leg_rules="fare_product_id,from_timeframe_group_id\na,朝\n",
            fare_transfer_rules="from_leg_group_id\nx\n",
        )
    )
    assert feed.fares.special_fares == ()
    assert "fare_leg_rules.txt 2行目: 時間帯別運賃は取り込めません(a)" in facts(feed)
    assert "fare_transfer_rules.txt: 乗継割引は取り込まれません" in facts(feed)


def test_equal_facts_are_one_notice_with_the_first_row_and_the_count(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    rules = "x,1,A,B,\nx,1,B,A,\nx,1,A,A,"
    feed = imported(write_feed(tmp_path, {"1": ("本線", ["AB"])}, "a,200,JPY", rules))
    assert "fare_rules.txt 2行目(ほか2件): " in facts(feed)


def test_a_route_without_trips_or_agency_is_left_out_and_reported(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    feed = imported(
        write_feed(
            tmp_path,
            {"x": ("本線", ["AB"]), "y": ("町線", ["CD"]), "z": ("休止線", [])},
            agency="agency_id,agency_name\n1,みどり野バス\n2,町バス\n",
            routes_table="route_id,agency_id,route_long_name,route_type\n"
            "x,1,本線,3\ny,9,町線,3\nz,1,休止線,3\n",
        )
    )
    assert lines_of(feed) == {"本線": "AB"}
    assert "routes.txt 3行目: 事業者(agency_id)がagency.txtにない" in facts(feed)
    assert "休止線" in facts(feed)


def test_an_operator_with_a_slash_can_be_charged(write_feed: WriteFeed, tmp_path: Path) -> None:
    agency = "agency_id,agency_name\n1,東/西バス\n"
    feed = imported(write_feed(tmp_path, {"1": ("A/B線", ["AB"])}, "a,200,JPY", agency=agency))
    assert yen(feed, "A停:A\\/B線:B停") == 200


def test_stops_of_one_name_far_apart_are_reported(write_feed: WriteFeed, tmp_path: Path) -> None:
    stops = "stop_id,stop_name,stop_lat,stop_lon\nA,公民館前,35.0,139.4\nB,駅前,35.1,139.4\n"
    routes = {"1": ("本線", ["AB"]), "2": ("支線", ["BC"])}
    for lat, is_far in (("35.2", True), ("35.001", False)):
        tables = {"stops": f"{stops}C,公民館前,{lat},139.4\n"}
        feed = imported(write_feed(tmp_path / lat, routes, **tables))
        assert ("一つの停留所として扱います(公民館前: 22km)" in facts(feed)) == is_far


def test_names_that_other_operators_have_are_reported(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    stops = "stop_id,stop_name,stop_lat,stop_lon\nA,新宿,43.0,141.3\nB,B停,43.1,141.3\n"
    feed = imported(write_feed(tmp_path, {"1": ("本線", ["AB"])}, stops=stops))
    report = "\n".join(import_report(feed, merged(network_tables(), fare_tables(), feed)))
    assert "同じ名前が1件あります(新宿など)" in report


def test_progress_is_reported(write_feed: WriteFeed, tmp_path: Path) -> None:
    heard: list[str] = []
    imported(write_feed(tmp_path, {"1": ("本線", ["AB"])}), progress=heard.append)
    assert "stop_times.txt を読み込んでいます" in heard


def test_a_pair_without_a_rule_has_no_fare(write_feed: WriteFeed, tmp_path: Path) -> None:
    feed = imported(write_feed(tmp_path, {"1": ("本線", ["ABC"])}, "a,200,JPY", "a,1,A,B,"))
    with pytest.raises(NoFareBetween):
        yen(feed, "A停:本線:C停")
