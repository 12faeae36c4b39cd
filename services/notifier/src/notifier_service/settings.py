"""Notifier settings from the environment, each with the prefix NOTIFIER_.

The sender's address and the product names have no default: the all-in-one sets them itself,
elsewhere the operator does (D145).
"""

from datetime import time, timedelta

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifier_service.actions.deliver_mail import RetryPolicy
from notifier_service.mail_templates import MailTemplates
from notifier_service.recipients_client import ReturnsClient
from notifier_service.rules.reminders import ReminderPolicy
from notifier_service.smtp import MailServer
from shared.service_token import AccessToken, ServiceToken
from shared.settings import ServiceSettings


class MailSettings(BaseSettings):
    """Settings of the mails; enough for a notifier inside the all-in-one."""

    model_config = SettingsConfigDict(
        env_prefix="NOTIFIER_", frozen=True, hide_input_in_errors=True
    )

    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="From of the mails of returns")
    expense_sender: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="From of the mails about passes and slips; without it, that of the others",
    )
    product: str = Field(min_length=1, description="in 【】 of the subjects")
    expense_product: str = Field(min_length=1, description="the same for passes and slips")
    portal_url: str = Field(description="where the links in the mails lead")

    smtp_host: str
    smtp_port: int = 587
    smtp_starttls: bool = Field(default=True, description="insist on an encrypted connection")
    smtp_tls: bool = Field(
        default=False, description="encrypted from the first byte (port 465), without STARTTLS"
    )
    smtp_ca_file: str | None = Field(
        None, description="the CA of the mail server's certificate, if the system does not know it"
    )
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout_s: float = Field(20, gt=0)

    returns_url: str = Field(description="the returns service, asked for addresses at sending")
    commuter_url: str | None = Field(
        default=None, description="the same for commuter passes; usually behind the same gateway"
    )

    stale_days: int = Field(7, ge=1)
    approval_stale_days: int = Field(3, ge=1)
    slip_waiting_days: int = Field(3, ge=1, description="until the approver of a slip is reminded")
    join_reminders: bool = Field(
        default=True, description="M2 and M5 to one person on one day are one mail per kind"
    )
    stale_hour: time = Field(time(9, 0), description="JST; when the mails of a long stay leave")
    horizon_hours: float = Field(48, gt=0, description="older events make no mail due")
    resend_unknown: bool = Field(
        default=False, description="send again where the server's answer was lost; may send twice"
    )
    attempts: int = Field(400, ge=1)
    senders: int = Field(4, ge=1, description="mails in flight at once, per process")

    @property
    def timing(self) -> ReminderPolicy:
        """When a stay becomes stale."""
        return ReminderPolicy(
            self.stale_days,
            self.approval_stale_days,
            self.stale_hour,
            timedelta(hours=self.horizon_hours),
            self.slip_waiting_days,
        )

    @property
    def retry_policy(self) -> RetryPolicy:
        """How long a mail is tried.

        A lease outlasts a kept connection that is silent, a new one, the mail, and the request
        for addresses.
        """
        return RetryPolicy(
            lease_s=3 * self.smtp_timeout_s + 30,
            attempts=self.attempts,
            resend_unknown=self.resend_unknown,
        )

    @property
    def server(self) -> MailServer:
        """The mail server."""
        return MailServer(
            self.smtp_host,
            self.smtp_port,
            self.sender,
            timeout_s=self.smtp_timeout_s,
            starttls=self.smtp_starttls,
            tls=self.smtp_tls,
            username=self.smtp_username or None,
            password=self.smtp_password,
            ca_file=self.smtp_ca_file,
        )

    @property
    def mail_templates(self) -> MailTemplates:
        """The texts."""
        return MailTemplates(
            product=self.product,
            expense_product=self.expense_product,
            portal_url=self.portal_url,
            sender=self.sender,
            expense_sender=self.expense_sender or self.sender,
        )

    def recipients(self, http: httpx.AsyncClient, token: AccessToken) -> ReturnsClient:
        """The client of the services that know the addresses."""
        commuter_url = self.commuter_url or self.returns_url
        return ReturnsClient(self.returns_url, http, token, commuter_url=commuter_url)


class NotifierSettings(MailSettings, ServiceSettings):
    """Settings of the notifier's own processes."""

    token_url: str = Field(description="the issuer's token endpoint")
    client_id: str = "madoguchi-notifier"
    client_secret: SecretStr
    token_scope: str | None = None

    def token(self, http: httpx.AsyncClient) -> ServiceToken:
        """The notifier's own access token."""
        return ServiceToken(
            self.token_url,
            http,
            client_id=self.client_id,
            client_secret=self.client_secret,
            scope=self.token_scope,
        )
