"""Listing window of 最終回対象顧客一覧: which contracts are listed? (D5).

All open contracts, however old, and completed ones until three months after their last day.
"""

from datetime import date

from contracts_service.rules.calendar_days import first_day_reaching

MONTHS_AFTER_LAST_DAY = 3


def completed_listed_from(today: date, *, months: int = MONTHS_AFTER_LAST_DAY) -> date:
    """The earliest last day of completed contracts that are still listed on `today`; for SQL."""
    return first_day_reaching(today, -months)
