"""Mails through Postfix: STARTTLS, its refusals, its queue, and real mailboxes.

A private Postfix with its own configuration, port and queue; needs Postfix installed, and root to
start it.
"""

import asyncio
import datetime as dt
import email
import email.policy
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from event_contracts.returns import ReturnCompleted
from notifier_service.mail_templates import RenderedMail
from notifier_service.smtp import Draft, MailServer
from shared.testing.servers import free_port

HOW_TO_GET_POSTFIX = (
    "NO POSTFIX: its tests are skipped. They need it installed (Debian: apt-get install postfix) "
    "and root to start a private one."
)
YAMADA, SATO, TANAKA = "yamada@d01.example", "sato@d01.example", "tanaka@d01.example"
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
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks = 127.0.0.0/8
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
smtpd_tls_security_level = encrypt
smtpd_recipient_restrictions =
    check_recipient_access texthash:{folder}/access, reject_unauth_destination
virtual_mailbox_domains = d01.example
virtual_mailbox_base = {folder}/mailboxes
virtual_mailbox_maps = texthash:{folder}/people
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A private Postfix; `folder` has all its files."""

    folder: Path
    port: int
    ca_file: Path

    def run(self, command: str) -> None:
        done = subprocess.run(
            ["postfix", "-c", str(self.folder / "etc"), command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def server(self) -> MailServer:
        """The encrypted connection to it."""
        sender, ca_file = "from@d.example", str(self.ca_file)
        return MailServer("localhost", self.port, sender, 10, starttls=True, ca_file=ca_file)

    async def mails_of(self, name: str, count: int) -> list[EmailMessage]:
        """The content of a mailbox, once `count` mails have arrived."""
        box = self.folder / "mailboxes" / name / "new"
        async with asyncio.timeout(30):
            while len(files := sorted(box.glob("*"))) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        policy = email.policy.default
        return [email.message_from_bytes(file.read_bytes(), policy=policy) for file in files]


@pytest.fixture(scope="module")
def postfix(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Postfix]:
    if shutil.which("postfix") is None or os.geteuid() != 0:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        assert capture is not None
        with capture.global_and_fixture_disabled():
            print(f"\n{HOW_TO_GET_POSTFIX}\n")  # noqa: T201  a visible skip
        pytest.skip(HOW_TO_GET_POSTFIX)
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-test-postfix-"))
    folder.chmod(0o755)
    owner = pwd.getpwnam("postfix")
    port = free_port()
    facts: dict[str, Path | int] = {
        "folder": folder,
        "certificate": folder / "localhost.pem",
        "port": port,
    }
    facts |= {"uid": owner.pw_uid, "gid": owner.pw_gid}
    for name in ("etc", "queue", "data", "mailboxes"):
        (folder / name).mkdir()
    for name in ("data", "mailboxes"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    shutil.copy(certificate, folder / "localhost.pem")
    (folder / "etc/main.cf").write_text(MAIN.format(**facts))
    (folder / "etc/master.cf").write_text(MASTER.format(**facts))
    people = (YAMADA, SATO, TANAKA)
    boxes = "".join(f"{one} {one.partition('@')[0]}/\n" for one in people)
    (folder / "people").write_text(f"{boxes}later@d01.example later/\n")
    (folder / "access").write_text("later@d01.example 450 4.2.0 try again later\n")
    made = Postfix(folder, port, certificate)
    made.run("start")
    yield made
    made.run("stop")
    shutil.rmtree(folder)


@pytest.mark.rule("D155")
async def test_what_postfix_takes_and_refuses(postfix: Postfix) -> None:
    server = postfix.server
    results = []
    for to in (TANAKA, "later@d01.example", "nobody@d01.example", "x@elsewhere.example", TANAKA):
        outcome = await server.deliver(DRAFT, to=to, written_at=NOON)
        results.append((outcome.result, outcome.reply[:3]))
    await server.hang_up()
    assert results == [
        ("sent", "250"),
        ("transient", "450"),
        ("permanent", "550"),
        ("permanent", "554"),
        ("sent", "250"),
    ]
    for mail in await postfix.mails_of("tanaka", 2):
        assert mail["Subject"] == DRAFT.mail_text.subject
        assert mail["Message-ID"] == "<m1@d.example>"
        assert mail["To"] == TANAKA
        assert "ESMTPS" in mail["Received"]
        assert mail.get_content().replace("\r\n", "\n") == DRAFT.mail_text.body


async def test_postfix_lets_nobody_in_unencrypted(postfix: Postfix) -> None:
    plain = MailServer("localhost", postfix.port, "from@d.example", 10, starttls=False)
    outcome = await plain.deliver(DRAFT, to=YAMADA, written_at=NOON)
    assert (outcome.result, outcome.reply[:3]) == ("transient", "530")


@pytest.mark.rule("D155")
async def test_a_postfix_that_was_restarted_costs_a_mail_nothing(postfix: Postfix) -> None:
    server = postfix.server
    assert (await server.deliver(DRAFT, to=TANAKA, written_at=NOON)).result == "sent"
    await asyncio.to_thread(postfix.run, "stop")
    assert (await server.deliver(DRAFT, to=TANAKA, written_at=NOON)).result == "transient"
    await asyncio.to_thread(postfix.run, "start")
    assert (await server.deliver(DRAFT, to=TANAKA, written_at=NOON)).result == "sent"
    await server.hang_up()


@pytest.mark.rule("D146")
async def test_a_completion_reaches_the_mailboxes_of_its_people(
    postfix: Postfix, notifier: Any
) -> None:
    notifier.knows(hq_approver_mails=["later@d01.example"])
    await notifier.receive(ReturnCompleted, **COMPLETED)
    through = {
        "smtp_host": "localhost",
        "smtp_port": postfix.port,
        "smtp_starttls": True,
        "smtp_ca_file": str(postfix.ca_file),
        "smtp_timeout_s": 10,
    }
    await notifier.sender(**through).send_due()
    assert sorted(await notifier.ledger("address", "state")) == [
        ("later@d01.example", "scheduled"),
        (SATO, "sent"),
        (YAMADA, "sent"),
    ]
    for name in ("yamada", "sato"):
        [mail] = await postfix.mails_of(name, 1)
        assert mail["Subject"] == "【J-PASS】手続完了のお知らせ（契約番号12345678）"
        assert mail["From"] == "j-pass_uketsuke@toyota-finance.co.jp"
        assert "車両返却のお手続きが完了しました" in mail.get_content()
