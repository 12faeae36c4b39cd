"""Environment settings of the contracts service."""

from pydantic_settings import SettingsConfigDict

from contracts_service.policy import Policy
from shared.settings import ServiceSettings


class ContractsSettings(ServiceSettings, Policy):
    """Read from the environment, each name with the prefix CONTRACTS_ (CONTRACTS_GREEN_DAYS, ...).

    The policy's fields are settings of their own.
    """

    model_config = SettingsConfigDict(
        env_prefix="CONTRACTS_", frozen=True, hide_input_in_errors=True
    )
