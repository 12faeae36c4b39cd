"""Public keys of the token issuer (JWKS), cached and refreshed in the background.

A slow or silent issuer must not stop requests whose keys are known: known keys are returned at
once, whatever their age, and one background task at a time fetches new ones. Only a caller whose
token names an unknown key waits for a fetch, and a caller who comes before any key is known.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.auth import IssuerUnavailable

FETCH_LIMIT_S = 2.0
"""A fetch is given up after this time, discovery included."""
LONGEST_BACKOFF = 4
"""Failures in a row double the pause this many times at most."""


class Keys(Protocol):
    """A source of the issuer's public keys."""

    async def key_set(self, *, newer_than: float | None = None) -> tuple[KeySet, float]:
        """The keys and when they were fetched; fetches again if they are not newer than that."""


class RemoteKeys:
    """The issuer's JWKS, refreshed after `keep_s`, and when a token names an unknown key.

    `url` is an address, or a function that finds it out (discovery). Attempts are at least
    `pause_s` apart, longer after failures, so forged key ids cannot flood the issuer; while no key
    is known (the issuer may be starting) they are `first_pause_s` apart.
    """

    def __init__(  # noqa: PLR0913 - every limit is an argument
        self,
        url: str | Callable[[], Awaitable[str]],
        http: httpx.AsyncClient,
        *,
        keep_s: float = 3600,
        pause_s: float = 5,
        first_pause_s: float = 1,
        limit_s: float = FETCH_LIMIT_S,
    ) -> None:
        self._url = url
        self._http = http
        self._keep_s = keep_s
        self._pause_s = pause_s
        self._first_pause_s = first_pause_s
        self._limit_s = limit_s
        self._keys: KeySet | None = None
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._failures = 0
        self._error = ""
        self._fetching: asyncio.Task[None] | None = None

    async def key_set(self, *, newer_than: float | None = None) -> tuple[KeySet, float]:
        """See `Keys`. Raises IssuerUnavailable only while no key is known."""
        unknown_key = newer_than is not None and self._fetched <= newer_than
        if self._keys is None or unknown_key:
            fetching = self._start_fetch()
            if fetching is not None:
                await asyncio.shield(fetching)
        elif time.monotonic() - self._fetched > self._keep_s:
            self._start_fetch()
        if self._keys is None:
            raise IssuerUnavailable(self._error)
        return self._keys, self._fetched

    def _start_fetch(self) -> asyncio.Task[None] | None:
        """The running fetch, or a new one; None within the pause after the last attempt."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        pause_s = self._pause_s * 2 ** min(self._failures, LONGEST_BACKOFF)
        if self._keys is None:
            pause_s = self._first_pause_s
        if time.monotonic() - self._tried < pause_s:
            return None
        self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                url = self._url if isinstance(self._url, str) else await self._url()
                answer = await self._http.get(url)
            answer.raise_for_status()
            keys = KeySet.import_key_set(answer.json())
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError) as error:
            self._failed(error)
        except (IssuerUnavailable, TimeoutError, RuntimeError) as error:
            self._failed(error)  # RuntimeError: the HTTP client was closed, the process stops
        else:
            self._keys, self._fetched, self._failures = keys, time.monotonic(), 0
        finally:
            self._tried = time.monotonic()

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._error = repr(error)
