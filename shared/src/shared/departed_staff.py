"""Departed staff: people whom the staff master no longer has as active lose their access (D156).

A token stays valid for hours after its owner has left. Every request of a dealer's person is
therefore checked against the service's own copy of the staff master (`Service.has_left`). A service
that needs no copy of the master keeps `departed_staff` alone, fed by `staff_access.changed`.
A person whom the master does not know is admitted: the identity provider knows them.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request
from sqlalchemy import Column, MetaData, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.masters import StaffAccessChanged
from shared.auth import Principal, PrincipalOf, StaffDeactivated
from shared.db import Database
from shared.refusals import declared_on, refuses
from shared.worker import Delivery, Subscribers

HasLeft = Callable[[AsyncSession, str, str], Awaitable[bool]]
"""Whether the person with this dealer and staff code has left, in a transaction of the dealer."""


async def nobody_has_left(_tx: AsyncSession, _dealer_id: str, _staff_code: str) -> bool:
    """For a service without people of dealers."""
    return False


def only_active(people: PrincipalOf, database: Database, has_left: HasLeft) -> PrincipalOf:
    """Authenticate as `people` does, and refuse staff who have left."""
    if has_left is nobody_has_left:
        return people

    @refuses(StaffDeactivated, *declared_on(people))
    async def authenticated(request: Request) -> Principal:
        person = await people(request)
        if person.dealer is not None and person.staff_code is not None:
            async with database.transaction(person.dealer) as tx:
                if await has_left(tx, person.dealer, person.staff_code):
                    raise StaffDeactivated(f"{person.person_id} has left")
        return person

    return authenticated


def departed_staff_table(metadata: MetaData) -> Table:
    """The table of a service that keeps no other copy of the staff master."""
    return Table(
        "departed_staff",
        metadata,
        Column("dealer_id", Text, primary_key=True),
        Column("staff_code", Text, primary_key=True),
    )


def left_according_to(table: Table) -> HasLeft:
    """The question for a service with such a table."""

    async def has_left(tx: AsyncSession, dealer_id: str, staff_code: str) -> bool:
        own = table.c.dealer_id == dealer_id, table.c.staff_code == staff_code
        return await tx.scalar(select(table.c.staff_code).where(*own)) is not None

    return has_left


def keep_departed_staff(subscribers: Subscribers, table: Table) -> None:
    """Subscribe to who leaves and who comes back."""

    @subscribers.on(StaffAccessChanged)
    async def record_access(event: StaffAccessChanged, _: Delivery, tx: AsyncSession) -> None:
        person = {"dealer_id": event.dealer_id, "staff_code": event.staff_code}
        if event.active:
            own = table.c.dealer_id == event.dealer_id, table.c.staff_code == event.staff_code
            await tx.execute(delete(table).where(*own))
        else:
            await tx.execute(insert(table).values(person).on_conflict_do_nothing())
