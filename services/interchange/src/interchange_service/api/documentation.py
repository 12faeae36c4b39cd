"""Documentation API, open to everybody: what dealers' developers need at hand.

The refusals as a page to which every refusal links, and OpenAPI and AsyncAPI for dealers alone.
"""

from collections.abc import Mapping
from html import escape

import orjson
from fastapi import APIRouter, FastAPI, Request, Response

from interchange_service.api.events import NOT_ACCEPTED, TooManyMessages
from interchange_service.dealer_docs.dealer_asyncapi import dealer_asyncapi
from interchange_service.dealer_docs.dealer_openapi import dealer_openapi
from interchange_service.rules.credentials import KeyExpired, KeyNotTrusted, KeyRevoked
from interchange_service.rules.message_checks import ENGLISH
from shared.auth import TokenMissing, public
from shared.refusals import Declared

router = APIRouter(prefix="/documentation", dependencies=[public()], include_in_schema=False)

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
async def read_refusals() -> Response:
    """Every refusal, in both languages, with an anchor that is its code."""
    return Response(refusal_page(), media_type="text/html; charset=utf-8")


@router.get("/openapi.json")
async def read_dealer_openapi(request: Request) -> Response:
    """OpenAPI of what dealers' systems use, with the address that was asked."""
    app: FastAPI = request.app
    return _json(dealer_openapi(app.openapi()))


@router.get("/asyncapi.json")
async def read_dealer_asyncapi() -> Response:
    """AsyncAPI of what dealers' systems use."""
    return _json(dealer_asyncapi())


def refusal_page() -> str:
    """The page of refusals as HTML."""
    english: dict[str, str] = {reason.value: words for reason, words in ENGLISH.items()}
    english |= {error.code: error.english for error in BEFORE_READING}
    declared = (*NOT_ACCEPTED, *(Declared.of(error) for error in BEFORE_READING))
    return HEAD + "".join(_entry(one, english[one.code]) for one in declared) + "</dl>\n"


def _entry(one: Declared, english: str) -> str:
    return (
        f'<dt id="{escape(one.code)}"><code>{one.status} {escape(one.code)}</code></dt>\n'
        f'<dd>{escape(one.message)}<br><span lang="en">{escape(english)}</span></dd>\n'
    )


def _json(document: Mapping[str, object]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
