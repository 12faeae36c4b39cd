"""The mail server's side: STARTTLS, login, and what is really on the wire."""

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from notifier_service.letters import Letter
from notifier_service.smtp import Draft, MailServer

NOON = dt.datetime(2025, 7, 7, 1, 0, tzinfo=dt.UTC)
DRAFT = Draft(
    Letter("【J-PASS】差戻しのお知らせ（契約番号1）", "本文\n.\n以上\n"), "<m1@d.example>"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def strict(host: Any, certificate: Path) -> Iterator[Any]:
    """The mail server, letting in only who comes encrypted and logs in as notifier/good."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def logs_in(_: object, __: object, ___: object, ____: object, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"notifier", b"good"))

    host.close()
    controller = Controller(
        host,
        hostname="localhost",
        port=host.port,
        tls_context=context,
        require_starttls=True,
        authenticator=logs_in,
        auth_required=True,
    )
    controller.start()
    yield host
    controller.stop()


def server(host: Any, ca_file: Path | None = None, **changes: Any) -> MailServer:
    return MailServer(
        "localhost",
        host.port,
        "from@d.example",
        timeout_s=3,
        ca_file=str(ca_file) if ca_file else None,
        **changes,
    )


async def test_encrypted_and_logged_in(strict: Any, certificate: Path) -> None:
    login = {"username": "notifier", "password": SecretStr("good")}
    outcome = await server(strict, certificate, starttls=True, **login).deliver(
        DRAFT, to="to@d.example", written_at=NOON
    )
    assert outcome.result == "sent"
    [mail] = strict.mails
    assert mail["From"] == "from@d.example"
    assert mail["To"] == "to@d.example"
    assert mail["Subject"] == DRAFT.letter.subject
    assert mail["Message-ID"] == "<m1@d.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == NOON
    assert mail.get_content().replace("\r\n", "\n") == DRAFT.letter.body


@pytest.mark.parametrize(
    ("login", "trusts"),
    [
        ({"username": "notifier", "password": SecretStr("wrong")}, True),
        ({}, True),
        ({"username": "notifier", "password": SecretStr("good")}, False),
    ],
    ids=["wrong password", "no login", "a certificate that nobody vouches for"],
)
async def test_a_fault_in_our_settings_does_not_end_a_mail(
    strict: Any, certificate: Path, login: dict[str, Any], trusts: bool
) -> None:
    outcome = await server(strict, certificate if trusts else None, starttls=True, **login).deliver(
        DRAFT, to="to@d.example", written_at=NOON
    )
    assert outcome.result == "transient"
    assert strict.mails == []


async def test_no_mail_leaves_unencrypted_where_encryption_is_insisted_on(host: Any) -> None:
    outcome = await server(host, starttls=True).deliver(DRAFT, to="to@d.example", written_at=NOON)
    assert outcome.result == "transient"
    assert host.mails == []
