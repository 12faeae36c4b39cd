"""マスタ: dealers with their stores and staff, and models, as TFC looks them up."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import client_of, or_missing
from portal_service.rendering import render
from portal_service.service_api import contracts
from shared.auth import Role, require

pages = APIRouter(prefix="/tfc/masters", dependencies=[require(Role.TFC)])

ROLES = {role.value: role.label_ja for role in Role}


@pages.get("")
async def show_masters(request: Request) -> Response:
    """Dealers and models."""
    services = client_of(request)
    return await render(
        request,
        "tfc/masters.html",
        dealers=await or_missing(contracts.list_dealers(services)),
        vehicles=await or_missing(contracts.list_all_vehicles(services)),
    )


@pages.get("/{dealer}")
async def show_dealer(request: Request, dealer: str) -> Response:
    """One dealer's stores and staff."""
    found = await contracts.show_dealer(client_of(request), dealer)
    return await render(request, "tfc/dealer.html", dealer=found.body, role_names=ROLES)
