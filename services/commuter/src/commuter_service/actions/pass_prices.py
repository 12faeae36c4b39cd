"""Prices of a pass put into force with its version, from their day on (R111)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.allowance_models import PassPrice
from commuter_service.models import PassVersion
from commuter_service.request_context import RequestContext
from commuter_service.rules.pass_price import FIELDS, PassPrices, in_force_on, priced_from


def prices_in(row: PassVersion | PassPrice) -> PassPrices:
    """The prices that a row keeps."""
    kept = {name: getattr(row, name) for name in FIELDS.values()}
    named = row.priced_from if isinstance(row, PassVersion) else row.from_on
    return PassPrices(**kept, paid_every=row.paid_every, priced_from=named)


async def prices_of(tx: AsyncSession, *pass_ids: UUID) -> Sequence[PassPrice]:
    """All prices of passes with the days from which they count, the earliest first."""
    wanted = select(PassPrice).where(PassPrice.pass_id.in_(pass_ids))
    return (await tx.execute(wanted.order_by(PassPrice.pass_id, PassPrice.from_on))).scalars().all()


async def put_prices_into_force(ctx: RequestContext, version: PassVersion) -> None:
    """Keep the prices of a version that comes into force; the same ones again change nothing."""
    rows = await prices_of(ctx.tx, version.pass_id)
    prices = prices_in(version)
    if not prices.known and not rows:
        return
    from_on = priced_from(prices, version.starts_on, has_prices=bool(rows), today=ctx.today)
    now = in_force_on(rows, from_on)
    if now is not None and prices_in(now).amounts == prices.amounts:
        return
    if prices.priced_from is None and rows and prices_in(rows[-1]).amounts == prices.amounts:
        return  # already kept, from a later day on
    row = now if now is not None and now.from_on == from_on else _new(version, ctx)
    row.from_on = from_on
    for name in (*FIELDS.values(), "paid_every"):
        setattr(row, name, getattr(version, name))
    row.made_at, row.made_by_name = ctx.now, ctx.name
    ctx.tx.add(row)


async def delete_prices(tx: AsyncSession, pass_id: UUID) -> None:
    """They go with their pass."""
    await tx.execute(delete(PassPrice).where(PassPrice.pass_id == pass_id))


def _new(version: PassVersion, ctx: RequestContext) -> PassPrice:
    return PassPrice(pass_id=version.pass_id, dealer_id=ctx.dealer_id)
