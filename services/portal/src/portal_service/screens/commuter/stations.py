"""Names of stations for the fields that complete them."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from portal_service.api_client import Problem, client_of
from portal_service.screens.commuter.passes import EXPENSES
from portal_service.service_api import commuter
from portal_service.state import state_of

pages = APIRouter(prefix="/commuter/stations", dependencies=[EXPENSES])


@pages.get("")
async def complete_station(request: Request, typed: str = "") -> Response:
    """For scripts: the stations that begin as typed, as options of a list."""
    stations: Sequence[commuter.Suggestion] = ()
    if typed.strip():
        try:
            found = await commuter.suggest_stations(client_of(request), prefix=typed)
            stations = found.body["items"]
        except Problem:
            pass  # no station begins with what the service does not accept as text
    options = state_of(request).templates.get_template("commuter/_stations.html")
    return HTMLResponse(options.render(stations=stations))
