"""Comparison of a service's call with the same bare SQL: helpers shared by the service benches.

Both are called in turn, so that a slow minute of the machine affects both. An app is called without
a socket, so that only the app is measured.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from shared import auth, tokens
from shared.testing.static_keys import StaticKeys

ISSUER, KEY = "https://bench", ECKey.generate_key("P-256", {"kid": "bench"})
WARM_UP, ENOUGH = 5, 20
Act = Callable[[], Awaitable[object]]


async def alternate(rounds: int, *acts: Act, timeout_s: float = 60) -> list[list[float]]:
    """Seconds of each function, called one after the other in every round; first rounds warm up.

    After `timeout_s` seconds twenty rounds are enough.
    """
    seconds: list[list[float]] = [[] for _ in acts]
    started = time.perf_counter()
    for turn in range(rounds + WARM_UP):
        if len(seconds[0]) >= ENOUGH and time.perf_counter() - started > timeout_s:
            break
        for act, its in zip(acts, seconds, strict=True):
            began = time.perf_counter()
            await act()
            if turn >= WARM_UP:
                its.append(time.perf_counter() - began)
    return seconds


def p(seconds: list[float], share: float) -> float:
    """The `share` quantile in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000


def positional(statement: str, values: Mapping[str, object]) -> tuple[str, list[Any]]:
    """A statement with positional parameters, as asyncpg requires, and the values in order."""
    compiled = text(statement).compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
    return str(compiled), [values[name] for name in compiled.positiontup or ()]


def principal_of_bench() -> auth.PrincipalOf:
    """Authenticates the tokens of `token_of`."""
    keys = StaticKeys(KeySet([KEY]))
    verifier = tokens.TokenVerifier(keys, issuer=ISSUER, audience="bench")
    return tokens.principal_of(verifier)


def token_of(dealer: str) -> str:
    """A token of a headquarters user of a dealer."""
    who = auth.Principal("bench", "bench", dealer, None, "H001", frozenset({auth.Role.HQ}), None)
    claims = tokens.claims_of(who) | {"iss": ISSUER, "aud": "bench", "exp": 9_999_999_999}
    return jwt.encode({"alg": "ES256", "kid": "bench"}, claims, KEY)


async def ask(
    app: Any, method: str, path: str, token: str, query: Mapping[str, str], body: object = None
) -> tuple[int, int]:
    """Call an ASGI app; returns status and body of the response."""
    status = size = 0
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(query).encode(),
        "headers": [
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
        ],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("bench", 80),
        "client": ("bench", 1),
        "root_path": "",
    }
    sent = orjson.dumps(body) if body is not None else b""

    asked, gone = False, asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await gone.wait()  # the client stays connected until the response is complete
        asked = True
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, size
        status = message.get("status", status)
        size += len(message.get("body", b""))

    await app(scope, receive, send)
    return status, size
