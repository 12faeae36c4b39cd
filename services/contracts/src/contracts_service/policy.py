"""Policy settings that an installation may choose for the handling of contracts."""

from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel

from contracts_service.rules.listing_window import MONTHS_AFTER_LAST_DAY
from contracts_service.rules.resplit import TERMS
from contracts_service.rules.result_deadline import FirstEntryAfterChangeLimit


class ReflectedBy(StrEnum):
    """Who puts a registered change of store or staff into force (D141)."""

    SELF = "self"
    TFC = "tfc"


class Policy(BaseModel, frozen=True):
    """Days, months, rates and amounts that the manual leaves open; the defaults are its own."""

    green_days: int | None = None
    listed_months: int = MONTHS_AFTER_LAST_DAY
    first_entry_after_change_limit: FirstEntryAfterChangeLimit = FirstEntryAfterChangeLimit.ACCEPT
    reflection: ReflectedBy = ReflectedBy.TFC
    resplit_rate_percent: Decimal = Decimal("3.9")
    resplit_terms: tuple[int, ...] = TERMS
    payoff_fee_yen: int = 0
