"""Environment settings of the contracts service."""

from decimal import Decimal

from pydantic_settings import SettingsConfigDict

from contracts_service.policy import Policy, ReflectedBy
from contracts_service.rules.listing_window import MONTHS_AFTER_LAST_DAY
from contracts_service.rules.resplit import TERMS
from contracts_service.rules.result_deadline import FirstEntryAfterChangeLimit
from shared.settings import ServiceSettings


class ContractsSettings(ServiceSettings):
    """Read from the environment, each name with the prefix CONTRACTS_ (CONTRACTS_GREEN_DAYS, ...).

    `Policy` explains each of them.
    """

    model_config = SettingsConfigDict(env_prefix="CONTRACTS_", frozen=True)

    green_days: int | None = None
    listed_months: int = MONTHS_AFTER_LAST_DAY
    first_entry_after_change_limit: FirstEntryAfterChangeLimit = FirstEntryAfterChangeLimit.ACCEPT
    reflection: ReflectedBy = ReflectedBy.TFC
    resplit_rate_percent: Decimal = Decimal("3.9")
    resplit_terms: tuple[int, ...] = TERMS
    payoff_fee_yen: int = 0

    @property
    def policy(self) -> Policy:
        """The policy that the service works with."""
        return Policy(
            green_days=self.green_days,
            listed_months=self.listed_months,
            first_entry=self.first_entry_after_change_limit,
            reflected_by=self.reflection,
            resplit_rate_percent=self.resplit_rate_percent,
            resplit_terms=self.resplit_terms,
            payoff_fee_yen=self.payoff_fee_yen,
        )
