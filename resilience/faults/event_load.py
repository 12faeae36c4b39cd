"""Event load: clients that save notes; each call commits one event, and responses are recorded."""

import asyncio
import random
from dataclasses import dataclass, field

import httpx

from resilience.faults.checker import Answer
from resilience.faults.cluster import Cluster

AT_ONCE = 8


@dataclass(slots=True)
class Load:
    """Posts to the cluster's API; several clients change one aggregate concurrently."""

    cluster: Cluster
    rng: random.Random
    aggregates: int = 60
    answers: list[Answer] = field(default_factory=list)

    async def post(self, events: int, until: asyncio.Task[object] | None = None) -> None:
        """Make `events` more successful calls; then continue slowly until `until` is done."""
        goal = len(self.answers) + events
        api = self.cluster.of("api")[0]
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{api.part.port}", timeout=10, trust_env=False
        ) as client:
            await asyncio.gather(*(self._client(client, goal, until) for _ in range(AT_ONCE)))

    async def _client(
        self, client: httpx.AsyncClient, goal: int, until: asyncio.Task[object] | None
    ) -> None:
        while True:
            if len(self.answers) >= goal:
                if until is None or until.done():
                    return
                await asyncio.sleep(0.2)
            await self._call(client)

    async def _call(self, client: httpx.AsyncClient) -> None:
        aggregate = f"C{self.rng.randrange(self.aggregates):03}"
        try:
            answer = await client.post(f"/notes/{aggregate}")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            return
        if answer.status_code == httpx.codes.OK:
            self.answers.append(Answer(aggregate, answer.json()["n"]))
        else:
            await asyncio.sleep(0.1)
