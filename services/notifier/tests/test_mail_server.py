"""SMTP on the wire: STARTTLS, login, connections and message format."""

import asyncio
import datetime as dt
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from event_contracts.returns import ReturnCompleted
from notifier_service.mail_templates import RenderedMail
from notifier_service.smtp import Draft, MailServer
from shared.notifications import WorkSignal

NOON = dt.datetime(2025, 7, 7, 1, 0, tzinfo=dt.UTC)
DRAFT = Draft(
    RenderedMail("【J-PASS】差戻しのお知らせ（契約番号1）", "本文\n.\n以上\n"),
    "<m1@d.example>",
    "from@d.example",
)
COMPLETED = {
    "completed_at": NOON,
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}


@pytest.fixture
def strict(host: Any, certificate: Path) -> Iterator[Any]:
    """The mail server, which insists on TLS and on the login notifier/good."""
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
    settings = {"timeout_s": 3, "ca_file": str(ca_file) if ca_file else None} | changes
    return MailServer("localhost", host.port, "from@d.example", **settings)


async def send(through: MailServer, mails: int = 1) -> list[str]:
    """The outcomes of `count` mails, one after another; then the connections are closed."""
    outcomes = [
        await through.deliver(DRAFT, to="to@d.example", written_at=NOON) for _ in range(mails)
    ]
    await through.hang_up()
    return [outcome.result for outcome in outcomes]


async def test_encrypted_and_logged_in(strict: Any, certificate: Path) -> None:
    login = {"username": "notifier", "password": SecretStr("good")}
    assert await send(server(strict, certificate, starttls=True, **login)) == ["sent"]
    [mail] = strict.mails
    assert mail["From"] == "from@d.example"
    assert mail["To"] == "to@d.example"
    assert mail["Subject"] == DRAFT.mail_text.subject
    assert mail["Message-ID"] == "<m1@d.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == NOON
    assert mail.get_content().replace("\r\n", "\n") == DRAFT.mail_text.body


@pytest.mark.parametrize(
    ("login", "trusts"),
    [
        ({"username": "notifier", "password": SecretStr("wrong")}, True),
        ({}, True),
        ({"username": "notifier", "password": SecretStr("good")}, False),
    ],
    ids=["wrong password", "no login", "an untrusted certificate"],
)
async def test_a_fault_in_our_settings_does_not_end_a_mail(
    strict: Any, certificate: Path, login: dict[str, Any], trusts: bool
) -> None:
    through = server(strict, certificate if trusts else None, starttls=True, **login)
    assert await send(through) == ["transient"]
    assert strict.mails == []


async def test_no_mail_leaves_unencrypted_where_encryption_is_insisted_on(host: Any) -> None:
    assert await send(server(host, starttls=True)) == ["transient"]
    assert host.mails == []


async def test_the_mails_that_follow_each_other_share_a_line(host: Any) -> None:
    assert await send(server(host), mails=3) == ["sent"] * 3
    assert (len(host.mails), host.lines, host.goodbyes) == (3, 1, 1)


async def test_an_encrypted_line_is_kept_as_well(strict: Any, certificate: Path) -> None:
    login = {"username": "notifier", "password": SecretStr("good")}
    assert await send(server(strict, certificate, starttls=True, **login), mails=2) == ["sent"] * 2
    assert strict.lines == 1


async def test_mails_at_the_same_time_have_a_line_each(host: Any) -> None:
    through = server(host)
    together = (through.deliver(DRAFT, to="to@d.example", written_at=NOON) for _ in range(3))
    assert {outcome.result for outcome in await asyncio.gather(*together)} == {"sent"}
    assert host.lines == 3
    assert await send(through) == ["sent"]
    assert (host.lines, host.goodbyes) == (3, 3)


@pytest.mark.rule("D155")
@pytest.mark.parametrize("answer", ["cut", "421 enough", "451 not now", "550 not you", "silence"])
async def test_a_kept_line_that_no_longer_serves_costs_a_mail_nothing(
    host: Any, answer: str
) -> None:
    """The mail is neither unknown nor put off: another connection is opened at once."""

    def second_begins_badly(begun: int) -> str:
        if begun == 1 and answer == "silence":
            time.sleep(1.5)
            return "421 gone"
        return answer if begun == 1 else "250 OK"

    host.begin = second_begins_badly
    assert await send(server(host, timeout_s=1), mails=3) == ["sent"] * 3
    assert (len(host.mails), host.texts) == (3, 3)
    assert host.lines == 2


@pytest.mark.rule("D155")
async def test_a_mail_server_that_was_restarted_in_between_costs_a_mail_nothing(host: Any) -> None:
    through = server(host)
    assert (await through.deliver(DRAFT, to="to@d.example", written_at=NOON)).result == "sent"
    host.close()
    host.open()
    assert await send(through) == ["sent"]
    assert len(host.mails) == 2


@pytest.mark.rule("D155")
async def test_a_mail_server_that_went_away_in_between_puts_the_mail_off(host: Any) -> None:
    through = server(host)
    assert (await through.deliver(DRAFT, to="to@d.example", written_at=NOON)).result == "sent"
    host.close()
    assert await send(through) == ["transient"]


@pytest.mark.rule("D155")
@pytest.mark.parametrize(("behaviour", "result"), [("cut", "unknown"), ("554 no", "permanent")])
async def test_on_a_kept_line_the_text_still_decides(
    host: Any, behaviour: str, result: str
) -> None:
    through = server(host)
    assert (await through.deliver(DRAFT, to="to@d.example", written_at=NOON)).result == "sent"
    host.behave = lambda _: behaviour
    assert await send(through) == [result]
    assert (host.lines, host.texts) == (1, 2)


async def test_a_line_is_kept_only_after_a_mail_that_was_taken(host: Any) -> None:
    through = server(host)
    host.refuse = lambda _: "550 nobody here"
    outcome = await through.deliver(DRAFT, to="to@d.example", written_at=NOON)
    host.refuse = lambda _: None
    assert [outcome.result, *await send(through)] == ["permanent", "sent"]
    assert host.lines == 2


async def test_only_lines_that_waited_long_are_given_up(host: Any) -> None:
    through = server(host)
    assert (await through.deliver(DRAFT, to="to@d.example", written_at=NOON)).result == "sent"
    await through.hang_up(waiting_s=3600)
    assert host.goodbyes == 0
    assert await send(through) == ["sent"]
    assert (host.lines, host.goodbyes) == (1, 1)


async def test_a_sender_with_nothing_to_do_gives_its_line_up(notifier: Any) -> None:
    notifier.knows(round_approvers=[])
    running = asyncio.create_task(replace(notifier.sender(), longest_wait_s=0).run(WorkSignal()))
    await notifier.receive(ReturnCompleted, **COMPLETED)
    async with asyncio.timeout(20):
        while not notifier.host.goodbyes:  # noqa: ASYNC110  the mail server is in another thread
            await asyncio.sleep(0.05)
    assert len(notifier.host.mails) == 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
