"""Documentation API, open to everybody: what dealers' developers need at hand.

The refusals as a page to which every refusal links, and OpenAPI and AsyncAPI for dealers alone.
"""

from collections.abc import Callable, Mapping
from functools import cache
from html import escape

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import iter_route_contexts

from interchange_service.api.events import NOT_ACCEPTED, TooManyMessages
from interchange_service.dealer_docs.dealer_asyncapi import dealer_asyncapi
from interchange_service.dealer_docs.dealer_openapi import dealer_openapi
from interchange_service.rules.credentials import KeyExpired, KeyNotTrusted, KeyRevoked
from shared.auth import Role, TokenMissing, policies_by_path, public
from shared.refusals import Declared, refusals_of

router = APIRouter(prefix="/documentation", dependencies=[public()], include_in_schema=False)

DOCUMENTATION = "/api/interchange/v1/documentation"
BEFORE_READING = (TokenMissing, KeyNotTrusted, KeyRevoked, KeyExpired, TooManyMessages)
HEAD = """<!doctype html>
<html lang="ja"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>受け付けないとき / Refusals</title>
<h1>受け付けないとき / Refusals</h1>
<p><code>code</code> は変わりません。項目ごとの期待する値は <code>errors</code> にあります。
<span lang="en"><code>code</code> is stable; <code>errors</code> says what was expected of each
attribute. <a href="documentation/openapi.json">OpenAPI</a>,
<a href="documentation/asyncapi.json">AsyncAPI</a></span></p>
<dl>
"""


@router.get("")
async def read_refusals(request: Request) -> Response:
    """Every refusal, in both languages, with an anchor that is its code."""
    app: FastAPI = request.app
    return Response(refusal_page(app), media_type="text/html; charset=utf-8")


@router.get("/openapi.json")
async def read_dealer_openapi(request: Request) -> Response:
    """OpenAPI of what dealers' systems use, with the address that was asked."""
    app: FastAPI = request.app
    return _json(dealer_openapi(app.openapi()))


@router.get("/asyncapi.json")
async def read_dealer_asyncapi() -> Response:
    """AsyncAPI of what dealers' systems use."""
    return _json(dealer_asyncapi())


def documented(app: FastAPI) -> Mapping[str, Declared]:
    """Every refusal that a dealer's system may be answered, by its code: of events first."""
    found = {one.code: one for one in NOT_ACCEPTED}
    found |= {error.code: Declared.of(error) for error in BEFORE_READING}
    policies = policies_by_path(app)
    for route in iter_route_contexts(app.routes):
        named = [(method, route.path_format or "") for method in route.methods or ()]
        asked = [policy.roles or () for name in named for policy in policies.get(name, ())]
        if any(Role.DEALER_SYSTEM in roles for roles in asked):
            found = {**refusals_of(app, route), **found}
    first = [one.code for one in NOT_ACCEPTED] + [error.code for error in BEFORE_READING]
    return {code: found[code] for code in [*first, *sorted(found.keys() - set(first))]}


def links_to(app: FastAPI, public_url: str) -> Callable[[str], str]:
    """The address of a code's entry on the page; empty for a code that is not on it.

    It is a path where the installation's own address is not known.
    """

    @cache
    def codes() -> frozenset[str]:
        return frozenset(documented(app))

    def link_to(code: str) -> str:
        return f"{public_url.rstrip('/')}{DOCUMENTATION}#{code}" if code in codes() else ""

    return link_to


def refusal_page(app: FastAPI) -> str:
    """The page of refusals as HTML."""
    return HEAD + "".join(_entry(one) for one in documented(app).values()) + "</dl>\n"


def _entry(one: Declared) -> str:
    return (
        f'<dt id="{escape(one.code)}"><code>{one.status} {escape(one.code)}</code></dt>\n'
        f'<dd>{escape(one.message)}<br><span lang="en">{escape(one.english)}</span></dd>\n'
    )


def _json(document: Mapping[str, object]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
