"""Webhook HTTP client: one POST to an address that was checked.

The name is resolved here and the connection goes to the address that was checked, so that DNS
rebinding gains nothing. No redirect is followed, no proxy is used, and only the beginning of the
answer is read.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http import HTTPStatus

import httpx

from interchange_service.rules.webhook_address import is_public

EXCERPT_BYTES = 1024
READING_S = 2


class DeliveryError(StrEnum):
    """Why an attempt got no answer."""

    TIMEOUT = "timeout"
    NOT_CONNECTED = "not_connected"
    NOT_TRUSTED = "not_trusted"
    CUT = "cut"
    HOST_UNKNOWN = "host_unknown"
    ADDRESS_REFUSED = "address_refused"
    SECRET_LOST = "secret_lost"  # noqa: S105  not a secret


class NoTarget(Exception):
    """There is no address to send to."""

    def __init__(self, trouble: DeliveryError) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of an attempt: a status with the beginning of the answer, or an error."""

    status: int | None = None
    trouble: DeliveryError | None = None
    excerpt: str = ""
    duration_ms: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has the message."""
        ok, redirects = HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES
        return self.status is not None and ok <= self.status < redirects


@cache
def trusting(ca_file: str | None) -> ssl.SSLContext:
    """Trusts the usual authorities, and those of a file; read once, as there are many of them."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class WebhookClient:
    """Sends to public addresses; `local` allows every other as well."""

    def __init__(self, *, local: bool, timeout_s: float = 10, ca_file: str | None = None) -> None:
        self.local, self.timeout_s = local, timeout_s
        self._trust = trusting(ca_file)

    async def addresses(self, url: str) -> list[str]:
        """The addresses that a URL leads to. Raises NoTarget if one of them is refused."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise NoTarget(DeliveryError.HOST_UNKNOWN) from None
        if parsed.scheme != "https" and not self.local:
            raise NoTarget(DeliveryError.ADDRESS_REFUSED)
        try:
            async with asyncio.timeout(self.timeout_s / 2):
                found = await asyncio.get_running_loop().getaddrinfo(
                    parsed.raw_host.decode(), parsed.port or parsed.scheme, type=socket.SOCK_STREAM
                )
        except (OSError, UnicodeError):
            raise NoTarget(DeliveryError.HOST_UNKNOWN) from None
        addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        if not self.local and not all(map(is_public, addresses)):
            raise NoTarget(DeliveryError.ADDRESS_REFUSED)
        return addresses

    async def send(self, url: str, headers: Mapping[str, str], body: str) -> Attempt:
        """Make one attempt; every outcome is an answer."""
        began = time.monotonic()
        answer = await self._answer(url, headers, body)
        return Attempt(
            answer.status, answer.trouble, answer.excerpt, int((time.monotonic() - began) * 1000)
        )

    async def _answer(self, url: str, headers: Mapping[str, str], body: str) -> Attempt:
        # Connections are not kept: none may be reused for another name at the same address.
        limits = httpx.Limits(max_keepalive_connections=0)
        client = httpx.AsyncClient(
            verify=self._trust, trust_env=False, limits=limits, timeout=self.timeout_s
        )
        async with client:
            try:
                async with asyncio.timeout(self.timeout_s):
                    answer = await self._post(client, url, headers, body)
            except NoTarget as none:
                return Attempt(trouble=none.trouble)
            except (TimeoutError, httpx.TimeoutException):
                return Attempt(trouble=DeliveryError.TIMEOUT)
            except httpx.ConnectError as cause:
                trusted = not _is_about_trust(cause)
                return Attempt(
                    trouble=DeliveryError.NOT_CONNECTED if trusted else DeliveryError.NOT_TRUSTED
                )
            except httpx.HTTPError:
                return Attempt(trouble=DeliveryError.CUT)
            excerpt = await _beginning(answer)
        return Attempt(answer.status_code, excerpt=excerpt)

    async def _post(
        self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str], body: str
    ) -> httpx.Response:
        addresses = await self.addresses(url)
        named = httpx.URL(url)
        for number, address in enumerate(addresses, 1):
            asked = client.build_request(
                "POST",
                named.copy_with(host=address),
                headers={
                    **headers,
                    "host": named.netloc.decode(),
                    "accept-encoding": "identity",
                },
                content=body.encode(),
                extensions={"sni_hostname": named.raw_host.decode()},
            )
            try:
                return await client.send(asked, stream=True)
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
        raise NoTarget(DeliveryError.HOST_UNKNOWN)


async def _beginning(answer: httpx.Response) -> str:
    read = b""
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(READING_S):
            async for piece in answer.aiter_raw(EXCERPT_BYTES):
                read += piece
                if len(read) >= EXCERPT_BYTES:
                    break
    await answer.aclose()
    words = read[:EXCERPT_BYTES].decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in words)


def _is_about_trust(cause: BaseException | None) -> bool:
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
