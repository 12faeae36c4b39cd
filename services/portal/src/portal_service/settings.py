"""Portal settings of one process; secrets have no default."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

LONGEST_SESSION_S = 24 * 3600
FEWEST_LETTERS = 10


class NotForTheNetwork(Exception):
    """The settings are good for one machine only."""


class PortalSettings(BaseSettings):
    """Read from the environment, each name with the prefix PORTAL_ (PORTAL_PUBLIC_URL, ...)."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_", hide_input_in_errors=True)

    public_url: str
    """The origin that browsers see, without a trailing slash: https://portal.example.jp"""
    session_secret: SecretStr = Field(min_length=32)
    """Seals the cookies; the same for every portal process. A new value signs everybody out."""

    session_idle_s: int = Field(3600, ge=60)
    """A session ends when nobody has used it for this long."""
    session_longest_s: int = Field(12 * 3600, ge=60, le=LONGEST_SESSION_S)
    """A session ends after this long in any case; and earlier if its access token expires."""

    database_url: SecretStr
    """postgresql://user:password@host:port/database, of the portal's own"""
    owner_database_url: SecretStr | None = None
    """The same database as the role that owns the tables, for migrations only."""
    database_connections: int = Field(5, ge=2)
    """Connections per process, and one more for LISTEN."""
    access_log_days: int = Field(400, ge=30)
    """How long rows of the access log are kept."""
    large_export: int = Field(1000, ge=1)
    """An export of more rows than this raises an alert."""
    trusted_proxies: str = ""
    """Networks whose X-Forwarded-For is believed: 10.0.0.0/8, 192.0.2.7"""

    oidc_issuer: str
    oidc_client_id: str = "madoguchi-portal"
    oidc_client_secret: SecretStr | None = None
    """Only for providers that insist on one; PKCE is used in any case."""
    oidc_audience: str = "madoguchi"
    """The audience that the access token must name: the services behind this portal."""
    oidc_scope: str = "openid profile email"
    oidc_resource: str | None = None
    """RFC 8707 resource, for providers that hand out JWT access tokens only for a named one."""

    mail_sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    """From of the product's mails, shown so that people can allow it (D145)."""
    expense_mail_sender: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    """The same for the mails about passes and slips; without it, that of the others."""

    contracts_url: str
    """The origin of the service or of the gateway before it, without a path."""
    returns_url: str
    commuter_url: str
    notifier_url: str
    interchange_url: str
    upstream_timeout_s: float = 5
    names_kept_s: float = 2
    """How old the names, choices and rights on a page may be, unless the person changed them."""
    work_wait_s: float = 0.3
    """How long a page waits for its counts, names and rights; what is later is loaded apart."""

    otlp_endpoint: str | None = None
    """http://collector:4318, for traces; none are kept without it."""

    log_level: str = "INFO"

    embedded: bool = False
    """The all-in-one on one machine: shows the style guide and the clock."""

    def check_for_the_network(self) -> None:
        """Refuse to face browsers in plain text or with a guessable seal. Raises NotForTheNetwork.

        The all-in-one on one machine may.
        """
        if self.embedded:
            return
        for name in ("public_url", "oidc_issuer"):
            if urlsplit(getattr(self, name)).scheme != "https":
                raise NotForTheNetwork(f"PORTAL_{name.upper()} must begin with https://")
        if len(set(self.session_secret.get_secret_value())) < FEWEST_LETTERS:
            raise NotForTheNetwork("PORTAL_SESSION_SECRET repeats a few characters: make it random")

    @property
    def https(self) -> bool:
        """Whether browsers come by HTTPS, so that cookies can be Secure."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def issuer_origin(self) -> str:
        """Scheme and host of the provider, for the content security policy."""
        parts = urlsplit(self.oidc_issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def service_urls(self) -> dict[str, str]:
        """Where the API of each service behind the portal answers."""
        origins = {
            "contracts": self.contracts_url,
            "returns": self.returns_url,
            "commuter": self.commuter_url,
            "notifier": self.notifier_url,
            "interchange": self.interchange_url,
        }
        return {name: f"{origin}/api/{name}/v1" for name, origin in origins.items()}
