"""The words beside a person on the login page: what waits for them, as the services count it.

The numbers are those that the person's own screens show: the same questions to the same tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from commuter_service.models import HeldPass
from commuter_service.queries import slips_awaiting
from interchange_service.queries import quarantine_size
from returns_service.people import person_of
from returns_service.progress_list import count_by_status, count_of
from returns_service.rules.return_list import REMANDED, TO_APPROVE, ApplicationKind
from returns_service.rules.return_status import FINAL, Status, Tab
from returns_service.work import waiting_keys
from shared.auth import Principal, Role
from shared.clock import Clock, jst_day
from shared.db import EVERY_DEALER, Database
from shared.inbox import Inbox

RETURNS = ApplicationKind.VEHICLE_RETURN
_DEALERS = (Role.SALES, Role.MANAGER, Role.HQ)


@dataclass(frozen=True, slots=True)
class LoginWords:
    """Counts over the services' databases, by name."""

    databases: Mapping[str, Database]
    clock: Clock

    async def of(self, people: Sequence[Principal]) -> Mapping[str, str]:
        """What each person can try, by user id; nothing where nothing waits."""
        return {who.user_id: "、".join(await self._words(who)) for who in people}

    async def _words(self, who: Principal) -> list[str]:
        if who.has(Role.OPERATOR):
            return await self._of_operator()
        counts: list[tuple[str, int]] = []
        if who.has(Role.TFC):
            counts += await self._of_tfc(who)
        if who.has(*_DEALERS):
            counts += await self._of_returns(who)
        if who.dealer is not None:
            counts += await self._of_expenses(who)
        return _said(counts)

    async def _of_returns(self, who: Principal) -> list[tuple[str, int]]:
        """What waits for the person, also as a substitute; if nothing does, what is under way."""
        async with self.databases["returns"].transaction(who.dealer) as tx:
            person = await person_of(tx, who, today=jst_day(self.clock.now()))
            pending = await count_of(tx, person, waiting_keys(TO_APPROVE), Tab.CURRENT)
            remanded = await count_of(tx, person, waiting_keys(REMANDED), Tab.CURRENT)
            idle = not pending and not remanded
            under_way = await count_by_status(tx, person, RETURNS) if idle else {}
        seen = sum(number for status, number in under_way.items() if status not in FINAL)
        return [("承認待ち", pending), ("差戻し", remanded), ("進行中の申込", seen)]

    async def _of_tfc(self, who: Principal) -> list[tuple[str, int]]:
        async with self.databases["returns"].transaction(EVERY_DEALER) as tx:
            person = await person_of(tx, who, today=jst_day(self.clock.now()))
            found = await count_by_status(tx, person, RETURNS)
        wanted = (("依頼中", Status.REQUESTED), ("保留中", Status.TFC_HOLD))
        return [(word, found.get(status, 0)) for word, status in wanted]

    async def _of_expenses(self, who: Principal) -> list[tuple[str, int]]:
        async with self.databases["commuter"].transaction(who.dealer) as tx:
            slips = len(await slips_awaiting(tx, who.person_id, who.dealer))
            if not who.has(Role.EXPENSE_ADMIN):
                return [("精算書の承認待ち", slips)]
            applied = select(func.count()).where(
                HeldPass.dealer_id == who.dealer, HeldPass.status == "applied"
            )
            return [
                ("精算書の承認待ち", slips),
                ("定期区間の確定待ち", await tx.scalar(applied) or 0),
            ]

    async def _of_operator(self) -> list[str]:
        dead = 0
        for name, database in self.databases.items():
            dead += len(await Inbox(database, name).dead_letters())
        async with self.databases["interchange"].transaction(EVERY_DEALER) as tx:
            quarantined = await quarantine_size(tx)
        return _said([("処理できなかった通知", dead), ("隔離メッセージ", quarantined)])


def _said(counts: Sequence[tuple[str, int]]) -> list[str]:
    """Each thing with its number, only the last as a whole sentence."""
    words = [f"{word}{number}件" for word, number in counts if number]
    if words:
        last, number = [count for count in counts if count[1]][-1]
        words[-1] = f"{last}が{number}件あります"
    return words
