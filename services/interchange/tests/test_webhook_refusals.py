"""Refusals of the webhook API as a dealer's developer reads them: language, fields, a link."""

from typing import Any

import pytest

from interchange_service.api.documentation import documented
from shared.auth import Role
from shared.testing.people import bearer

from .webhook_stack import WebhookStack, changed, person

SYSTEM = person(Role.DEALER_SYSTEM)
GOOD = {"label": "DMS", "url": "http://localhost:9/", "events": ["all"]}
WRONG: list[tuple[dict[str, Any], str, str, str]] = [
    ({"events": ["step"]}, "events.0",
     "one of status_changed, completed, remanded, withdrawn, all",
     "status_changed, completed, remanded, withdrawn, all のいずれかを指定してください。"),
    ({"events": []}, "events", "at least 1", "1件以上を指定してください。"),
    ({"events": "all"}, "events", "an array", "正しい形で入力してください。"),
    ({"label": None}, "label", "text", "正しい形で入力してください。"),
    ({"label": ""}, "label", "required", "入力してください。"),
    ({"label": "x" * 101}, "label", "at most 100 characters", "100文字以内で入力してください。"),
    ({"url": "http://dms.example.jp/"}, "url", "a URL that begins with https://",
     "https:// で始まる URL を入力してください。"),
    ({"url": "https://nobody.invalid/"}, "url", "a host name that has an address",
     "このホスト名のアドレスが見つかりません。"),
    ({"url": "https://10.0.0.1/"}, "url",
     "an address on the public Internet, not of a private network or of this machine",
     "社内や自分自身を指すアドレスには送信できません。"),
]  # fmt: skip


@pytest.fixture
def strict(webhook_stack: WebhookStack) -> WebhookStack:
    """The same interchange as in production: public addresses only."""
    webhook_stack.settings = webhook_stack.settings.model_copy(update={"webhook_local": False})
    return webhook_stack


@pytest.mark.parametrize(("change", "field", "english", "japanese"), WRONG)
async def test_a_wrong_field_is_named_with_what_was_expected(
    strict: WebhookStack, change: dict[str, Any], field: str, english: str, japanese: str
) -> None:
    for language, title, words in (
        ("en", "The request has a wrong value; errors names each field.", english),
        ("ja", "入力内容に誤りがあります。", japanese),
    ):
        answer = await strict.request(
            SYSTEM, "POST", "/webhooks", json=GOOD | change, language=language
        )
        problem = answer.json()
        assert (answer.status_code, problem["title"]) == (422, title)
        assert [(one["field"], one["message"]) for one in problem["errors"]] == [(field, words)]
        assert problem["documentation"].endswith("/documentation#FORM_ERRORS")


@pytest.mark.parametrize(
    ("body", "sent_as", "expected"),
    [
        (b'{"label": }', "application/json", "JSON, which this is not"),
        (b'{"label": ', "application/json", "JSON, which this is not"),
        (b"[]", "application/json", "a JSON object, with Content-Type: application/json"),
        (b"{}", "text/plain", "a JSON object, with Content-Type: application/json"),
    ],
)
async def test_a_body_that_cannot_be_read_is_called_the_body(
    webhook_stack: WebhookStack, body: bytes, sent_as: str, expected: str
) -> None:
    headers = {**bearer(SYSTEM), "accept-language": "en", "content-type": sent_as}
    async with webhook_stack.http() as http:
        answer = await http.post("/webhooks", content=body, headers=headers)
    [error] = answer.json()["errors"]
    assert (error["field"], error["message"]) == ("body", expected)


async def test_every_other_refusal_is_english_too_and_links_to_its_entry(
    webhook_stack: WebhookStack,
) -> None:
    made = await webhook_stack.add("http://localhost:9/", SYSTEM)
    here = f"/webhooks/{made['endpoint_id']}"
    stopped = changed(made, active=False)
    await webhook_stack.request(SYSTEM, "PUT", here, version=1, json=stopped)
    nowhere = "/webhooks/00000000-0000-0000-0000-000000000000"
    asked: list[tuple[str, str, dict[str, Any], str]] = [
        ("PUT", here, {"json": stopped}, "VERSION_MISSING"),
        ("PUT", here, {"json": stopped, "version": 1}, "VERSION_CONFLICT"),
        ("POST", f"{here}/ping", {}, "ENDPOINT_STOPPED"),
        ("GET", nowhere, {}, "NOT_FOUND"),
        ("GET", "/no-such-address", {}, "NOT_FOUND"),
    ]
    page = (await webhook_stack.request(SYSTEM, "GET", "/documentation")).text
    for method, path, parts, code in asked:
        answer = await webhook_stack.request(SYSTEM, method, path, language="en", **parts)
        problem = answer.json()
        assert problem["code"] == code
        assert problem["title"].isascii(), problem
        assert problem["documentation"] == f"/api/interchange/v1/documentation#{code}"
        assert f'id="{code}"' in page


async def test_every_refusal_that_a_system_may_read_has_english_words(
    webhook_stack: WebhookStack,
) -> None:
    found = documented(webhook_stack.app())
    assert {"TOO_MANY_ENDPOINTS", "KEY_REVOKED", "TIME_AHEAD", "DELIVERY_UNDERWAY"} <= found.keys()
    japanese = [code for code, one in found.items() if not (one.english and one.english.isascii())]
    assert japanese == []


async def test_a_method_that_is_not_allowed_is_refused_in_both_languages(
    webhook_stack: WebhookStack,
) -> None:
    titles = {"en": "Method Not Allowed", "ja": "この宛先では使えないメソッドです。"}
    for language, title in titles.items():
        answer = await webhook_stack.request(SYSTEM, "DELETE", "/webhooks", language=language)
        assert (answer.status_code, answer.json()["title"]) == (405, title)
