"""Rows of a large statement in portions, from a cursor of the driver."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncSession

PORTION = 1000


async def portions(
    tx: AsyncSession, statement: Select[*tuple[Any, ...]]
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """The rows, a thousand at a time, without those of SQLAlchemy: they cost as much as the query.

    The transaction begins with a statement of the session, which names the dealer.
    """
    await tx.execute(text("SELECT 1"))
    connection = await tx.connection()
    compiled = statement.compile(dialect=connection.dialect)
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    cursor = await driver.cursor(str(compiled), *values)
    while rows := await cursor.fetch(PORTION):
        yield rows
