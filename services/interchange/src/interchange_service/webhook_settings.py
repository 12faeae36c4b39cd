"""Webhook settings from the environment, each with the prefix INTERCHANGE_."""

from datetime import timedelta

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from interchange_service.secret_encryption import SecretBox
from interchange_service.webhook_http import WebhookClient


class WebhookSettings(BaseSettings):
    """Settings of the messages to dealers' systems."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    webhook_keys: SecretStr = Field(
        description="Fernet keys separated by commas; the first encrypts, every one decrypts"
    )
    webhook_local: bool = Field(
        default=False, description="for demo and tests: also send to this machine and its network"
    )
    webhook_ca_file: str | None = Field(
        default=None, description="trusted besides the well-known authorities"
    )
    webhook_timeout_s: float = Field(10, gt=0)
    webhook_senders: int = Field(4, ge=1, description="messages in flight at once, per process")
    webhook_horizon_hours: float = Field(48, gt=0, description="older events are not sent")

    @field_validator("webhook_keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr) -> SecretStr:
        SecretBox(keys.get_secret_value())
        return keys

    @property
    def secret_box(self) -> SecretBox:
        """The encryption of secrets."""
        return SecretBox(self.webhook_keys.get_secret_value())

    @property
    def post(self) -> WebhookClient:
        """The client of the dealers' systems."""
        return WebhookClient(
            local=self.webhook_local,
            timeout_s=self.webhook_timeout_s,
            ca_file=self.webhook_ca_file,
        )

    @property
    def webhook_horizon(self) -> timedelta:
        """How old an event may be."""
        return timedelta(hours=self.webhook_horizon_hours)
