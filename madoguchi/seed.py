"""What does a fresh all-in-one contain? The demo's masters and contracts, once."""

import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from contracts_service.imports import import_contracts, import_masters
from madoguchi.demo import Role, demo_contracts, demo_masters, write_csv
from returns_service.actions.setting_flow import Flow, set_approval_flow
from returns_service.people import Acting, Person
from returns_service.queries import approval_flow_of
from returns_service.rules.return_status import Role as ReturnRole
from returns_service.rules.return_visibility import Actor
from shared.clock import jst_day
from shared.db import EVERY_DEALER, Database

SEED = 20260401


async def seed(contracts: Database, now: datetime, count: int) -> None:
    """Import the demo unless there are contracts already."""
    async with contracts.transaction(EVERY_DEALER) as tx:
        if (await tx.execute(text("SELECT 1 FROM contract LIMIT 1"))).first():
            return
    masters = demo_masters()
    await import_masters(contracts, masters, now=now)
    rows = demo_contracts(SEED, count, jst_day(now), dealers=masters.dealers)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contracts.csv"
        write_csv(file, rows)
        report = await import_contracts(contracts, file.read_bytes(), now=now)
    if report.refused:
        raise RuntimeError(f"The demo data is refused: {report.refused[0]}")


async def seed_approval_flows(returns: Database, now: datetime) -> None:
    """Let the demo's dealers approve at the store and at headquarters, unless they chose."""
    for dealer in demo_masters().dealers:
        head = next(person for person in dealer.staff if person.role is Role.HQ)
        actor = Actor(f"{dealer.code}-{head.code}", ReturnRole.HQ, dealer.code, None)
        async with returns.transaction(dealer.code) as tx:
            if await approval_flow_of(tx, dealer.code) is None:
                flow = Flow(
                    store_approval=True,
                    hq_approval=True,
                    hq_mails=(head.mail,),
                    store_approver_notice=False,
                )
                await set_approval_flow(
                    Acting(tx, Person(head.name, head.mail, (actor,)), now), flow, 0
                )
