"""The network tables: what is loaded, and what is refused."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations

import pytest

from fare_engine.data_tables import (
    FareTables,
    FarPlatform,
    LineAlias,
    NetworkTables,
    edition_of,
    fare_tables,
    network_tables,
)
from fare_engine.fares.tariff_checks import FareTableBroken, check_fare_tables
from fare_engine.fares.tariffs import NoTariffOnDate, Tariffs, packaged_tariffs
from fare_engine.network.checks import NetworkTableBroken
from fare_engine.network.network import NOT_SEARCHED, Network, Station
from fare_engine.network.normalize import plain_name
from fare_engine.network.station_closures import StationClosed, is_open
from fare_engine.routing.candidates import SearchRequest, candidates
from fare_engine.routing.fastest_journeys import rounds_of


def test_operators_of_greater_tokyo(network: Network) -> None:
    assert set(network.operators) == {
        "東京メトロ", "都営", "東急", "小田急", "京王", "西武", "東武", "京成", "京急",
        "JR東日本", "JR東海", "つくばエクスプレス", "りんかい線", "相鉄", "みなとみらい線",
        "横浜市営地下鉄", "東京モノレール", "多摩モノレール", "埼玉高速", "東葉高速",
        "北総鉄道", "京成スカイアクセス", "芝山鉄道", "ゆりかもめ", "日暮里・舎人ライナー",
        "都電荒川線", "横浜シーサイドライン", "江ノ島電鉄", "湘南モノレール",
        "千葉都市モノレール", "埼玉新都市交通", "流鉄", "小田急箱根", "伊豆箱根鉄道",
        "関東鉄道", "秩父鉄道", "伊豆急行", "富士急行", "銚子電気鉄道",
    }  # fmt: skip
    assert len(network.lines) == 158
    assert sum(len(line.stops) for line in network.lines) == 2282


def test_every_line_has_a_published_total() -> None:
    tables = network_tables()
    lines = {(row.operator, row.line) for row in tables.intervals}
    assert lines == {(row.operator, row.line) for row in tables.line_totals}
    words = {"published", "compared", "fares", "known", "uncertain"}
    assert {row.source for row in tables.intervals} == words


def _without_third(tables: NetworkTables) -> NetworkTables:
    return replace(tables, intervals=tables.intervals[:2] + tables.intervals[3:])


def _too_short(tables: NetworkTables) -> NetworkTables:
    return replace(tables, line_totals=(replace(tables.line_totals[0], km10=144),))


def _backwards(tables: NetworkTables) -> NetworkTables:
    second = replace(tables.intervals[1], km10=30)
    return replace(tables, intervals=(tables.intervals[0], second, *tables.intervals[2:]))


def _twice(tables: NetworkTables) -> NetworkTables:
    second = replace(tables.intervals[1], station=tables.intervals[4].station)
    return replace(tables, intervals=(tables.intervals[0], second, *tables.intervals[2:]))


def _unread(tables: NetworkTables) -> NetworkTables:
    return replace(tables, readings=tables.readings[1:])


def _no_such_interchange(tables: NetworkTables) -> NetworkTables:
    wrong = replace(tables.interchanges[0], station_a="ない")
    return replace(tables, interchanges=(wrong,))


def _half_converted(tables: NetworkTables) -> NetworkTables:
    second = replace(tables.intervals[1], calc_km10=14)
    return replace(tables, intervals=(tables.intervals[0], second, *tables.intervals[2:]))


def _alias_of_no_line(tables: NetworkTables) -> NetworkTables:
    return replace(tables, line_aliases=(LineAlias("東武", "ない線", "別名", "test"),))


def _far_platform_in_the_middle(tables: NetworkTables) -> NetworkTables:
    return replace(tables, far_platforms=(FarPlatform("JR東日本", "舞浜", "京葉線", 15, "test"),))


def _no_such_shared_track(tables: NetworkTables) -> NetworkTables:
    wrong = replace(tables.shared_tracks[0], station_b="渋谷")
    return replace(tables, shared_tracks=(wrong,))


@pytest.mark.parametrize(
    "broken",
    [
        _without_third, _too_short, _backwards, _twice, _unread,
        _no_such_interchange, _no_such_shared_track, _half_converted, _alias_of_no_line,
        _far_platform_in_the_middle,
    ],
)  # fmt: skip
def test_contradicting_network_is_not_loaded(
    broken: Callable[[NetworkTables], NetworkTables],
) -> None:
    with pytest.raises(NetworkTableBroken):
        Network(broken(network_tables()))


def _falling_band(tables: FareTables) -> FareTables:
    second = replace(tables.tariff_bands[1], ic_yen=1)
    return replace(tables, tariff_bands=(tables.tariff_bands[0], second, *tables.tariff_bands[2:]))


def _overlapping_editions(tables: FareTables) -> FareTables:
    old = next(row for row in tables.tariff_tables if row.valid_to == date(2026, 3, 13))
    others = tuple(row for row in tables.tariff_tables if row is not old)
    late = replace(old, valid_to=date(2026, 3, 13) + timedelta(days=1))
    return replace(tables, tariff_tables=(*others, late))


def _bands_of_no_table(tables: FareTables) -> FareTables:
    return replace(tables, tariff_tables=tables.tariff_tables[1:])


def _table_without_bands(tables: FareTables) -> FareTables:
    return replace(tables, tariff_bands=())


@pytest.mark.parametrize(
    "broken", [_falling_band, _overlapping_editions, _bands_of_no_table, _table_without_bands]
)
def test_contradicting_fares_are_not_loaded(broken: Callable[[FareTables], FareTables]) -> None:
    check_fare_tables(fare_tables())
    with pytest.raises(FareTableBroken):
        check_fare_tables(broken(fare_tables()))


def test_changes_between_operators(network: Network) -> None:
    harajuku = network.station("JR東日本", "原宿")
    meiji = network.station("東京メトロ", "明治神宮前")
    assert network.interchanges[harajuku][meiji] == network.interchanges[meiji][harajuku] == 3
    ogawamachi = network.station("東武", "小川町")
    assert network.station("都営", "小川町") not in network.interchanges[ogawamachi]
    assert network.place_of[ogawamachi] == network.place_of[network.station("JR東日本", "小川町")]


def test_equal_names_are_one_place_with_minutes_or_are_kept_apart(network: Network) -> None:
    """No two places are joined by name alone: each pair of bearers has a row of its own."""
    rows: dict[frozenset[tuple[str, str]], set[str]] = defaultdict(set)
    for row in network.tables.interchanges:
        pair = frozenset(((row.operator_a, row.station_a), (row.operator_b, row.station_b)))
        rows[pair].add(row.kind)
        assert row.kind == "apart" or (row.walk_minutes is not None and row.walk_minutes <= 13)
    bearers: dict[str, list[Station]] = defaultdict(list)
    for station in network.stations:
        bearers[plain_name(station.name)].append(station)
    pairs = [pair for namesakes in bearers.values() for pair in combinations(namesakes, 2)]
    assert len(pairs) == 301
    for one, other in pairs:
        kinds = rows[frozenset(((one.operator, one.name), (other.operator, other.name)))]
        assert kinds in (
            {"walk"},
            {"apart"},
            {"apart", "walk"},
            {"one_station"},
        ), (one, other)
        one_place = network.place_of[one.id] == network.place_of[other.id]
        assert one_place == ("apart" not in kinds), (one, other)


@pytest.mark.parametrize(
    ("a", "b", "minutes"),
    [
        (("京成", "京成高砂"), ("北総鉄道", "京成高砂"), 0),  # the same platforms
        (("京成スカイアクセス", "新鎌ヶ谷"), ("北総鉄道", "新鎌ヶ谷"), 0),
        (("JR東日本", "熱海"), ("JR東海", "熱海"), 2),
        (("東京モノレール", "羽田空港第3ターミナル"), ("京急", "羽田空港第３ターミナル"), 4),
        (("JR東日本", "蒲田"), ("京急", "京急蒲田"), 12),
        (("西武", "本川越"), ("東武", "川越市"), 6),
        (("つくばエクスプレス", "浅草"), ("東京メトロ", "浅草"), 9),  # walked, but another place
    ],
)
def test_walks_between_stations(
    network: Network, a: tuple[str, str], b: tuple[str, str], minutes: int
) -> None:
    one, other = network.station(*a), network.station(*b)
    assert network.interchanges[one][other] == network.interchanges[other][one] == minutes


def test_local_lines_carry_converted_kilometres(network: Network) -> None:
    local = {
        line.name
        for line in network.lines
        for edge in line.edges
        if network.edges[edge].calc_km10 != network.edges[edge].km10
    }
    assert local == {
        "八高線", "東金線", "鹿島線", "久留里線", "日光線", "烏山線", "吾妻線", "水郡線",
        "水郡線(常陸太田支線)",
    }  # fmt: skip
    karasuyama = network.line_named("JR東日本", "烏山線")
    edges = [network.edges[edge] for edge in karasuyama.edges]
    assert sum(edge.km10 for edge in edges) == 204
    assert sum(edge.calc_km10 for edge in edges) == 224


def test_only_the_shinkansen_is_left_out_of_searches(network: Network) -> None:
    left_out = {line.title for line in network.lines if line.system in NOT_SEARCHED}
    assert left_out == {"JR東海/東海道新幹線"}
    atami, mishima = (
        network.places[network.place_of[network.station("JR東海", name)]]
        for name in ("熱海", "三島")
    )
    journeys = rounds_of(network).search(atami, NOT_SEARCHED)
    (direct, *_) = journeys.ways(mishima)
    assert [hop.operator for ride in direct for hop in ride.hops] == ["JR東海"] * 2


def test_a_closed_end_of_a_line_is_refused_from_its_day_on(tariffs: Tariffs) -> None:
    with pytest.raises(StationClosed, match="上総亀山"):
        candidates(SearchRequest("木更津", "上総亀山", date(2027, 4, 1)), tariffs)
    assert is_open(
        tariffs.network, tariffs.network.station("JR東日本", "上総亀山"), date(2027, 3, 31)
    )


def test_a_line_without_fares_is_refused_clearly(tariffs: Tariffs) -> None:
    with pytest.raises(NoTariffOnDate, match="江ノ島電鉄"):
        candidates(SearchRequest("鎌倉(江ノ島電鉄)", "長谷", date(2026, 11, 29)), tariffs)


def test_an_edition_is_named_by_its_rows() -> None:
    network, fares = network_tables(), fare_tables()
    name = edition_of(network, fares)
    assert len(name) == 12
    assert name == edition_of(network_tables(), fare_tables()) == packaged_tariffs().edition
    assert name != edition_of(replace(network, station_dates=()), fares)
