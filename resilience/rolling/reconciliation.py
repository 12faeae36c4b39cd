"""Is everything that people were told of in the books, once, and did every event arrive?"""

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


async def wrong_in_books(world: Topology, load: Load) -> list[str]:
    """Each change that stands in the books more or less often than people were told."""
    wrong = []
    for kind, statement in BOOKS.items():
        kept: Mapping[object, object] = dict(await world.ask("contracts", statement))  # type: ignore[arg-type]
        told = load.of(kind)
        wrong += [
            f"{kind} of {no}: told {told.get(str(no), 0)} times, kept {kept.get(no, 0)} times"
            for no in sorted(kept.keys() | told.keys(), key=str)
            if kept.get(no, 0) != told.get(str(no), 0)
        ]
    return wrong


async def not_arrived(world: Topology, published: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Each stream whose last event has not taken effect at a service that listens to it.

    `published` says what came from outside: streams and their last numbers by service.
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
        missing += [f"{listener}: {stuck} events lie in the inbox"] if stuck else []
    return missing


async def arrived(
    world: Topology, published: Mapping[str, Mapping[str, int]], patience_s: float = 60
) -> list[str]:
    """Wait until every event has taken effect; what has not by then."""
    end = time.monotonic() + patience_s
    while (missing := await not_arrived(world, published)) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.3)
    return missing
