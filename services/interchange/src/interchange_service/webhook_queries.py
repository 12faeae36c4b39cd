"""Webhook queries: endpoints, deliveries and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import WebhookDelivery, WebhookDeliveryLog, WebhookEndpoint
from shared.db import EVERY_DEALER


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Search terms; None leaves a field open. `after` is the last delivery seen."""

    dealer_id: str = EVERY_DEALER
    application_id: str | None = None
    endpoint_id: UUID | None = None
    state: str | None = None
    after: UUID | None = None
    limit: int = 50


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
    tx: AsyncSession, wanted: DeliveryFilter
) -> Sequence[tuple[WebhookDelivery, WebhookEndpoint]]:
    """The newest first, at most `limit`, each with its endpoint; ids grow with time."""
    chosen = select(WebhookDelivery, WebhookEndpoint).join(
        WebhookEndpoint, WebhookEndpoint.endpoint_id == WebhookDelivery.endpoint_id
    )
    if wanted.after is not None:
        chosen = chosen.where(WebhookDelivery.delivery_id < wanted.after)
    matching = chosen.where(*_conditions(wanted))
    newest = matching.order_by(WebhookDelivery.delivery_id.desc()).limit(wanted.limit)
    return [(delivery, endpoint) for delivery, endpoint in await tx.execute(newest)]


async def count_of_deliveries(tx: AsyncSession, wanted: DeliveryFilter) -> int:
    """How many `deliveries_matching` finds on all its pages together."""
    matching = select(func.count()).select_from(WebhookDelivery).where(*_conditions(wanted))
    return await tx.scalar(matching) or 0


def _conditions(wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    dealer = None if wanted.dealer_id == EVERY_DEALER else wanted.dealer_id
    return [
        column == value
        for column, value in (
            (WebhookDelivery.dealer_id, dealer),
            (WebhookDelivery.application_id, wanted.application_id),
            (WebhookDelivery.endpoint_id, wanted.endpoint_id),
            (WebhookDelivery.state, wanted.state),
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
