"""Webhook queries: endpoints, deliveries and their history."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import WebhookDelivery, WebhookDeliveryLog, WebhookEndpoint
from shared.db import EVERY_DEALER
from shared.delivery.search import LedgerSearch

State = Literal["scheduled", "delivered", "failed", "cancelled"]


class DeliverySearch(LedgerSearch):
    """What to look for."""

    endpoint_id: UUID | None = None
    state: State | None = None


async def endpoints_of(tx: AsyncSession, dealer_id: str) -> Sequence[WebhookEndpoint]:
    """The endpoints of a dealer, or of all for EVERY_DEALER; the oldest first."""
    chosen = select(WebhookEndpoint)
    if dealer_id != EVERY_DEALER:
        chosen = chosen.where(WebhookEndpoint.dealer_id == dealer_id)
    return (await tx.scalars(chosen.order_by(WebhookEndpoint.endpoint_id))).all()


async def endpoint_of(
    tx: AsyncSession, endpoint_id: UUID, dealer_id: str
) -> WebhookEndpoint | None:
    """One endpoint, if it is of the dealer, or of any for EVERY_DEALER."""
    found = await tx.get(WebhookEndpoint, endpoint_id)
    return found if found and dealer_id in (EVERY_DEALER, found.dealer_id) else None


async def deliveries_matching(
    tx: AsyncSession, search: DeliverySearch
) -> Sequence[tuple[WebhookDelivery, WebhookEndpoint]]:
    """The newest first, at most `limit`, each with its endpoint; ids grow with time."""
    chosen = select(WebhookDelivery, WebhookEndpoint).join(
        WebhookEndpoint, WebhookEndpoint.endpoint_id == WebhookDelivery.endpoint_id
    )
    if search.after is not None:
        chosen = chosen.where(WebhookDelivery.delivery_id < search.after)
    matching = chosen.where(*_conditions(search))
    newest = matching.order_by(WebhookDelivery.delivery_id.desc()).limit(search.limit)
    return [(delivery, endpoint) for delivery, endpoint in await tx.execute(newest)]


async def count_of_deliveries(tx: AsyncSession, search: DeliverySearch) -> int:
    """How many `deliveries_matching` finds on all its pages together."""
    matching = select(func.count()).select_from(WebhookDelivery).where(*_conditions(search))
    return await tx.scalar(matching) or 0


def _conditions(search: DeliverySearch) -> list[ColumnElement[bool]]:
    return [
        column == value
        for column, value in (
            (WebhookDelivery.dealer_id, search.dealer_id),
            (WebhookDelivery.application_id, search.application_id),
            (WebhookDelivery.endpoint_id, search.endpoint_id),
            (WebhookDelivery.state, search.state),
        )
        if value is not None
    ]


async def delivery_of(
    tx: AsyncSession, delivery_id: UUID, dealer_id: str
) -> tuple[WebhookDelivery, WebhookEndpoint] | None:
    """One delivery with its endpoint, if it is of the dealer, or of any for EVERY_DEALER."""
    found = await tx.get(WebhookDelivery, delivery_id)
    if found is None or dealer_id not in (EVERY_DEALER, found.dealer_id):
        return None
    return found, await tx.get_one(WebhookEndpoint, found.endpoint_id)


async def history_of(tx: AsyncSession, delivery_id: UUID) -> Sequence[WebhookDeliveryLog]:
    """What happened to a delivery, the oldest first."""
    steps = select(WebhookDeliveryLog).where(WebhookDeliveryLog.delivery_id == delivery_id)
    in_order = steps.order_by(WebhookDeliveryLog.webhook_delivery_log_id)
    return (await tx.scalars(in_order)).all()
