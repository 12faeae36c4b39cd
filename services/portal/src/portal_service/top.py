"""トップ: the first page after logging in, with everything that this person can open (D3)."""

from fastapi import APIRouter, Request, Response

from portal_service.frame import page
from shared.auth import require

pages = APIRouter()


@pages.get("/", dependencies=[require()])
async def show_top(request: Request) -> Response:
    """The top menu."""
    return await page(request, "top.html")


@pages.get("/help", dependencies=[require()])
async def show_help(request: Request) -> Response:
    """What colours, marks and keys mean, and whom to ask."""
    return await page(request, "help.html")
