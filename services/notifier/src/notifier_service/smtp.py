"""SMTP client: hands a mail to the mail server and says what became of it.

Four outcomes: accepted, refused for now, refused for good, or lost after the text was sent, so that
it is unknown whether the server has it. Only the third and the fourth end the attempts.

A connection on which a mail was accepted is kept for the next one. Whether it still works shows
when the next mail begins: if not, another one is opened, at no cost for the mail.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Literal
from uuid import UUID

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException
from pydantic import SecretStr

from notifier_service.mail_templates import RenderedMail
from shared.mail_address import mail_address, wire_address

PERMANENT = 500
TRANSIENT = 400


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail as it would be sent now; `sender` is its From."""

    mail_text: RenderedMail
    message_id: str
    sender: str


@dataclass(frozen=True, slots=True)
class SmtpOutcome:
    """The outcome of one attempt; `reply` is the last answer of the server or the network.

    `message_id` is the one under which the mail was accepted, if it was.
    """

    result: Literal["sent", "transient", "permanent", "unknown"]
    reply: str
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class ReusedConnection:
    """A connection that is idle since `free_since` (seconds, monotonic)."""

    client: aiosmtplib.SMTP
    free_since: float


@dataclass(frozen=True, slots=True)
class MailServer:
    """The SMTP server that accepts our mails.

    `timeout_s` limits the beginning of a mail and the mail itself, each. `starttls` True insists
    on an encrypted connection, None uses it where offered, False never; with `tls` the connection
    is encrypted from its first byte (port 465). Either way the server's certificate is checked. The
    caller closes the connections with `hang_up`.
    """

    host: str
    port: int
    sender: str
    timeout_s: float = 30
    starttls: bool | None = None
    tls: bool = False
    username: str | None = None
    password: SecretStr | None = None
    ca_file: str | None = None
    _connections: list[ReusedConnection] = field(default_factory=list, repr=False, compare=False)

    @property
    def domain(self) -> str:
        """The installation's domain, for EHLO and the Message-IDs."""
        return self.sender.rpartition("@")[2]

    def message_id(self, mail_id: UUID, copies: int) -> str:
        """The same for every attempt of a mail; a new one for each further copy asked for."""
        again = f".{copies}" if copies else ""
        return f"<{mail_id}{again}@{self.domain}>"

    async def deliver(self, draft: Draft, *, to: str, written_at: datetime) -> SmtpOutcome:
        """Hand one mail over; never raises for what a server or a network can do."""
        try:
            to = wire_address(mail_address(to))
            content = self._content(draft, to, written_at)
        except Exception as wrong:  # the address parser raises much that is no ValueError
            return SmtpOutcome("permanent", f"the address cannot be written to: {wrong}")
        try:
            client = await self._begin(draft.sender)
        except (SMTPException, OSError) as cause:
            # A refused login or sender is a configuration error: the mail waits for its correction.
            return SmtpOutcome("transient", _reply_text(cause))
        taken = False
        try:
            outcome = await self._hand_over(client, content, to)
            taken = outcome.result == "sent"
        finally:
            if taken:
                self._connections.append(ReusedConnection(client, time.monotonic()))
            else:
                client.close()
        return replace(outcome, message_id=draft.message_id) if taken else outcome

    async def hang_up(self, waiting_s: float = 0) -> float | None:
        """Close connections idle for `waiting_s`; seconds until the next one is."""
        while self._connections and self._connections[0].free_since <= time.monotonic() - waiting_s:
            client = self._connections.pop(0).client
            try:
                with contextlib.suppress(SMTPException, OSError):
                    async with asyncio.timeout(1):
                        await client.quit()
            finally:
                client.close()
        return (
            self._connections[0].free_since + waiting_s - time.monotonic()
            if self._connections
            else None
        )

    async def _begin(self, sender: str) -> aiosmtplib.SMTP:
        """A connection on which a mail was begun: a kept one if it still works, or a new one.

        So far the server has only our own address, so that beginning twice does no harm.
        """
        if self._connections:
            with contextlib.suppress(SMTPException, OSError):
                return await self._begin_on(self._connections.pop().client, sender)
        return await self._begin_on(self._client(), sender)

    async def _begin_on(self, client: aiosmtplib.SMTP, sender: str) -> aiosmtplib.SMTP:
        begun = False
        try:
            async with asyncio.timeout(self.timeout_s):
                if not client.is_connected:
                    await client.connect()
                await client.mail(sender)
            begun = True
        finally:
            if not begun:
                client.close()
        return client

    async def _hand_over(self, client: aiosmtplib.SMTP, content: bytes, to: str) -> SmtpOutcome:
        in_flight = False
        try:
            async with asyncio.timeout(self.timeout_s):
                await client.rcpt(to)
                in_flight = True
                reply = await client.data(content)
        except SMTPResponseException as refused:
            return _of_reply(refused, in_flight=in_flight)
        except ValueError as wrong:
            return SmtpOutcome("permanent", f"the address cannot be written to: {wrong}")
        except (SMTPException, OSError) as cause:  # TimeoutError is an OSError
            return SmtpOutcome("unknown" if in_flight else "transient", _reply_text(cause))
        return SmtpOutcome("sent", f"{reply.code} {reply.message}")

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            local_hostname=self.domain,
            timeout=self.timeout_s,
            use_tls=self.tls,
            start_tls=False if self.tls else self.starttls,
            cert_bundle=self.ca_file,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
        )

    def _content(self, draft: Draft, to: str, written_at: datetime) -> bytes:
        message = EmailMessage(policy=WIRE)
        message["From"] = Address(addr_spec=draft.sender)
        message["To"] = Address(addr_spec=to)
        message["Subject"] = draft.mail_text.subject
        message["Date"] = format_datetime(written_at)
        message["Message-ID"] = draft.message_id
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(draft.mail_text.body, cte="base64")
        return message.as_bytes()


def _of_reply(refused: SMTPResponseException, *, in_flight: bool) -> SmtpOutcome:
    reply = _reply_text(refused)
    if refused.code >= PERMANENT:
        return SmtpOutcome("permanent", reply)
    if in_flight and refused.code < TRANSIENT:  # neither yes nor no
        return SmtpOutcome("unknown", reply)
    return SmtpOutcome("transient", reply)


def _reply_text(cause: Exception) -> str:
    if isinstance(cause, SMTPResponseException):
        return f"{cause.code} {cause.message}"
    return f"{type(cause).__name__}: {cause}"
