"""Who gets in at every operation, and that no hostile token does at any.

Made from the routes of all services. access.json is the matrix as it was decided. A role that gets
in somewhere else is a decision: delete the service there, run this, and read what it wrote.
"""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey

from shared.auth import Principal, Role, policies_by_path
from shared.clock import SystemClock
from shared.db import Database
from shared.testing.people import AUDIENCE, ISSUER, KEY, SATO, YEAR_2286, bearer, verifier
from shared.tokens import claims_of, principal_of
from tests.schema.test_openapi import SERVICES

MATRIX = Path(__file__).parent / "access.json"
ANYBODY, SIGNED_IN = "anybody", "signed in"
"""Who needs no token; and a person without any role."""
STORES = {Role.SALES: "S10", Role.MANAGER: "S10"}
DEALERS = {Role.SALES, Role.MANAGER, Role.HQ}
NewDatabase = Callable[[str], Awaitable[str]]
Operation = tuple[str, str]


def caller(role: Role | None) -> Principal:
    dealer = "D01" if role is None or role in DEALERS else None
    code = "E900" if dealer else None
    roles = frozenset({role} if role else ())
    store = STORES.get(role) if role else None
    return Principal(f"{role}-1", "試験 太郎", dealer, store, code, roles, None)


@asynccontextmanager
async def opened(
    service: str, new_database: NewDatabase
) -> AsyncIterator[tuple[list[Operation], httpx.AsyncClient]]:
    """A service on an empty database, and every operation that it has."""
    database = Database(await new_database(f"{service}_service"))
    package = import_module(f"{service}_service.app")
    app = package.create_app(database, SystemClock(), principal_of(verifier()))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{service}") as http:
        yield sorted((method, path) for method, path in policies_by_path(app)), http
    await database.close()


async def answer(
    http: httpx.AsyncClient, operation: Operation, headers: Mapping[str, str]
) -> httpx.Response:
    """What an operation says to a request with neither body nor version."""
    method, path = operation
    return await http.request(method, re.sub(r"\{[^}]+\}", "x", path), headers=headers)


async def gets_in(http: httpx.AsyncClient, operation: Operation, who: Principal | None) -> bool:
    """Whether it asks for more than a role; what it does with nothing else is fuzzed elsewhere."""
    said = await answer(http, operation, bearer(who) if who else {})
    if said.status_code == 401:
        return False
    return said.status_code != 403 or said.json()["code"] != "ROLE_NOT_ALLOWED"


async def who_gets_in(http: httpx.AsyncClient, operation: Operation) -> list[str]:
    if await gets_in(http, operation, None):
        return [ANYBODY]
    if await gets_in(http, operation, caller(None)):
        return [SIGNED_IN]
    return [role.value for role in Role if await gets_in(http, operation, caller(role))]


@pytest.mark.parametrize("service", SERVICES)
async def test_the_matrix_of_roles_and_operations_is_as_decided(
    new_database: NewDatabase, service: str
) -> None:
    decided = json.loads(MATRIX.read_text(encoding="utf-8")) if MATRIX.exists() else {}
    async with opened(service, new_database) as (operations, http):
        found = {" ".join(one): await who_gets_in(http, one) for one in operations}
    if service not in decided:
        text = json.dumps({**decided, service: found}, ensure_ascii=False, indent=1, sort_keys=True)
        MATRIX.write_text(text + "\n", encoding="utf-8")
    assert found == decided.get(service, "written now: read it")


CLAIMS: dict[str, dict[str, Any]] = {
    "every dealer": {"dealer": "*"},
    "a dealer with a NUL": {"dealer": "D01\0"},
    "a dealer with a quote": {"dealer": "D01' OR '1'='1"},
    "a dealer with a space": {"dealer": "D01 "},
    "a long dealer": {"dealer": "D" * 33},
    "two dealers": {"dealer": ["D01", "D02"]},
    "a dealer by number": {"dealer": 1},
    "every store": {"store": "*"},
    "a store with a NUL": {"store": "S10\0"},
    "stores as an object": {"store": {"S10": True}},
    "every person": {"staff_code": "*"},
    "a code with a line break": {"staff_code": "E101\n"},
    "roles within roles": {"roles": [["hq"]]},
    "roles as an object": {"roles": {"hq": True}},
    "a role by number": {"roles": [1]},
    "nobody": {"sub": ""},
    "nobody by number": {"sub": 1},
    "a name that turns the text": {"name": "\u202e太郎"},
    "a name with a NUL": {"name": "太郎\0"},
    "a long name": {"name": "名" * 10_000},
    "another issuer": {"iss": "https://login.example.test.evil.example"},
    "another audience": {"aud": "others"},
    "no audience": {"aud": []},
    "expired": {"exp": 1},
    "never expires": {"exp": None},
    "expires as text": {"exp": "9999999999"},
    "not yet": {"nbf": YEAR_2286},
}
HEADERS: dict[str, dict[str, Any]] = {
    "a token to sign out": {"typ": "logout+jwt"},
    "an unknown extension": {"crit": ["x"], "x": True},
    "a key that it brings along": {"kid": "mine", "jwk": KEY.as_dict(private=False)},
}


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: ECKey = KEY) -> str:
    """A token with any header and claims, rightly signed with a key."""
    parts = (json.dumps(dict(part)).encode() for part in (header, claims))
    written = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    private = cast("ec.EllipticCurvePrivateKey", key.private_key)
    r, s = decode_dss_signature(private.sign(written, ec.ECDSA(hashes.SHA256())))
    signature = urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=")
    return f"{written.decode()}.{signature.decode()}"


def hmac_signed(claims: Mapping[str, Any]) -> str:
    """Signed by what everybody knows, if only the verifier let the token choose how."""
    parts = (json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "test"}, dict(claims)))
    written = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    digest = hmac.digest(KEY.as_pem(private=False), written, "sha256")
    return f"{written.decode()}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def hostile_tokens() -> Iterator[tuple[str, str]]:
    """Each hostile token, by what is wrong with it."""
    usual = {"alg": "ES256", "kid": "test"}
    good = claims_of(SATO) | {"iss": ISSUER, "aud": AUDIENCE, "exp": YEAR_2286}
    for name, changed in CLAIMS.items():
        claims = {key: value for key, value in {**good, **changed}.items() if value is not None}
        yield name, signed(usual, claims)
    for name, changed in HEADERS.items():
        yield name, signed({**usual, **changed}, good)
    yield "another key of the same name", signed(usual, good, ECKey.generate_key("P-256"))
    _, body, signature = signed(usual, good).split(".")
    none = "eyJhbGciOiJub25lIn0"
    yield "unsigned", f"{none}.{body}."
    yield "unsigned, with a signature", f"{none}.{body}.{signature}"
    yield "signed with the public key", hmac_signed(good)
    yield "no signature", f"{signed(usual, good).rpartition('.')[0]}."
    yield "nonsense", "x.y.z"


@pytest.mark.parametrize("service", SERVICES)
async def test_no_hostile_token_gets_in_anywhere(new_database: NewDatabase, service: str) -> None:
    tokens = dict(hostile_tokens())
    async with opened(service, new_database) as (operations, http):
        closed = [one for one in operations if not await gets_in(http, one, None)]
        assert closed
        assert (await answer(http, closed[0], bearer(SATO))).status_code != 401, "a good one does"
        let_in = []
        for operation in closed:
            for name, token in tokens.items():
                said = await answer(http, operation, {"authorization": f"Bearer {token}"})
                if said.status_code != 401 or "problem+json" not in said.headers["content-type"]:
                    let_in.append((name, *operation, said.status_code))
    assert let_in == []
