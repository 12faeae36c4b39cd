"""Every request prices with the edition of network and tariffs that the database has in force."""

from fastapi import Request

from commuter_service.adapters import network_store
from shared.http import database_of


async def newest_edition(request: Request) -> None:
    """One small query; an edition loaded meanwhile is taken over before the request goes on."""
    await network_store.activate_newest(database_of(request))
