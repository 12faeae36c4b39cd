"""Where do mails go on a machine without a mail server? Into a folder, with a page to read them.

Nothing leaves the machine: the catcher takes every mail that is handed to it by SMTP.
"""

from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html import escape
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from shared.auth import assert_every_route_has_a_policy, public


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The mails caught, newest first; one file each in `folder`."""

    folder: Path

    def mails(self) -> list[EmailMessage]:
        """Every mail caught, newest first."""
        parser = BytesParser(policy=policy.default)
        files = sorted(self.folder.glob("*.eml"), reverse=True)
        return [parser.parsebytes(file.read_bytes()) for file in files]

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - the name that aiosmtpd calls
        """Keep one mail."""
        number = sum(1 for _ in self.folder.glob("*.eml")) + 1
        content = envelope.original_content or b""
        (self.folder / f"{number:06}.eml").write_bytes(content)
        return "250 OK"


def catch_mail(folder: Path, port: int) -> Controller:
    """Listen for mails on a local port; the caller stops the controller."""
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=port)
    controller.start()
    return controller


def create_mailbox(folder: Path) -> FastAPI:
    """The page that shows the mails caught."""
    app = FastAPI(openapi_url=None)
    app.state.mailbox = Mailbox(folder)
    pages = APIRouter(dependencies=[public()])

    @pages.get("/")
    async def read_mails() -> HTMLResponse:
        return HTMLResponse(_page(app.state.mailbox.mails()))

    app.include_router(pages)
    assert_every_route_has_a_policy(app)
    return app


def _page(mails: list[EmailMessage]) -> str:
    shown = "".join(_mail(mail) for mail in mails) or "<p>まだメールはありません。</p>"
    return (
        '<!doctype html><html lang="ja"><meta charset="utf-8"><title>受信箱（開発用）</title>'
        '<link rel="stylesheet" href="/static/madoguchi.css"><body><main>'
        f"<h1>受信箱（開発用）</h1><p>{len(mails)} 通。外部へは送信されません。</p>{shown}"
        "</main></body></html>"
    )


def _mail(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    text = body.get_content() if body else ""
    return (
        f"<article><h2>{escape(str(mail['Subject']))}</h2>"
        f"<p>宛先 {escape(str(mail['To']))}　差出人 {escape(str(mail['From']))}　"
        f"{escape(str(mail['Date']))}</p><pre>{escape(str(text))}</pre></article>"
    )
