"""Departed people among applications: who has left, and which stores have nobody to approve."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.departed_conditions import ABANDONED
from returns_service.mapping import return_facts
from returns_service.models import Application, Approval
from returns_service.progress_list_query import ProgressRow
from returns_service.rules.departures import Departure, People, departure
from returns_service.rules.return_approval import By

_LEFT = text("""
    SELECT dealer_id || '-' || staff_code AS person_id FROM staff
    WHERE NOT active AND dealer_id = :dealer AND staff_code = ANY(:codes)
""")
_ABANDONED = text(ABANDONED.format(narrowed="AND manager.store_code = ANY(:stores)"))


@dataclass(frozen=True)
class DepartedPeople:
    """Who has left, by the ids of our records, and the stores without an approver."""

    left: Collection[str] = ()
    abandoned: Collection[tuple[str, str]] = ()

    def departure_of(self, row: Application | ProgressRow) -> Departure | None:
        """Why somebody must take this application over (D157)."""
        facts = return_facts(row)
        people = People(
            originator_left=row.originator_id in self.left,
            store_has_approver=(row.dealer_id, row.store_code) not in self.abandoned,
        )
        return departure(facts.status, facts.route, people)


async def people_who_left(tx: AsyncSession, dealer: str, people: Collection[str]) -> frozenset[str]:
    """Those of a dealer's people who have left, by the ids of our records."""
    codes = [person.removeprefix(f"{dealer}-") for person in people]
    return frozenset(await tx.scalars(_LEFT, {"dealer": dealer, "codes": codes}))


async def capacities_left(
    tx: AsyncSession, application: Application, at_store: Approval | None
) -> frozenset[By]:
    """In which capacity somebody who has left would get a mail about an application (D158)."""
    people = {By.ORIGINATOR: application.originator_id}
    if at_store is not None:
        people[By.STORE_APPROVER] = at_store.approver_id
    left = await people_who_left(tx, application.dealer_id, set(people.values()))
    return frozenset(by for by, person in people.items() if person in left)


async def departed_people(
    tx: AsyncSession,
    dealer: str | None,
    rows: Sequence[Application] | Sequence[ProgressRow],
    *,
    today: date,
) -> DepartedPeople:
    """Who of these applications of one dealer has left; nobody for TFC, who takes none over."""
    if not rows or dealer is None:
        return DepartedPeople()
    stores = list({row.store_code for row in rows})
    wanted = {"dealer": dealer, "stores": stores, "left_on": today}
    abandoned = await tx.scalars(_ABANDONED, wanted)
    return DepartedPeople(
        left=await people_who_left(tx, dealer, {row.originator_id for row in rows}),
        abandoned={(dealer, store) for store in abandoned},
    )
