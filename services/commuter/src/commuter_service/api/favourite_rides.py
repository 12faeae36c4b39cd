"""よく使う経路: the own favourite rides, kept from an item of a slip (R132)."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from commuter_service.actions import favourite_rides as actions
from commuter_service.api.dependencies import EMPLOYEES, Body, Ctx
from commuter_service.favourite_models import FavouriteRide
from commuter_service.rules.favourite_ride import RideNotLookedUp, TooManyFavourites
from fare_engine.routing.route_words import section_of
from shared.http import NotFound
from shared.refusals import refuses

router = APIRouter(prefix="/favourite-rides", dependencies=[EMPLOYEES])


class FavouriteBody(Body):
    """The item whose ride is kept."""

    slip_id: UUID
    item_id: UUID


class Favourite(BaseModel):
    """A ride that can be added to a slip on another day."""

    favourite_id: str
    section: str
    route: str
    medium: str
    round_trip: bool


class Favourites(BaseModel):
    """The own ones."""

    items: list[Favourite]


@router.get("")
async def list_favourites(ctx: Ctx) -> Favourites:
    """The own favourite rides, the oldest first."""
    return Favourites(items=[_shown(one) for one in await actions.favourites_of(ctx)])


@router.post("", status_code=201)
@refuses(NotFound, RideNotLookedUp, TooManyFavourites)
async def keep_favourite(body: FavouriteBody, ctx: Ctx) -> Favourite:
    """Keep the ride of an item; twice is once."""
    return _shown(await actions.keep_favourite(ctx, body.slip_id, body.item_id))


@router.delete("/{favourite_id}", status_code=204)
async def delete_favourite(favourite_id: UUID, ctx: Ctx) -> None:
    """Delete it; slips that were made with it stay."""
    await actions.delete_favourite(ctx, favourite_id)


def _shown(one: FavouriteRide) -> Favourite:
    return Favourite(
        favourite_id=str(one.favourite_id),
        section=section_of(one.route),
        route=one.route,
        medium=one.medium,
        round_trip=one.round_trip,
    )
