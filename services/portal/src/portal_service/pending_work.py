"""Work that waits for the signed-in user: on トップ in full, as a number in the bar.

The services count; this module says which of them a role has work in, and which page lists what
was counted, with the filter that the service names.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import Request

from portal_service.api_client import (
    SERVICE_NAMES,
    Problem,
    ServiceClient,
    ServiceResponse,
    ServiceUnavailable,
    client_of,
)
from portal_service.service_api import commuter, contracts, operations, returns
from portal_service.service_api.operations import Work
from portal_service.state import state_of
from shared.auth import Principal, Role

KEPT_S = 10
"""How long the bar keeps a number; トップ always asks."""
LISTS = {
    "to_approve": "/returns/approvals",
    "remanded": "/returns/approvals",
    "stale": "/returns",
    "requested": "/tfc/requests",
    "processing": "/tfc/requests",
    "contact": "/tfc/requests",
    "hold": "/tfc/requests",
    "red": "/contracts",
    "yellow": "/contracts",
    "staff_left": "/contracts",
    "left": "/returns",
    "slips_of_leavers": "/commuter/slips",
    "slips_to_approve": "/commuter/slips",
    "slips_remanded": "/commuter/slips",
    "slips_to_settle": "/commuter/slips",
    "passes": "/commuter/confirmations",
    "dead": "/operation/dead-letters",
    "refused": "/operation/refused",
    "quarantined": "/operation/dealer-messages",
    "webhooks": "/operation/webhooks/deliveries",
    "unknown": "/operation/mails",
    "failed": "/operation/mails",
}
"""By the key of a count, the page whose list was counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a person's work: who has it, and where it is asked for."""

    name: str
    title: str
    roles: tuple[Role, ...]
    services: tuple[str, ...]
    count: Callable[[ServiceClient, str], Coroutine[None, None, ServiceResponse[Work]]]
    subjects: str = ""
    """Where one thing that was remanded is opened."""
    room: int = 3
    """For how many counts room is kept while they are loaded."""


async def _count_own(services: ServiceClient, service: str) -> ServiceResponse[Work]:
    if service == "returns":
        return await returns.count_work(services)
    if service == "contracts":
        return await contracts.count_work(services)
    return await commuter.count_work(services)


WORK = (
    Part(
        "returns",
        "車両返却の申込",
        (Role.SALES, Role.MANAGER, Role.HQ, Role.TFC),
        ("returns",),
        _count_own,
        subjects="/returns",
    ),
    Part(
        "contracts",
        "最終回のお客様",
        (Role.SALES, Role.MANAGER, Role.HQ),
        ("contracts",),
        _count_own,
        room=2,
    ),
    Part(
        "commuter",
        "経費・定期",
        (Role.EMPLOYEE, Role.EXPENSE_APPROVER, Role.EXPENSE_ADMIN),
        ("commuter",),
        _count_own,
        subjects="/commuter/slips",
        room=2,
    ),
    Part(
        "operations",
        "運用",
        (Role.OPERATOR,),
        tuple(SERVICE_NAMES),
        operations.operators_work,
        room=6,
    ),
)


@dataclass(slots=True)
class Count:
    """A number as pages show it; `address` is the list that has as many rows."""

    key: str
    label: str
    count: int
    waits: bool
    address: str


@dataclass(slots=True)
class PartShown:
    """What is known of a part now; `loading`: an answer is still on its way."""

    part: Part
    counts: list[Count] = field(default_factory=list)
    remanded: list[operations.RemandedWork] = field(default_factory=list)
    missing: list[ServiceUnavailable] = field(default_factory=list)
    loading: bool = False


@dataclass(frozen=True, slots=True)
class WorkShown:
    """The whole work of a person."""

    parts: Sequence[PartShown] = ()

    @property
    def waiting(self) -> int:
        """How much the person must do: the number in the bar."""
        return sum(one.count for part in self.parts for one in part.counts if one.waits)

    @property
    def loading(self) -> bool:
        """Whether the number may still grow."""
        return any(part.loading for part in self.parts)


def parts_of(who: Principal) -> list[Part]:
    """The parts in which this person may have work."""
    return [part for part in WORK if who.has(*part.roles)]


async def work_of(request: Request, who: Principal, *, fresh: bool = False) -> WorkShown:
    """All parts as far as they are known within the deadline; within one request asked once."""
    known: WorkShown | None = getattr(request.state, "work", None)
    if known is None or fresh:
        parts = (part_of(request, who, part, fresh=fresh) for part in parts_of(who))
        known = request.state.work = WorkShown(await asyncio.gather(*parts))
    return known


async def part_of(
    request: Request, who: Principal, part: Part, *, fresh: bool = False, patient: bool = False
) -> PartShown:
    """One part; `fresh` believes no earlier answer, `patient` waits for the slow ones too."""
    answers = await asyncio.gather(
        *(
            _answer(request, who, service, part, fresh=fresh, patient=patient)
            for service in part.services
        )
    )
    shown = PartShown(part)
    for answer in answers:
        if isinstance(answer, ServiceUnavailable):
            shown.missing.append(answer)
        elif answer is None:
            shown.loading = True
        else:
            _add(shown.counts, answer.body["counts"])
            shown.remanded += answer.body["remanded"]
    return shown


async def _answer(  # noqa: PLR0913  what is asked, of whom, and how
    request: Request, who: Principal, service: str, part: Part, *, fresh: bool, patient: bool
) -> ServiceResponse[Work] | ServiceUnavailable | None:
    portal, services = state_of(request), client_of(request)
    today = portal.now().date() if portal.now else None  # time travel changes every number
    try:
        return await portal.answers.get(
            who,
            (service, part.name, today),
            part.count(services, service),
            keep_s=0 if fresh else KEPT_S,
            patient=patient,
        )
    except ServiceUnavailable as missing:
        services.unavailable_parts.add(missing.part)
        return missing
    except Problem as problem:
        return ServiceUnavailable(service, str(problem))


def _add(counts: list[Count], answered: Iterable[operations.WorkCount]) -> None:
    """Add what a service counted; what several of them keep in one list is one number."""
    by_key = {one.key: one for one in counts}
    for one in answered:
        if known := by_key.get(one["key"]):
            known.count += one["count"]
            continue
        query = urlencode(one["filter"], doseq=True)
        address = LISTS[one["key"]] + (f"?{query}" if query else "")
        counts.append(Count(one["key"], one["label"], one["count"], one["waits"], address))
