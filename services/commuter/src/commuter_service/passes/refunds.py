"""The refund of a pass that exists: which purchase it is, and over whose lines it runs (R117)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.pass_prices import prices_in, prices_of
from commuter_service.allowance_models import PassPrice
from commuter_service.models import PassVersion
from commuter_service.queries import PassRecord
from commuter_service.rules.pass_price import MONTHS, NO_PRICES, PassPrices, in_force_on
from commuter_service.rules.pass_refund import BoughtPass, bought_period
from fare_engine.routing.name_escaping import names_in


@dataclass(frozen=True, slots=True)
class Purchase:
    """What somebody says of it; what they leave out is worked out."""

    months: int | None
    bought_on: date | None


def operators_of(route: str) -> list[str]:
    """The companies of a route text, each once."""
    lines = names_in(route)[1::2]
    return list(dict.fromkeys(line.partition("/")[0] for line in lines))


async def purchase_of(
    tx: AsyncSession, record: PassRecord, said: Purchase, ended_on: date
) -> BoughtPass:
    """The pass that runs on a day: with the months that are paid, else the most that have a price.

    One follows the other from its first day on, unless the day of the purchase is named.
    """
    version, rows = record.shown, await prices_of(tx, record.held.pass_id)
    months = said.months or _usual_months(_prices(version, rows, ended_on))
    first = version.starts_on or (rows[0].from_on if rows else ended_on)
    bought_on = said.bought_on or bought_period(first, months, ended_on)
    return BoughtPass(months, bought_on, _prices(version, rows, bought_on))


def _prices(version: PassVersion, rows: Sequence[PassPrice], on: date) -> PassPrices:
    if not rows:
        return prices_in(version)
    row = in_force_on(rows, on)
    return prices_in(row) if row else NO_PRICES


def _usual_months(prices: PassPrices) -> int:
    if prices.paid_every:
        return prices.paid_every
    return max((months for months in MONTHS if prices.of(months)), default=MONTHS[-1])
