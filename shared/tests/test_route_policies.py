"""Route policies: every route names whom it lets in, and no one else gets in."""

import time
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.auth import (
    AccessRefused,
    Policy,
    Principal,
    Role,
    RoleNotAllowed,
    RouteWithoutPolicy,
    TokenMissing,
    assert_every_route_has_a_policy,
    install_authentication,
    policies_by_path,
    public,
    require,
)
from shared.testing.static_keys import StaticKeys
from shared.tokens import TokenVerifier, claims_of, principal_of

KEY = ECKey.generate_key("P-256", {"kid": "one"})
VERIFIER = TokenVerifier(StaticKeys(KeySet([KEY])), issuer="https://login.test", audience="us")
SATO = Principal("m100", "佐藤 和子", "D01", "S10", "M100", frozenset({Role.MANAGER}), None)
YAMADA = Principal("e101", "山田 太郎", "D01", "S10", "E101", frozenset({Role.SALES}), None)


def token(who: Principal) -> str:
    claims = {"iss": "https://login.test", "aud": "us", "exp": int(time.time()) + 36_000}
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims_of(who) | claims, KEY, ["ES256"])


def guarded_app() -> FastAPI:
    app = FastAPI(openapi_url=None)
    install_authentication(app, principal_of(VERIFIER))
    managers = APIRouter(prefix="/managers", dependencies=[require(Role.MANAGER, Role.HQ)])

    @app.get("/open", dependencies=[public()])
    def read_open() -> str:
        return "open"

    @app.get("/me")
    def read_me(who: Annotated[Principal, require()]) -> str:
        return who.name

    @managers.get("/room")
    def read_room() -> str:
        return "room"

    app.include_router(managers)

    @app.exception_handler(AccessRefused)
    def refused(_request: Request, error: AccessRefused) -> JSONResponse:
        status = {"unauthenticated": 401, "forbidden": 403}[error.kind]
        return JSONResponse({"code": error.code}, status)

    return app


@pytest.mark.parametrize(
    ("path", "who", "answer"),
    [
        ("/open", None, (200, "open")),
        ("/me", None, (401, {"code": TokenMissing.code})),
        ("/me", SATO, (200, "佐藤 和子")),
        ("/managers/room", None, (401, {"code": TokenMissing.code})),
        ("/managers/room", YAMADA, (403, {"code": RoleNotAllowed.code})),
        ("/managers/room", SATO, (200, "room")),
    ],
)
@pytest.mark.rule("D1")
async def test_a_route_lets_in_whom_it_names(
    path: str, who: Principal | None, answer: tuple[int, Any]
) -> None:
    transport = httpx.ASGITransport(guarded_app())
    headers = {"authorization": f"Bearer {token(who)}"} if who else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        reply = await http.get(path, headers=headers)
    assert (reply.status_code, reply.json()) == answer


def test_every_route_names_a_policy_also_inside_a_router() -> None:
    app = guarded_app()
    assert_every_route_has_a_policy(app)
    assert policies_by_path(app)["GET", "/managers/room"] == [
        Policy(frozenset({Role.MANAGER, Role.HQ}))
    ]


def test_a_route_without_a_policy_stops_the_start() -> None:
    app = guarded_app()
    undeclared = APIRouter()
    undeclared.post("/undeclared")(lambda: "no policy")
    app.include_router(undeclared, prefix="/deep")
    with pytest.raises(RouteWithoutPolicy, match="POST /deep/undeclared"):
        assert_every_route_has_a_policy(app)


def test_a_mount_must_be_named_as_public() -> None:
    app = guarded_app()
    app.mount("/files", FastAPI(openapi_url=None))
    with pytest.raises(RouteWithoutPolicy, match="/files"):
        assert_every_route_has_a_policy(app)
    assert_every_route_has_a_policy(app, public_paths={"/files"})
