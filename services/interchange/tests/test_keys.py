"""API keys: which are valid, until when, and who may make one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from interchange_service.app import create_app
from interchange_service.rules.credentials import WrittenKey, broker_hash
from shared.auth import Role, policies_by_path
from shared.clock import SystemClock
from shared.db import Database

from .conftest import NOW
from .interchange_api import BASE, ONE_OF_EACH, InterchangeApi, open_interchange_api
from .test_events_api import outcome_of


@pytest.fixture
async def interchange_api(database: Database) -> AsyncIterator[InterchangeApi]:
    async with open_interchange_api(database) as opened:
        yield opened


async def test_only_a_hash_of_the_secret_is_kept(interchange_api: InterchangeApi) -> None:
    key = await interchange_api.key()
    secret = key.split("_", 2)[2]
    assert len(secret) == 43
    [row] = await interchange_api.rows("SELECT key_id, secret_hash, made_by FROM api_key")
    assert key.startswith(f"mdk_{row[0]}_")
    assert (row[1], row[2]) == (WrittenKey.read(key).digest, "D01-X1")
    assert secret not in (await interchange_api.request(Role.OPERATOR, "GET", "/keys")).text


@pytest.mark.parametrize(
    "wrong",
    ["mdk_{id}_x", "mdk_{id}_", "mdk_0123456789abcdef_{secret}", "mdk_", "mdk__{secret}"],
)
async def test_a_wrong_key_is_not_let_in(interchange_api: InterchangeApi, wrong: str) -> None:
    _, key_id, secret = (await interchange_api.key()).split("_", 2)
    answer = await interchange_api.send(wrong.format(id=key_id, secret=secret))
    assert outcome_of(answer) == (401, "KEY_NOT_TRUSTED")
    assert await interchange_api.rows("SELECT * FROM quarantined") == []


@pytest.mark.rule("S5")
async def test_a_refused_key_is_named_in_the_log(interchange_api: InterchangeApi) -> None:
    _, key_id, _ = (await interchange_api.key()).split("_", 2)
    with structlog.testing.capture_logs() as lines:
        await interchange_api.send(f"mdk_{key_id}_another-secret")
    [access] = [line for line in lines if line["event"] == "access"]
    assert (access["user.id"], access["event.code"]) == (f"key {key_id}", "KEY_NOT_TRUSTED")
    assert "another-secret" not in str(lines)


async def test_a_key_ends_when_it_expires_and_when_it_is_revoked(
    interchange_api: InterchangeApi,
) -> None:
    expiring = await interchange_api.key(last_on="2025-07-16")
    revoked = await interchange_api.key()
    assert (await interchange_api.send(expiring)).status_code == 202
    key_id = WrittenKey.read(revoked).key_id
    assert (
        await interchange_api.request(Role.OPERATOR, "POST", f"/keys/{key_id}/revoke")
    ).status_code == 204
    assert outcome_of(await interchange_api.send(revoked)) == (401, "KEY_REVOKED")
    again = await interchange_api.request(Role.OPERATOR, "POST", f"/keys/{key_id}/revoke")
    assert outcome_of(again) == (409, "KEY_NO_LONGER_GOOD")
    interchange_api.clock.travel_to(datetime(2025, 7, 16, 14, 59, 59, tzinfo=UTC))
    assert (await interchange_api.send(expiring)).status_code == 202
    interchange_api.clock.travel_to(datetime(2025, 7, 16, 15, tzinfo=UTC))  # midnight in Japan
    assert outcome_of(await interchange_api.send(expiring)) == (401, "KEY_EXPIRED")
    late = {"label": "x", "last_on": "2025-07-16"}
    refused = await interchange_api.request(Role.OPERATOR, "POST", "/dealers/D01/keys", late)
    assert refused.json()["errors"][0]["field"] == "last_on"


async def test_a_rotated_key_stays_good_for_its_grace_beside_the_new_one(
    interchange_api: InterchangeApi,
) -> None:
    old = await interchange_api.key()
    path = f"/keys/{WrittenKey.read(old).key_id}/rotate"
    answer = await interchange_api.request(Role.OPERATOR, "POST", path, {"grace_hours": 2})
    new = answer.json()["key"]
    assert [(await interchange_api.send(key)).status_code for key in (old, new)] == [202, 202]
    interchange_api.clock.travel_to(NOW + timedelta(hours=2, seconds=1))
    assert outcome_of(await interchange_api.send(old)) == (401, "KEY_EXPIRED")
    assert (await interchange_api.send(new)).status_code == 202
    assert outcome_of(await interchange_api.request(Role.OPERATOR, "POST", path, {})) == (
        409,
        "KEY_NO_LONGER_GOOD",
    )


async def test_the_last_use_is_noted_once_a_minute(interchange_api: InterchangeApi) -> None:
    key = await interchange_api.key()
    noted = []
    for seconds in (0, 59, 61):
        interchange_api.clock.travel_to(NOW + timedelta(seconds=seconds))
        await interchange_api.send(key)
        [(used,)] = await interchange_api.rows("SELECT last_used_at FROM api_key")
        noted.append(round((used - NOW).total_seconds()))
    assert noted == [0, 0, 61]


async def test_a_dealer_is_added_once(interchange_api: InterchangeApi) -> None:
    order = {"dealer_id": "D03", "name": "第三販売"}
    assert (
        await interchange_api.request(Role.OPERATOR, "POST", "/dealers", order)
    ).status_code == 204
    again = await interchange_api.request(Role.OPERATOR, "POST", "/dealers", order)
    assert outcome_of(again) == (409, "DEALER_ALREADY_ADDED")
    listed = (await interchange_api.request(Role.OPERATOR, "GET", "/dealers")).json()["dealers"]
    assert [(d["dealer_id"], d["active"], d["amqp"]) for d in listed] == [
        ("D01", True, False), ("D02", True, False), ("D03", True, False),
    ]  # fmt: skip
    nobody = await interchange_api.request(
        Role.OPERATOR, "POST", "/dealers/D09/keys", {"label": "x"}
    )
    assert outcome_of(nobody) == (404, "NOT_FOUND")


def test_the_broker_knows_the_password_by_its_salted_hash() -> None:
    # The example of RabbitMQ's guide to passwords: salt 908D C60A and the password test12.
    assert broker_hash("test12", bytes.fromhex("908DC60A")) == (
        "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    )


async def nobody(_: object) -> None:
    raise AssertionError("nobody asks here")


def routes() -> list[tuple[str, str]]:
    """Every route except webhooks, which have tests of their own, and the open documentation."""
    database = Database("postgresql://nowhere/none")
    app = create_app(database, SystemClock(), nobody)  # type: ignore[arg-type]
    return sorted(
        (method, path.removeprefix(BASE))
        for method, path in policies_by_path(app)
        if path.startswith(BASE)
        and "/operations/" not in path
        and "/webhook" not in path
        and "/documentation" not in path
        and not path.endswith("openapi.json")
    )


@pytest.mark.parametrize(("method", "path"), routes())
async def test_every_role_at_every_route(
    interchange_api: InterchangeApi, method: str, path: str
) -> None:
    """Dealers' systems send, operators do everything else, all others are refused."""
    may = Role.DEALER_SYSTEM if "/events" in path else Role.OPERATOR
    where = path.format(
        dealer="D01", key_id="none", quarantined_id="0190b3c0-0000-7000-8000-000000000000"
    )
    for role in ONE_OF_EACH:
        answer = await interchange_api.request(role, method, where, {"dealer_id": "D01"})
        refused = answer.status_code == 403 and answer.json()["code"] == "ROLE_NOT_ALLOWED"
        assert refused is (role is not may), role


@pytest.mark.parametrize("path", ["", "/openapi.json", "/asyncapi.json"])
async def test_the_documentation_is_open_to_everybody(
    interchange_api: InterchangeApi, path: str
) -> None:
    answer = await interchange_api.http.get(f"/documentation{path}")
    assert answer.status_code == 200
    assert "TIME_MISSING" in answer.text or "madoguchi.ping.v1" in answer.text
