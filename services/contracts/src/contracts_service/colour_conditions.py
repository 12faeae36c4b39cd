"""Row colours and due states as SQL conditions: plain columns and bounds of the rules."""

from datetime import date, timedelta

from contracts_service.rules.row_colour import Colour, colour_bounds
from contracts_service.rules.search_conditions import DueState

COLOUR = """
    CASE WHEN final_on < :overdue_before THEN 'grey'
         WHEN transferred_in_on BETWEEN :green_from AND :green_until THEN 'green'
         WHEN tfc_handled THEN 'blue'
         WHEN completion_basis IS NULL AND final_on < :red_before THEN 'red'
         WHEN completion_basis IS NULL AND final_on < :yellow_before THEN 'yellow'
         ELSE 'white' END
"""
URGENCY = """
    CASE WHEN completion_basis IS NOT NULL THEN 'white'
         WHEN final_on < :red_before THEN 'red'
         WHEN final_on < :yellow_before THEN 'yellow'
         ELSE 'white' END
"""
DAYS_OF = {
    Colour.GREY: "final_on < :overdue_before",
    Colour.RED: "final_on >= :overdue_before AND final_on < :red_before",
    Colour.YELLOW: "final_on >= :red_before AND final_on < :yellow_before",
}
"""Bounds of the last day per colour, so that an index finds its rows."""


AGES = (30, 60, 90)
_OPEN = "completion_basis IS NULL AND final_on"
DUE = {
    DueState.URGENT_RED: f"{URGENCY} = 'red'",
    DueState.URGENT_YELLOW: f"{URGENCY} = 'yellow'",
    DueState.OVERDUE_OPEN: f"{_OPEN} < :overdue_before",
    DueState.OVERDUE_TO_30: f"{_OPEN} < :overdue_before AND final_on >= :age_30",
    DueState.OVERDUE_TO_60: f"{_OPEN} < :age_30 AND final_on >= :age_60",
    DueState.OVERDUE_TO_90: f"{_OPEN} < :age_60 AND final_on >= :age_90",
    DueState.OVERDUE_LONGER: f"{_OPEN} < :age_90",
}
"""What the dashboard counts and the list filters by: a number leads to its rows."""


def colour_values(today: date, *, green_days: int | None) -> dict[str, date]:
    """The parameters of COLOUR, URGENCY and DAYS_OF on a day."""
    bounds = colour_bounds(today, green_days=green_days)
    return {
        "overdue_before": bounds.overdue_before,
        "green_from": bounds.green_from,
        "green_until": bounds.green_until,
        "red_before": bounds.red_before,
        "yellow_before": bounds.yellow_before,
    }


def has_colour(colour: Colour) -> str:
    """The condition on a contract's row that it has this colour."""
    days = DAYS_OF.get(colour, "final_on >= :overdue_before")
    return f"{days} AND {COLOUR} = '{colour.value}'"


def due_values(today: date) -> dict[str, date]:
    """The parameters of DUE on a day, in addition to those of the colours."""
    return {f"age_{days}": today - timedelta(days=days) for days in AGES}
