"""Row colours as SQL conditions: `row_colour` in terms of plain columns and bounds."""

from datetime import date

from contracts_service.rules.row_colour import Colour, colour_bounds

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
