"""店舗の状況: what managers look at first, as pictures and as figures (part D)."""

import asyncio

from fastapi import APIRouter, Request, Response

from portal_service.api_client import ServiceUnavailable, client_of, or_missing
from portal_service.charts import stacked
from portal_service.rendering import render
from portal_service.screens.returns.progress_list import GROUP_STATUSES
from portal_service.service_api import contracts, returns
from shared.auth import Role, require

pages = APIRouter(dependencies=[require(Role.MANAGER, Role.HQ)])

DUE = (
    ("urgent_red", "red", "2か月未満・未完了"),
    ("urgent_yellow", "yellow", "4か月未満・未完了"),
)
AGES = (
    ("overdue_to_30", "age-1", "30日まで"),
    ("overdue_to_60", "age-2", "60日まで"),
    ("overdue_to_90", "age-3", "90日まで"),
    ("overdue_longer", "age-4", "90日超"),
)


@pages.get("/dashboard")
async def show_dashboard(request: Request) -> Response:
    """Each part by itself: one that is missing leaves the others."""
    services = client_of(request)
    figures, counts, work, moves = await asyncio.gather(
        or_missing(contracts.show_dashboard(services)),
        or_missing(returns.count_applications(services)),
        or_missing(returns.list_own_work(services)),
        or_missing(contracts.count_transfers(services)),
    )
    stores = [] if isinstance(figures, ServiceUnavailable) else figures.body["stores"]
    due = [(_name(one), (one["urgent_red"], one["urgent_yellow"])) for one in stores]
    ages = [
        (
            _name(one),
            (
                one["overdue_to_30"],
                one["overdue_to_60"],
                one["overdue_to_90"],
                one["overdue_longer"],
            ),
        )
        for one in stores
    ]
    return await render(
        request,
        "dashboard.html",
        figures=figures,
        due=stacked(due, [part[1:] for part in DUE]),
        due_legend=DUE,
        ages=stacked(ages, [part[1:] for part in AGES]),
        age_legend=AGES,
        counts=counts,
        group_statuses=GROUP_STATUSES,
        work=work,
        moves=moves,
    )


def _name(store: contracts.StoreFigures) -> str:
    return store["store_name"] or store["store_code"]
