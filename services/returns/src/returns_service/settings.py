"""Settings of the returns service."""

from collections.abc import Mapping

from pydantic_settings import SettingsConfigDict

from returns_service.rules.return_form import DEFAULT_REASONS
from shared.settings import ServiceSettings


class ReturnsSettings(ServiceSettings):
    """Read from the environment, each name with the prefix RETURNS_ (RETURNS_DATABASE_URL, ...)."""

    model_config = SettingsConfigDict(env_prefix="RETURNS_", frozen=True, hide_input_in_errors=True)

    unreturned_reasons: Mapping[str, str] = DEFAULT_REASONS
    """未返却理由 of the pulldown: code and words (D92)."""
