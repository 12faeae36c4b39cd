"""Routes of portal and services: no address belongs to two, so their order does not matter."""

from collections.abc import Collection, Iterator
from itertools import combinations

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import PARAM_REGEX, compile_path

from portal_service.app import create_app
from portal_service.settings import PortalSettings
from tests.schema.test_openapi import SERVICES, app_of

Route = tuple[str, Collection[str]]
SAMPLES = {"str": "{}", "path": "{}/{}", "int": "7", "key": "01a2041a-abc4-72a2-80ad-b73dda59c6cf"}
"""A segment of each type, unlike any literal; braces because no address has them."""


def portal() -> FastAPI:
    return create_app(
        PortalSettings.model_validate(
            {f"{name}_url": "http://service" for name in SERVICES}
            | {"public_url": "http://portal", "oidc_issuer": "http://issuer"}
            | {"session_secret": "0123456789abcdef" * 2, "embedded": True}
            | {"mail_sender": "desk@example.jp", "database_url": "postgresql://nobody/portal"}
        )
    )


def routes_of(app: FastAPI) -> list[Route]:
    return [
        (context.path, context.methods or {"*"})
        for context in iter_route_contexts(app.routes)
        if context.path
    ]


def sample(path: str, other: str) -> str:
    """An address of `path`: its parameters take the words that stand there in `other`."""
    words = other.split("/")
    filled = []
    for number, segment in enumerate(path.split("/")):
        word = words[number] if number < len(words) else "{"
        typed = PARAM_REGEX.search(segment)
        if typed is None:
            filled.append(segment)
            continue
        name, kind = typed.groups("str")
        kind = kind.lstrip(":")
        pattern, _, _ = compile_path("/{" + name + ":" + kind + "}")
        fits = "{" not in word and pattern.match(f"/{word}")
        filled.append(word if fits else segment.replace(typed.group(), SAMPLES.get(kind, kind)))
    return "/".join(filled)


def shadowed(routes: list[Route]) -> Iterator[tuple[str, str]]:
    """Pairs of routes that both match some address."""
    for (first, one), (second, two) in combinations(routes, 2):
        if not set(one) & set(two):
            continue
        if any(
            compile_path(path)[0].match(sample(other, path))
            for path, other in ((first, second), (second, first))
        ):
            yield first, second


@pytest.mark.parametrize("name", [*SERVICES, "portal"])
def test_no_route_shadows_another(name: str) -> None:
    routes = routes_of(portal() if name == "portal" else app_of(name))
    assert len(routes) > 10
    assert list(shadowed(routes)) == []


@pytest.mark.parametrize("path", ["/operation/{kind}/{service}/{letter_id}", "/contracts/{no}"])
def test_a_route_for_any_word_is_found(path: str) -> None:
    app = portal()
    pages = APIRouter()
    pages.add_api_route(path, lambda: None, methods=["GET"])
    app.include_router(pages)
    assert list(shadowed(routes_of(app)))
