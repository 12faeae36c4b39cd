"""Text safety: refused characters in any field, defused cells, and claims of a token."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel

from shared.auth import TokenNotTrusted
from shared.http import install
from shared.request_texts import refuse_misleading_texts
from shared.text_safety import MISLEADING, defused_cell, is_safe_text
from shared.tokens import principal_from

GOOD = ["山田 太郎", "髙﨑", "👨‍👩‍👧", "葛󠄀城市", "a\u3000b", "ｶﾅ", ""]
BAD = ["\0", "a\x1bb", "\ud800", "請求\u202e書", "\u2066x", "a\u200bb", "\ufeff", "\x85", "\u2028"]


@pytest.mark.rule("D160")
@pytest.mark.parametrize("text", GOOD)
def test_what_people_write_is_safe(text: str) -> None:
    assert is_safe_text(text)


@pytest.mark.rule("D160")
@pytest.mark.parametrize("text", [*BAD, *sorted(MISLEADING), "a\nb"])
def test_what_misleads_is_not(text: str) -> None:
    assert not is_safe_text(text)
    assert is_safe_text("a\nb", also="\n")


class Line(BaseModel):
    words: str = ""


class Sheet(BaseModel):
    title: str = ""
    lines: list[Line] = []
    more: dict[str, Any] = {}


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app, router = FastAPI(), APIRouter()
    app.state.service_name = "sheets"

    @router.post("/sheets")
    async def keep(sheet: Sheet) -> Sheet:
        return sheet

    @router.get("/sheets")
    async def find(q: str = "") -> str:
        return q

    app.include_router(router, dependencies=[Depends(refuse_misleading_texts)])
    app.state.principal_of = None
    install(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sheets") as http:
        yield http


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


@pytest.mark.rule("D160")
@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{{"title": "{}"}}', "title"),
        ('{{"lines": [{{}}, {{"words": "{}"}}]}}', "lines.1.words"),
        ('{{"more": {{"deep": ["{}"]}}}}', "more.deep.0"),
    ],
)
async def test_every_field_of_a_body_is_looked_at(
    api: httpx.AsyncClient, text: str, body: str, field: str
) -> None:
    sent = body.format(escaped(text))
    answer = await api.post("/sheets", content=sent, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"] == [
        {
            "field": field,
            "code": "TEXT_UNPRINTABLE",
            "message": answer.json()["errors"][0]["message"],
        }
    ]
    if text.isascii() or "\ud800" in text:
        return
    raw = body.format(text).encode()
    assert (await api.post("/sheets", content=raw)).status_code == 422


@pytest.mark.rule("D160")
async def test_what_people_write_passes_and_a_query_is_looked_at_too(
    api: httpx.AsyncClient,
) -> None:
    for text in [*GOOD, "a\nb\tc", "\\u", "C:\\users\\b"]:
        answer = await api.post("/sheets", json={"title": text})
        assert (answer.status_code, answer.json()["title"]) == (200, text)
    assert (await api.get("/sheets", params={"q": "山田"})).status_code == 200
    refused = await api.get("/sheets", params={"q": "a\u202eb"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "q")


@pytest.mark.rule("D19")
@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"), ("＝1+1", "'＝1+1"), ("－1", "'－1"), ("−1", "'−1"), ("＠x", "'＠x"),
        ("\t=1", "'\t'=1"), ("\r=1", "'\r=1"), ("\n=1", "'\n=1"), ("\0=1", "'\0=1"),
        (" =1", "' =1"),
        ("a;=1", "a;'=1"), ('a"=1', "a\"'=1"), ("a;b", "a;b"), ("a=b", "a=b"), ("ー", "ー"),
        ("山田", "山田"), ("1200", "1200"), ("", ""),
    ],
)  # fmt: skip
def test_a_cell_never_begins_a_formula(text: str, safe: str) -> None:
    assert defused_cell(text) == safe


CLAIMS: dict[str, Any] = {"sub": "u1", "name": "山田 太郎", "dealer": "D01", "roles": ["sales"]}


@pytest.mark.rule("D161")
@pytest.mark.parametrize(
    "wrong",
    [
        {"dealer": "*"}, {"dealer": "D01\0"}, {"dealer": "D01'"}, {"dealer": "D" * 33},
        {"dealer": "Ｄ01"}, {"dealer": 1}, {"dealer": ["D01"]}, {"store": "S 10"},
        {"store": "*"}, {"staff_code": "E101; DROP"}, {"staff_code": "E\u202e1"},
        {"roles": [["sales"]]}, {"roles": "sales"}, {"roles": [None]}, {"roles": {"sales": 1}},
        {"name": "a\0b"}, {"name": "a\u202eb"}, {"name": "x" * 201}, {"name": ["x"]},
        {"sub": "x" * 201}, {"sub": "a\0"}, {"sub": ""}, {"sub": 7},
    ],
)  # fmt: skip
def test_a_claim_of_another_shape_is_not_trusted(wrong: dict[str, Any]) -> None:
    with pytest.raises(TokenNotTrusted):
        principal_from({**CLAIMS, **wrong})


@pytest.mark.rule("D161")
def test_claims_of_the_usual_shape_are_read() -> None:
    found = principal_from({**CLAIMS, "store": "S10", "email": "a..b@docomo.ne.jp"})
    assert (found.dealer, found.store, found.mail) == ("D01", "S10", "a..b@docomo.ne.jp")
    assert principal_from({**CLAIMS, "email": "no address"}).mail is None
