"""Which contracts does 最終回対象顧客一覧 hold? (D5).

Every open contract, however old, and a completed one until three months after its last day.
"""

from datetime import date

from contracts_service.rules.calendar_days import first_day_reaching

MONTHS_AFTER_LAST_DAY = 3


def completed_listed_from(today: date, *, months: int = MONTHS_AFTER_LAST_DAY) -> date:
    """The earliest last day with which a completed contract is still listed on `today`; for SQL."""
    return first_day_reaching(today, -months)
