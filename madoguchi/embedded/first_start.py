"""First start: the demo data is made once, before anything else runs.

Until it is complete, a marker file lies in the data folder. A start that finds the marker deletes
all data and begins again, so that nothing is incomplete or made twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from madoguchi.embedded.demo.size import Demo
from shared.clock import jst_day
from shared.db import EVERY_DEALER, Database
from shared.settings import ServiceSettings

LIVING_CONTRACTS = 900


def unfinished(data: Path) -> Path:
    """The marker file that exists in the data folder while demo data is made."""
    return data / "demo-unfinished"


async def is_empty(contracts: Database) -> bool:
    """Whether the database has no contracts."""
    async with contracts.transaction(EVERY_DEALER) as tx:
        return (await tx.execute(text("SELECT 1 FROM contract LIMIT 1"))).first() is None


@dataclass(slots=True)
class DemoProgress:
    """Whether demo data is being made, and how many of its half days are done."""

    under_way: bool = False
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class FirstStart:
    """The empty databases of the services, their settings, and the instant of the start."""

    databases: Mapping[str, Database]
    settings: Mapping[str, ServiceSettings]
    now: datetime

    async def make(self, demo: Demo, contracts: int, progress: DemoProgress) -> None:
        """Fill the databases; the imports are local because later starts do not need them."""
        from madoguchi.embedded import seed
        from madoguchi.embedded.demo import demo_contracts, demo_masters
        from madoguchi.embedded.demo_history import history_start, replay_history
        from madoguchi.embedded.demo_users import accountant, demo_people
        from madoguchi.embedded.seed_expenses import seed_expenses

        living, now, databases = demo is Demo.LIVING, self.now, self.databases
        begin = history_start(now) if living else now
        count = LIVING_CONTRACTS if living else contracts
        masters = demo_masters()
        rows = list(demo_contracts(seed.SEED, count, jst_day(now), dealers=masters.dealers))
        await seed.seed_contracts(databases["contracts"], rows, begin)
        await seed.seed_approval_flows(databases["returns"], begin)
        await seed.seed_dealers(databases["interchange"], begin)
        if living:
            people = [
                *demo_people(masters, len(masters.dealers)),
                *map(accountant, masters.dealers),
            ]
            known = {person.user_id: person for person in people}
            await replay_history(
                databases,
                self.settings,
                known,
                masters,
                rows,
                now=now,
                seed=seed.SEED,
                progress=progress,
            )
        else:
            await seed.seed_refused_messages(databases["interchange"], now)
            await seed_expenses(databases["commuter"], demo_people(masters), now)
