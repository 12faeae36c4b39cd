"""Formatting and parsing of dates and money."""

from datetime import UTC, date, datetime

import pytest

from portal_service.formatting import (
    NotReadable,
    count,
    day,
    moment,
    month,
    read_day,
    read_month,
    read_yen,
    yen,
)


@pytest.mark.parametrize(
    ("written", "as_shown"),
    [
        (day(date(2025, 7, 15)), "2025/07/15(火)"),
        (day("2025-07-15"), "2025/07/15(火)"),
        (day(None), "ー"),
        (month(date(2025, 7, 15)), "2025年7月"),
        (month("2025-07"), "2025年7月"),
        (month(None), "ー"),
        (yen(12_345), "12,345円"),
        (yen(0), "0円"),
        (yen(-500), "-500円"),
        (yen(None), "ー"),
        (count(1234), "1,234件"),
        (moment(datetime(2025, 7, 14, 15, 5, tzinfo=UTC)), "2025/07/15(火) 00:05"),
        (moment("2025-07-14T15:05:00+00:00"), "2025/07/15(火) 00:05"),
    ],
)
def test_formatted(written: str, as_shown: str) -> None:
    assert written == as_shown


@pytest.mark.parametrize(
    "typed",
    [
        "2025/7/15", "2025-07-15", "2025.7.15", "2025年7月15日", "20250715", " ２０２５／７／１５ ",
        "令和7年7月15日", "R7.7.15", "ｒ７／７／１５",
    ],
)  # fmt: skip
def test_many_date_formats_are_accepted(typed: str) -> None:
    assert read_day(typed) == date(2025, 7, 15)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("令和元年5月1日", date(2019, 5, 1)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("", None),
    ],
)
def test_eras_have_no_gap(typed: str, read: date | None) -> None:
    assert read_day(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "令和元年4月30日", "平成31年5月1日", "昭和64年1月8日", "令和0年1月1日",
        "2025/2/29", "2025/13/1", "2025/7", "7/15", "明日", "20257155",
    ],
)  # fmt: skip
def test_an_invalid_date_is_refused(typed: str) -> None:
    with pytest.raises(NotReadable):
        read_day(typed)


@pytest.mark.parametrize("typed", ["2025/7", "2025-07", "2025年7月", "202507", "２０２５／０７"])
def test_many_month_formats_are_accepted(typed: str) -> None:
    assert read_month(typed) == date(2025, 7, 1)


@pytest.mark.parametrize("typed", ["2025/13", "2025", "7月", "2025/7/15"])
def test_an_invalid_month_is_refused(typed: str) -> None:
    with pytest.raises(NotReadable):
        read_month(typed)


@pytest.mark.parametrize("typed", ["12,345", "12345", "12,345円", "¥12,345", "１２，３４５円"])
def test_many_money_formats_are_accepted(typed: str) -> None:
    assert read_yen(typed) == 12_345


@pytest.mark.parametrize("typed", ["12,34", "1.5", "千円", "12 345 yen", "--1"])
def test_an_invalid_amount_is_refused(typed: str) -> None:
    with pytest.raises(NotReadable):
        read_yen(typed)
