"""What does the same ride cost by ticket, and for a child (F15, F20)?

IC fares are the published one-yen fares; tickets are derived by the rounding of their table.
A child pays half: IC down to the yen; tickets down to ten yen at JR, up to ten yen elsewhere.
"""

from enum import StrEnum


class Medium(StrEnum):
    """How the fare is paid. One run is never priced with two media (F15)."""

    IC = "ic"
    TICKET = "ticket"


class Rounding(StrEnum):
    """To the ten yen above, below, or nearest (five upwards)."""

    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"


def to_ten_yen(yen: int, rounding: Rounding) -> int:
    """Round an amount in yen to a multiple of ten."""
    if rounding is Rounding.UP:
        return -(-yen // 10) * 10
    if rounding is Rounding.DOWN:
        return yen // 10 * 10
    return (yen + 5) // 10 * 10


def fare_for_medium(ic_yen: int, medium: Medium, ticket_rounding: Rounding) -> int:
    """Adult fare in the medium, from the adult IC fare."""
    return ic_yen if medium is Medium.IC else to_ten_yen(ic_yen, ticket_rounding)


def child_fare(adult_yen: int, medium: Medium, child_ticket_rounding: Rounding) -> int:
    """Child fare from the adult fare of the same medium."""
    if medium is Medium.IC:
        return adult_yen // 2
    # Half of a multiple of ten ends in 0 or 5, so the direction matters only for the 5.
    return to_ten_yen(adult_yen // 2, child_ticket_rounding)
