"""Editions of network and tariffs: a request keeps the one that was in force as it began."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from commuter_service.actions.network_editions import load_edition
from commuter_service.adapters.route_providers import OWN_ENGINE
from commuter_service.provider_rides import SourcePass
from fare_engine.data_tables import FareTables, fare_tables, network_tables
from fare_engine.fares.tariffs import Tariffs
from fare_engine.routing.candidates import Candidate, SearchRequest
from shared.auth import Principal, Role

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
RAISED_YEN = 10
TARO = Principal(
    "D01-E101", "営業太郎", "D01", "S10", "E101", frozenset({Role.EMPLOYEE}), "t@example.jp"
)
QUESTION = {"start": "三鷹", "end": "東京", "on": "2026-04-01", "order": "time"}


class SlowProvider:
    """The own engine, whose first answer takes until it is released."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()

    def candidates(
        self, question: SearchRequest, tariffs: Tariffs, _: Sequence[SourcePass] = (), /
    ) -> list[Candidate]:
        if not self.asked.is_set():
            self.asked.set()
            assert self.released.wait(60)
        return OWN_ENGINE.candidates(question, tariffs)


def raised(fares: FareTables) -> FareTables:
    bands = (
        replace(band, ic_yen=None if band.ic_yen is None else band.ic_yen + RAISED_YEN)
        for band in fares.tariff_bands
    )
    return replace(fares, tariff_bands=tuple(bands))


def figures(answer: Any) -> set[tuple[str, int]]:
    """Edition and fare of the direct ride, wherever the answer states them."""
    ride = next(one for one in answer["items"] if one["changes"] == 0)
    explanation = ride["explanation"]
    return {
        (explanation["data_version"], ride["through_yen"]),
        (explanation["data_version"], explanation["runs"][0]["through_yen"]),
    }


async def test_an_edition_loaded_meanwhile_does_not_mix_into_a_request(
    new_database: Callable[[str], Awaitable[str]],
    serve: Callable[..., AbstractAsyncContextManager[Any]],
) -> None:
    network, fares, provider = network_tables(), fare_tables(), SlowProvider()
    async with serve(await new_database("commuter_service"), provider) as api:
        async with api.database.transaction() as tx:
            old, _ = await load_edition(tx, network, fares, now=NOON)
        began_before = asyncio.create_task(api.post(TARO, "/look-ups", QUESTION))
        assert await asyncio.to_thread(provider.asked.wait, 60)
        async with api.database.transaction() as tx:
            new, _ = await load_edition(
                tx, network, raised(fares), now=datetime(2026, 4, 2, tzinfo=UTC)
            )
        began_after = await api.post(TARO, "/look-ups", QUESTION)
        provider.released.set()
        assert figures(began_after) == {(new, 440 + RAISED_YEN)}
        assert figures(await began_before) == {(old, 440)}
