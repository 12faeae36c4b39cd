"""Webhook API: who may do what, and which addresses are refused."""

from typing import Any

import pytest

from interchange_service.rules.webhook_address import is_public
from shared.auth import Role

from .webhook_receiver import Receiver, says
from .webhook_stack import HQ, OPERATOR, OTHER_HQ, WebhookStack, changed, person

HTTPS = "https://93.184.215.14/hook"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1%eth0",
        "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1", "2001::1",
        "::127.0.0.1", "3fff::1", "192.88.99.1", "168.63.129.16", "::ffff:168.63.129.16",
    ],
)  # fmt: skip
def test_what_only_our_network_reaches_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_everybody_reaches_is_public(address: str) -> None:
    assert is_public(address)


WRONG_URLS = [
    ("http://93.184.215.14/", "URL_NOT_HTTPS"),
    ("http://localhost/", "URL_NOT_HTTPS"),
    ("ftp://93.184.215.14/", "URL_NOT_HTTPS"),
    ("hook", "URL_UNREADABLE"),
    ("https://", "URL_UNREADABLE"),
    ("https://a b.example/", "URL_UNREADABLE"),
    ("https://u:p@93.184.215.14/", "URL_UNREADABLE"),
    ("https://93.184.215.14/#a", "URL_UNREADABLE"),
    ("https://例え.jp/", "URL_UNREADABLE"),
    ("https://[::1", "URL_UNREADABLE"),
    ("https://93.184.215.14:99999/", "URL_UNREADABLE"),
    ("https://93.184.215.14/" + "x" * 500, "URL_TOO_LONG"),
    ("https://127.0.0.1/", "ADDRESS_REFUSED"),
    ("https://localhost/", "ADDRESS_REFUSED"),
    ("https://2130706433/", "ADDRESS_REFUSED"),
    ("https://0x7f.1/", "ADDRESS_REFUSED"),
    ("https://169.254.169.254/latest", "ADDRESS_REFUSED"),
    ("https://[::ffff:10.0.0.1]/", "ADDRESS_REFUSED"),
    ("https://nobody.invalid/", "HOST_UNKNOWN"),
    ("https://a^b/", "HOST_UNKNOWN"),
    ("https://93.184.215.14:22/", "PORT_REFUSED"),
    ("https://93.184.215.14:0/", "PORT_REFUSED"),
    ("https://" + "x" * 70 + ".example/", "HOST_UNKNOWN"),
]


@pytest.fixture
def strict(webhook_stack: WebhookStack) -> WebhookStack:
    """The same interchange as in production: public addresses only."""
    webhook_stack.settings = webhook_stack.settings.model_copy(update={"webhook_local": False})
    return webhook_stack


async def test_an_address_that_is_not_for_us_is_refused_at_registration(
    strict: WebhookStack,
) -> None:
    for url, code in WRONG_URLS:
        body = {"label": "x", "url": url, "events": ["all"]}
        answer = await strict.request(HQ, "POST", "/webhooks", json=body)
        assert answer.status_code == 422, url
        [error] = answer.json()["errors"]
        assert (error["field"], error["code"]) == ("url", code), url
    made = await strict.add(HTTPS)
    moved = changed(made, url="https://127.0.0.1/")
    answer = await strict.request(
        HQ, "PUT", f"/webhooks/{made['endpoint_id']}", version=1, json=moved
    )
    assert answer.json()["errors"][0]["code"] == "ADDRESS_REFUSED"


async def test_an_address_that_turned_private_is_refused_at_delivery(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    """As when a public name is changed to resolve to one of our machines."""
    await webhook_stack.add(receiver.url)
    await webhook_stack.add("https://127.0.0.1:8443/hook")
    await webhook_stack.enter()
    await webhook_stack.sender(webhook_local=False).send_due()
    lines = await webhook_stack.deliveries()
    assert [line["last_trouble"] for line in lines] == ["address_refused"] * 2
    assert receiver.seen == []


SYSTEM, OTHER_SYSTEM = person(Role.DEALER_SYSTEM), person(Role.DEALER_SYSTEM, "D02")


async def test_who_sees_and_changes_which_endpoints(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    made = await webhook_stack.add(receiver.url)
    await webhook_stack.add(receiver.url, OPERATOR, dealer_id="D02")
    await webhook_stack.enter()
    [line] = await webhook_stack.deliveries()
    here, there = f"/webhooks/{made['endpoint_id']}", f"/webhook-deliveries/{line['delivery_id']}"
    for who, dealers in ((OPERATOR, ["D01", "D02"]), (HQ, ["D01"]), (OTHER_HQ, ["D02"]),
                         (SYSTEM, ["D01"]), (OTHER_SYSTEM, ["D02"])):  # fmt: skip
        listed = (await webhook_stack.request(who, "GET", "/webhooks")).json()["endpoints"]
        assert [endpoint["dealer_id"] for endpoint in listed] == dealers
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", here, {}),
        ("PUT", here, {"version": 1, "json": changed(made, label="taken")}),
        ("POST", f"{here}/secret", {"version": 1}),
        ("POST", f"{here}/ping", {}),
        ("GET", there, {}),
        ("POST", f"{there}/resend", {"version": 1}),
    ]
    for method, path, parts in asked:
        for other in (OTHER_HQ, OTHER_SYSTEM):
            answer = await webhook_stack.request(other, method, path, **parts)
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), path
        for role in set(Role) - {Role.HQ, Role.DEALER_SYSTEM, Role.OPERATOR}:
            answer = await webhook_stack.request(person(role), method, path, **parts)
            assert (answer.status_code, answer.json()["code"]) == (403, "ROLE_NOT_ALLOWED")
    assert await webhook_stack.deliveries(OTHER_HQ) == []
    for dealer, expected in (("D01", 1), ("D02", 1), ("D03", 0), (None, 0)):
        async with webhook_stack.database.transaction(dealer) as tx:
            from sqlalchemy import text

            found = (await tx.execute(text("SELECT dealer_id FROM webhook_endpoint"))).all()
            assert [row.dealer_id for row in found] == [dealer] * expected


async def test_a_headquarters_adds_for_its_own_dealer_only(webhook_stack: WebhookStack) -> None:
    made = await webhook_stack.add("http://localhost:9/", HQ, dealer_id="D02")
    assert made["dealer_id"] == "D01"
    body = {"label": "x", "url": "http://localhost:9/", "events": ["all"]}
    answer = await webhook_stack.request(OPERATOR, "POST", "/webhooks", json=body)
    assert answer.json()["errors"][0]["field"] == "dealer_id"


async def test_a_change_needs_the_version_that_the_person_saw(webhook_stack: WebhookStack) -> None:
    made = await webhook_stack.add("http://localhost:9/")
    here = f"/webhooks/{made['endpoint_id']}"
    missing = await webhook_stack.request(HQ, "PUT", here, json=changed(made))
    assert (missing.status_code, missing.json()["code"]) == (428, "VERSION_MISSING")
    renamed = changed(made, label="新しい名前", events=["completed"])
    first = await webhook_stack.request(HQ, "PUT", here, version=1, json=renamed)
    assert (first.json()["label"], first.headers["etag"]) == ("新しい名前", '"2"')
    assert first.json()["events_japanese"] == ["完了"]
    asked: list[tuple[str, str, Any]] = [("PUT", here, renamed), ("POST", f"{here}/secret", None)]
    for method, path, body in asked:
        late = await webhook_stack.request(HQ, method, path, version=1, json=body)
        assert (late.status_code, late.json()["code"]) == (412, "VERSION_CONFLICT")


async def test_a_dealer_has_no_more_than_ten_active_endpoints(webhook_stack: WebhookStack) -> None:
    made = [await webhook_stack.add("http://localhost:9/") for _ in range(10)]
    body = {"label": "x", "url": "http://localhost:9/", "events": ["all"]}
    answer = await webhook_stack.request(HQ, "POST", "/webhooks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "TOO_MANY_ENDPOINTS")
    here = f"/webhooks/{made[0]['endpoint_id']}"
    stopped = changed(made[0], active=False)
    assert (await webhook_stack.request(HQ, "PUT", here, version=1, json=stopped)).is_success
    await webhook_stack.add("http://localhost:9/")
    again = changed(made[0], active=True)
    answer = await webhook_stack.request(HQ, "PUT", here, version=2, json=again)
    assert (answer.status_code, answer.json()["code"]) == (409, "TOO_MANY_ENDPOINTS")
    other = f"/webhooks/{made[1]['endpoint_id']}"
    renamed = changed(made[1], label="renamed")
    assert (await webhook_stack.request(HQ, "PUT", other, version=1, json=renamed)).is_success


async def test_a_test_is_sent_and_listed(webhook_stack: WebhookStack, receiver: Receiver) -> None:
    made = await webhook_stack.add(receiver.url, events=["completed"])
    here = f"/webhooks/{made['endpoint_id']}"
    pinged = await webhook_stack.request(HQ, "POST", f"{here}/ping")
    assert pinged.status_code == 202
    await webhook_stack.sender().send_due()
    line = await webhook_stack.delivery(pinged.json()["delivery_id"])
    assert (line["kind_japanese"], line["state"]) == ("テスト送信", "delivered")
    assert [(s["step"], s["actor"]) for s in line["history"]] == [
        ("ping", HQ.person_id),
        ("delivered", None),
    ]
    await webhook_stack.request(HQ, "PUT", here, version=1, json=changed(made, active=False))
    refused = await webhook_stack.request(HQ, "POST", f"{here}/ping")
    assert (refused.status_code, refused.json()["code"]) == (409, "ENDPOINT_STOPPED")


async def test_what_can_be_searched_for(webhook_stack: WebhookStack, receiver: Receiver) -> None:
    first = await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    await webhook_stack.sender().send_due()
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter(application_id="A2")
    for query, expected in [
        ({}, ["A2", "A2", "A1"]),
        ({"application_id": "A1"}, ["A1"]),
        ({"state": "scheduled"}, ["A2", "A2"]),
        ({"endpoint_id": first["endpoint_id"]}, ["A2", "A1"]),
        ({"dealer_id": "D02"}, ["A2", "A2", "A1"]),
    ]:
        found = await webhook_stack.deliveries(**query)
        assert [line["application_id"] for line in found] == expected, query
    assert await webhook_stack.deliveries(OPERATOR, dealer_id="D02") == []
    page = (
        await webhook_stack.request(HQ, "GET", "/webhook-deliveries", params={"limit": 2})
    ).json()
    [rest] = await webhook_stack.deliveries(after=page["next"], limit=2)
    assert rest["application_id"] == "A1"
    for query in ({"state": "gone"}, {"application_id": "a\0b"}, {"colour": "red"}):
        answer = await webhook_stack.request(HQ, "GET", "/webhook-deliveries", params=query)
        assert answer.status_code == 422


@pytest.mark.parametrize("status", [204, 410])
async def test_a_person_may_have_a_message_sent_again(
    webhook_stack: WebhookStack, receiver: Receiver, status: int
) -> None:
    receiver.behave = lambda n: says(status if n == 1 else 200)
    made = await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    [waiting] = await webhook_stack.deliveries()
    here = f"/webhook-deliveries/{waiting['delivery_id']}/resend"
    underway = await webhook_stack.request(HQ, "POST", here, version=1)
    assert (underway.status_code, underway.json()["code"]) == (409, "DELIVERY_UNDERWAY")
    await webhook_stack.sender().send_due()
    [line] = await webhook_stack.deliveries()
    late = await webhook_stack.request(HQ, "POST", here, version=1)
    assert (late.status_code, late.json()["code"]) == (412, "VERSION_CONFLICT")
    if status == 410:
        stopped = await webhook_stack.request(HQ, "POST", here, version=line["version"])
        assert stopped.json()["code"] == line["resend"]["code"] == "ENDPOINT_STOPPED"
        again = changed(made, active=True)
        await webhook_stack.request(
            HQ, "PUT", f"/webhooks/{made['endpoint_id']}", version=2, json=again
        )
    answer = await webhook_stack.request(HQ, "POST", here, version=line["version"])
    assert (answer.status_code, answer.json()["state"]) == (200, "scheduled")
    await webhook_stack.sender().send_due()
    whole = await webhook_stack.delivery(line["delivery_id"])
    assert whole["state"] == "delivered"
    assert [(s["step"], s["actor"]) for s in whole["history"][1:]] == [
        ("resend", HQ.person_id),
        ("delivered", None),
    ]
    assert len({seen.headers["webhook-id"] for seen in receiver.seen}) == 1
