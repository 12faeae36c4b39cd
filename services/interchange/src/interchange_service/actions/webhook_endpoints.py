"""Webhook endpoints of a dealer: add, change, stop, test, renew the secret, resend a message.

A secret is made here, shown once, and stored encrypted. A new one signs beside the old one for a
day, so that the receiver can change over in its own time.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.deliver_webhook import stop_endpoint
from interchange_service.actions.schedule_webhook import schedule_ping
from interchange_service.models import DELIVERIES, WebhookDelivery, WebhookEndpoint
from interchange_service.rules.webhooks import (
    OLD_SECRET_SIGNS_FOR,
    EndpointStopped,
    refused_resend,
)
from interchange_service.secret_encryption import SecretBox, new_secret
from shared.concurrency import check_version
from shared.errors import Kind, Refusal
from shared.http import NotFound

MOST_ENDPOINTS = 10
ENDPOINT_CHANGED = "送信先が変更されています。画面を更新してください。"
DELIVERY_CHANGED = "送信の状態が変わりました。画面を更新してください。"


class TooManyEndpoints(Refusal):
    """The dealer has the maximum number of active endpoints."""

    code = "TOO_MANY_ENDPOINTS"
    kind = Kind.CONFLICT
    message = (
        f"送信中にできる送信先は{MOST_ENDPOINTS}件までです。使わない送信先を停止してください。"
    )
    english = f"A dealer has at most {MOST_ENDPOINTS} active endpoints: stop one (active: false)."


@dataclass(frozen=True, slots=True)
class EndpointInput:
    """The fields of an endpoint that a person sets."""

    label: str
    url: str
    events: tuple[str, ...]


async def add_endpoint(  # noqa: PLR0913  everything but the transaction has a name
    tx: AsyncSession,
    endpoint_id: UUID,
    wish: EndpointInput,
    *,
    dealer_id: str,
    secret_box: SecretBox,
    by: str,
    now: datetime,
) -> WebhookEndpoint:
    """Send a dealer's steps there from now on. Raises TooManyEndpoints."""
    await _check_room(tx, dealer_id)
    endpoint = WebhookEndpoint(
        endpoint_id=endpoint_id,
        dealer_id=dealer_id,
        label=wish.label,
        url=wish.url,
        events=list(wish.events),
        secret=secret_box.encrypt(new_secret()),
        version=1,
        made_at=now,
        made_by=by,
        changed_at=now,
        changed_by=by,
    )
    tx.add(endpoint)
    await tx.flush()
    return endpoint


async def change_endpoint(  # noqa: PLR0913  everything but the first three has a name
    tx: AsyncSession,
    endpoint_id: UUID,
    wish: EndpointInput,
    *,
    active: bool,
    expected_version: int,
    by: str,
    now: datetime,
) -> WebhookEndpoint:
    """Change an endpoint, stop it or begin again.

    Raises NotFound, VersionConflict, TooManyEndpoints.
    """
    endpoint = await _held(tx, endpoint_id, expected_version)
    endpoint.label, endpoint.url, endpoint.events = wish.label, wish.url, list(wish.events)
    if endpoint.active and not active:
        await stop_endpoint(tx, endpoint, "person", now=now)
        return endpoint
    if active and not endpoint.active:
        await _check_room(tx, endpoint.dealer_id)
        endpoint.stopped_because = endpoint.failing_since = None
    await _changed(tx, endpoint, by, now)
    return endpoint


async def renew_secret(  # noqa: PLR0913  everything but the first two has a name
    tx: AsyncSession,
    endpoint_id: UUID,
    *,
    expected_version: int,
    secret_box: SecretBox,
    by: str,
    now: datetime,
) -> WebhookEndpoint:
    """Give an endpoint a new secret; the old one signs too for a day."""
    endpoint = await _held(tx, endpoint_id, expected_version)
    endpoint.old_secret, endpoint.secret = endpoint.secret, secret_box.encrypt(new_secret())
    endpoint.old_secret_until = now + OLD_SECRET_SIGNS_FOR
    await _changed(tx, endpoint, by, now)
    return endpoint


async def ping_endpoint(tx: AsyncSession, endpoint_id: UUID, *, now: datetime) -> UUID:
    """Send a test; its id. Raises NotFound, EndpointStopped."""
    endpoint = await tx.get(WebhookEndpoint, endpoint_id)
    if endpoint is None:
        raise NotFound
    if not endpoint.active:
        raise EndpointStopped
    return await schedule_ping(tx, endpoint, now=now)


async def resend_message(
    tx: AsyncSession, delivery_id: UUID, *, expected_version: int, now: datetime
) -> WebhookDelivery:
    """Send a message again under the same id, with all attempts before it.

    Raises NotFound, VersionConflict, DeliveryUnderway, EndpointStopped.
    """
    delivery = await DELIVERIES.locked(
        tx, delivery_id, expected_version=expected_version, changed=DELIVERY_CHANGED
    )
    endpoint = await tx.get_one(WebhookEndpoint, delivery.endpoint_id)
    if refusal := refused_resend(delivery.state, endpoint_active=endpoint.active):
        raise refusal
    await DELIVERIES.resend(tx, delivery, now=now)
    return delivery


async def rotate_encryption(tx: AsyncSession, secret_box: SecretBox) -> int:
    """Encrypt every secret with the first key; returns how many were not."""
    renewed = 0
    for endpoint in (await tx.scalars(select(WebhookEndpoint).with_for_update())).all():
        secret = secret_box.reencrypted(endpoint.secret)
        old = secret_box.reencrypted(endpoint.old_secret) if endpoint.old_secret else None
        endpoint.secret = secret or endpoint.secret
        endpoint.old_secret = old or endpoint.old_secret
        renewed += bool(secret or old)
    await tx.flush()
    return renewed


async def _check_room(tx: AsyncSession, dealer_id: str) -> None:
    """Refuse one more active endpoint than a dealer may have; those that are stopped are free."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtext(:d))"), {"d": dealer_id})
    active = select(func.count()).where(
        WebhookEndpoint.dealer_id == dealer_id, WebhookEndpoint.stopped_because.is_(None)
    )
    if (await tx.scalar(active) or 0) >= MOST_ENDPOINTS:
        raise TooManyEndpoints


async def _held(tx: AsyncSession, endpoint_id: UUID, expected_version: int) -> WebhookEndpoint:
    endpoint = await tx.get(WebhookEndpoint, endpoint_id, with_for_update={"key_share": True})
    if endpoint is None:
        raise NotFound
    check_version(endpoint.version, expected_version, ENDPOINT_CHANGED)
    return endpoint


async def _changed(tx: AsyncSession, endpoint: WebhookEndpoint, by: str, now: datetime) -> None:
    endpoint.version += 1
    endpoint.changed_at, endpoint.changed_by = now, by
    await tx.flush()
