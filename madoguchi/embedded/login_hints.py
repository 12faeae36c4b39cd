"""Login hints: the pending work of each person on the login page, as the services count it.

The numbers equal those of the person's own screens: they come from the same queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commuter_service import request_context as commuter
from commuter_service.adapters.network_store import tariffs_in_force
from commuter_service.pending_work import work_of as work_in_commuter
from commuter_service.queries import permission_of, setting_of
from interchange_service.queries import quarantine_size
from returns_service.actor import RequestContext, resolve_actor
from returns_service.pending_work import work_of as work_in_returns
from returns_service.progress_list_query import count_by_status
from returns_service.rules.progress_list import ApplicationKind
from returns_service.rules.return_status import FINAL
from shared.auth import Principal, Role
from shared.clock import Clock, jst_day
from shared.db import EVERY_DEALER, Database
from shared.inbox import Inbox
from shared.pending_work import Work

Counts = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class LoginHints:
    """Counts pending work in the services' databases."""

    databases: Mapping[str, Database]
    clock: Clock

    async def of(self, people: Sequence[Principal]) -> Mapping[str, str]:
        """The hint of each person by user id; empty if nothing is pending."""
        return {who.user_id: _sentence(await self._counts(who)) for who in people}

    async def _counts(self, who: Principal) -> Counts:
        if who.has(Role.OPERATOR):
            return await self._of_operator()
        counts: Counts = []
        if who.has(Role.SALES, Role.MANAGER, Role.HQ, Role.TFC):
            counts += await self._of_returns(who)
        if who.dealer is not None:
            counts += await self._of_expenses(who)
        return counts

    async def _of_returns(self, who: Principal) -> Counts:
        """The person's pending work, also as a substitute; if none, the open applications."""
        now = self.clock.now()
        async with self.databases["returns"].transaction(who.dealer or EVERY_DEALER) as tx:
            person = await resolve_actor(tx, who, today=jst_day(now))
            if waiting := _waiting(
                await work_in_returns(RequestContext(tx=tx, who=person, now=now))
            ):
                return waiting
            found = await count_by_status(tx, person, ApplicationKind.VEHICLE_RETURN)
        seen = sum(number for status, number in found.items() if status not in FINAL)
        return [("進行中の申込", seen)]

    async def _of_expenses(self, who: Principal) -> Counts:
        dealer, person = who.dealer or "", who.person_id
        async with self.databases["commuter"].transaction(dealer) as tx:
            acting = commuter.RequestContext(
                tx=tx,
                employee_id=person,
                name=who.name,
                dealer_id=dealer,
                now=self.clock.now(),
                setting=await setting_of(tx, dealer),
                tariffs=await tariffs_in_force(tx),
                permission=await permission_of(tx, dealer, person),
                accounting=who.has(Role.EXPENSE_ADMIN),
            )
            return _waiting(await work_in_commuter(acting))

    async def _of_operator(self) -> Counts:
        dead = 0
        for name, database in self.databases.items():
            dead += len(await Inbox(database, name).dead_letters())
        async with self.databases["interchange"].transaction(EVERY_DEALER) as tx:
            quarantined = await quarantine_size(tx)
        return [("処理できなかった通知", dead), ("隔離メッセージ", quarantined)]


def _waiting(work: Work) -> Counts:
    return [(one.label, one.count) for one in work.counts if one.waits and one.count]


def _sentence(counts: Counts) -> str:
    """Each label with its number; only the last one is a full sentence."""
    some = [(word, number) for word, number in counts if number]
    *before, last = some or [("", 0)]
    words = [f"{word}{number}件" for word, number in before]
    return "、".join([*words, f"{last[0]}が{last[1]}件あります"]) if some else ""
