"""Who is asking, and may this person knock at this door?

A service trusts a request for one reason only: a bearer JWT signed by the issuer that its
settings name. The token says who the person is (`Principal`); what a role may knock at is said on
the route itself, with `require(...)` or `public()`, and `assert_every_route_has_a_policy` stops a
process that has a route without either. Whether this person may do this to that record stays with
the rules.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from shared.errors import Kind, Refusal

ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")
"""Only public-key signatures: with a shared secret every reader could also write tokens."""


class Role(StrEnum):
    """What a person is in this product; one person may be several."""

    SALES = "sales"
    MANAGER = "manager"
    HQ = "hq"
    TFC = "tfc"
    EMPLOYEE = "employee"
    EXPENSE_APPROVER = "expense_approver"
    EXPENSE_ADMIN = "expense_admin"
    OPERATOR = "operator"
    SERVICE = "service"

    @property
    def japanese(self) -> str:
        """The role in the words of the screens."""
        return ROLE_TITLES[self]


ROLE_TITLES: Mapping[Role, str] = {
    Role.SALES: "営業スタッフ",
    Role.MANAGER: "店長",
    Role.HQ: "本部担当者",
    Role.TFC: "TFC",
    Role.EMPLOYEE: "社員",
    Role.EXPENSE_APPROVER: "経費承認者",
    Role.EXPENSE_ADMIN: "経費管理者",
    Role.OPERATOR: "システム運用者",
    Role.SERVICE: "サービス間連携",
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The person behind a request; dealer, store and staff code are None outside dealers."""

    user_id: str
    name: str
    dealer: str | None
    store: str | None
    staff_code: str | None
    roles: frozenset[Role]
    mail: str | None

    @property
    def person_id(self) -> str:
        """Who this is in our own records, whatever the issuer calls the account: D01-E101."""
        return f"{self.dealer or 'TFC'}-{self.staff_code or self.user_id}"

    def has(self, *roles: Role) -> bool:
        """True if the person has at least one of the roles."""
        return not self.roles.isdisjoint(roles)


class AccessRefused(Refusal):
    """A request that is not let in; the reason given is for the log and never shown."""

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.args = (reason or self.message,)


class TokenMissing(AccessRefused):
    """No bearer token came with the request."""

    code = "TOKEN_MISSING"
    kind = Kind.UNAUTHENTICATED
    message = "ログインが必要です。"


class TokenExpired(AccessRefused):
    """The token was good once."""

    code = "TOKEN_EXPIRED"
    kind = Kind.UNAUTHENTICATED
    message = "ログインの有効期限が切れました。もう一度ログインしてください。"


class TokenNotTrusted(AccessRefused):
    """Wrong signature, issuer, audience or shape: nothing in the token is believed."""

    code = "TOKEN_NOT_TRUSTED"
    kind = Kind.UNAUTHENTICATED
    message = "ログイン情報を確認できませんでした。もう一度ログインしてください。"


class RoleNotAllowed(AccessRefused):
    """The person is known, and the route is not for any of their roles (D1: 403)."""

    code = "ROLE_NOT_ALLOWED"
    kind = Kind.FORBIDDEN
    message = "この操作を行う権限がありません。"


class IssuerOutOfReach(AccessRefused):
    """The issuer's keys cannot be fetched: nobody can be recognised for the moment."""

    code = "ISSUER_OUT_OF_REACH"
    kind = Kind.UNAVAILABLE
    message = "ログインの確認ができません。しばらくしてからもう一度お試しください。"


class Keys(Protocol):
    """Where a verifier finds the issuer's public keys."""

    async def key_set(self, *, newer_than: float | None = None) -> tuple[KeySet, float]:
        """The keys, and when they were fetched; fetch again if they are not newer than that."""


class StaticKeys:
    """Keys that are known beforehand (tests, or an issuer in the same process)."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def key_set(self, *, newer_than: float | None = None) -> tuple[KeySet, float]:  # noqa: ARG002
        """The same keys always."""
        return self._keys, 0.0


class RemoteKeys:
    """The issuer's JWKS, kept for `keep_s`, asked again at once when a token names a new key.

    `url` is an address, or a function that finds it out (discovery). Forged key ids must not become
    a flood towards the issuer: between two fetches pass at least `pause_s`.
    """

    def __init__(
        self,
        url: str | Callable[[], Awaitable[str]],
        http: httpx.AsyncClient,
        *,
        keep_s: float = 3600,
        pause_s: float = 5,
    ) -> None:
        self._url = url
        self._http = http
        self._keep_s = keep_s
        self._pause_s = pause_s
        self._keys: KeySet | None = None
        self._fetched = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def key_set(self, *, newer_than: float | None = None) -> tuple[KeySet, float]:
        """See `Keys`. Raises IssuerOutOfReach only if there are no keys at all to fall back on."""
        async with self._one_at_a_time:
            age_s = time.monotonic() - self._fetched
            asked_for_newer = newer_than is not None and self._fetched <= newer_than
            if (
                self._keys is None
                or age_s > self._keep_s
                or (asked_for_newer and age_s > self._pause_s)
            ):
                await self._fetch()
            assert self._keys is not None
            return self._keys, self._fetched

    async def _fetch(self) -> None:
        try:
            url = self._url if isinstance(self._url, str) else await self._url()
            answer = await self._http.get(url)
            answer.raise_for_status()
            keys = KeySet.import_key_set(answer.json())
        except (httpx.HTTPError, JoseError, ValueError, KeyError) as error:
            if self._keys is None:
                raise IssuerOutOfReach(str(error)) from error
            return  # old keys are better than nobody being let in; the next request tries again
        self._keys, self._fetched = keys, time.monotonic()


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was verified: with keys of this age, and good until then (epoch seconds)."""

    principal: Principal
    fetched: float
    until: float


class TokenVerifier:
    """Turns a bearer token into a Principal, or refuses it.

    The last `remember` tokens that were verified are known again (by their hash) until they
    expire, or until the issuer's keys are fetched anew: a withdrawn key opens nothing.
    """

    def __init__(
        self, keys: Keys, *, issuer: str, audience: str, leeway_s: int = 10, remember: int = 4096
    ) -> None:
        self._keys = keys
        self._leeway_s = leeway_s
        self._remember = remember
        self._known: dict[bytes, _Known] = {}
        self._claims = jwt.JWTClaimsRegistry(
            leeway=leeway_s,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    async def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature, issuer, audience and expiry hold.

        Raises: TokenExpired, TokenNotTrusted, IssuerOutOfReach.
        """
        decoded = await self._decode(token)
        try:
            self._claims.validate(decoded.claims)
        except ExpiredTokenError as error:
            raise TokenExpired from error
        except JoseError as error:
            raise TokenNotTrusted(str(error)) from error
        return decoded.claims

    async def principal(self, token: str) -> Principal:
        """The person whom the token names. Raises as `claims`."""
        digest = hashlib.sha256(token.encode()).digest()
        _, fetched = await self._keys.key_set()
        known = self._known.get(digest)
        if known and known.fetched == fetched and time.time() < known.until:
            return known.principal
        claims = await self.claims(token)
        principal = principal_from(claims)
        self._known.pop(digest, None)
        self._known[digest] = _Known(principal, fetched, claims["exp"] + self._leeway_s)
        if len(self._known) > self._remember:
            del self._known[next(iter(self._known))]
        return principal

    async def _decode(self, token: str) -> jwt.Token:
        keys, fetched = await self._keys.key_set()
        try:
            try:
                return jwt.decode(token, keys, list(ALGORITHMS))
            except InvalidKeyIdError:  # perhaps the issuer has a new key since we asked
                keys, _ = await self._keys.key_set(newer_than=fetched)
                return jwt.decode(token, keys, list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            raise TokenNotTrusted(str(error)) from error


def principal_from(claims: Mapping[str, Any]) -> Principal:
    """The Principal in verified claims; a role that this product does not know grants nothing."""
    roles = claims.get("roles") or ()
    if not isinstance(roles, list | tuple):
        raise TokenNotTrusted("claim 'roles' is not a list")
    known = frozenset(Role(role) for role in roles if role in set(Role))
    return Principal(
        user_id=str(claims["sub"]),
        name=str(claims.get("name") or claims["sub"]),
        dealer=_text(claims, "dealer"),
        store=_text(claims, "store"),
        staff_code=_text(claims, "staff_code"),
        roles=known,
        mail=_text(claims, "email"),
    )


def claims_of(principal: Principal) -> dict[str, Any]:
    """The inverse of `principal_from`: what an issuer writes into the access token."""
    claims = {
        "sub": principal.user_id,
        "name": principal.name,
        "dealer": principal.dealer,
        "store": principal.store,
        "staff_code": principal.staff_code,
        "roles": sorted(principal.roles),
        "email": principal.mail,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise TokenNotTrusted(f"claim {name!r} is not text")
    return value or None


PrincipalOf = Callable[[Request], Awaitable[Principal]]


def bearer_token(request: Request) -> str:
    """The token of the Authorization header. Raises TokenMissing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing
    return token.strip()


def principal_of(verifier: TokenVerifier) -> PrincipalOf:
    """How a service recognises the person behind a request: by the bearer token."""

    async def from_bearer(request: Request) -> Principal:
        return await verifier.principal(bearer_token(request))

    return from_bearer


def recognise(app: FastAPI, by: PrincipalOf) -> None:
    """Tell the app how its `require(...)` finds the person: a bearer token, or a cookie."""
    app.state.principal_of = by


@dataclass(frozen=True)
class Policy:
    """What a route asks of the person before it runs; `roles=None` lets everybody in unasked."""

    roles: frozenset[Role] | None

    def admits(self, principal: Principal | None) -> bool:
        """Whether this person would be let in; no roles at all: anybody who is signed in."""
        if self.roles is None:
            return True
        return principal is not None and (not self.roles or principal.has(*self.roles))

    async def __call__(self, request: Request) -> Principal | None:
        """The dependency itself. Raises TokenMissing and kin, RoleNotAllowed."""
        if self.roles is None:
            return None
        if getattr(request.state, "principal", None) is None:
            request.state.principal = await request.app.state.principal_of(request)
        principal: Principal = request.state.principal
        if not self.admits(principal):
            raise RoleNotAllowed(f"{principal.user_id} has {sorted(principal.roles)}")
        return principal


def require(*roles: Role) -> Any:
    """The route is for people with one of these roles (none named: for anybody signed in).

    Either `dependencies=[require(Role.HQ)]` or `who: Annotated[Principal, require(Role.HQ)]`.
    """
    return Depends(Policy(frozenset(roles)))


def public() -> Any:
    """The route is for everybody, signed in or not: `dependencies=[public()]`."""
    return Depends(Policy(None))


class RouteWithoutPolicy(Exception):
    """A route that nobody thought about: it names neither `require(...)` nor `public()`."""


def policies_by_path(app: FastAPI) -> dict[tuple[str, str], list[Policy]]:
    """(method, path) → the policies that the route declares, of every route of the app."""
    found: dict[tuple[str, str], list[Policy]] = {}
    for context in iter_route_contexts(app.routes):
        dependant: Dependant | None = getattr(context, "dependant", None)
        policies = list(_policies_in(dependant)) if dependant else []
        for method in sorted(context.methods or {"*"}):
            found[method, context.path or ""] = policies
    return found


def assert_every_route_has_a_policy(app: FastAPI, *, public_paths: Collection[str] = ()) -> None:
    """Refuse to start with an undeclared route; `public_paths` names mounts and plain routes.

    Raises: RouteWithoutPolicy, naming every such route.
    """
    bare = [
        f"{method} {path}"
        for (method, path), policies in policies_by_path(app).items()
        if not policies and path not in public_paths
    ]
    if bare:
        raise RouteWithoutPolicy(
            "say who may use it, with require(...) or public(): " + ", ".join(sorted(bare))
        )


def _policies_in(dependant: Dependant) -> Iterator[Policy]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Policy):
            yield dependency.call
        yield from _policies_in(dependency)
