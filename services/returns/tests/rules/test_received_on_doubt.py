"""A day of receipt that is possible and probably a slip."""

from datetime import date

import pytest

from returns_service.rules.received_on_doubt import received_on_doubt

TODAY = date(2026, 11, 29)
REGISTERED = date(2022, 3, 1)


@pytest.mark.rule("D90", "D74")
@pytest.mark.parametrize(
    ("received_on", "doubt"),
    [
        (None, None),
        (TODAY, None),
        (date(2026, 6, 2), None),  # 180 days
        (date(2026, 6, 1), "車両返却受領日が181日前の日付です"),
        (date(2022, 3, 1), "車両返却受領日が1734日前の日付です"),
        (date(2022, 2, 28), "車両返却受領日が初度登録（2022/03/01）より前の日付です"),
        (date(2016, 11, 28), "車両返却受領日が初度登録（2022/03/01）より前の日付です"),
    ],
)
def test_a_day_long_ago_is_asked_about(received_on: date | None, doubt: str | None) -> None:
    found = received_on_doubt(received_on, today=TODAY, first_registered_on=REGISTERED)
    assert (found is None) == (doubt is None)
    assert (found or "").startswith(doubt or "")


@pytest.mark.rule("D90")
def test_without_a_registration_only_the_distance_counts() -> None:
    assert received_on_doubt(date(2026, 11, 1), today=TODAY, first_registered_on=None) is None
    assert received_on_doubt(date(2016, 11, 1), today=TODAY, first_registered_on=None)
