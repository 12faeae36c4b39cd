"""Work counts of a user: contracts near their last day without a result.

Sales staff count the contracts assigned to them, managers those of the store, headquarters those
of the dealer. Each count uses the search behind the list, with the same conditions.
"""

from collections.abc import Iterator

from fastapi import APIRouter

from contracts_service import customer_list
from contracts_service.api.contracts import SearchQuery, condition_of
from contracts_service.api.dependencies import DEALER, Ctx, RequestContext
from contracts_service.rules.row_colour import Colour
from shared.pending_work import Work, WorkCount
from shared.roles import Role

router = APIRouter()
KINDS = (
    (Colour.RED, "2か月未満・未完了のお客様"),
    (Colour.YELLOW, "4か月未満・未完了のお客様"),
)
WHOSE = {Role.SALES: "担当", Role.MANAGER: "店舗", Role.HQ: "全店舗"}


@router.get("/work", dependencies=[DEALER])
async def count_work(ctx: Ctx) -> Work:
    """The number of the user's contracts near their last day without a result."""
    counts = []
    for colour, label in KINDS:
        query = SearchQuery(mode="general", colour=colour.value, staff_code=_own_code(ctx))
        condition = await condition_of(ctx, query)
        counts.append(
            WorkCount(
                key=colour.value,
                label=f"{label}（{WHOSE[ctx.viewer.role]}）",
                count=await customer_list.count(ctx.tx, condition),
                waits=False,
                filter=dict(_filter(query)),
            )
        )
    if ctx.viewer.role is not Role.SALES:
        left = await _count_of_leavers(ctx)
        counts += [left] if left.count else []
    return Work(counts=counts)


async def _count_of_leavers(ctx: RequestContext) -> WorkCount:
    """Open contracts whose person in charge has left: somebody must take them over (D157)."""
    query = SearchQuery(mode="general", staff_left="true")
    return WorkCount(
        key="staff_left",
        label=f"担当者が退職したお客様（{WHOSE[ctx.viewer.role]}）",
        count=await customer_list.count(ctx.tx, await condition_of(ctx, query)),
        waits=ctx.viewer.role is Role.HQ,
        filter=dict(_filter(query)),
    )


def _filter(query: SearchQuery) -> Iterator[tuple[str, str]]:
    yield "mode", query.mode
    yield from query.conditions.items()


def _own_code(ctx: RequestContext) -> str:
    """The staff code of sales staff; for other roles empty, since their work is not personal."""
    return (ctx.who.staff_code or "") if ctx.viewer.role is Role.SALES else ""
