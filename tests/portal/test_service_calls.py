"""Both ways to call a service give the same answer, and the same failure."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from portal_service.service_calls import (
    CallFailed,
    LocalCalls,
    NetworkCalls,
    ServiceCalls,
    ServiceRequest,
)
from tests.portal.conftest import free_port, serving

ROOT = "/api/contracts/v1"


def service() -> FastAPI:
    """A service that answers what it was asked."""
    app = FastAPI()

    @app.api_route(ROOT + "/echo/{name}", methods=["GET", "POST"])
    async def echo(name: str, request: Request) -> Response:
        body = await request.body()
        return JSONResponse(
            {
                "name": name,
                "method": request.method,
                "query": request.query_params.multi_items(),
                "token": request.headers["authorization"],
                "body": orjson.loads(body) if body else None,
            },
            status_code=409,
            headers={"ETag": '"7"'},
        )

    @app.get(ROOT + "/slow")
    async def slow() -> Response:
        await asyncio.sleep(30)
        return Response()

    @app.get(ROOT + "/file")
    async def file() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for number in range(3):
                yield str(number).encode() * 70_000

        return StreamingResponse(parts(), media_type="text/csv")

    return app


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(lambda _url: service()) as url:
        yield url + ROOT


@pytest.fixture(params=["network", "local"])
async def calls(request: pytest.FixtureRequest, address: str) -> AsyncIterator[ServiceCalls]:
    urls = {"contracts": address}
    made: ServiceCalls = NetworkCalls(urls, 2)
    if request.param == "local":
        made = LocalCalls({"contracts": service()}, urls, 2)
    yield made
    await made.close()


def asked(method: str, path: str, query: str = "", body: Any = None) -> ServiceRequest:
    headers = {"authorization": "Bearer token", "content-type": "application/json"}
    content = None if body is None else orjson.dumps(body)
    return ServiceRequest(method, "contracts", path, headers, query, content)


async def test_method_path_query_headers_and_body_arrive_and_the_answer_comes_back(
    calls: ServiceCalls,
) -> None:
    query = "status=a&status=b&name=%E5%B1%B1%E7%94%B0+%26"
    answer = await calls.answer(asked("POST", "/echo/山田 %?#", query, {"note": "はい"}))
    assert answer.status == 409
    assert answer.headers["etag"] == '"7"'
    assert orjson.loads(answer.body) == {
        "name": "山田 %?#",
        "method": "POST",
        "query": [["status", "a"], ["status", "b"], ["name", "山田 &"]],
        "token": "Bearer token",
        "body": {"note": "はい"},
    }


async def test_a_call_without_a_body_has_none(calls: ServiceCalls) -> None:
    answer = await calls.answer(asked("GET", "/echo/x"))
    assert orjson.loads(answer.body)["body"] is None


async def test_calls_at_the_same_time_do_not_mix(calls: ServiceCalls) -> None:
    answers = await asyncio.gather(
        *(calls.answer(asked("GET", f"/echo/{number}")) for number in range(40))
    )
    assert [orjson.loads(each.body)["name"] for each in answers] == [str(n) for n in range(40)]


async def test_a_slow_answer_fails_after_the_limit(calls: ServiceCalls) -> None:
    with pytest.raises(CallFailed):
        await calls.answer(asked("GET", "/slow"))


async def test_a_file_comes_in_parts(calls: ServiceCalls) -> None:
    async with calls.stream(asked("GET", "/file")) as answer:
        parts = [part async for part in answer.parts]
    assert answer.headers["content-type"].startswith("text/csv")
    assert b"".join(parts) == b"0" * 70_000 + b"1" * 70_000 + b"2" * 70_000
    assert len(parts) > 1


async def test_a_service_that_is_away_is_a_failed_call() -> None:
    calls = NetworkCalls({"contracts": f"http://127.0.0.1:{free_port()}"}, 2)
    with pytest.raises(CallFailed):
        await calls.answer(asked("GET", "/x"))
    with pytest.raises(CallFailed):
        async with calls.stream(asked("GET", "/x")):
            pass
    await calls.close()
