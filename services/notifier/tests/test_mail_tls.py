"""TLS and login at the mail server: real servers with STARTTLS and with TLS from the first byte."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from pydantic import SecretStr

from notifier_service.mail_templates import RenderedMail
from notifier_service.smtp import Draft, MailServer
from shared.testing.certificates import Certificates, make_certificates
from shared.testing.servers import free_port

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
DRAFT = Draft(RenderedMail("件名", "本文"), "<1@example.jp>", "desk@example.jp")
PASSWORD = "of this test"

# The server does not know that a connection encrypted from its first byte is one.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class Mailbox(Message):
    """Keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[object] = []

    def handle_message(self, message: object) -> None:
        self.mails.append(message)


def knows(_server: SMTP, _session: object, _envelope: object, how: str, data: object) -> AuthResult:
    assert how
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data.password == PASSWORD.encode())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def serving(certificates: Certificates, *, starttls: bool) -> Iterator[tuple[Mailbox, MailServer]]:
    """A mail server on `localhost` that wants a login, and ourselves as set up for it."""
    box, port, context = Mailbox(), free_port(), certificates.server_context()
    server = Controller(
        box,
        hostname="localhost",
        port=port,
        ssl_context=None if starttls else context,
        auth_required=True,
        auth_require_tls=starttls,
        authenticator=knows,
        tls_context=context if starttls else None,
        require_starttls=starttls,
    )
    server.start()
    try:
        yield (
            box,
            MailServer(
                "localhost",
                port,
                "desk@example.jp",
                timeout_s=10,
                starttls=starttls,
                tls=not starttls,
                username="desk",
                password=SecretStr(PASSWORD),
                ca_file=str(certificates.ca),
            ),
        )
    finally:
        server.stop()


async def outcome(server: MailServer) -> tuple[str, str]:
    """The result of one mail, and the reply."""
    sent = await server.deliver(DRAFT, to="hq@d01.example", written_at=NOW)
    await server.hang_up()
    return sent.result, sent.reply


@pytest.mark.parametrize("starttls", [True, False], ids=["STARTTLS", "TLS from the first byte"])
async def test_a_mail_is_sent_encrypted_with_a_login(
    certificates: Certificates, starttls: bool
) -> None:
    with serving(certificates, starttls=starttls) as (box, server):
        assert (await outcome(server))[0] == "sent"
        assert len(box.mails) == 1
        wrong = replace(server, password=SecretStr("another"))
        assert (await outcome(wrong))[0] == "transient"
        assert len(box.mails) == 1


@pytest.mark.parametrize("starttls", [True, False], ids=["STARTTLS", "TLS from the first byte"])
@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda server, stranger: replace(server, ca_file=str(stranger)), "certificate verify"),
        (lambda server, _: replace(server, host="127.0.0.1"), "certificate verify"),
    ],
    ids=["wrong CA", "wrong host name"],
)
async def test_a_server_that_cannot_prove_its_name_gets_no_mail(
    certificates: Certificates,
    starttls: bool,
    spoilt: Callable[[MailServer, Path], MailServer],
    said: str,
) -> None:
    with serving(certificates, starttls=starttls) as (box, server):
        result, reply = await outcome(spoilt(server, certificates.stranger))
        assert result == "transient"
        assert said in reply
        assert "\n" not in reply
        assert not box.mails
