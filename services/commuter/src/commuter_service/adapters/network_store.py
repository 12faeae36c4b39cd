"""Which edition of network and tariffs does the database hold, and which one is in force?

An edition is all tables together, named by a digest of its rows; the one loaded last is in force.
Editions are added, never changed, so a priced item's `data_version` stays explainable.
"""

from collections.abc import Iterator
from dataclasses import astuple, fields
from datetime import date, datetime
from typing import Any, get_type_hints

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.network.tables import FareTables, NetworkTables, edition_of, row_types

EDITIONS_KEPT = 4
METADATA = MetaData()
EDITION = Table(
    "network_edition",
    METADATA,
    Column("edition", Text, primary_key=True),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
)
TYPES = {str: Text, int: Integer, date: Date, int | None: Integer, date | None: Date}


def _table(name: str, row_type: type[Any]) -> Table:
    hints = get_type_hints(row_type)
    columns: list[Column[Any]] = [
        Column(f.name, TYPES[hints[f.name]], nullable=hints[f.name] not in (str, int, date))
        for f in fields(row_type)
    ]
    return Table(
        f"network_{name}",
        METADATA,
        Column("edition", ForeignKey("network_edition.edition"), primary_key=True),
        Column("position", Integer, primary_key=True, autoincrement=False),
        *columns,
    )


NETWORK = {name: _table(name, row) for name, row in row_types(NetworkTables).items()}
FARES = {name: _table(name, row) for name, row in row_types(FareTables).items()}


def with_network(metadata: MetaData) -> MetaData:
    """Add the tables of the network to those of the service."""
    for table in METADATA.sorted_tables:
        table.to_metadata(metadata)
    return metadata


async def load(
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


async def newest(tx: AsyncSession) -> str | None:
    """The edition in force, None before the first load."""
    latest = select(EDITION.c.edition).order_by(EDITION.c.loaded_at.desc()).limit(1)
    edition: str | None = (await tx.execute(latest)).scalar()
    return edition


async def tariffs_of(tx: AsyncSession, edition: str) -> Tariffs:
    """The network and fares of an edition."""
    network = NetworkTables(**await _rows(tx, edition, NETWORK, row_types(NetworkTables)))
    fares = FareTables(**await _rows(tx, edition, FARES, row_types(FareTables)))
    return Tariffs(Network(network), fares)


_editions: dict[str, Tariffs] = {}


async def tariffs_in_force(tx: AsyncSession) -> Tariffs:
    """The edition in force as the transaction sees it; the delivered one before the first load.

    Editions never change, so a process reads each once and keeps the last few.
    """
    edition = await newest(tx)
    if edition is None or edition == packaged_tariffs().edition:
        return packaged_tariffs()
    known = _editions.get(edition)
    if known is None:
        known = await tariffs_of(tx, edition)
        while len(_editions) >= EDITIONS_KEPT:
            del _editions[next(iter(_editions))]
        _editions[edition] = known
    return known


async def _known(tx: AsyncSession, edition: str) -> bool:
    found = await tx.execute(select(EDITION.c.edition).where(EDITION.c.edition == edition))
    return found.scalar() is not None


def _values(table: Table, edition: str, rows: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns]
    for position, row in enumerate(rows):
        yield dict(zip(names, (edition, position, *astuple(row)), strict=True))


async def _rows(
    tx: AsyncSession, edition: str, tables: dict[str, Table], types: dict[str, type[Any]]
) -> dict[str, tuple[Any, ...]]:
    found = {}
    for name, table in tables.items():
        chosen = select(*table.columns[2:]).where(table.c.edition == edition)
        rows = await tx.execute(chosen.order_by(table.c.position))
        found[name] = tuple(types[name](*row) for row in rows)
    return found
