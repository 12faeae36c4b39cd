"""Webhook deliveries API: what was sent, whether it arrived, and the resend."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.webhook_endpoints import resend_message
from interchange_service.api.webhook_dependencies import (
    TheClock,
    Tx,
    Version,
    WebhookAdmin,
    scope_of,
)
from interchange_service.models import WebhookDelivery, WebhookDeliveryLog, WebhookEndpoint
from interchange_service.rules.webhooks import (
    EVENT_FILTER_NAMES,
    DeliveryUnderway,
    EndpointStopped,
    refused_resend,
)
from interchange_service.webhook_http import DeliveryError
from interchange_service.webhook_queries import (
    DeliverySearch,
    State,
    deliveries_matching,
    delivery_of,
    history_of,
)
from shared.auth import Principal
from shared.delivery.search import LedgerStep, ResendOffer
from shared.http import NotFound, etag
from shared.refusals import refuses

router = APIRouter(prefix="/webhook-deliveries")

STATE_NAMES = {
    "scheduled": "送信待ち",
    "delivered": "送信済み",
    "failed": "送信失敗",
    "cancelled": "送信取りやめ",
}
AGAIN = "再送待ち"
ERROR_NAMES = {
    DeliveryError.TIMEOUT: "時間内に応答がありません",
    DeliveryError.NOT_CONNECTED: "接続できません",
    DeliveryError.NOT_TRUSTED: "証明書を確認できません",
    DeliveryError.CUT: "応答の前に切断されました",
    DeliveryError.HOST_UNKNOWN: "ホスト名のアドレスが見つかりません",
    DeliveryError.ADDRESS_REFUSED: "送信できないアドレスを指しています",
    DeliveryError.SECRET_LOST: "署名用の秘密鍵を読み取れません",
}


class DeliveryLine(BaseModel):
    """A message as the list shows it; `next_attempt_at` while it waits."""

    delivery_id: UUID
    endpoint_id: UUID
    endpoint_label: str
    dealer_id: str
    event_id: UUID
    kind: str
    kind_japanese: str
    application_id: str | None
    contract_no: str | None
    state: State
    state_japanese: str
    attempts: int
    last_status: int | None
    last_trouble: str | None
    last_trouble_japanese: str | None
    planned_at: datetime
    next_attempt_at: datetime | None
    settled_at: datetime | None
    version: int
    resend: ResendOffer


class DeliveryPage(BaseModel):
    """Some of them, the newest first; `next` goes into `after` for the following ones."""

    deliveries: list[DeliveryLine]
    next: UUID | None


class DeliveryStep(LedgerStep):
    """One thing that happened to a message; `actor` where a person did it."""

    attempt: int
    status: int | None
    trouble: str | None
    trouble_japanese: str | None
    duration_ms: int | None
    excerpt: str | None


class WholeDelivery(DeliveryLine):
    """A message with its body and all that happened to it."""

    url: str
    body: str
    history: list[DeliveryStep]


@router.get("")
async def search_deliveries(
    who: WebhookAdmin, tx: Tx, search: Annotated[DeliverySearch, Query()]
) -> DeliveryPage:
    """The messages that fit all that is given, the newest first."""
    found = await deliveries_matching(tx, search.within(scope_of(who)))
    more = len(found) == search.limit
    return DeliveryPage(
        deliveries=[DeliveryLine(**_line(*one)) for one in found],
        next=found[-1][0].delivery_id if more else None,
    )


@router.get("/{delivery_id}")
@refuses(NotFound)
async def read_delivery(
    delivery_id: UUID, who: WebhookAdmin, tx: Tx, response: Response
) -> WholeDelivery:
    """One message with every attempt."""
    return await _whole(tx, delivery_id, who, response)


@router.post("/{delivery_id}/resend")
@refuses(NotFound, DeliveryUnderway, EndpointStopped)
async def resend_delivery(  # noqa: PLR0913, PLR0917  a route says what it needs by its arguments
    delivery_id: UUID,
    who: WebhookAdmin,
    version: Version,
    tx: Tx,
    clock: TheClock,
    response: Response,
) -> WholeDelivery:
    """Send a message again under the same id; If-Match names the version that the person saw.

    Raises NotFound, VersionConflict, DeliveryUnderway, EndpointStopped.
    """
    if await delivery_of(tx, delivery_id, scope_of(who)) is None:
        raise NotFound
    await resend_message(tx, delivery_id, expected_version=version, now=clock.now())
    return await _whole(tx, delivery_id, who, response)


async def _whole(
    tx: AsyncSession, delivery_id: UUID, who: Principal, response: Response
) -> WholeDelivery:
    found = await delivery_of(tx, delivery_id, scope_of(who))
    if found is None:
        raise NotFound
    delivery, endpoint = found
    response.headers.update(etag(delivery.version))
    return WholeDelivery(
        **_line(delivery, endpoint),
        url=endpoint.url,
        body=delivery.body,
        history=[_step(entry) for entry in await history_of(tx, delivery_id)],
    )


def _line(delivery: WebhookDelivery, endpoint: WebhookEndpoint) -> dict[str, object]:
    waits = delivery.state == "scheduled"
    return {
        "delivery_id": delivery.delivery_id,
        "endpoint_id": delivery.endpoint_id,
        "endpoint_label": endpoint.label,
        "dealer_id": delivery.dealer_id,
        "event_id": delivery.event_id,
        "kind": delivery.kind,
        "kind_japanese": EVENT_FILTER_NAMES[delivery.kind],
        "application_id": delivery.application_id,
        "contract_no": delivery.contract_no,
        "state": delivery.state,
        "state_japanese": AGAIN if waits and delivery.attempts else STATE_NAMES[delivery.state],
        "attempts": delivery.attempts,
        "last_status": delivery.last_status,
        "last_trouble": delivery.last_trouble,
        "last_trouble_japanese": _error_text(delivery.last_trouble),
        "planned_at": delivery.planned_at,
        "next_attempt_at": delivery.due_at if waits else None,
        "settled_at": delivery.settled_at,
        "version": delivery.version,
        "resend": ResendOffer.of(refused_resend(delivery.state, endpoint_active=endpoint.active)),
    }


def _step(entry: WebhookDeliveryLog) -> DeliveryStep:
    return DeliveryStep(
        happened_at=entry.at,
        step=entry.action,
        actor=entry.actor,
        attempt=entry.attempt,
        status=entry.status,
        trouble=entry.trouble,
        trouble_japanese=_error_text(entry.trouble),
        duration_ms=entry.duration_ms,
        excerpt=entry.excerpt,
    )


def _error_text(trouble: str | None) -> str | None:
    return ERROR_NAMES[DeliveryError(trouble)] if trouble else None
