"""Fakes around a notifier: a real SMTP server, and the services that it asks."""

import asyncio
import email
import email.policy
import socket
import threading
from collections.abc import Callable
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as SmtpEnvelope


class FakeMailServer:
    """A real SMTP server in a thread of its own; `mails` are those it accepted.

    `behave` is called after each text, with the address: it returns an SMTP reply, or "drop" to
    accept the mail and close the connection, or "cut" to close it without. `refuse` may refuse an
    address. `begin` is called before, with the number of mails begun: an SMTP reply, or "cut".
    """

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.mails: list[EmailMessage] = []
        self.texts = 0
        self.behave: Callable[[str], str] = lambda _: "250 OK"
        self.refuse: Callable[[str], str | None] = lambda _: None
        self.begin: Callable[[int], str] = lambda _: "250 OK"
        self.begun: list[object] = []
        self.goodbyes = 0
        self._controller: Controller | None = None

    @property
    def subjects(self) -> list[str]:
        """The subjects of the accepted mails, without product and contract, in order."""
        return [str(m["Subject"]).partition("】")[2].partition("（")[0] for m in self.mails]

    @property
    def lines(self) -> int:
        """The number of connections on which mails were begun."""
        return len(set(self.begun))

    @property
    def written_to(self) -> list[str]:
        """The addresses of the accepted mails, in alphabetical order."""
        return sorted(str(mail["To"]) for mail in self.mails)

    def open(self) -> None:
        """Accept connections."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def close(self) -> None:
        """Refuse connections."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: SmtpEnvelope, address: str, _: list[str]
    ) -> str:
        self.begun.append(session.peer)
        answer = await asyncio.to_thread(self.begin, len(self.begun) - 1)
        if answer == "cut":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        elif answer == "250 OK":
            envelope.mail_from = address
        return answer if answer[0].isdigit() else "421 gone"

    async def handle_QUIT(self, *_: object) -> str:  # noqa: N802
        self.goodbyes += 1
        return "221 Bye"

    async def handle_RCPT(  # noqa: N802  the name that aiosmtpd looks for
        self, _: SMTP, __: Session, envelope: SmtpEnvelope, address: str, ___: list[str]
    ) -> str:
        answer = self.refuse(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _: Session, envelope: SmtpEnvelope
    ) -> str:
        self.texts += 1
        [address] = envelope.rcpt_tos
        answer = await asyncio.to_thread(self.behave, address)
        if answer in {"drop", "250 OK"}:
            content = envelope.original_content or b""
            self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        if answer in {"drop", "cut"}:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer if answer[0].isdigit() else "421 gone"


def with_nobody_left(answer: Any) -> Any:
    """The answer as the services give it: each person has not left unless a test says so."""
    if isinstance(answer, list):
        return [with_nobody_left(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    there: dict[str, Any] = {}
    if {"person_id", "mail"} <= answer.keys() or "unsubmitted" in answer:
        there["left"] = False
    if "applicant_mail" in answer:
        there["applicant_left"] = False
    return there | {name: with_nobody_left(value) for name, value in answer.items()}


class FakeReturnsService:
    """The two endpoints that a notifier asks: the issuer's token, and an application's people."""

    def __init__(self) -> None:
        self.applications: dict[str, dict[str, Any]] = {}
        self.token = "a-token-of-the-notifier"
        self.tokens_issued = 0
        self.out_of_order = False
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                assert form["grant_type"] == ["client_credentials"]
                desk.tokens_issued += 1
                self.answer(200, {"access_token": desk.token, "expires_in": 3600})

            def do_GET(self) -> None:
                application = desk.applications.get(self.path.split("/")[-2])
                if self.headers["authorization"] != f"Bearer {desk.token}":
                    self.answer(401, {})
                elif desk.out_of_order:
                    self.answer(503, {})
                elif application is None:
                    self.answer(404, {})
                else:
                    self.answer(200, with_nobody_left(application))

            def answer(self, status: int, body: dict[str, Any]) -> None:
                content = orjson.dumps(body)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def open(self) -> None:
        """Answer requests."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
