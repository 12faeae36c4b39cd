"""Request load during restarts: users at work, with every failed request recorded.

Every change carries the version that it changes, so that a change made twice, or made but reported
as failed, is detected: the next one is refused.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import httpx

from resilience.rolling.topology import Topology

DESKS = ("D02-M100", "D02-M200")
MADE_TWICE = "VERSION_CONFLICT"
PAUSE_S = 0.02


@dataclass(slots=True)
class Load:
    """Clients that read and change contracts through the gateway until stopped.

    `done` counts successful responses by (kind, contract); `failed` has the errors of the others.
    """

    world: Topology
    clients: int = 6
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Run every client until `stop`."""
        await asyncio.gather(*(self._client(number) for number in range(self.clients)))

    def stop(self) -> None:
        """Stop each client after its current round."""
        self._stop.set()

    def of(self, kind: str) -> dict[str, int]:
        """Number of successful requests of a kind, by contract."""
        return {contract: times for (name, contract), times in self.done.items() if name == kind}

    async def _client(self, number: int) -> None:
        """One manager who works on contracts of the store that no other client uses."""
        async with self.world.client(DESKS[number % 2], number) as http:
            found = await http.get(
                "/contracts/v1/contracts", params={"mode": "general", "final_to": "2099-12"}
            )
            rows = [row["contract_no"] for row in found.raise_for_status().json()["rows"]]
            own = [no for at, no in enumerate(rows) if at % self.clients == number]
            assert own, f"{DESKS[number % 2]} sees {len(rows)} contracts"
            while not self._stop.is_set():
                for contract_no in own:
                    await self._work_on(http, contract_no)
                    if self._stop.is_set():
                        break

    async def _work_on(self, http: httpx.AsyncClient, contract_no: str) -> None:
        path = f"/contracts/v1/contracts/{contract_no}"
        shown = await self._ask(http, "read", contract_no, "GET", path)
        if shown is None:
            return
        body, version = shown.json(), {"If-Match": shown.headers["etag"]}
        memo = {"If-Match": f'"{body["memo"]["version"]}"'}
        words = {"text": "確認しました。"}
        await self._ask(http, "memo", contract_no, "PUT", f"{path}/memo", words, memo)
        version = {"If-Match": shown.headers["etag"]}
        one, other = (f"E{body['store']['code'][1]}0{n}" for n in (1, 2))
        move = {"to_staff": other if body["staff"]["code"] == one else one}
        where = f"{path}/assignment-change"
        moved = await self._ask(http, "moved", contract_no, "POST", where, move, version)
        if moved is not None and moved.is_success:
            version = {"If-Match": moved.headers["etag"]}
            await self._ask(http, "back", contract_no, "DELETE", where, None, version)

    async def _ask(  # noqa: PLR0917
        self,
        http: httpx.AsyncClient,
        kind: str,
        contract_no: str,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        """Send one request; a business refusal is a response, any other error a failure."""
        await asyncio.sleep(PAUSE_S)
        try:
            answer = await http.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as cause:
            self.failed.append(f"{method} {path}: {cause!r}")
            return None
        if answer.is_success:
            self.done[kind, contract_no] += 1
        elif answer.is_server_error or MADE_TWICE in answer.text:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        else:
            self.refused[f"{method} {answer.json().get('code')}"] += 1
        return answer
