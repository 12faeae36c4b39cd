"""店舗の状況: what managers look at first, as pictures and as figures (part D)."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import ServiceUnavailable, client_of, or_missing
from portal_service.charts import stacked
from portal_service.rendering import render
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
    figures = await or_missing(services.get("contracts", "/dashboard"))
    stores = [] if isinstance(figures, ServiceUnavailable) else figures.body["stores"]
    named = [{**store, "label": store["store_name"] or store["store_code"]} for store in stores]
    return await render(
        request,
        "dashboard.html",
        figures=figures,
        due=stacked(named, DUE, label="label"),
        due_legend=DUE,
        ages=stacked(named, AGES, label="label"),
        age_legend=AGES,
        counts=await or_missing(services.get("returns", "/applications/counts")),
        work=await or_missing(services.get("returns", "/applications/work")),
        moves=await or_missing(services.get("contracts", "/transfers-in-progress")),
    )
