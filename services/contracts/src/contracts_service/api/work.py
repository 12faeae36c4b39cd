"""Work among a person's contracts: those whose last day comes near and whose result is missing.

Sales staff have the contracts assigned to them, managers those of the store, headquarters all of
the dealer's. Each count comes from the search that the list runs with the same conditions.
"""

from collections.abc import Iterator

from fastapi import APIRouter

from contracts_service import customer_list
from contracts_service.api.customers import SearchQuery, condition_of
from contracts_service.api.visit import DEALER, Visit, Visiting
from contracts_service.rules.row_colour import Colour
from shared.roles import Role
from shared.work import Work, WorkCount

router = APIRouter()
KINDS = (
    (Colour.RED, "2か月未満・未完了のお客様"),
    (Colour.YELLOW, "4か月未満・未完了のお客様"),
)
WHOSE = {Role.SALES: "担当", Role.MANAGER: "店舗", Role.HQ: "全店舗"}


@router.get("/work", dependencies=[DEALER])
async def count_work(visit: Visiting) -> Work:
    """How many of the person's contracts are near their last day without a result."""
    counts = []
    for colour, label in KINDS:
        query = SearchQuery(mode="general", colour=colour.value, staff_code=_own_code(visit))
        condition = await condition_of(visit, query)
        counts.append(
            WorkCount(
                key=colour.value,
                label=f"{label}（{WHOSE[visit.viewer.role]}）",
                count=await customer_list.count(visit.tx, condition),
                waits=False,
                filter=dict(_filter(query)),
            )
        )
    return Work(counts=counts)


def _filter(query: SearchQuery) -> Iterator[tuple[str, str]]:
    yield "mode", query.mode
    yield from query.typed.items()


def _own_code(visit: Visit) -> str:
    """The staff code of sales staff; others have work that is assigned to many."""
    return (visit.who.staff_code or "") if visit.viewer.role is Role.SALES else ""
