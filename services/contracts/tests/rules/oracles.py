"""Oracles: rules for one contract, to compare with the results of SQL."""

from datetime import date

from contracts_service.rules.calendar_days import first_of_month, month_number, months_before
from contracts_service.rules.inspection import Inspection


def on_list(final_on: date, *, completed: bool, today: date, months: int = 3) -> bool:
    """Whether the list still shows the contract on `today` (D5)."""
    return not completed or today <= months_before(final_on, -months)


def months_until(first_registered: date, inspection: Inspection, *, today: date) -> int:
    """How many months before the inspection today is; negative when past (D13, D15)."""
    after = inspection.months_after_registration
    expected = months_before(first_of_month(first_registered), -after)
    return month_number(expected) - month_number(today)
