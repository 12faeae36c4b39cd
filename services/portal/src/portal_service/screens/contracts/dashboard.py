"""店舗の状況: what managers look at first, as pictures and as figures (part D)."""

import asyncio
from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from portal_service.api_client import ServiceUnavailable, client_of, or_missing
from portal_service.charts import BarRow, stacked
from portal_service.rendering import render
from portal_service.screens.returns.progress_list import GROUP_STATUSES
from portal_service.service_api import contracts, returns
from shared.auth import Role, require

pages = APIRouter(dependencies=[require(Role.MANAGER, Role.HQ)])

DueFigure = Literal[
    "urgent_red",
    "urgent_yellow",
    "overdue_to_30",
    "overdue_to_60",
    "overdue_to_90",
    "overdue_longer",
]
Legend = tuple[tuple[DueFigure, str, str], ...]
DUE: Legend = (
    ("urgent_red", "red", "2か月未満・未完了"),
    ("urgent_yellow", "yellow", "4か月未満・未完了"),
)
AGES: Legend = (
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
    return await render(
        request,
        "dashboard.html",
        figures=figures,
        due=_bars(stores, DUE),
        due_legend=DUE,
        ages=_bars(stores, AGES),
        age_legend=AGES,
        list_of=list_of,
        counts=counts,
        group_statuses=GROUP_STATUSES,
        work=work,
        moves=moves,
    )


def list_of(store_code: str, due: str = "") -> str:
    """The list with the contracts that a figure counts."""
    asked = {"mode": "general", "store_code": store_code} | ({"due": due} if due else {})
    return f"/contracts?{urlencode(asked)}"


def _bars(stores: list[contracts.StoreFigures], legend: Legend) -> list[BarRow]:
    rows = [
        (_name(one), [(one[key], list_of(one["store_code"], key)) for key, _, _ in legend])
        for one in stores
    ]
    return stacked(rows, [part[1:] for part in legend])


def _name(store: contracts.StoreFigures) -> str:
    return store["store_name"] or store["store_code"]
