"""Formatting and parsing of dates and money."""

import re
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
    sentence,
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
        "令和7年7月15日", "R7.7.15", "ｒ７／７／１５", "2025/07/15(火)", "2025/07/15（火）",
        "令和7年7月15日(火)", "2025年7月15日 火曜日",
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
        "2025/2/29", "2025/13/1", "2025/7", "7/15", "明日", "20257155", "2025/7/15(水)",
    ],
)  # fmt: skip
def test_an_invalid_date_is_refused(typed: str) -> None:
    with pytest.raises(NotReadable):
        read_day(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "2025/7", "2025-07", "2025年7月", "202507", "２０２５／０７", "令和7年7月",
        "R7.7", "ｒ７／７",
    ],
)  # fmt: skip
def test_many_month_formats_are_accepted(typed: str) -> None:
    assert read_month(typed) == date(2025, 7, 1)


@pytest.mark.parametrize(
    ("typed", "read"),
    [("令和元年5月", date(2019, 5, 1)), ("H31.4", date(2019, 4, 1)), ("H1.1", date(1989, 1, 1))],
)
def test_the_month_in_which_an_era_begins_belongs_to_both(typed: str, read: date) -> None:
    assert read_month(typed) == read


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("2026/12/15", "年月だけを入力してください（日は不要です）。例：2026/12"),
        ("令和8年12月15日", "年月だけを入力してください（日は不要です）。例：2026/12"),
        ("平成38年12月", "この年月はカレンダーにありません。"),
        ("来月", "年月は 2025/7 または 令和7年7月 のように入力してください。"),
    ],
)
def test_a_month_that_cannot_be_read_says_what_to_change(typed: str, message: str) -> None:
    with pytest.raises(NotReadable, match=re.escape(message)):
        read_month(typed)


def test_a_weekday_that_does_not_belong_to_the_day_is_named() -> None:
    with pytest.raises(NotReadable, match=re.escape("2026/11/29(日) です。")):
        read_day("2026/11/29(月)")


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


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("TFCにて対応中です", "TFCにて対応中です。"),
        ("利用できません。", "利用できません。"),
        ("よろしいですか？", "よろしいですか？"),
        ("利用できません。（交通費精算）", "利用できません。（交通費精算）"),
        ("TFCが対応します（車両全損等）", "TFCが対応します（車両全損等）。"),
        ("", ""),
    ],
)
def test_a_message_ends_with_one_full_stop(words: str, shown: str) -> None:
    assert sentence(words) == shown
