"""Service token: access token of a service for calling another one (client credentials).

The token is cached until shortly before it expires; concurrent requests share one fetch.
"""

import asyncio
import time
from typing import Protocol

import httpx
from pydantic import SecretStr

SPARE_S = 30
"""A token is not used any more this long before it expires."""


class TokenUnavailable(Exception):
    """The issuer is unreachable, or rejects this client; the text says which."""


class AccessToken(Protocol):
    """The source of a caller's access token."""

    async def current(self) -> str:
        """A valid token. Raises TokenUnavailable."""
        ...

    def discard(self) -> None:
        """The token was rejected; fetch a new one next time."""
        ...


class ServiceToken:
    """The access token of one service, from the issuer's token endpoint at `url`."""

    def __init__(
        self,
        url: str,
        http: httpx.AsyncClient,
        *,
        client_id: str,
        client_secret: SecretStr,
        scope: str | None = None,
    ) -> None:
        self._url = url
        self._http = http
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._auth = (client_id, client_secret.get_secret_value())
        self._token: str | None = None
        self._ends = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> str:
        """See `AccessToken`."""
        async with self._one_at_a_time:
            if self._token is None or time.monotonic() >= self._ends:
                self._token, self._ends = await self._fetch()
            return self._token

    def discard(self) -> None:
        """See `AccessToken`."""
        self._token = None

    async def _fetch(self) -> tuple[str, float]:
        asked = time.monotonic()
        try:
            answer = await self._http.post(self._url, data=self._form, auth=self._auth)
            answer.raise_for_status()
            token = answer.json()
            return str(token["access_token"]), asked + float(token.get("expires_in", 60)) - SPARE_S
        except httpx.HTTPStatusError as refused:
            raise TokenUnavailable(
                f"the issuer answers {refused.response.status_code}"
            ) from refused
        except httpx.HTTPError as cause:
            raise TokenUnavailable(f"the issuer is out of reach: {type(cause).__name__}") from cause
        except (ValueError, KeyError, TypeError) as wrong:
            raise TokenUnavailable("the issuer's answer is no token") from wrong
