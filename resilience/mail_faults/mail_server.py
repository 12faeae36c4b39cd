"""Mail server of a run: aiosmtpd in its own process, with random failures.

Each accepted mail is written to a file before the client gets the response, so that a kill between
the two is visible. Failures depend on the seed, the address and the number of the attempt.
"""

import argparse
import asyncio
import os
import random
from collections import Counter
from email import message_from_bytes
from functools import partial

from aiosmtpd.smtp import SMTP, Envelope, Session

OUTCOMES = {
    "accept": 82,
    "refuse the address": 3,
    "refuse the text": 4,
    "cut": 2,
    "accept and cut": 2,
    "accept and delay": 2,
    "delay": 3,
    "accept and close": 2,
}
DELAY_BEFORE_RESPONSE_S = 3.0
SLOW_S = 0.3


class UnreliableMailServer:
    """Fails or delays each attempt at random."""

    def __init__(self, seed: str, taken: int) -> None:
        self._seed = seed
        self._taken = taken
        self._attempts: Counter[str] = Counter()

    def _outcome(self, address: str) -> str:
        drawn = random.Random(f"{self._seed}/{address}/{self._attempts[address]}")
        return drawn.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        self._attempts[address] += 1
        if self._outcome(address) == "refuse the address":
            return "450 later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _: Session, envelope: Envelope
    ) -> str:
        [address] = envelope.rcpt_tos
        outcome = self._outcome(address)
        if address.startswith("refuses"):
            return "554 never"
        if outcome == "refuse the text":
            return "451 later"
        if outcome == "delay":
            await asyncio.sleep(SLOW_S)
        if outcome != "cut":
            self._take(address, envelope)
        assert isinstance(server.transport, asyncio.Transport)
        if outcome in {"cut", "accept and cut"}:
            server.transport.abort()
        if outcome == "accept and delay":
            await asyncio.sleep(DELAY_BEFORE_RESPONSE_S)
        if outcome == "accept and close":
            asyncio.get_running_loop().call_later(0.01, server.transport.abort)
        return "250 OK"

    def _take(self, address: str, envelope: Envelope) -> None:
        message_id = message_from_bytes(envelope.original_content or b"")["Message-ID"]
        os.write(self._taken, f"{message_id} {address}\n".encode())


async def serve(port: int, seed: str, taken: int) -> None:
    """Accept mails until killed."""
    session = partial(SMTP, UnreliableMailServer(seed, taken), hostname="mail.example")
    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Parse the command line and serve."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--port", type=int, required=True)
    asking.add_argument("--seed", required=True)
    asking.add_argument("--taken", required=True, help="the file of accepted mails")
    asked = asking.parse_args()
    taken = os.open(asked.taken, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    asyncio.run(serve(asked.port, asked.seed, taken))


if __name__ == "__main__":
    main()
