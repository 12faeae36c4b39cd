"""Environment settings that every service's process needs; secrets have no defaults."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.outgoing import EVENTS_PER_MESSAGE


class ServiceSettings(BaseSettings):
    """Settings of a service's processes, from the environment with the service's own prefix."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    owner_database_url: SecretStr | None = Field(
        None,
        description="the same database as the role that owns the tables, for migrations only;"
        " without it the role of database_url owns them, and row-level security is all it has",
    )
    database_connections: int = Field(
        10, ge=2, description="connections per process; a worker has one or two more for LISTEN"
    )
    rabbitmq_url: SecretStr | None = Field(
        None, description="amqp://user:password@host:port/; only workers connect to it"
    )
    event_prefix: str = Field("", description="separates several installations on one broker")
    events_per_message: int = Field(
        EVENTS_PER_MESSAGE,
        ge=1,
        le=500,
        description="events of one aggregate type that a relay puts into one message under load;"
        " 1 while processes of a version before batches still read the queues",
    )
    issuer: str = Field(description="the OIDC provider whose tokens are accepted")
    jwks_url: str = Field(description="where its public keys are")
    audience: str = Field("madoguchi", description="the audience that its tokens must name")
    trusted_proxies: str = Field(
        "", description="networks whose X-Forwarded-For is believed: 10.0.0.0/8, 192.0.2.7"
    )
    log_level: str = "INFO"
    otlp_endpoint: str | None = Field(
        None, description="http://collector:4318, for traces; without it none are recorded"
    )

    @property
    def broker_url(self) -> str:
        """The broker's address, for workers. Raises BrokerMissing."""
        if self.rabbitmq_url is None or not self.rabbitmq_url.get_secret_value():
            raise BrokerMissing("RABBITMQ_URL is not set: a worker needs it.")
        return self.rabbitmq_url.get_secret_value()


class BrokerMissing(Exception):
    """A process that relays and receives events has no broker."""
