"""Dashboard for managers: due and overdue contracts per store, ageing, replacement rate (D).

Counted in SQL with the bounds of the rules.
"""

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import customer_list
from contracts_service.colour_conditions import COLOUR, DUE, colour_values, due_values
from contracts_service.policy import Policy
from contracts_service.rules.contract_access import Viewer


class Figures(BaseModel):
    """Contracts by urgency and age; missing figures, as of a store without contracts, are 0."""

    contracts: int = 0
    red: int = 0
    yellow: int = 0
    urgent_red: int = 0
    urgent_yellow: int = 0
    overdue_open: int = 0
    overdue_to_30: int = 0
    overdue_to_60: int = 0
    overdue_to_90: int = 0
    overdue_longer: int = 0
    replaced_here: int = 0
    replacement_known: int = 0
    replacement_rate: float | None


class StoreFigures(Figures):
    """The figures of one store."""

    store_code: str
    store_name: str


class Dashboard(BaseModel):
    """店舗の状況."""

    stores: list[StoreFigures]
    total: Figures


async def dashboard(tx: AsyncSession, viewer: Viewer, *, today: date, policy: Policy) -> Dashboard:
    """The figures of each store visible to the viewer, and their sums."""
    seen = customer_list.visible_to(viewer, today=today)
    condition = customer_list.listed(seen, today=today, months=policy.listed_months)
    values = {
        **condition.values,
        **colour_values(today, green_days=policy.green_days),
        **due_values(today),
    }
    due = ", ".join(f"count(*) FILTER (WHERE {part}) AS {state}" for state, part in DUE.items())
    statement = f"""
        SELECT contract.store_code, coalesce(max(store.name), '') AS store_name,
               count(*) AS contracts,
               count(*) FILTER (WHERE {COLOUR} = 'red') AS red,
               count(*) FILTER (WHERE {COLOUR} = 'yellow') AS yellow,
               {due},
               count(*) FILTER (WHERE own_replacement) AS replaced_here,
               count(*) FILTER (WHERE own_replacement IS NOT NULL) AS replacement_known
        FROM contract LEFT JOIN store USING (dealer_id, store_code)
        WHERE {condition.where}
        GROUP BY contract.store_code ORDER BY contract.store_code
    """  # noqa: S608 - parts of this file and of the list's
    stores = [dict(row) for row in (await tx.execute(text(statement), values)).mappings()]
    total = {
        key: sum(store[key] for store in stores)
        for key in (stores[0] if stores else {})
        if key not in {"store_code", "store_name"}
    }
    return Dashboard(
        stores=[StoreFigures(**store, replacement_rate=_rate(store)) for store in stores],
        total=Figures(**total, replacement_rate=_rate(total)),
    )


def _rate(figures: Mapping[str, int]) -> float | None:
    known = figures.get("replacement_known", 0)
    return round(figures["replaced_here"] / known, 3) if known else None
