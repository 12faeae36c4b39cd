"""A fare with the table it was read from, and the codes of what could not be confirmed about it."""

from dataclasses import dataclass
from datetime import date

MAY_BE_SPECIAL = "SPECIAL_FARE_UNCONFIRMED"
MAY_BE_SURCHARGED = "SURCHARGE_UNCONFIRMED"
MAY_BE_DISCOUNTED = "TRANSFER_DISCOUNT_UNCONFIRMED"
UNCONFIRMED = "FARE_UNCONFIRMED"
TICKET_FOR_IC = "TICKET_FARE_FOR_IC"


@dataclass(frozen=True, slots=True)
class TariffRef:
    """The table that a fare was read from; `basis` is band, special or joint (two companies)."""

    operator: str
    table: str
    valid_from: date
    valid_to: date | None
    basis: str
    km10: int
    km_up_to: int | None
    surcharge_yen: int


@dataclass(frozen=True, slots=True)
class Fare:
    """A tariff fare in yen with its source; `notices` are codes of what could not be confirmed."""

    yen: int
    tariff: TariffRef
    notices: tuple[str, ...] = ()
