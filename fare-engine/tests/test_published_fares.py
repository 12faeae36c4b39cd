"""Fares, distances and revisions that the operators publish."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from fare_engine.data_tables import Surcharge, fare_tables
from fare_engine.fares.explanation_model import Explanation
from fare_engine.fares.fare_with_source import (
    MAY_BE_DISCOUNTED,
    MAY_BE_SPECIAL,
    MAY_BE_SURCHARGED,
    TICKET_FOR_IC,
    UNCONFIRMED,
)
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.network.network import Network
from fare_engine.rules.fare_rounding import Medium, Rounding, child_fare

PriceRide = Callable[..., Explanation]


@pytest.mark.parametrize(
    ("route", "ticket"),
    [
        ("新宿:中央線:東京", 260),
        ("東京:東海道線:横浜", 530),
        ("東京:東北線:大宮", 620),
        ("池袋:池袋線:所沢", 410),
        ("新百合ケ丘:小田原線:新宿", 330),
        ("金沢文庫:本線:品川", 510),
        ("品川:本線:横須賀中央", 620),
        ("渋谷:田園都市線:中央林間", 390),
        ("西馬込:浅草線:押上", 330),
        ("三軒茶屋:世田谷線:下高井戸", 160),
        ("長津田:こどもの国線:こどもの国", 160),
        ("北千住:日比谷線:中目黒", 260),
    ],
)
def test_published_ticket(ride: PriceRide, route: str, ticket: int) -> None:
    assert ride(route, medium="ticket").through_yen == ticket


@pytest.mark.rule("R38")
@pytest.mark.parametrize(
    ("day", "ic", "ticket"),
    [
        ("2019-10-01", 198, 200),
        ("2023-03-17", 198, 200),
        ("2023-03-18", 208, 210),
        ("2026-03-13", 208, 210),
        ("2026-03-14", 253, 260),
        ("2035-01-01", 253, 260),
    ],
)
def test_the_days_table_is_used(ride: PriceRide, day: str, ic: int, ticket: int) -> None:
    assert ride("東京:中央線:新宿", on=day).through_yen == ic
    assert ride("東京:中央線:新宿", on=day, medium="ticket").through_yen == ticket


@pytest.mark.rule("R38")
@pytest.mark.parametrize(
    ("route", "day"),
    [
        ("東京:中央線:新宿", "2019-09-30"),
        ("渋谷:東横線:横浜", "2023-03-17"),
        ("池袋:池袋線:所沢", "2026-03-13"),
        ("日暮里:本線:青砥", "2024-03-15"),
    ],
)
def test_a_day_before_the_first_table_is_refused(ride: PriceRide, route: str, day: str) -> None:
    with pytest.raises(NoTariffOnDate, match="この日付の運賃表がありません"):
        ride(route, on=day)


@pytest.mark.parametrize(
    ("route", "day", "table", "ic"),
    [
        ("上野:山手線:新宿", "2026-03-13", "山手線内", 208),
        ("三鷹:中央線:東京", "2026-03-13", "電車特定区間", 406),
        ("三鷹:中央線:大月", "2026-03-13", "幹線", 1166),
        ("三鷹:中央線:東京", "2026-03-14", "幹線", 440),
    ],
)
def test_jr_had_three_tables_until_the_revision(
    ride: PriceRide, route: str, day: str, table: str, ic: int
) -> None:
    through = ride(route, on=day).runs[0].candidates[0]
    assert (through.parts[0].tariff.table, through.yen) == (table, ic)


@pytest.mark.parametrize(
    ("route", "ic"),
    [
        ("品川:本線:京急蒲田:空港線:羽田空港第１・第２ターミナル", 277 + 50),
        ("品川:本線:京急蒲田:空港線:天空橋", 277),
        ("天空橋:空港線:羽田空港第３ターミナル", 150 + 50),
        ("京成成田:本線:成田空港", 199 + 140),
        ("空港第２ビル:本線:成田空港", 146),
        ("京成上野:本線:京成成田", 859),
    ],
)
def test_airport_sections_cost_more(ride: PriceRide, route: str, ic: int) -> None:
    assert ride(route).through_yen == ic


@pytest.mark.parametrize(
    ("route", "day", "code"),
    [
        ("渋谷:山手線:品川:東海道線:横浜", "2026-03-14", UNCONFIRMED),
        ("東京:中央線:新宿", "2026-03-13", MAY_BE_SPECIAL),
        ("京成成田:京成/本線:成田空港", "2026-03-14", MAY_BE_SPECIAL),
        ("大網:東金線:成東", "2026-03-14", UNCONFIRMED),
        ("京成津田沼:松戸線:松戸", "2026-03-14", TICKET_FOR_IC),
        ("小田原:JR東日本/東海道線:熱海:JR東海/東海道線:沼津", "2026-03-14", TICKET_FOR_IC),
        ("代々木上原:小田原線:下北沢", "2026-03-14", None),
        ("明治神宮前:千代田線:代々木上原:小田原線:下北沢", "2026-03-14", MAY_BE_DISCOUNTED),
        ("明治神宮前:千代田線:代々木上原:小田原線:新百合ヶ丘", "2026-03-14", None),
    ],
)
def test_what_is_not_confirmed_is_said(
    ride: PriceRide, route: str, day: str, code: str | None
) -> None:
    found = [notice.code for notice in ride(route, on=day).notices]
    assert found == [] if code is None else code in found


def test_a_surcharge_of_unknown_amount_is_said(network: Network) -> None:
    section = ("東急", "東急新横浜線", "新綱島", "新横浜", date(2023, 3, 18))
    unknown = replace(fare_tables(), surcharges=(Surcharge(*section, None, "unconfirmed"),))
    book = Tariffs(network, unknown).book(date(2026, 3, 14), Medium.IC)
    ends = [network.station("東急", name) for name in ("日吉", "新横浜")]
    fare = book.fare("東急", *ends)
    assert (fare.yen, fare.notices) == (180, (MAY_BE_SURCHARGED,))


@pytest.mark.parametrize(
    ("route", "ic"),
    [
        ("日吉:東急新横浜線:新横浜", 250),
        ("目黒:目黒線:日吉:東急新横浜線:新横浜", 358),
        ("二俣川:相鉄/本線:西谷:相鉄新横浜線:新横浜", 279),
        ("湘南台:いずみ野線:二俣川:相鉄/本線:西谷:相鉄新横浜線:新横浜", 433),
        ("綾瀬:千代田線(北綾瀬支線):北綾瀬", 146),
    ],
)
def test_surcharged_sections_and_pairs(ride: PriceRide, route: str, ic: int) -> None:
    assert ride(route).through_yen == ic


@pytest.mark.parametrize(
    ("route", "ticket", "runs"),
    [
        ("小田原:JR東日本/東海道線:熱海:JR東海/東海道線:沼津", 770 + 20, 1),
        ("宇都宮:東北線:宝積寺:烏山線:仁井田", 350, 1),
        ("日暮里:京成/本線:京成高砂:成田空港線:成田空港", 280 + 1000, 2),
        ("京成津田沼:千葉線:千葉中央:千原線:ちはら台", 280 + 380, 2),
        ("上本郷:松戸線:京成津田沼:京成/本線:京成船橋", 280 + 170, 2),
    ],
)
def test_fares_over_several_tables(ride: PriceRide, route: str, ticket: int, runs: int) -> None:
    priced = ride(route, medium="ticket")
    assert (priced.through_yen, len(priced.runs)) == (ticket, runs)


@pytest.mark.parametrize(
    ("route", "refusal"),
    [
        ("藤沢:江ノ島電鉄線:鎌倉", NoTariffOnDate),
        ("取手:常総線:守谷", NoFareBetween),
        ("東京:JR東日本/東海道線:熱海:JR東海/東海道線:三島", NoFareBetween),
    ],
)
def test_a_fare_that_is_not_known_is_refused(
    ride: PriceRide, route: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal, match=r"登録されていません。金額を手入力してください。"):
        ride(route)


@pytest.mark.parametrize("route", ["東京:中央線:新宿", "日吉:東横線:横浜", "品川:京急/本線:横浜"])
def test_what_is_confirmed_carries_no_notice(ride: PriceRide, route: str) -> None:
    assert ride(route).notices == ()


def test_local_line_table_is_recorded(tariffs: Tariffs) -> None:
    table = next(table for table in tariffs.bands if table.table == "地方交通線")
    assert [(band.km_up_to, band.ic_yen) for band in tariffs.bands[table]][:13] == [
        (3, 155), (6, 199), (10, 220), (15, 253), (20, 341), (23, 440), (28, 528), (32, 616),
        (37, 715), (41, 803), (46, 902), (55, 1034), (64, 1221),
    ]  # fmt: skip


def test_tickets_of_toei(tariffs: Tariffs) -> None:
    table = next(table for table in tariffs.bands if table.operator == "都営")
    book = tariffs.book(date(2026, 3, 14), Medium.TICKET)
    tickets = [book.by_tables.in_medium(band.ic_yen, table) for band in tariffs.bands[table]]
    assert tickets == [180, 220, 280, 330, 380, 430]


@pytest.mark.rule("F20")
@pytest.mark.parametrize(
    ("adult", "medium", "rounding", "child"),
    [
        (150, Medium.TICKET, Rounding.DOWN, 70),  # JR
        (150, Medium.TICKET, Rounding.UP, 80),  # 東急
        (140, Medium.TICKET, Rounding.DOWN, 70),
        (140, Medium.TICKET, Rounding.UP, 70),
        (253, Medium.IC, Rounding.UP, 126),
    ],
)
def test_half_of_a_fare_is_rounded_as_the_operator_does(
    adult: int, medium: Medium, rounding: Rounding, child: int
) -> None:
    assert child_fare(adult, medium, rounding) == child


def test_the_loop_line_is_as_long_as_published(network: Network) -> None:
    (loop,) = (line for line in network.lines if line.name == "山手線")
    assert sum(network.edges[edge].km10 for edge in loop.edges) == 345


@pytest.mark.parametrize(
    ("operator", "a", "b", "km10"),
    [
        ("JR東日本", "東京", "新宿", 103),
        ("JR東日本", "新宿", "八王子", 371),
        ("JR東日本", "東京", "品川", 68),
        ("JR東日本", "東京", "横浜", 288),
        ("東急", "渋谷", "横浜", 242),
        ("小田急", "新宿", "小田原", 825),
        ("京王", "新宿", "高尾", 430),
        ("西武", "池袋", "飯能", 437),
        ("東京メトロ", "中野", "西船橋", 308),
        ("都営", "新宿", "本八幡", 235),
        ("京成", "京成上野", "青砥", 115),
        ("東武", "浅草", "東武動物公園", 410),
        ("東京メトロ", "小竹向原", "池袋", 32),  # one track with 有楽町線, not 副都心線's 3.0
    ],
)
def test_known_distances(  # noqa: PLR0917 - one column each
    network: Network, tariffs: Tariffs, operator: str, a: str, b: str, km10: int
) -> None:
    stations = network.station(operator, a), network.station(operator, b)
    distance = tariffs.distance(operator, "", *stations)
    assert distance is not None
    assert distance.km10 == km10


def test_kitasenju_nakameguro_needs_no_special_fare(network: Network, tariffs: Tariffs) -> None:
    book = tariffs.book(date(2026, 3, 14), Medium.TICKET)
    stations = [network.station("東京メトロ", name) for name in ("北千住", "中目黒")]
    fare = book.fare("東京メトロ", *stations)
    assert fare.yen == 260
    assert fare.tariff.basis == "band"
    assert 181 <= fare.tariff.km10 <= 188
