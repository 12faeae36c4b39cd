"""Network editions: loading one and putting it in force; editions are added, never changed."""

from collections.abc import Iterator
from dataclasses import astuple
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.adapters.network_store import EDITION, FARES, NETWORK
from fare_engine.data_tables import FareTables, NetworkTables, edition_of
from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.network import Network


async def load_edition(
    tx: AsyncSession, network: NetworkTables, fares: FareTables, *, now: datetime
) -> tuple[str, bool]:
    """Check and store an edition and put it in force: its name, and whether it is new.

    Raises NetworkTableBroken or FareTableBroken, and then nothing is written.
    """
    Tariffs(Network(network), fares)  # every check of the tables, and of how they fit together
    edition = edition_of(network, fares)
    known = await _known(tx, edition)
    stored = insert(EDITION).values(edition=edition, loaded_at=now)
    await tx.execute(
        stored.on_conflict_do_update(index_elements=["edition"], set_={"loaded_at": now})
    )
    if not known:
        for tables, rows in ((NETWORK, network), (FARES, fares)):
            for name, table in tables.items():
                values = list(_values(table, edition, getattr(rows, name)))
                if values:
                    await tx.execute(table.insert(), values)
    return edition, not known


async def _known(tx: AsyncSession, edition: str) -> bool:
    found = await tx.execute(select(EDITION.c.edition).where(EDITION.c.edition == edition))
    return found.scalar() is not None


def _values(table: Table, edition: str, rows: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns]
    for position, row in enumerate(rows):
        yield dict(zip(names, (edition, position, *astuple(row)), strict=True))
