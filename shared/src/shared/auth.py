"""Authenticates the caller and enforces each route's role policy.

A request is trusted only for a bearer JWT signed by the issuer that the settings name (tokens.py).
The token identifies the person (`Principal`). Each route declares which roles may call it, with
`require(...)` or `public()`; `assert_every_route_has_a_policy` stops a process that has a route
without either. Whether this person may do this to that record is decided by the rules.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass

from fastapi import FastAPI, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from shared import roles
from shared.errors import Kind, Refusal
from shared.path_keys import without_types
from shared.refusals import Declared

Role = roles.Role


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
        """Our own id of this person, independent of the issuer's account: D01-E101."""
        return f"{self.dealer or 'TFC'}-{self.staff_code or self.user_id}"

    def has(self, *roles: Role) -> bool:
        """True if the person has at least one of the roles."""
        return not self.roles.isdisjoint(roles)


class AccessRefused(Refusal):
    """Access is refused; the reason is logged and never shown."""

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.args = (reason or self.message,)


class TokenMissing(AccessRefused):
    """The request carries no bearer token."""

    code = "TOKEN_MISSING"
    kind = Kind.UNAUTHENTICATED
    message = "ログインが必要です。"
    english = "Send Authorization: Bearer with a key or a token."


class TokenExpired(AccessRefused):
    """The token has expired."""

    code = "TOKEN_EXPIRED"
    kind = Kind.UNAUTHENTICATED
    message = "ログインの有効期限が切れました。もう一度ログインしてください。"
    english = "The token has expired."


class TokenNotTrusted(AccessRefused):
    """Wrong signature, issuer, audience or shape: no claim of the token is used."""

    code = "TOKEN_NOT_TRUSTED"
    kind = Kind.UNAUTHENTICATED
    message = "ログイン情報を確認できませんでした。もう一度ログインしてください。"
    english = "The token cannot be verified."


class RoleNotAllowed(AccessRefused):
    """The person is known, but has none of the route's roles (D1: 403)."""

    code = "ROLE_NOT_ALLOWED"
    kind = Kind.FORBIDDEN
    message = "この操作を行う権限がありません。"
    english = "This key or person may not do this."


class StaffDeactivated(AccessRefused):
    """The token is valid, but its owner no longer works for the dealer (C4)."""

    code = "STAFF_DEACTIVATED"
    kind = Kind.FORBIDDEN
    message = "退職または利用停止の登録があるため、ご利用いただけません。"
    english = "This person was reported as having left, or as no longer admitted."


class IssuerUnavailable(AccessRefused):
    """The issuer's keys cannot be fetched, so that no token can be verified for now."""

    code = "ISSUER_OUT_OF_REACH"
    kind = Kind.UNAVAILABLE
    message = "ログインの確認ができません。しばらくしてからもう一度お試しください。"
    english = "Tokens cannot be verified at the moment; try again later."


SIGN_IN_REFUSALS: tuple[type[Refusal], ...] = (
    *(TokenMissing, TokenExpired, TokenNotTrusted, IssuerUnavailable),
)
PrincipalOf = Callable[[Request], Awaitable[Principal]]


def install_authentication(app: FastAPI, by: PrincipalOf) -> None:
    """Set how the app's `require(...)` identifies the caller: by bearer token or by cookie."""
    app.state.principal_of = by


@dataclass(frozen=True)
class Policy:
    """The roles that a route requires; `roles=None` makes it public."""

    roles: frozenset[Role] | None

    @property
    def identifies(self) -> bool:
        """Whether the caller is identified."""
        return self.roles is not None

    @property
    def __refuses__(self) -> tuple[Declared, ...]:
        """The refusals it may raise, besides those that `principal_of` declares."""
        if self.roles is None:
            return ()
        found = SIGN_IN_REFUSALS if not self.roles else (*SIGN_IN_REFUSALS, RoleNotAllowed)
        return tuple(Declared.of(one) for one in found)

    def admits(self, principal: Principal | None) -> bool:
        """Whether this caller is admitted; an empty set of roles admits everybody signed in."""
        if self.roles is None:
            return True
        return principal is not None and (not self.roles or principal.has(*self.roles))

    async def __call__(self, request: Request) -> Principal | None:
        """The dependency. Raises TokenMissing and its siblings, and RoleNotAllowed."""
        if self.roles is None:
            return None
        if getattr(request.state, "principal", None) is None:
            request.state.principal = await request.app.state.principal_of(request)
        principal: Principal = request.state.principal
        if not self.admits(principal):
            raise RoleNotAllowed(f"{principal.user_id} has {sorted(principal.roles)}")
        return principal


def require(*roles: Role) -> params.Depends:
    """Restrict a route to people with one of these roles (none given: everybody signed in).

    Either `dependencies=[require(Role.HQ)]` or `who: Annotated[Principal, require(Role.HQ)]`.
    """
    return params.Depends(Policy(frozenset(roles)))


def public() -> params.Depends:
    """Open a route to everybody, signed in or not: `dependencies=[public()]`."""
    return params.Depends(Policy(None))


class RouteWithoutPolicy(Exception):
    """A route declares neither `require(...)` nor `public()`."""


def policies_by_path(app: FastAPI) -> dict[tuple[str, str], list[Policy]]:
    """(method, path) → the policies declared by each route of the app."""
    found: dict[tuple[str, str], list[Policy]] = {}
    for context in iter_route_contexts(app.routes):
        dependant: Dependant | None = getattr(context, "dependant", None)
        policies = list(_policies_in(dependant)) if dependant else []
        for method in sorted(context.methods or {"*"}):
            found[method, without_types(context.path or "")] = policies
    return found


def assert_every_route_has_a_policy(app: FastAPI, *, public_paths: Collection[str] = ()) -> None:
    """Refuse to start with an undeclared route; `public_paths` lists mounts and plain routes.

    Raises: RouteWithoutPolicy, naming every such route.
    """
    bare = [
        f"{method} {path}"
        for (method, path), policies in policies_by_path(app).items()
        if not policies and path not in public_paths
    ]
    if bare:
        raise RouteWithoutPolicy(
            "declare who may call it, with require(...) or public(): " + ", ".join(sorted(bare))
        )


def _policies_in(dependant: Dependant) -> Iterator[Policy]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Policy):
            yield dependency.call
        yield from _policies_in(dependency)
