"""Who asked, and from where: the client's address, request lines, and refusals of access."""

from typing import Any

import httpx
import pytest
import structlog
from fastapi import APIRouter, Request

from shared.api import create_api
from shared.auth import Principal, Role, TokenMissing, require
from shared.client_address import client_address, networks
from shared.clock import SystemClock
from shared.db import Database
from shared.errors import Kind, Refusal
from shared.metrics import REGISTRY
from shared.refusals import refuses
from shared.service import Service

GATEWAY, INSIDE = "10.0.0.7", "10.0.0.0/8, 192.0.2.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "client"),
    [
        ("203.0.113.5", [], INSIDE, "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], INSIDE, "203.0.113.5"),  # not our proxy: a claim
        (GATEWAY, ["198.51.100.1"], "", GATEWAY),  # nothing is trusted by default
        (GATEWAY, ["198.51.100.1"], INSIDE, "198.51.100.1"),
        (GATEWAY, ["1.2.3.4, 198.51.100.1"], INSIDE, "198.51.100.1"),  # what stands before: claims
        (GATEWAY, ["1.2.3.4", "198.51.100.1"], INSIDE, "198.51.100.1"),  # the same in two headers
        (GATEWAY, ["198.51.100.1, 192.0.2.1, 10.1.1.1"], INSIDE, "198.51.100.1"),
        (GATEWAY, ["10.9.9.9"], INSIDE, "10.9.9.9"),  # only proxies: the first of them
        (GATEWAY, ["'; DROP TABLE"], INSIDE, None),
        (GATEWAY, ["198.51.100.1, \x00"], INSIDE, None),
        (GATEWAY, ["2001:DB8::0:1"], INSIDE, "2001:db8::1"),
        ("::ffff:10.0.0.7", ["198.51.100.1"], INSIDE, "198.51.100.1"),
        (None, ["198.51.100.1"], INSIDE, None),
    ],
)
def test_only_trusted_proxies_name_the_client(
    peer: str | None, forwarded: list[str], trusted: str, client: str | None
) -> None:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    scope: dict[str, Any] = {"type": "http", "headers": headers}
    scope["client"] = (peer, 1) if peer else None
    assert client_address(scope, networks(trusted)) == client


@pytest.mark.parametrize("listed", ["10.0.0.0/33", "gateway", "10.0.0.1/8"])
def test_an_unreadable_network_stops_the_start(listed: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        networks(listed)


class NotToday(Refusal):
    """A refusal of the business, and not of access."""

    code = "NOT_TODAY"
    kind = Kind.CONFLICT
    message = "今日はできません。"


router = APIRouter()


@router.get("/records/{number}", dependencies=[require(Role.HQ)])
@refuses(NotToday)
async def show_record(number: str) -> dict[str, str]:
    if number == "7":
        raise NotToday
    return {"number": number}


PERSON = Principal("e101", "山田 太郎", "D01", "S10", "E101", frozenset({Role.HQ}), "y@example.jp")


async def lines_of(who: Principal | None, path: str) -> list[dict[str, Any]]:
    """The log lines of one request, by a person or by nobody."""

    @refuses(TokenMissing)
    async def principal_of(_request: Request) -> Principal:
        if who is None:
            raise TokenMissing
        return who

    database = Database("postgresql://nobody@127.0.0.1:9/none")
    api = create_api(
        Service("example", "shared"), router,
        database=database, clock=SystemClock(), principal_of=principal_of,
    )  # fmt: skip
    api.state.trusted_proxies = networks("127.0.0.1")
    headers = {"x-forwarded-for": "198.51.100.1"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url="http://example", headers=headers
    ) as http:
        with structlog.testing.capture_logs() as lines:
            await http.get(path)
    await database.close()
    return [dict(line) for line in lines]


def refused(code: str) -> float:
    labels = {"service": "example", "code": code}
    return REGISTRY.get_sample_value("madoguchi_access_refused_total", labels) or 0


@pytest.mark.rule("S5")
async def test_a_request_line_says_who_asked_from_where_and_the_code() -> None:
    [line] = await lines_of(PERSON, "/api/example/v1/records/7")
    assert (line["actor"], line["client"], line["code"]) == (
        "D01-E101",
        "198.51.100.1",
        "NOT_TODAY",
    )
    assert line["route"].endswith("/records/{number}")
    assert "山田" not in str(line)


@pytest.mark.rule("S5")
async def test_a_refusal_of_access_has_a_line_and_is_counted() -> None:
    before = refused("ROLE_NOT_ALLOWED"), refused("TOKEN_MISSING")
    sales = Principal("e102", "鈴木", "D01", "S10", "E102", frozenset({Role.SALES}), None)
    [access, _] = await lines_of(sales, "/api/example/v1/records/1")
    assert access["event.action"] == "access-refused"
    assert (access["event.code"], access["user.id"]) == ("ROLE_NOT_ALLOWED", "D01-E102")
    assert access["client.address"] == "198.51.100.1"
    [access, _] = await lines_of(None, "/api/example/v1/records/1")
    assert (access["event.code"], access["user.id"]) == ("TOKEN_MISSING", None)
    assert refused("ROLE_NOT_ALLOWED") - before[0] == 1
    assert refused("TOKEN_MISSING") - before[1] == 1
