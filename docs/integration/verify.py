"""Webhook receiver without dependencies: WEBHOOK_SECRET=whsec_... python verify.py PORT."""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE_S = 300


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> dict[str, object]:
    """The event of a message with a valid signature and time. Raises ValueError for others."""
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > TOLERANCE_S:
        raise ValueError("too old, or from the future")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    given = headers["webhook-signature"].split(" ")
    if not any(hmac.compare_digest(expected, one) for one in given):
        raise ValueError("no signature of ours")
    event: dict[str, object] = json.loads(body)
    return event


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to valid messages, 401 to all others."""

    def do_POST(self) -> None:
        """Receive one message. Store webhook-id: answer a repeated one 204 and ignore it."""
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = verify(os.environ["WEBHOOK_SECRET"], lower(self.headers), body)
        except (KeyError, ValueError) as refused:
            sys.stdout.write(f"refused: {refused}\n")
            self.send_response(401)
        else:
            sys.stdout.write(f"{event['type']} {event.get('subject', '')}\n")
            self.send_response(204)
        sys.stdout.flush()
        self.end_headers()


def lower(headers: Message) -> dict[str, str]:
    """The headers by lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


if __name__ == "__main__":
    if not os.environ.get("WEBHOOK_SECRET", "").startswith("whsec_"):
        sys.exit("WEBHOOK_SECRET is missing: the answer to the registration has it, whsec_...")
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
