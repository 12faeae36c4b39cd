"""Reconciliation after a rolling restart: confirmed changes are stored once, and events arrived."""

import asyncio
import time
from collections.abc import Mapping

from event_contracts import SUBSCRIPTIONS
from resilience.rolling.request_load import Load
from resilience.rolling.topology import Topology

MEMOS = "SELECT contract_no, count(*) FROM memo GROUP BY contract_no"
SENT = "SELECT aggregate_type, aggregate_id, max(sequence) FROM outbox GROUP BY 1, 2"
TAKEN_IN = "SELECT stream, next_sequence - 1 FROM inbox_stream"
STUCK = "SELECT count(*) FROM inbox WHERE state <> 'skipped'"
OF_TYPE = """
    SELECT aggregate_id, count(*) FROM outbox WHERE type = 'contract.{}.v1' GROUP BY aggregate_id
"""
BOOKS = {
    "memo": MEMOS,
    "moved": OF_TYPE.format("assignment_change_registered"),
    "back": OF_TYPE.format("assignment_change_cancelled"),
}


async def wrongly_stored(world: Topology, load: Load) -> list[str]:
    """Each change that is stored more or less often than it was confirmed."""
    wrong = []
    for kind, statement in BOOKS.items():
        stored: Mapping[object, object] = dict(await world.ask("contracts", statement))  # type: ignore[arg-type]
        confirmed = load.of(kind)
        wrong += [
            f"{kind} of {no}: confirmed {confirmed.get(str(no), 0)} times,"
            f" stored {stored.get(no, 0)} times"
            for no in sorted(stored.keys() | confirmed.keys(), key=str)
            if stored.get(no, 0) != confirmed.get(str(no), 0)
        ]
    return wrong


async def not_arrived(world: Topology, published: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Each stream whose last event has not been processed by a subscriber.

    `published` has the streams from outside with their last sequence numbers, by service.
    """
    missing = []
    sent = {name: await world.ask(name, SENT) for name in world.urls}
    for listener in world.urls:
        due = dict(published.get(listener, {}))
        for source, streams in sent.items():
            due |= {
                f"/{source}/{kind}/{number}": int(str(last))
                for kind, number, last in streams
                if kind in SUBSCRIPTIONS[listener]
            }
        taken = dict(await world.ask(listener, TAKEN_IN))  # type: ignore[arg-type, var-annotated]
        missing += [
            f"{listener}: {stream}: {taken.get(stream, 0)} of {last}"
            for stream, last in due.items()
            if taken.get(stream, 0) != last
        ]
        [[stuck]] = await world.ask(listener, STUCK)
        missing += [f"{listener}: {stuck} events are waiting in the inbox"] if stuck else []
    return missing


async def arrived(
    world: Topology, published: Mapping[str, Mapping[str, int]], patience_s: float = 60
) -> list[str]:
    """Wait until every event is processed; returns the streams that are not by then."""
    end = time.monotonic() + patience_s
    while (missing := await not_arrived(world, published)) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.3)
    return missing
