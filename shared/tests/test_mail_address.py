"""Mail addresses: what is accepted, how it is sent, and that a server receives the same."""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.mail_address import NotAMailAddress, is_mail_address, mail_address, wire_address
from shared.testing.servers import free_port

ATEXT = "abzAZ09!#$%&'*+/=?^_`{|}~-."
LABELS = st.from_regex(r"\A[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?\Z")
ADDRESSES = st.builds(
    lambda local, labels, top: f"{local}@{'.'.join([*labels, top])}",
    st.text(ATEXT, min_size=1, max_size=62),
    st.lists(LABELS, min_size=1, max_size=4),
    st.sampled_from(["jp", "com", "example"]),
)


@dataclass
class Host:
    """A mail server that accepts everything, and what it was given."""

    port: int = 0
    received: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        head = envelope.content.decode().partition("\r\n\r\n")[0]
        line = next(one for one in head.split("\r\n") if one.startswith("To:"))
        self.received.append((envelope.rcpt_tos[0], line.removeprefix("To: ")))
        return "250 OK"


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    here = Host()
    here.port = free_port()
    controller = Controller(here, hostname="127.0.0.1", port=here.port, ready_timeout=60)
    controller.start()
    yield here
    controller.stop()


@pytest.mark.rule("D159")
@pytest.mark.parametrize(
    ("entered", "kept", "sent"),
    [
        ("yamada@example.jp", "yamada@example.jp", "yamada@example.jp"),
        ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        ("a.@docomo.ne.jp", "a.@docomo.ne.jp", '"a."@docomo.ne.jp'),
        (".a@ezweb.ne.jp", ".a@ezweb.ne.jp", '".a"@ezweb.ne.jp'),
        ('"a..b"@docomo.ne.jp', "a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        ("a+b-c_d@sub.example.co.jp", "a+b-c_d@sub.example.co.jp", "a+b-c_d@sub.example.co.jp"),
        ("x" * 64 + "@example.jp", "x" * 64 + "@example.jp", "x" * 64 + "@example.jp"),
    ],
)
def test_what_people_write_is_kept_and_sent(entered: str, kept: str, sent: str) -> None:
    assert mail_address(entered) == kept
    assert wire_address(kept) == sent


@pytest.mark.rule("D159")
@pytest.mark.parametrize(
    "entered",
    [
        "", "yamada", "@example.jp", "yamada@", "yamada@example", "yamada@example..jp",
        "yamada@example.jp.", "<yamada@example.jp>", "山田@example.jp", "yamada@例え.jp",
        "a b@example.jp", "a@b@example.jp", "yamada@[192.0.2.1]", "yamada@-example.jp",
        "yamada@example.123", "a,b@example.jp", "x" * 65 + "@example.jp",
        "." * 63 + "@example.jp", "a@" + "b" * 64 + ".jp", "a\r\nBcc: b@example.jp",
        "a\0@example.jp", '"a"b"@example.jp', "a@" + ".".join(["b" * 60] * 5) + ".jp",
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused(entered: str) -> None:
    assert not is_mail_address(entered)
    with pytest.raises(NotAMailAddress):
        mail_address(entered)


@pytest.mark.rule("D159")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(ADDRESSES, st.text(max_size=40).map(lambda text: f"{text}@example.jp")))
def test_what_is_accepted_is_received_unchanged(host: Host, entered: str) -> None:
    try:
        kept = mail_address(entered)
    except NotAMailAddress:
        return
    message = EmailMessage(policy=WIRE)
    message["To"] = Address(addr_spec=wire_address(kept))
    message.set_content("x")
    with smtplib.SMTP("127.0.0.1", host.port, timeout=20) as client:
        client.sendmail("desk@example.jp", [wire_address(kept)], message.as_bytes())
    rcpt, header = host.received.pop()
    assert mail_address(rcpt) == kept
    assert mail_address(header) == kept
