"""The audit trail, and what holds after any sequence of steps (B6)."""

import random
from collections.abc import Sequence

import pytest

from event_contracts import Event
from event_contracts.returns import (
    ReturnRemanded,
    ReturnRequested,
    ReturnStatusChanged,
)
from shared.auth import Principal
from shared.testing.people import COLLEAGUE, SATO, SUZUKI, TANAKA, TFC, YAMADA

from .conftest import FORM, STEP_BODIES, ReturnsApi, T, registered

PEOPLE = (YAMADA, COLLEAGUE, SATO, TANAKA, TFC, SUZUKI)
STEPS = (
    "approval", "remand", "correction", "withdrawal", "take-over", "dealer-note", "acceptance",
    "hold", "release", "contact-entry", "contact", "tfc-remand", "completion",
)  # fmt: skip
# What leads on is tried more often, so that walks do not end at once.
WEIGHTS = (8, 4, 2, 1, 1, 2, 8, 3, 3, 3, 3, 3, 1)
BODIES = STEP_BODIES | {
    "correction": FORM,
    "take-over": {"new_originator_id": "D01-E102"},
    "dealer-note": {"dealer_note": "確認"},
}


async def test_the_trail_says_who_when_from_where_to_where_and_for_whom(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    substitute = {"substitute_id": "D01-E102", "from_on": "2025-07-15", "to_on": "2025-07-15"}
    await returns(SATO).send("POST", "/substitutes", substitute)
    await returns.take_steps(application_id, (COLLEAGUE, "approval"), (TANAKA, "remand"))
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert [
        (
            line["actor_id"],
            line["actor_role"],
            line["on_behalf_of"],
            line["action"],
            (line["from_status"] or {}).get("code"),
            line["to_status"]["code"],
            line["version"],
        )
        for line in opened["history"]
    ] == [
        ("D01-E101", "sales", None, "submit", None, "STORE_PENDING", 1),
        ("D01-E102", "manager", "D01-M100", "approve", "STORE_PENDING", "HQ_PENDING", 2),
        ("D01-H001", "hq", None, "remand", "HQ_PENDING", "STORE_REMANDED", 3),
    ]
    assert opened["history"][1]["on_behalf_of_name"] == SATO.name
    assert opened["route"][1]["on_behalf_of"] is None, "the remand made the approval void"
    assert all(line["at"].startswith(T.strftime("%Y-%m-%dT%H:%M")) for line in opened["history"])
    rows = await returns.rows("SELECT headers::text AS headers FROM outbox ORDER BY position")
    assert '"actor": "D01-E101"' in rows[0].headers or '"actor":"D01-E101"' in rows[0].headers


async def walk(returns: ReturnsApi, application_id: str, chance: random.Random) -> None:
    """Sixty steps of anybody, whether allowed or not."""
    for _ in range(60):
        who, [step] = chance.choice(PEOPLE), chance.choices(STEPS, WEIGHTS)
        [row] = await returns.rows(
            "SELECT version, is_past FROM application WHERE application_id = :id",
            id=application_id,
        )
        if row.is_past:
            return
        answer = await returns(who).step(application_id, step, row.version, **BODIES.get(step, {}))
        assert answer.status_code in {200, 403, 404, 409}, answer.text


def replayed(events: Sequence[Event]) -> tuple[str, int, bool]:
    """Status, status version, and whether it was ever requested, from the events alone."""
    status, version, requested = "", 0, False
    for event in events:
        if isinstance(event, ReturnStatusChanged):
            assert (event.from_status or "") == status, "no status is skipped"
            assert event.status_version == version + 1
            status, version = event.to_status, event.status_version
        requested = requested or isinstance(event, ReturnRequested)
    return status, version, requested


@pytest.mark.rule("D106")
@pytest.mark.parametrize("seed", range(12))
async def test_after_any_sequence_of_steps(returns: ReturnsApi, seed: int) -> None:
    chance = random.Random(seed)
    await returns.set_flow(store=chance.random() < 0.7, hq=chance.random() < 0.7)
    await returns.receive(registered("C-2"))
    originator: Principal = chance.choice((YAMADA, YAMADA, SATO, TANAKA))
    application_id = await returns.submit_new(originator)
    await returns.submit_new(originator, "C-2")
    await walk(returns, application_id, chance)

    [kept] = await returns.rows(
        "SELECT * FROM application WHERE application_id = :id", id=application_id
    )
    published = await returns.published(application_id)
    assert replayed(published) == (kept.status, kept.status_version, kept.requested_at is not None)

    lines = await returns.rows(
        "SELECT * FROM history WHERE application_id = :id ORDER BY line_id", id=application_id
    )
    assert [line.version for line in lines] == list(range(1, kept.version + 1))
    assert all(line.actor_id and line.actor_role and line.at for line in lines)
    assert [line.from_status for line in lines[1:]] == [line.to_status for line in lines[:-1]]
    remands = [line for line in lines if line.action == "remand"]
    assert len(remands) == sum(isinstance(event, ReturnRemanded) for event in published)

    for reader in PEOPLE:
        counts = (await returns(reader).get("/applications/counts")).json()
        listed = (await returns(reader).get("/applications")).json()["items"]
        assert sum(group["count"] for group in counts["groups"]) == counts["total"] == len(listed)
