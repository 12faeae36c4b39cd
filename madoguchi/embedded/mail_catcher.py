"""Mail server for development: stores mails in a folder; mailbox_and_clock.py shows them.

Nothing leaves the machine: the catcher accepts every mail over SMTP. Two local parts simulate
failures: NO_SUCH_USER is refused, and a mail to ANSWER_LOST is stored but the connection is closed
without a response.
"""

import asyncio
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ANSWER_LOST, NO_SUCH_USER = "answer-lost", "no-such-user"


@dataclass(frozen=True)  # no slots: aiosmtpd reads every member, which fails before Python 3.11.3
class Mailbox:
    """The caught mails, newest first; one file each in `folder`."""

    folder: Path

    def mails(self) -> list[EmailMessage]:
        """Every caught mail, newest first."""
        parser = BytesParser(policy=policy.default)
        files = sorted(self.folder.glob("*.eml"), reverse=True)
        return [parser.parsebytes(file.read_bytes()) for file in files]

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Accept a recipient, unless it simulates an unknown one."""
        if address.startswith(f"{NO_SUCH_USER}@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - the name that aiosmtpd calls
        """Store one mail."""
        number = sum(1 for _ in self.folder.glob("*.eml")) + 1
        content = envelope.original_content or b""
        (self.folder / f"{number:06}.eml").write_bytes(content)
        if any(address.startswith(f"{ANSWER_LOST}@") for address in envelope.rcpt_tos):
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


def catch_mail(folder: Path, port: int) -> Controller:
    """Accept mails on a local port; the caller stops the controller."""
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=port)
    controller.start()
    return controller
