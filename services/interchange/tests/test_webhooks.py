"""Webhooks: a dealer's system receives each step of its own applications once, signed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from event_contracts.returns import (
    DealerNoteChanged,
    ReturnCompleted,
    ReturnRemanded,
    ReturnWithdrawn,
)
from interchange_service.models import Base
from interchange_service.rules.webhooks import RETRY_DELAYS, STATUS_NAMES, retry_delay
from returns_service.rules.return_status import Status
from shared import migrate
from shared.testing.stepwise import drain

from .webhook_receiver import Receiver, receiving
from .webhook_stack import OPERATOR, WebhookStack, changed

COMPLETED: dict[str, Any] = {
    "completed_at": datetime(2025, 7, 7, 1, 0, tzinfo=UTC),
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}
REMANDED: dict[str, Any] = {"from_level": "tfc", "to_level": "hq", "recipient_has_address": True}


async def test_the_tables_are_those_of_the_models(webhook_stack: WebhookStack) -> None:
    await migrate.check(webhook_stack.database.url, "interchange_service", Base.metadata)


def test_the_words_for_a_status_are_those_of_the_returns_service() -> None:
    assert {status.value: status.label_ja for status in Status} == STATUS_NAMES


async def test_a_step_arrives_as_a_signed_cloud_event(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    made = await webhook_stack.add(receiver.url)
    event = await webhook_stack.enter("HQ_PENDING")
    assert await webhook_stack.sender().send_due() == 1
    [seen] = receiver.seen
    message = Webhook(made["secret"]).verify(seen.body, seen.headers)
    assert message == {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": "/madoguchi/returns",
        "type": "madoguchi.return.status_changed.v1",
        "subject": "A1",
        "time": message["time"],
        "datacontenttype": "application/json",
        "data": {
            "application_id": "A1",
            "contract_no": "12345678",
            "dealer_id": "D01",
            "status": "HQ_PENDING",
            "status_japanese": "本部承認者手続中",
            "version": 1,
            "occurred_at": event.occurred_at.isoformat(),
        },
    }
    assert datetime.fromisoformat(message["time"]) == event.occurred_at
    assert seen.headers["webhook-id"] == str(event.event_id)
    assert seen.headers["content-type"].startswith("application/cloudevents+json")
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(seen.body.replace("A1", "A2"), seen.headers)


async def test_each_endpoint_hears_of_what_it_asked_for(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    async with receiving() as everything, receiving() as other_dealers:
        await webhook_stack.add(receiver.url, events=["completed", "remanded"])
        await webhook_stack.add(everything.url)
        await webhook_stack.add(other_dealers.url, OPERATOR, dealer_id="D02")
        await webhook_stack.enter("REQUESTED")
        await webhook_stack.receive(ReturnRemanded, **REMANDED)
        await webhook_stack.receive(ReturnCompleted, **COMPLETED)
        await webhook_stack.receive(ReturnWithdrawn, application_id="A2", from_status="REQUESTED")
        await webhook_stack.receive(DealerNoteChanged, note_version=1)
        await webhook_stack.sender().send_due()
        assert [received(seen) for seen in receiver.seen] == [
            ("remanded", "HQ_REMANDED", 2),
            ("completed", "COMPLETED", 3),
        ]
        assert sorted(received(seen) for seen in everything.seen) == [
            ("completed", "COMPLETED", 3),
            ("remanded", "HQ_REMANDED", 2),
            ("status_changed", "REQUESTED", 1),
            ("withdrawn", "WITHDRAWN", 1),
        ]
        assert other_dealers.seen == []


def received(seen: Any) -> tuple[str, str, int]:
    event = json.loads(seen.body)
    return event["type"].split(".")[2], event["data"]["status"], event["data"]["version"]


async def test_an_event_received_twice_is_delivered_once(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter(times=2)
    await webhook_stack.rows("DELETE FROM inbox_stream RETURNING 1")
    webhook_stack.sequences.clear()
    await webhook_stack.sender().send_due()
    assert len(receiver.seen) == 1


async def test_a_replayed_log_delivers_nothing_twice(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    await webhook_stack.add(receiver.url)
    event = await webhook_stack.enter()
    await webhook_stack.rows("DELETE FROM inbox_stream RETURNING 1")
    await webhook_stack.running.inbox.store([event])
    await drain(webhook_stack.running.worker)
    assert await webhook_stack.states() == ["scheduled"]


async def test_old_and_imported_events_are_not_delivered(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    await webhook_stack.add(receiver.url)
    now = webhook_stack.clock.now()
    await webhook_stack.enter(at=now - timedelta(hours=49))
    await webhook_stack.enter(application_id="A2", imported=True)
    assert await webhook_stack.states() == []
    await webhook_stack.enter(application_id="A3", at=now - timedelta(hours=47))
    assert await webhook_stack.states() == ["scheduled"]


async def test_no_secret_lies_open_in_any_table(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    body = {"label": "基幹", "url": receiver.url, "events": ["all"], "dealer_id": "D01"}
    first = await webhook_stack.request(OPERATOR, "POST", "/webhooks", once="k-1", json=body)
    again = await webhook_stack.request(OPERATOR, "POST", "/webhooks", once="k-1", json=body)
    assert first.json() == again.json()
    made = first.json()
    here = f"/webhooks/{made['endpoint_id']}"
    renewed = (await webhook_stack.request(OPERATOR, "POST", f"{here}/secret", version=1)).json()
    assert renewed["secret"] != made["secret"]
    await webhook_stack.enter()
    await webhook_stack.sender().send_due()
    tables = await webhook_stack.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    kept = [
        str(await webhook_stack.rows(f"SELECT {table}::text, encode(t.x, 'escape') FROM {table},"
                             f" LATERAL (SELECT {table}::text::bytea AS x) t"))
        for (table,) in tables
    ]  # fmt: skip
    sealed = await webhook_stack.rows("SELECT secret, old_secret FROM webhook_endpoint")
    for secret in (made["secret"], renewed["secret"]):
        bare = secret.removeprefix("whsec_")
        assert not any(bare in text for text in [*kept, *map(str, sealed)])
    assert "基幹" in "".join(kept)
    listed = await webhook_stack.request(OPERATOR, "GET", here)
    assert "secret" not in listed.json()


async def test_after_a_new_secret_both_sign_for_a_day(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    old = await webhook_stack.add(receiver.url)
    here = f"/webhooks/{old['endpoint_id']}"
    new = (await webhook_stack.request(OPERATOR, "POST", f"{here}/secret", version=1)).json()
    await webhook_stack.enter()
    await webhook_stack.sender().send_due()
    for secret in (old["secret"], new["secret"]):
        assert Webhook(secret).verify(receiver.seen[0].body, receiver.seen[0].headers)
    webhook_stack.clock.travel_to(webhook_stack.clock.now() + timedelta(hours=25))
    await webhook_stack.enter(application_id="A2")
    await webhook_stack.sender().send_due()
    Webhook(new["secret"]).verify(receiver.seen[1].body, receiver.seen[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old["secret"]).verify(receiver.seen[1].body, receiver.seen[1].headers)


async def test_secrets_follow_the_keys_of_the_environment(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    from cryptography.fernet import Fernet
    from pydantic import SecretStr

    made = await webhook_stack.add(receiver.url)
    old, new = (
        webhook_stack.settings.webhook_keys.get_secret_value(),
        Fernet.generate_key().decode(),
    )
    await webhook_stack.sender(webhook_keys=SecretStr(f"{new},{old}")).rotate_encryption()
    await webhook_stack.enter()
    await webhook_stack.sender(webhook_keys=SecretStr(new)).send_due()
    Webhook(made["secret"]).verify(receiver.seen[0].body, receiver.seen[0].headers)
    await webhook_stack.enter(application_id="A2")
    await webhook_stack.sender().send_due()
    [line] = await webhook_stack.deliveries(application_id="A2")
    assert (line["last_trouble"], len(receiver.seen)) == ("secret_lost", 1)


def test_the_attempts_go_on_for_three_days() -> None:
    pauses = [retry_delay(n, chance=0.0) for n in range(1, 11)]
    assert pauses == [*RETRY_DELAYS, None]
    assert timedelta(days=3) < sum(RETRY_DELAYS, timedelta()) < timedelta(days=3, hours=6)
    assert retry_delay(2, chance=1.0) == timedelta(minutes=6)


async def test_a_stopped_endpoint_hears_nothing_until_it_is_started_again(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    made = await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    here = f"/webhooks/{made['endpoint_id']}"
    stop = await webhook_stack.request(
        OPERATOR, "PUT", here, version=1, json=changed(made, active=False)
    )
    assert stop.json()["state_japanese"] == "停止中"
    await webhook_stack.enter(application_id="A2")
    assert await webhook_stack.sender().send_due() == 0
    assert await webhook_stack.states() == ["cancelled"]
    await webhook_stack.request(OPERATOR, "PUT", here, version=2, json=changed(made))
    await webhook_stack.enter(application_id="A3")
    await webhook_stack.sender().send_due()
    assert await webhook_stack.states() == ["cancelled", "delivered"]
