"""Interchange settings from the environment, each with the prefix INTERCHANGE_."""

from datetime import timedelta

from pydantic import Field

from interchange_service.webhook_settings import WebhookSettings
from shared.settings import ServiceSettings


class InterchangeSettings(WebhookSettings, ServiceSettings):
    """Settings beyond those of every service."""

    public_url: str = Field(
        "", description="the installation's address, for links in refusals; without it, paths"
    )
    requests_per_minute: int = Field(
        600, ge=1, description="how often a key may send to one process; more is answered 429"
    )
    ingress_per_second: float = Field(
        50, gt=0, description="how many messages a second of one dealer are taken from its queue"
    )
    kept_days: int = Field(
        90, ge=14, description="how long settled messages and webhooks can be looked up"
    )

    unsettled_days: int = Field(
        180, ge=14, description="how long a refused message waits for a person before it is deleted"
    )

    @property
    def kept_unsettled(self) -> timedelta:
        """The same."""
        return timedelta(days=self.unsettled_days)

    @property
    def kept(self) -> timedelta:
        """`kept_days` as a duration."""
        return timedelta(days=self.kept_days)
