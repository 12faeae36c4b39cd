"""Webhook delivery when the receiver, the network or the sender fails: at least once."""

import asyncio
import json
import ssl
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interchange_service.rules.webhooks import STOPPED_AFTER
from shared.notifications import WorkSignal

from .webhook_receiver import Behaviour, Receiver, cut, drip, flood, hang, receiving, says, waits
from .webhook_stack import HQ, OPERATOR, WebhookStack


async def the_one(webhook_stack: WebhookStack) -> dict[str, Any]:
    [line] = await webhook_stack.deliveries()
    return await webhook_stack.delivery(line["delivery_id"])


@pytest.mark.parametrize(
    ("behave", "status", "trouble"),
    [
        (says(500, b"out of order"), 500, None),
        (says(429), 429, None),
        (says(302, location="http://localhost:1/"), 302, None),
        (hang, None, "timeout"),
        (drip, None, "timeout"),
        (cut, None, "cut"),
    ],
    ids=["500", "429", "redirect", "slow", "dripping", "cut after the request"],
)
async def test_what_did_not_arrive_is_sent_again_under_the_same_id(
    webhook_stack: WebhookStack,
    receiver: Receiver,
    behave: Behaviour,
    status: int | None,
    trouble: str | None,
) -> None:
    receiver.behave = lambda n: behave if n == 1 else says(200, b"thanks")
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    await webhook_stack.sender(webhook_timeout_s=0.5).send_due()
    line = await the_one(webhook_stack)
    assert (line["state_japanese"], line["last_status"]) == ("再送待ち", status)
    assert line["last_trouble"] == trouble
    assert await webhook_stack.sender().send_due() == 0
    await webhook_stack.at_once()
    await webhook_stack.sender().send_due()
    line = await the_one(webhook_stack)
    assert (line["state"], line["attempts"]) == ("delivered", 2)
    first, second = receiver.seen
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert [step["step"] for step in line["history"]] == ["put_off", "delivered"]
    assert line["history"][1]["excerpt"] == "thanks"


async def test_a_receiver_that_is_down_is_waited_for(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    await webhook_stack.add(receiver.url)
    await receiver.close()
    await webhook_stack.enter()
    for _ in range(2):
        await webhook_stack.sender().send_due()
        await webhook_stack.at_once()
    assert (await the_one(webhook_stack))["last_trouble"] == "not_connected"
    await receiver.open()
    await webhook_stack.sender().send_due()
    assert len(receiver.seen) == 1
    assert await webhook_stack.states() == ["delivered"]


async def test_of_a_huge_answer_only_the_beginning_is_read(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    receiver.behave = lambda _: flood
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    await webhook_stack.sender().send_due()
    line = await the_one(webhook_stack)
    assert line["state"] == "delivered"
    assert 300 < len(line["history"][0]["excerpt"].encode()) <= 1030


async def test_after_the_last_attempt_it_has_failed(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    receiver.behave = lambda _: says(503)
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    for _ in range(12):
        await webhook_stack.sender().send_due()
        await webhook_stack.at_once()
    assert (await webhook_stack.states(), len(receiver.seen)) == (["failed"], 10)
    await webhook_stack.enter(application_id="A2")
    counts = (await webhook_stack.request(OPERATOR, "GET", "/operations/work")).json()["counts"]
    [failed] = [one for one in counts if one["key"] == "webhooks"]
    listed = await webhook_stack.deliveries(OPERATOR, **failed["filter"])
    assert failed["count"] == len(listed) == 1


async def test_410_stops_the_endpoint(webhook_stack: WebhookStack, receiver: Receiver) -> None:
    receiver.behave = lambda _: says(410)
    made = await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    await webhook_stack.enter(application_id="A2")
    await webhook_stack.sender().send_due()
    await webhook_stack.enter(application_id="A3")
    assert await webhook_stack.sender().send_due() == 0
    assert (await webhook_stack.states(), len(receiver.seen)) == (["failed", "cancelled"], 1)
    [listed] = (await webhook_stack.request(HQ, "GET", "/webhooks")).json()["endpoints"]
    assert listed["endpoint_id"] == made["endpoint_id"]
    assert listed["state_japanese"] == "停止中（受信側が 410 を返したため）"


async def test_an_endpoint_that_fails_for_days_is_stopped(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    receiver.behave = lambda n: says(200) if n == 2 else says(500)
    await webhook_stack.add(receiver.url)
    for number, days in enumerate((0, 4, 4, 3, 3)):
        webhook_stack.clock.travel_to(webhook_stack.clock.now() + timedelta(days=days))
        await webhook_stack.enter(application_id=f"A{number}")
        await webhook_stack.rows(
            "UPDATE webhook_delivery SET state = 'failed' WHERE attempts > 0 RETURNING 1"
        )
        await webhook_stack.sender().send_due()
        found = await webhook_stack.rows("SELECT stopped_because FROM webhook_endpoint")
        assert found == [("failing" if number == 4 else None,)], number
    assert timedelta(days=4) < STOPPED_AFTER < timedelta(days=6)


async def test_the_steps_of_an_application_keep_their_order(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    receiver.behave = lambda n: says(500 if n <= 2 else 200)
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter("HQ_PENDING")
    await webhook_stack.enter("REQUESTED")
    await webhook_stack.enter("HQ_PENDING", application_id="B1")
    for _ in range(3):
        await webhook_stack.sender().send_due()
        await webhook_stack.at_once()
    received = [json.loads(seen.body)["data"] for seen in receiver.seen]
    assert [d["version"] for d in received if d["application_id"] == "A1"] == [1, 1, 2]
    assert [d["application_id"] for d in received[:2]] == [
        "A1",
        "B1",
    ]  # others do not wait


async def test_one_message_that_is_never_taken_does_not_hold_the_others_for_days(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    await webhook_stack.add(receiver.url)
    first = str((await webhook_stack.enter("HQ_PENDING")).event_id)
    await webhook_stack.enter("REQUESTED")
    receiver.behave = lambda _: says(
        500 if receiver.seen[-1].headers["webhook-id"] == first else 200
    )
    for tried in (1, 1, 2):
        assert await webhook_stack.sender().send_due() == tried
        await webhook_stack.rows(
            "UPDATE webhook_delivery SET due_at = now() WHERE attempts < 3 RETURNING 1"
        )
    assert await webhook_stack.states() == ["scheduled", "delivered"]


async def test_many_senders_at_once_send_each_message_once(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    await webhook_stack.add(receiver.url)
    async with receiving() as second:
        await webhook_stack.add(second.url)
        for number in range(15):
            await webhook_stack.enter(application_id=f"A{number}")
        tried = await asyncio.gather(*(webhook_stack.sender().send_due() for _ in range(6)))
        ids = [seen.headers["webhook-id"] for seen in receiver.seen]
        assert len(ids) == len(set(ids)) == len(second.seen) == 15
        assert sum(tried) == 30
    assert set(await webhook_stack.states()) == {"delivered"}


async def test_a_slow_receiver_holds_only_some_of_the_senders_up(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    gate = asyncio.Event()
    receiver.behave = lambda _: waits(gate, says(200))
    await webhook_stack.add(receiver.url)
    async with receiving() as quick:
        for number in range(5):
            await webhook_stack.enter(application_id=f"A{number}")
        await webhook_stack.add(quick.url)
        sender = webhook_stack.sender(webhook_senders=4, webhook_timeout_s=60)
        running = asyncio.create_task(sender.run(WorkSignal()))
        try:
            async with asyncio.timeout(60):
                await until(lambda: len(receiver.seen) >= 2)
                await webhook_stack.enter(application_id="A9")
                await until(lambda: bool(quick.seen))
                gate.set()
                await until(lambda: len(receiver.seen) == 6)
        finally:
            gate.set()
            running.cancel()
            await asyncio.wait({running})
    assert receiver.most_at_once == 2
    assert set(await webhook_stack.states()) == {"delivered"}


async def until(happens: Callable[[], bool]) -> None:
    while not happens():  # noqa: ASYNC110  the receiver has no event for it
        await asyncio.sleep(0.02)


async def test_a_sender_that_was_too_slow_cannot_settle_what_another_has(
    webhook_stack: WebhookStack, receiver: Receiver
) -> None:
    gate = asyncio.Event()
    receiver.behave = lambda n: waits(gate, says(500)) if n == 1 else says(200)
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    slow = asyncio.create_task(webhook_stack.sender(webhook_timeout_s=30).send_one())
    async with asyncio.timeout(20):
        await until(lambda: bool(receiver.seen))
    await webhook_stack.at_once()
    await webhook_stack.sender().send_due()
    gate.set()
    await slow
    assert await webhook_stack.states() == ["delivered"]
    assert await webhook_stack.steps() == ["lost", "delivered"]


SENDER_PROGRAM = """
import asyncio, json, sys
from interchange_service.app import webhook_sender
from interchange_service.settings import InterchangeSettings
from shared.clock import SystemClock
from shared.db import Database
from shared.notifications import WorkSignal
settings = InterchangeSettings(**json.loads(sys.stdin.read()))
database = Database(settings.database_url.get_secret_value())
asyncio.run(webhook_sender(settings, database, SystemClock()).run(WorkSignal()))
"""


async def test_a_sender_killed_mid_delivery_loses_nothing(
    webhook_stack: WebhookStack, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.behave = lambda n: hang if n == 1 else says(200)
    await webhook_stack.add(receiver.url)
    await webhook_stack.enter()
    script = tmp_path / "webhook_sender.py"
    script.write_text(SENDER_PROGRAM)
    said = webhook_stack.settings.model_dump(mode="json") | {
        "webhook_keys": webhook_stack.settings.webhook_keys.get_secret_value(),
        "database_url": webhook_stack.settings.database_url.get_secret_value(),
        "webhook_timeout_s": 60,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(said).encode())
    process.stdin.close()
    try:
        async with asyncio.timeout(120):
            await until(lambda: bool(receiver.seen))
    finally:
        process.kill()
        await process.wait()
    assert await webhook_stack.sender().send_due() == 0  # the lease has not expired
    await webhook_stack.at_once()
    await webhook_stack.sender().send_due()
    assert await webhook_stack.states() == ["delivered"]
    first, second = receiver.seen
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert await webhook_stack.steps() == ["lost", "delivered"]


def certificate(path: Path, name: str) -> Path:
    """A certificate for a name, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    kept = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(kept + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("name", "trusted", "outcome"),
    [
        ("localhost", True, ("delivered", None)),
        ("localhost", False, ("scheduled", "not_trusted")),
        ("another.example", True, ("scheduled", "not_trusted")),
    ],
    ids=["trusted", "unknown authority", "certificate of another name"],
)
async def test_by_https_the_certificate_must_be_that_of_the_name(
    webhook_stack: WebhookStack,
    tmp_path: Path,
    name: str,
    trusted: bool,
    outcome: tuple[str, str | None],
) -> None:
    """The connection goes to an address, but the certificate must be for the name."""
    pem = certificate(tmp_path / "one.pem", name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    async with receiving(context) as receiver:
        await webhook_stack.add(f"https://localhost:{receiver.port}/hook")
        await webhook_stack.enter()
        await webhook_stack.sender(webhook_ca_file=str(pem) if trusted else None).send_due()
        line = await the_one(webhook_stack)
        assert (line["state"], line["last_trouble"]) == outcome
        assert len(receiver.seen) == (outcome[0] == "delivered")
