"""The commuter service by its parts."""

from fastapi import APIRouter, FastAPI

from shared.api import create_api
from shared.auth import PrincipalOf
from shared.clock import Clock
from shared.db import Database
from shared.service import Service

SERVICE = Service("commuter", "commuter_service")
router = APIRouter()


def create_app(*, database: Database, clock: Clock, principal_of: PrincipalOf) -> FastAPI:
    """The HTTP side of the service."""
    return create_api(SERVICE, router, database=database, clock=clock, principal_of=principal_of)
