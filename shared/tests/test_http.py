"""HTTP behaviour that every service shares, whatever its subject."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.api import create_api
from shared.auth import Principal, Role, RouteWithoutPolicy, public, require
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.errors import FieldError, FormErrors, Kind, Refusal
from shared.http import (
    database_of,
    etag,
    expected_version,
    idempotent,
    transaction_of,
)
from shared.malformed_requests import malformation
from shared.openapi import PROBLEM
from shared.refusals import STRICT, refuses, undeclared
from shared.service import Service


class AlreadyDecided(Refusal):
    """The decision was made before."""

    code = "ALREADY_DECIDED"
    kind = Kind.CONFLICT
    message = "すでに決定済みです。"


class Parcel(BaseModel):
    weight: int


async def writing(request: Request) -> AsyncIterator[AsyncSession]:
    async for tx in transaction_of(database_of(request), None):
        yield tx


Tx = Annotated[AsyncSession, Depends(writing, scope="function")]
router = APIRouter(dependencies=[public()])
people = APIRouter(dependencies=[require(Role.HQ)])


@router.post("/parcels", status_code=201)
async def post_parcel(
    parcel: Parcel, tx: Tx, idempotency_key: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    async def act() -> dict[str, Any]:
        row = await tx.execute(
            text("INSERT INTO parcel (weight) VALUES (:w) RETURNING id"), {"w": parcel.weight}
        )
        return {"id": row.scalar_one()}

    return await idempotent(
        tx, owner="E101", key=idempotency_key, fingerprint=parcel.model_dump_json(), act=act
    )


@router.put("/parcels/1")
@refuses(AlreadyDecided)
async def put_parcel(version: Annotated[int, Depends(expected_version)]) -> dict[str, int]:
    if version != 7:
        raise AlreadyDecided(current_version=7)
    return {"version": version}


@router.delete("/parcels/1")
async def delete_parcel() -> None:
    """Refuses without declaring it."""
    raise AlreadyDecided


@router.post("/forms")
@refuses(FormErrors)
async def post_form() -> None:
    raise FormErrors(FieldError("received_on", "FUTURE", "本日までの日付を入力してください。"))


@people.get("/people")
async def list_people() -> list[str]:
    return []


@router.get("/breaks")
async def breaks() -> None:
    raise ZeroDivisionError("secret 090-1234-5678")


@pytest.fixture
async def app(
    new_database: Callable[[str], Awaitable[str]], as_owner: Callable[[str, str], Awaitable[None]]
) -> AsyncIterator[FastAPI]:
    database = Database(await new_database("shared"))
    await as_owner(database.url, "CREATE TABLE parcel (id serial PRIMARY KEY, weight int)")

    async def nobody(_: Request) -> Principal:
        raise AssertionError("the caller is not identified here")

    whole = APIRouter()
    whole.include_router(router)
    whole.include_router(people)
    yield create_api(
        Service("parcels", "shared"),
        whole,
        database=database,
        clock=SystemClock(),
        principal_of=nobody,
    )
    await database.close()


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    base = "http://service/api/parcels/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        yield client


async def count(app: FastAPI) -> int:
    async with app.state.database.transaction(EVERY_DEALER) as tx:
        return int((await tx.execute(text("SELECT count(*) FROM parcel"))).scalar_one())


async def test_the_transaction_commits_before_the_response_is_sent(app: FastAPI) -> None:
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"weight": 3}', "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.append(await count(app))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "path": "/api/parcels/v1/parcels", "raw_path": b"/api/parcels/v1/parcels",
        "query_string": b"", "scheme": "http", "server": ("service", 80),
        "headers": [(b"content-type", b"application/json"), (b"host", b"service")],
    }  # fmt: skip
    await app(scope, receive, send)
    assert seen == [1]


async def test_a_double_click_has_one_effect(app: FastAPI, http: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    answers = await asyncio.gather(
        *(http.post("/parcels", json={"weight": 3}, headers=headers) for _ in range(5))
    )
    assert {(a.status_code, a.json()["id"]) for a in answers} == {(201, 1)}
    assert await count(app) == 1


async def test_a_used_key_with_another_request_is_refused(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    headers = {"Idempotency-Key": "k1"}
    await http.post("/parcels", json={"weight": 3}, headers=headers)
    answer = await http.post("/parcels", json={"weight": 4}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_USED")
    assert await count(app) == 1


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ('"7"', 200, None),
        ('W/"7"', 200, None),
        ('"6"', 409, "ALREADY_DECIDED"),
        (None, 428, "VERSION_MISSING"),
        ("x", 428, "VERSION_MISSING"),
        ('"９"', 428, "VERSION_MISSING"),
        ('"' + "9" * 30 + '"', 428, "VERSION_MISSING"),
    ],
)
async def test_a_change_names_the_version_it_means(
    http: httpx.AsyncClient, header: str | None, status: int, code: str | None
) -> None:
    headers = [(b"if-match", header.encode())] if header else []
    answer = await http.put("/parcels/1", headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_a_conflict_names_the_current_version(http: httpx.AsyncClient) -> None:
    answer = await http.put("/parcels/1", headers={"If-Match": '"6"'})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["facts"] == {"current_version": 7}
    assert etag(7) == {"ETag": '"7"'}


async def test_a_wrong_form_names_each_field(http: httpx.AsyncClient) -> None:
    answer = await http.post("/forms")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "received_on", "code": "FUTURE", "message": "本日までの日付を入力してください。"}
    ]


class Label(BaseModel):
    words: Annotated[str, Field(min_length=1, max_length=3)]
    copies: Annotated[int, Field(ge=1, le=9)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"copies": 1}, "入力してください。"),
        ({"words": "", "copies": 1}, "入力してください。"),
        ({"words": "四文字だ", "copies": 1}, "3文字以内で入力してください。"),
        ({"words": "三文字", "copies": 0}, "1以上で入力してください。"),
        ({"words": "三文字", "copies": 10}, "9以下で入力してください。"),
        ({"words": "三文字", "copies": "many"}, "正しい形で入力してください。"),
    ],
)
def test_a_malformed_field_has_a_japanese_message(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Label(**body)
    assert [
        malformation((), error["type"], error.get("ctx") or {}).message
        for error in refused.value.errors()
    ] == [message]


async def test_a_malformed_request_is_named_without_echoing_it(http: httpx.AsyncClient) -> None:
    answer = await http.post("/parcels", json={"weight": "090-1234"})
    assert (answer.status_code, answer.json()["code"]) == (422, "FORM_ERRORS")
    assert answer.json()["errors"][0]["field"] == "weight"
    assert "090-1234" not in answer.text


async def test_a_crash_reveals_no_details(http: httpx.AsyncClient) -> None:
    answer = await http.get("/breaks")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "090" not in answer.text


def answers(app: FastAPI, method: str, path: str) -> dict[str, set[str]]:
    """The codes of an operation by status, as its document lists them."""
    operation = app.openapi()["paths"][f"/api/parcels/v1{path}"][method]
    return {
        status: set(answer["content"][PROBLEM]["schema"]["allOf"][1]["properties"]["code"]["enum"])
        for status, answer in operation["responses"].items()
        if not status.startswith("2")
    }


def test_the_document_lists_the_codes_of_a_route_and_of_what_it_depends_on(app: FastAPI) -> None:
    assert answers(app, "put", "/parcels/1") == {
        "409": {"ALREADY_DECIDED"},
        "412": {"VERSION_CONFLICT"},
        "422": {"FORM_ERRORS"},
        "428": {"VERSION_MISSING"},
    }
    assert answers(app, "post", "/parcels") == {
        "422": {"BODY_UNREADABLE", "FORM_ERRORS", "IDEMPOTENCY_KEY_USED"}
    }
    assert answers(app, "get", "/people") == {
        "401": {"TOKEN_EXPIRED", "TOKEN_MISSING", "TOKEN_NOT_TRUSTED"},
        "403": {"ROLE_NOT_ALLOWED"},
        "422": {"FORM_ERRORS"},
        "503": {"ISSUER_OUT_OF_REACH"},
    }
    example = app.openapi()["components"]["examples"]["ALREADY_DECIDED"]["value"]
    assert (example["status"], example["title"]) == (409, "すでに決定済みです。")


async def test_a_refusal_that_the_route_does_not_declare_is_a_crash(
    http: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for strict, status, code in (("", 409, "ALREADY_DECIDED"), ("1", 500, "INTERNAL")):
        monkeypatch.setenv(STRICT, strict)
        answer = await http.delete("/parcels/1")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert undeclared(app, delete_parcel, "ALREADY_DECIDED")
    assert not undeclared(app, put_parcel, "ALREADY_DECIDED")


async def test_an_answer_carries_request_id_and_trace(http: httpx.AsyncClient) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await http.post("/forms", headers={"X-Request-Id": "r1", "traceparent": trace})
    assert answer.headers["x-request-id"] == "r1"
    assert answer.headers["traceparent"].split("-")[1] == "0af7651916cd43dd8448eb211c80319c"


async def test_a_route_that_names_no_policy_stops_the_start(app: FastAPI) -> None:
    bare = APIRouter()

    @bare.get("/open")
    async def open_to_whom() -> None: ...

    with pytest.raises(RouteWithoutPolicy, match="/api/parcels/v1/open"):
        create_api(
            Service("parcels", "shared"),
            bare,
            database=app.state.database,
            clock=SystemClock(),
            principal_of=app.state.principal_of,
        )
    assert require(Role.HQ) is not None


async def test_probes_report_the_state(app: FastAPI, http: httpx.AsyncClient) -> None:
    root = "http://service"
    assert (await http.get(f"{root}/livez")).status_code == 200
    assert (await http.get(f"{root}/readyz")).json() == {"database": True}
    assert "madoguchi_inbox_processed" in (await http.get(f"{root}/metrics")).text
