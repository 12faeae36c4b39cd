"""Token verification: a bearer JWT is checked against the configured issuer's public keys."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError

from shared.auth import (
    Principal,
    PrincipalOf,
    Role,
    TokenExpired,
    TokenMissing,
    TokenNotTrusted,
)
from shared.issuer_keys import Keys
from shared.mail_address import is_mail_address
from shared.text_safety import is_safe_text

ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")
"""Public-key signatures only: with a shared secret every verifier could also issue tokens."""
ACCESS_TOKENS = ("jwt", "at+jwt", "application/at+jwt")
"""Types of tokens that let people in (RFC 9068). The issuer signs others with the same key."""
CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""Dealer, store and staff code: what may stand in a key, and in no `*`."""
LONGEST_NAME = 200
LEEWAY_S = 10
"""Accepted difference between the issuer's clock and ours."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A verified token: with keys of this age, and valid until then (epoch seconds)."""

    principal: Principal
    fetched: float
    until: float


class TokenVerifier:
    """Turns a bearer token into a Principal, or refuses it.

    The last `remember` verified tokens are cached by their hash until they expire, or until the
    issuer's keys are fetched again: tokens of a withdrawn key become invalid.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str,
        remember: int = 4096,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._remember = remember
        self._now = now
        self._known: dict[bytes, _Known] = {}
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    async def claims(self, token: str) -> dict[str, object]:
        """The claims of a token with valid signature, issuer, audience and expiry.

        Raises: TokenExpired, TokenNotTrusted, IssuerUnavailable.
        """
        return (await self._validated(token)).claims

    async def signed_claims(self, token: str) -> dict[str, object]:
        """The claims of a token with a valid signature; nothing else is checked.

        Raises: TokenNotTrusted, IssuerUnavailable.
        """
        return (await self._decode(token)).claims

    async def principal(self, token: str) -> Principal:
        """The person whom the token names. Raises as `claims`."""
        digest = hashlib.sha256(token.encode()).digest()
        _, fetched = await self._keys.key_set()
        known = self._known.get(digest)
        if known and known.fetched == fetched and self._now() < known.until:
            return known.principal
        decoded = await self._validated(token)
        if str(decoded.header.get("typ", "JWT")).lower() not in ACCESS_TOKENS:
            raise TokenNotTrusted("header 'typ' is not that of an access token")
        claims = decoded.claims
        principal = principal_from(claims)
        self._known.pop(digest, None)
        self._known[digest] = _Known(principal, fetched, expiry_of(claims) + LEEWAY_S)
        if len(self._known) > self._remember:
            del self._known[next(iter(self._known))]
        return principal

    async def _validated(self, token: str) -> jwt.Token:
        decoded = await self._decode(token)
        try:
            self._claims.validate(decoded.claims)
        except ExpiredTokenError as error:
            raise TokenExpired from error
        except JoseError as error:
            raise TokenNotTrusted(str(error)) from error
        return decoded

    async def _decode(self, token: str) -> jwt.Token:
        keys, fetched = await self._keys.key_set()
        try:
            try:
                return jwt.decode(token, keys, list(ALGORITHMS))
            except InvalidKeyIdError:  # the issuer may have rotated its keys
                keys, _ = await self._keys.key_set(newer_than=fetched)
                return jwt.decode(token, keys, list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            raise TokenNotTrusted(str(error)) from error


def principal_from(claims: Mapping[str, object]) -> Principal:
    """The Principal in verified claims; an unknown role grants nothing."""
    roles = claims.get("roles") or ()
    if not isinstance(roles, list | tuple):
        raise TokenNotTrusted("claim 'roles' is not a list")
    if not all(isinstance(role, str) for role in roles):
        raise TokenNotTrusted("claim 'roles' holds something that is no text")
    known = frozenset(Role(role) for role in roles if role in set(Role))
    subject = _shown(claims, "sub")
    if subject is None:
        raise TokenNotTrusted("claim 'sub' is empty")
    return Principal(
        user_id=subject,
        name=_shown(claims, "name") or subject,
        dealer=_code(claims, "dealer"),
        store=_code(claims, "store"),
        staff_code=_code(claims, "staff_code"),
        roles=known,
        mail=_mail(claims),
    )


def expiry_of(claims: Mapping[str, object]) -> int:
    """When verified claims expire, in seconds since 1970. Raises TokenNotTrusted."""
    expiry = claims.get("exp")
    if not isinstance(expiry, int | float):
        raise TokenNotTrusted("claim 'exp' is not a number")
    return int(expiry)


def claims_of(principal: Principal) -> dict[str, Any]:
    """The inverse of `principal_from`: the claims that an issuer writes into the access token."""
    claims = {
        "sub": principal.user_id,
        "name": principal.name,
        "dealer": principal.dealer,
        "store": principal.store,
        "staff_code": principal.staff_code,
        "roles": [role.value for role in sorted(principal.roles)],
        "email": principal.mail,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise TokenNotTrusted(f"claim {name!r} is not text")
    return value or None


def _code(claims: Mapping[str, object], name: str) -> str | None:
    """A claim that decides what rows are seen: a plain code, never a pattern for all of them."""
    value = _text(claims, name)
    if value is not None and not CODE.fullmatch(value):
        raise TokenNotTrusted(f"claim {name!r} is no code")
    return value


def _mail(claims: Mapping[str, object]) -> str | None:
    """The address, if a mail can be sent to it: people prefill forms with it."""
    value = _text(claims, "email")
    return value if value is not None and is_mail_address(value) else None


def _shown(claims: Mapping[str, object], name: str) -> str | None:
    value = _text(claims, name)
    if value is not None and (len(value) > LONGEST_NAME or not is_safe_text(value)):
        raise TokenNotTrusted(f"claim {name!r} is no name")
    return value


def bearer_token(request: Request) -> str:
    """The token of the Authorization header. Raises TokenMissing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing
    return token.strip()


def principal_of(verifier: TokenVerifier) -> PrincipalOf:
    """How a service identifies the caller: by the bearer token."""

    async def from_bearer(request: Request) -> Principal:
        return await verifier.principal(bearer_token(request))

    return from_bearer
