"""What does a fresh all-in-one contain? The demo's masters and contracts, once."""

import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from contracts_service.imports import import_contracts, import_masters
from madoguchi.demo import demo_contracts, demo_masters, write_csv
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
