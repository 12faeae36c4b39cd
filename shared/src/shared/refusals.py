"""Declared refusals: every route lists the errors that it may answer with.

`@refuses(...)` goes on an endpoint, or on a dependency that refuses for all routes that use it.
Refusals that follow from a route's parameters (a token, a body, an Idempotency-Key) are declared
here. The OpenAPI document lists the codes. A response with an undeclared code is a defect: it is
logged, and with `MADOGUCHI_STRICT_REFUSALS` in the environment, as in every test, it is a crash.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

import structlog
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from shared.errors import STATUS, BodyUnreadable, FormErrors, KeyUsedForAnother, Refusal

log = structlog.get_logger()
Function = TypeVar("Function", bound=Callable[..., object])

STRICT = "MADOGUCHI_STRICT_REFUSALS"
_ATTRIBUTE = "__refuses__"
_PLACEHOLDER = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Declared:
    """A refusal as the OpenAPI document lists it."""

    code: str
    status: int
    message: str
    english: str = ""

    @classmethod
    def of(cls, error: type[Refusal]) -> Self:
        """The declaration of an error class; values in its message are left open."""
        return cls(
            error.code,
            STATUS[error.kind],
            _PLACEHOLDER.sub("…", error.message),
            error.english,
        )


def refuses(*errors: type[Refusal] | Declared) -> Callable[[Function], Function]:
    """Declare the refusals of an endpoint or a dependency."""
    found = tuple(Declared.of(one) if isinstance(one, type) else one for one in errors)

    def declare(function: Function) -> Function:
        setattr(function, _ATTRIBUTE, (*declared_on(function), *found))
        return function

    return declare


def declared_on(function: object) -> tuple[Declared, ...]:
    """The refusals declared by `@refuses` on one function."""
    found: tuple[Declared, ...] = getattr(function, _ATTRIBUTE, ())
    return found


def refusals_of(app: FastAPI, route: RouteContext) -> Mapping[str, Declared]:
    """Every refusal of a route by its code, including those of its dependencies."""
    dependant: Dependant | None = getattr(route, "dependant", None)
    found = list(_declared_in(dependant, app)) if dependant else []
    return {one.code: one for one in sorted(found, key=lambda one: (one.status, one.code))}


def undeclared(app: FastAPI, endpoint: object, code: str) -> bool:
    """Whether a route does not declare this code."""
    if not hasattr(app.state, "declared_codes"):
        app.state.declared_codes = {}
    known: dict[object, frozenset[str] | None] = app.state.declared_codes
    if endpoint not in known:
        known[endpoint] = _codes_of(app, endpoint)
    codes = known[endpoint]
    return codes is not None and code not in codes


def _codes_of(app: FastAPI, endpoint: object) -> frozenset[str] | None:
    """The codes that an endpoint declares; None for what is no route of the app."""
    for route in iter_route_contexts(app.routes):
        if getattr(route, "endpoint", None) is endpoint:
            return frozenset(refusals_of(app, route))
    return None


class UndeclaredRefusal(Exception):
    """A route refused with an undeclared code: add it to its `@refuses(...)`."""


def check_declared(app: FastAPI, endpoint: object, code: str) -> None:
    """Log a code that the route does not declare. Raises UndeclaredRefusal in tests."""
    if undeclared(app, endpoint, code):
        name = getattr(endpoint, "__qualname__", str(endpoint))
        if os.environ.get(STRICT):
            raise UndeclaredRefusal(f"{name} answers {code} without declaring it")
        log.error("refusal_undeclared", endpoint=name, code=code)


def _declared_in(dependant: Dependant, app: FastAPI) -> Iterator[Declared]:
    yield from declared_on(dependant.call)
    if getattr(dependant.call, "identifies", False):
        yield from declared_on(app.state.principal_of)
    given = (dependant.path_params, dependant.query_params, dependant.header_params)
    if any(given) or dependant.body_params:
        yield Declared.of(FormErrors)
    if dependant.body_params:
        yield Declared.of(BodyUnreadable)
    if any(field.alias.lower() == "idempotency-key" for field in dependant.header_params):
        yield Declared.of(KeyUsedForAnother)
    for part in dependant.dependencies:
        yield from _declared_in(part, app)
