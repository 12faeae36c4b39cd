"""Editions of network and tariffs in the database: their tables, and the one in force.

An edition is all tables together, named by a digest of its rows; the one loaded last is in force.
Editions are added, never changed, so a priced item's `data_version` stays explainable.
"""

from dataclasses import fields
from datetime import date
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
from sqlalchemy.ext.asyncio import AsyncSession

from fare_engine.data_tables import FareTables, NetworkTables, row_types
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import Network

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


async def _rows(
    tx: AsyncSession, edition: str, tables: dict[str, Table], types: dict[str, type[Any]]
) -> dict[str, tuple[Any, ...]]:
    found = {}
    for name, table in tables.items():
        chosen = select(*table.columns[2:]).where(table.c.edition == edition)
        rows = await tx.execute(chosen.order_by(table.c.position))
        found[name] = tuple(types[name](*row) for row in rows)
    return found
