"""Operator API of a service with a poisoned event."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.contract import NoteSaved
from shared import metrics
from shared.api import create_api
from shared.auth import Principal, Role
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope, to_headers
from shared.event_batch import BATCH_HEADERS, to_batch
from shared.inbox import Inbox
from shared.service import Service
from shared.testing.stepwise import drain
from shared.trace_context import new_id
from shared.worker import Delivery, Worker

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def note(contract_no: str, sequence: int) -> Envelope:
    event = NoteSaved(dealer_id="D01", contract_no=contract_no, note_version=sequence, length=1)
    return Envelope(
        event_id=new_id(),
        source="/contracts",
        type=NoteSaved.wire_type,
        aggregate_type="contract",
        aggregate_id=contract_no,
        sequence=sequence,
        dealer_id="D01",
        occurred_at=NOW,
        payload=event.model_dump_json().encode(),
    )


@dataclass
class Operated:
    """A service that fails on contract A while `poisoned`, and an operator's client."""

    database: Database
    http: httpx.AsyncClient
    role: Role = Role.OPERATOR
    poisoned: bool = True

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.database, "returns")

    async def handle(self, event: NoteSaved, _: Delivery, tx: AsyncSession) -> None:
        if self.poisoned and event.contract_no == "A":
            raise ValueError("a 100% poisoned event")
        await tx.execute(text("INSERT INTO effect VALUES (:c)"), {"c": event.contract_no})

    async def settle(self) -> None:
        handlers = {NoteSaved.wire_type: self.handle}
        worker = Worker(self.database, "returns", handlers, SystemClock(), attempts=1, pause=0.0)
        await drain(worker)

    async def effects(self) -> list[str]:
        async with self.database.transaction(EVERY_DEALER) as tx:
            return list((await tx.execute(text("SELECT c FROM effect ORDER BY c"))).scalars())

    async def items(self, what: str) -> list[dict[str, object]]:
        answer = await self.http.get(f"/{what}")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


@pytest.fixture
async def operated(
    new_database: Callable[[str], Awaitable[str]], as_owner: Callable[[str, str], Awaitable[None]]
) -> AsyncIterator[Operated]:
    database = Database(await new_database("shared"))
    await as_owner(database.url, "CREATE TABLE effect (c text)")

    async def who(_: Request) -> Principal:
        return Principal("O001", "運用", None, None, "O001", frozenset({made.role}), None)

    service = Service("returns", "shared")
    app = create_api(service, APIRouter(), database=database, clock=SystemClock(), principal_of=who)
    base = "http://service/api/returns/v1/operations"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as http:
        made = Operated(database, http)
        yield made
    await database.close()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
async def test_nobody_but_an_operator_sees_or_does_anything(operated: Operated, role: Role) -> None:
    operated.role = role
    one = new_id()
    for path in (
        "/work", "/dead-letters", f"/dead-letters/{one}", "/refused", f"/refused/{one}", "/lag",
    ):  # fmt: skip
        assert (await operated.http.get(path)).status_code == 403
    for path in (
        "/dead-letters/replay", f"/dead-letters/{one}/replay", f"/dead-letters/{one}/skip",
        f"/refused/{one}/replay", f"/refused/{one}/skip",
    ):  # fmt: skip
        assert (await operated.http.post(path, json={})).status_code == 403


async def test_a_dead_letter_is_seen_with_its_cause_and_replayed(operated: Operated) -> None:
    await operated.inbox.store([note("A", 1), note("A", 2), note("B", 1)])
    await operated.settle()
    [dead] = await operated.items("dead-letters")
    assert (dead["type"], dead["sequence"], dead["blocked"]) == (NoteSaved.wire_type, 1, 1)
    assert "poisoned" in str(dead["cause"])
    one = (await operated.http.get(f"/dead-letters/{dead['id']}")).json()
    assert '"contract_no":"A"' in one["payload"]
    operated.poisoned = False
    again = await operated.http.post(f"/dead-letters/{dead['id']}/replay")
    assert again.json() == {"replayed": 1}
    await operated.settle()
    assert await operated.effects() == ["A", "A", "B"]
    gone = await operated.http.post(f"/dead-letters/{dead['id']}/replay")
    assert (gone.status_code, gone.json()["code"]) == (409, "ALREADY_SEEN_TO")
    assert (await operated.http.get(f"/dead-letters/{dead['id']}")).status_code == 404


async def test_the_work_is_as_long_as_its_lists(operated: Operated) -> None:
    async def work() -> dict[str, int]:
        answer = (await operated.http.get("/work")).json()["counts"]
        return {one["key"]: one["count"] for one in answer}

    assert await work() == {"dead": 0, "refused": 0}
    await operated.inbox.store([note("A", 1), note("A", 2), note("B", 1)])
    await operated.settle()
    for _ in range(2):
        await operated.inbox.refuse("the body is not JSON", "contract", {}, b"{")
    assert await work() == {"dead": 1, "refused": 2}
    [dead], [first, _] = await operated.items("dead-letters"), await operated.items("refused")
    for path in (f"/dead-letters/{dead['id']}/skip", f"/refused/{first['id']}/skip"):
        assert (await operated.http.post(path, json={"reason": "確認済み"})).status_code == 200
    assert await work() == {"dead": 0, "refused": 1}


async def test_all_of_one_cause_are_replayed_together(operated: Operated) -> None:
    await operated.inbox.store([note("A", 1)])
    await operated.settle()
    blank = await operated.http.post("/dead-letters/replay", json={"cause": " "})
    assert (blank.status_code, blank.json()["errors"][0]["field"]) == (422, "cause")
    other = await operated.http.post("/dead-letters/replay", json={"cause": "another"})
    assert other.json() == {"replayed": 0}
    done = await operated.http.post("/dead-letters/replay", json={"cause": "100% poisoned"})
    assert done.json() == {"replayed": 1}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
async def test_a_skip_needs_a_reason(operated: Operated, reason: str) -> None:
    await operated.inbox.store([note("A", 1)])
    await operated.settle()
    [dead] = await operated.items("dead-letters")
    refused = await operated.http.post(f"/dead-letters/{dead['id']}/skip", json={"reason": reason})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    assert len(await operated.items("dead-letters")) == 1


async def test_a_skipped_letter_keeps_reason_and_person_and_frees_its_stream(
    operated: Operated,
) -> None:
    await operated.inbox.store([note("A", 1), note("A", 2)])
    await operated.settle()
    [dead] = await operated.items("dead-letters")
    operated.poisoned = False
    done = await operated.http.post(
        f"/dead-letters/{dead['id']}/skip", json={"reason": "販売店と確認済み"}
    )
    assert done.status_code == 200
    await operated.settle()
    assert await operated.effects() == ["A"]
    async with operated.database.transaction(EVERY_DEALER) as tx:
        cause = (await tx.execute(text("SELECT cause FROM inbox"))).scalar_one()
    assert cause.endswith("skipped: 販売店と確認済み (TFC-O001)")


async def test_a_refused_message_is_read_again_once_it_can_be(operated: Operated) -> None:
    event = note("B", 1)
    headers = to_headers(event) | {"ce-specversion": "0.3"}
    await operated.inbox.refuse("ce-specversion is not 1.0", "contract", headers, event.payload)
    [kept] = await operated.items("refused")
    assert (kept["cause"], kept["size"]) == ("ce-specversion is not 1.0", len(event.payload))
    still = await operated.http.post(f"/refused/{kept['id']}/replay")
    assert (still.status_code, still.json()["code"]) == (409, "STILL_NO_EVENT")
    async with operated.database.transaction(
        EVERY_DEALER
    ) as tx:  # as if the reader supported 0.3 now
        await tx.execute(
            text("""UPDATE inbox_refused SET headers = headers || '{"ce-specversion": "1.0"}'""")
        )
    assert (await operated.http.post(f"/refused/{kept['id']}/replay")).status_code == 200
    await operated.settle()
    assert await operated.effects() == ["B"]
    assert await operated.items("refused") == []
    assert await operated.inbox.refused() == []


async def test_a_batch_that_an_earlier_version_refused_is_read_by_this_one(
    operated: Operated,
) -> None:
    body = to_batch([note("A", 1), note("B", 1)])
    await operated.inbox.refuse("ce-specversion is not 1.0", "contract.batch", BATCH_HEADERS, body)
    [kept] = await operated.items("refused")
    done = await operated.http.post(f"/refused/{kept['id']}/replay")
    assert (done.status_code, done.json()) == (200, {"replayed": 2})
    operated.poisoned = False
    await operated.settle()
    assert sorted(await operated.effects()) == ["A", "B"]


async def test_a_refused_message_is_skipped_with_a_reason(operated: Operated) -> None:
    await operated.inbox.refuse("the body is not JSON", "contract", {}, b"\xff\xfe broken")
    [kept] = await operated.items("refused")
    assert "broken" in str(kept["payload"])
    path = f"/refused/{kept['id']}/skip"
    assert (await operated.http.post(path, json={"reason": ""})).status_code == 422
    assert (await operated.http.post(path, json={"reason": "試験の送信"})).status_code == 200
    again = await operated.http.post(path, json={"reason": "試験の送信"})
    assert again.json()["code"] == "ALREADY_SEEN_TO"
    async with operated.database.transaction(EVERY_DEALER) as tx:
        settled = (await tx.execute(text("SELECT settled_as FROM inbox_refused"))).scalar_one()
    assert settled == "skipped: 試験の送信 (TFC-O001)"


async def test_the_lag_has_a_past_and_a_present(operated: Operated) -> None:
    await metrics.sample(operated.database, metrics.Gauges("returns"), now=SystemClock().now())
    await operated.inbox.store([note("A", 1)])
    answer = (await operated.http.get("/lag")).json()
    assert [sample["inbox_waiting"] for sample in answer["samples"]] == [0]
    assert answer["now"]["inbox_waiting"] == 1
    assert answer["now"]["inbox_lag"] >= 0
