"""Events API: the answers to a dealer's system, and what is stored."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from interchange_service.api.documentation import links_to
from interchange_service.rules.message_checks import LARGEST_BODY
from shared.auth import Role
from shared.db import Database

from .conftest import arrival
from .interchange_api import InterchangeApi, open_interchange_api


@pytest.fixture
async def interchange_api(database: Database) -> AsyncIterator[InterchangeApi]:
    async with open_interchange_api(database) as opened:
        yield opened


def outcome_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_a_message_is_accepted_once_in_either_mode(interchange_api: InterchangeApi) -> None:
    key = await interchange_api.key()
    first = await interchange_api.send(key)
    sent = arrival()
    envelope = {name.removeprefix("ce-"): value for name, value in sent.headers.items()}
    body = {**envelope, "datacontenttype": "application/json", "data": orjson.loads(sent.body)}
    again = await interchange_api.send(
        key, content_type="application/cloudevents+json", body=orjson.dumps(body)
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == {"message_id": "m-1", "repeated": False, "ignored": []}
    assert again.json() == {"message_id": "m-1", "repeated": True, "ignored": []}
    assert await interchange_api.rows("SELECT type, dealer_id FROM outbox") == [
        ("dealer.vehicle_returned.v1", "D01")
    ]
    assert await interchange_api.rows("SELECT * FROM quarantined") == []


async def test_header_values_may_be_percent_encoded(interchange_api: InterchangeApi) -> None:
    answer = await interchange_api.send(
        await interchange_api.key(), ce={"ce-id": "%E8%BF%94%E5%8D%B4-1"}
    )
    assert answer.json() == {"message_id": "返却-1", "repeated": False, "ignored": []}


@pytest.mark.parametrize(
    ("changes", "dealer", "expected"),
    [
        ({}, "D02", (403, "ADDRESS_OF_ANOTHER")),
        ({"data": {"dealer_id": "D02"}}, "D01", (422, "PAYLOAD_OF_ANOTHER")),
        ({"ce": {"ce-type": "dealer.nothing.v1"}}, "D01", (422, "TYPE_NOT_ALLOWED")),
        ({"ce": {"ce-time": "2025-07-15T02:00:00Z"}}, "D01", (422, "TIME_AHEAD")),
        ({"body": b"x" * (LARGEST_BODY + 1)}, "D01", (413, "TOO_LARGE")),
        ({"body": b"x" * 3_000_000}, "D01", (413, "TOO_LARGE")),
    ],
)
async def test_a_refused_message_is_put_aside_with_the_reason_that_is_answered(
    interchange_api: InterchangeApi,
    changes: dict[str, object],
    dealer: str,
    expected: tuple[int, str],
) -> None:
    answer = await interchange_api.send(await interchange_api.key(), dealer, **changes)
    assert outcome_of(answer) == expected
    kept = await interchange_api.rows(
        "SELECT quarantined_id::text, dealer_id, channel, reason, length(body) <= 65536"
        " FROM quarantined"
    )
    assert kept == [(answer.json()["facts"]["quarantined_id"], "D01", "https", expected[1], True)]
    counts = (await interchange_api.request(Role.OPERATOR, "GET", "/operations/work")).json()[
        "counts"
    ]
    listed = (await interchange_api.request(Role.OPERATOR, "GET", "/quarantine")).json()["messages"]
    assert {one["key"]: one["count"] for one in counts}["quarantined"] == len(listed) == 1
    assert await interchange_api.rows("SELECT * FROM outbox") == []


async def test_an_id_with_another_content_is_a_conflict(interchange_api: InterchangeApi) -> None:
    key = await interchange_api.key()
    await interchange_api.send(key)
    answer = await interchange_api.send(key, data={"place": "第二置場"})
    assert outcome_of(answer) == (409, "MESSAGE_ID_REUSED")
    assert [error["field"] for error in answer.json()["errors"]] == ["ce-id"]


async def test_every_missing_header_is_named_at_once_as_it_is_sent(
    interchange_api: InterchangeApi,
) -> None:
    names = [f"ce-{name}" for name in ("specversion", "id", "source", "type", "time")]
    answer = await interchange_api.send(await interchange_api.key(), ce=dict.fromkeys(names))
    assert outcome_of(answer) == (422, "NOT_A_CLOUD_EVENT")
    assert [error["field"] for error in answer.json()["errors"]] == names


async def test_a_refused_key_links_to_its_entry(interchange_api: InterchangeApi) -> None:
    answer = await interchange_api.send("mdk_0_x")
    assert outcome_of(answer) == (401, "KEY_NOT_TRUSTED")
    page = "/api/interchange/v1/documentation#KEY_NOT_TRUSTED"
    assert answer.json()["documentation"] == page
    interchange_api.app.state.documentation_of = links_to(
        interchange_api.app, "https://madoguchi.example.jp/"
    )
    answer = await interchange_api.send("mdk_0_x")
    assert answer.json()["documentation"] == f"https://madoguchi.example.jp{page}"
    form = await interchange_api.send(await interchange_api.key(), content_type="text/plain")
    assert [error["field"] for error in form.json()["errors"]] == ["Content-Type"]


async def test_a_dealer_that_is_shut_out_is_refused(interchange_api: InterchangeApi) -> None:
    key = await interchange_api.key()
    await interchange_api.request(Role.OPERATOR, "POST", "/dealers/D01/deactivate")
    assert outcome_of(await interchange_api.send(key)) == (403, "SENDER_UNKNOWN")
    await interchange_api.request(Role.OPERATOR, "POST", "/dealers/D01/activate")
    assert (await interchange_api.send(key)).status_code == 202


async def test_a_key_may_send_only_so_often(database: Database) -> None:
    async with open_interchange_api(database, per_minute=2) as interchange_api:
        keys = [await interchange_api.key(), await interchange_api.key()]
        for _ in range(2):
            assert (await interchange_api.send(keys[0])).status_code == 202
        refused = await interchange_api.send(keys[0])
        assert outcome_of(refused) == (429, "TOO_MANY_MESSAGES")
        assert 0 < int(refused.headers["retry-after"]) <= 61
        assert refused.headers["ratelimit-remaining"] == "0"
        assert (await interchange_api.send(keys[1])).status_code == 202


async def test_each_answer_says_what_may_still_be_sent(interchange_api: InterchangeApi) -> None:
    key = await interchange_api.key()
    answers = [await interchange_api.send(key), await interchange_api.send(key, body=b"[")]
    assert [answer.headers["ratelimit-limit"] for answer in answers] == ["600", "600"]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["599", "598"]
    assert 0 < int(answers[0].headers["ratelimit-reset"]) <= 61


@pytest.mark.parametrize(
    ("accepted", "title", "expected"),
    [
        (None, "data の項目が正しくありません。", "0～9999999の整数"),
        ("ja, en;q=0.5", "data の項目が正しくありません。", "0～9999999の整数"),
        ("en-US,en;q=0.9,ja;q=0.8", "A field of the data is missing or has a wrong value.",
         "a whole number from 0 to 9999999"),
    ],
)  # fmt: skip
async def test_a_refusal_names_each_attribute_in_the_language_of_the_client(
    interchange_api: InterchangeApi, accepted: str | None, title: str, expected: str
) -> None:
    if accepted:
        interchange_api.http.headers["accept-language"] = accepted
    key = await interchange_api.key()
    answer = await interchange_api.send(key, data={"odometer_km": -5, "received_on": None})
    said = answer.json()
    assert said["title"] == title
    fields = {error["field"]: error["message"] for error in said["errors"]}
    assert fields.keys() == {"data.odometer_km", "data.received_on"}
    assert fields["data.odometer_km"] == expected
    assert f"data.odometer_km: {expected}" in said["facts"]["detail"]
    page = await interchange_api.http.get(f"http://x{said['documentation']}")
    assert f'id="{said["documentation"].partition("#")[2]}"' in page.text
    wrong = await interchange_api.send("mdk_0_x")
    assert wrong.headers["www-authenticate"].startswith("Bearer")
    assert ("There is no such key." in wrong.text) is title.startswith("A field")
    misdirected = await interchange_api.http.put("/dealers/D01/events")
    assert (misdirected.status_code, misdirected.headers["allow"]) == (405, "POST")
