"""トップ: the day's work of the person, and below it everything that they can open (D3)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from portal_service.pending_work import WorkShown, part_of, parts_of, work_of
from portal_service.rendering import render
from portal_service.state import state_of
from shared.auth import Principal, require

pages = APIRouter()
Who = Annotated[Principal, require()]


@pages.get("/")
async def show_top(request: Request, who: Who) -> Response:
    """What waits for the person, and the menu."""
    work = await work_of(request, who, fresh=True)
    return await render(request, "top.html", work=work)


@pages.get("/work")
async def show_bar(request: Request, who: Who) -> Response:
    """For scripts: the number in the bar once everything has answered."""
    parts = [await part_of(request, who, part, patient=True) for part in parts_of(who)]
    return _piece(request, "bar", WorkShown(parts))


@pages.get("/work/{name}")
async def show_part(request: Request, who: Who, name: str) -> Response:
    """For scripts: one part of トップ once it has answered."""
    for part in parts_of(who):
        if part.name == name:
            shown = await part_of(request, who, part, patient=True)
            return _piece(request, "part", shown)
    raise HTTPException(404)


@pages.get("/help", dependencies=[require()])
async def show_help(request: Request) -> Response:
    """What colours, marks and keys mean, and whom to ask."""
    return await render(request, "help.html")


def _piece(request: Request, macro: str, shown: object) -> Response:
    pieces = state_of(request).templates.get_template("_work.html").module
    return HTMLResponse(getattr(pieces, macro)(shown))
