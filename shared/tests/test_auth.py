"""Token verification: only valid tokens of our issuer are accepted, also while it is down."""

import asyncio
import base64
import contextlib
import hmac
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from shared.auth import (
    AccessRefused,
    IssuerUnavailable,
    Principal,
    Role,
    TokenExpired,
    TokenNotTrusted,
)
from shared.issuer_keys import RemoteKeys
from shared.testing.static_keys import StaticKeys
from shared.tokens import (
    LEEWAY_S,
    TokenVerifier,
    claims_of,
    principal_from,
)

ISSUER = "https://login.example.test"
AUDIENCE = "madoguchi"
KEY = ECKey.generate_key("P-256", {"kid": "one"})
SATO = Principal(
    "m100", "佐藤 和子", "D01", "S10", "M100", frozenset({Role.MANAGER}), "sato@d01.example"
)
YAMADA = Principal("e101", "山田 太郎", "D01", "S10", "E101", frozenset({Role.SALES}), None)


def token(
    *,
    key: Any = KEY,
    alg: str = "ES256",
    expires_in_s: int = 36_000,
    without: str = "",
    **claims: Any,
) -> str:
    body = {
        **claims_of(SATO),
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": int(time.time()) + expires_in_s,
        **claims,
    }
    body.pop(without, None)
    return jwt.encode({"alg": alg, "kid": key.kid}, body, key, [alg])


def verifier(*keys: Any) -> TokenVerifier:
    return TokenVerifier(StaticKeys(KeySet(list(keys) or [KEY])), issuer=ISSUER, audience=AUDIENCE)


async def test_a_signed_token_names_the_person() -> None:
    assert await verifier().principal(token()) == SATO


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
async def test_rsa_issuers_are_understood_too(alg: str) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa"})
    assert (await verifier(key).principal(token(key=key, alg=alg))).user_id == "m100"


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (token(expires_in_s=-60), TokenExpired),
        (token(without="exp"), TokenNotTrusted),
        (token(without="sub"), TokenNotTrusted),
        (token(without="aud"), TokenNotTrusted),
        (token(iss="https://other.example.test"), TokenNotTrusted),
        (token(aud="another product"), TokenNotTrusted),
        (token(roles="manager"), TokenNotTrusted),
        (token(dealer=7), TokenNotTrusted),
        (token(key=ECKey.generate_key("P-256", {"kid": "one"})), TokenNotTrusted),
        (token(key=ECKey.generate_key("P-256", {"kid": "two"})), TokenNotTrusted),
        (token()[:-8] + "AAAAAAAA", TokenNotTrusted),
        ("not.a.token", TokenNotTrusted),
        ("", TokenNotTrusted),
    ],
    ids=[
        "expired", "no expiry", "no subject", "no audience", "other issuer", "other audience",
        "roles not a list", "dealer not text", "other key, same id", "unknown key", "cut signature",
        "no token", "nothing",
    ],
)  # fmt: skip
async def test_invalid_tokens_are_refused(bad: str, error: type[AccessRefused]) -> None:
    with pytest.raises(error):
        await verifier().principal(bad)


async def test_a_secret_made_of_the_public_key_signs_nothing() -> None:
    def part(raw: bytes) -> bytes:
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    claims = {**claims_of(SATO), "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 60}
    signed = part(b'{"alg":"HS256","kid":"one"}') + b"." + part(json.dumps(claims).encode())
    mac = hmac.digest(KEY.as_pem(private=False), signed, "sha256")
    forged = (signed + b"." + part(mac)).decode()
    with pytest.raises(TokenNotTrusted):
        await verifier().principal(forged)


class Counting(StaticKeys):
    """Keys with a settable time of fetching."""

    fetched = 1.0

    async def key_set(self, *, newer_than: float | None = None) -> tuple[KeySet, float]:
        keys, _ = await super().key_set(newer_than=newer_than)
        return keys, self.fetched

    def withdraw(self) -> None:
        self._keys, self.fetched = KeySet([ECKey.generate_key("P-256", {"kid": "one"})]), 2.0


async def test_a_cached_token_ends_with_its_key() -> None:
    keys = Counting(KeySet([KEY]))
    checks = TokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE)
    known = token()
    assert await checks.principal(known) is await checks.principal(known)
    keys.withdraw()
    with pytest.raises(TokenNotTrusted):
        await checks.principal(known)


async def test_a_cached_token_ends_at_its_expiry() -> None:
    clock = [1_800_000_000.0]
    known = token(exp=int(clock[0]) + 600)
    checks = TokenVerifier(
        StaticKeys(KeySet([KEY])), issuer=ISSUER, audience=AUDIENCE, now=lambda: clock[0]
    )
    first = await checks.principal(known)
    clock[0] += 600
    assert await checks.principal(known) is first
    clock[0] += LEEWAY_S + 1
    with pytest.raises(TokenExpired):
        await checks.principal(known)


async def test_the_token_cache_is_bounded() -> None:
    checks = TokenVerifier(StaticKeys(KeySet([KEY])), issuer=ISSUER, audience=AUDIENCE, remember=2)
    first = token()
    kept = await checks.principal(first)
    for _ in range(2):
        await checks.principal(token())
    assert await checks.principal(first) == kept
    assert await checks.principal(first) is not kept


def test_an_unknown_role_grants_nothing() -> None:
    assert principal_from({"sub": "x", "roles": ["manager", "emperor"]}).roles == {Role.MANAGER}


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        thread.join()


class Jwks:
    """An issuer's key endpoint that counts its requests."""

    def __init__(self) -> None:
        self.keys: list[Any] = [KEY]
        self.asked = 0
        self.broken = False
        self.app = FastAPI()
        self.app.get("/jwks")(self.answer)

    def answer(self) -> Any:
        self.asked += 1
        if self.broken:
            return JSONResponse({}, 500)
        return KeySet(self.keys).as_dict(private=False)


async def test_keys_are_fetched_once_and_again_only_for_a_new_key() -> None:
    jwks = Jwks()
    new_key = ECKey.generate_key("P-256", {"kid": "new"})
    with serving(jwks.app) as url:
        async with httpx.AsyncClient(timeout=60) as http:
            keys = RemoteKeys(f"{url}/jwks", http, pause_s=0)
            checks = TokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE)
            for _ in range(3):
                await checks.principal(token())
            assert jwks.asked == 1
            jwks.keys.append(new_key)
            await checks.principal(token(key=new_key))
            assert jwks.asked == 2


async def test_forged_key_ids_do_not_flood_the_issuer() -> None:
    jwks = Jwks()
    forged = token(key=ECKey.generate_key("P-256", {"kid": "forged"}))
    with serving(jwks.app) as url:
        async with httpx.AsyncClient(timeout=60) as http:
            keys = RemoteKeys(f"{url}/jwks", http, pause_s=60)
            checks = TokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE)
            for _ in range(5):
                with pytest.raises(TokenNotTrusted):
                    await checks.principal(forged)
    assert jwks.asked == 1


async def test_without_an_issuer_no_token_is_accepted_but_cached_keys_still_serve() -> None:
    jwks = Jwks()
    async with httpx.AsyncClient(timeout=60) as http:
        with serving(jwks.app) as url:
            known = RemoteKeys(f"{url}/jwks", http, keep_s=0)
            await known.key_set()
        keys, _ = await known.key_set()
        assert keys.keys[0].kid == "one"
        with pytest.raises(IssuerUnavailable):
            await RemoteKeys(f"{url}/jwks", http).key_set()


class HangingIssuer:
    """An issuer that accepts connections and never answers."""

    def __init__(self) -> None:
        self.connections = 0
        self.asked = asyncio.Event()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        release = asyncio.Event()

        async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            self.asked.set()
            await release.wait()
            writer.close()

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
            release.set()


@contextlib.asynccontextmanager
async def keys_known_then_hanging(**limits: float) -> AsyncIterator[tuple[RemoteKeys, Any]]:
    """Keys fetched once; from then on their address is that of an issuer that never answers."""
    jwks, issuer = Jwks(), HangingIssuer()
    async with issuer.serving() as hanging, httpx.AsyncClient(timeout=None) as http:
        with serving(jwks.app) as url:
            address = [f"{url}/jwks"]

            async def found() -> str:
                return address[0]

            keys = RemoteKeys(found, http, limit_s=3600, **limits)
            await keys.key_set()
        address[0] = hanging
        yield keys, issuer


async def test_known_keys_serve_at_once_while_the_issuer_hangs() -> None:
    async with keys_known_then_hanging(keep_s=0, pause_s=0) as (keys, issuer), asyncio.timeout(60):
        checks = TokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE)
        people = await asyncio.gather(*(checks.principal(token()) for _ in range(6)))
        await issuer.asked.wait()
        assert (await checks.principal(token())).user_id == people[0].user_id == "m100"
        assert issuer.connections == 1


async def test_a_forged_key_id_delays_nobody_while_the_issuer_hangs() -> None:
    forged = token(key=ECKey.generate_key("P-256", {"kid": "forged"}))
    async with keys_known_then_hanging(pause_s=0) as (keys, issuer), asyncio.timeout(60):
        checks = TokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE)
        waiting = [asyncio.create_task(checks.principal(forged)) for _ in range(3)]
        await issuer.asked.wait()
        assert (await checks.principal(token())).user_id == "m100"
        assert not any(task.done() for task in waiting)
        assert issuer.connections == 1
        for task in waiting:
            task.cancel()


async def test_a_hanging_issuer_is_given_up_after_the_limit() -> None:
    async with HangingIssuer().serving() as hanging, httpx.AsyncClient(timeout=None) as http:
        async with asyncio.timeout(60):
            with pytest.raises(IssuerUnavailable, match="Timeout"):
                await RemoteKeys(hanging, http, limit_s=0.1).key_set()


async def test_a_failed_fetch_is_remembered_and_repeated_after_the_pause() -> None:
    jwks = Jwks()
    jwks.broken = True
    with serving(jwks.app) as url:
        async with httpx.AsyncClient(timeout=60) as http:
            patient = RemoteKeys(f"{url}/jwks", http, first_pause_s=3600, pause_s=3600)
            for _ in range(5):
                with pytest.raises(IssuerUnavailable, match="500"):
                    await patient.key_set()
            assert jwks.asked == 1
            eager = RemoteKeys(f"{url}/jwks", http, first_pause_s=0)
            with pytest.raises(IssuerUnavailable):
                await eager.key_set()
            jwks.broken = False
            keys, _ = await eager.key_set()
            assert keys.keys[0].kid == "one"
