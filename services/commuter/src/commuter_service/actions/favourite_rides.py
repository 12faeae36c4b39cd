"""Favourite rides kept from an item, and deleted; everybody has their own (R132)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select

from commuter_service import queries
from commuter_service.favourite_models import FavouriteRide
from commuter_service.models import SlipItem
from commuter_service.request_context import RequestContext
from commuter_service.rules.favourite_ride import check_favourite
from shared.http import NotFound
from shared.trace_context import new_id


async def favourites_of(ctx: RequestContext) -> Sequence[FavouriteRide]:
    """The own favourites, the oldest first."""
    asked = select(FavouriteRide).where(
        FavouriteRide.dealer_id == ctx.dealer_id, FavouriteRide.employee_id == ctx.employee_id
    )
    ordered = asked.order_by(FavouriteRide.kept_at, FavouriteRide.favourite_id)
    return (await ctx.tx.execute(ordered)).scalars().all()


async def keep_favourite(ctx: RequestContext, slip_id: UUID, item_id: UUID) -> FavouriteRide:
    """Keep the ride of an item; what is kept already is answered as it is.

    Raises NotFound, RideNotLookedUp, TooManyFavourites.
    """
    item = await _item(ctx, slip_id, item_id)
    kept = await favourites_of(ctx)
    for one in kept:
        if (one.route, one.medium, one.round_trip) == (item.route, item.medium, item.round_trip):
            return one
    made = FavouriteRide(
        favourite_id=new_id(),
        dealer_id=ctx.dealer_id,
        employee_id=ctx.employee_id,
        route=check_favourite(item.route, kept=len(kept)),
        medium=item.medium,
        round_trip=item.round_trip,
        kept_at=ctx.now,
    )
    ctx.tx.add(made)
    await ctx.tx.flush()
    return made


async def delete_favourite(ctx: RequestContext, favourite_id: UUID) -> None:
    """Delete an own one; it may be gone already."""
    await ctx.tx.execute(
        delete(FavouriteRide).where(
            FavouriteRide.favourite_id == favourite_id,
            FavouriteRide.employee_id == ctx.employee_id,
        )
    )


async def _item(ctx: RequestContext, slip_id: UUID, item_id: UUID) -> SlipItem:
    slip = await queries.slip_for(
        ctx.tx, ctx.dealer_id, slip_id, ctx.employee_id, accounting=ctx.accounting
    )
    items = await queries.items_of(ctx.tx, slip.slip_id)
    found = next((one for one in items if one.item_id == item_id), None)
    if found is None:
        raise NotFound
    return found
