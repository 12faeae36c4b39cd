"""The network tables: what is loaded, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from fare_engine.fares.tariff_checks import FareTableBroken, check_fare_tables
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.network.checks import NetworkTableBroken
from fare_engine.network.network import Network
from fare_engine.network.tables import (
    FareTables,
    NetworkTables,
    edition_of,
    fare_tables,
    network_tables,
)


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


def _no_such_shared_track(tables: NetworkTables) -> NetworkTables:
    wrong = replace(tables.shared_tracks[0], station_b="渋谷")
    return replace(tables, shared_tracks=(wrong,))


@pytest.mark.parametrize(
    "broken",
    [
        _without_third, _too_short, _backwards, _twice, _unread,
        _no_such_interchange, _no_such_shared_track,
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


def test_an_edition_is_named_by_its_rows() -> None:
    network, fares = network_tables(), fare_tables()
    name = edition_of(network, fares)
    assert len(name) == 12
    assert name == edition_of(network_tables(), fare_tables()) == packaged_tariffs().edition
    assert name != edition_of(replace(network, station_dates=()), fares)
