"""Webhook worker: sends the messages that are due to dealers' systems.

For each: claim it in one transaction, post it outside of any, settle it in another.
"""

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog
from cryptography.fernet import InvalidToken
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.deliver_webhook import (
    ClaimedDelivery,
    claim_message,
    next_due,
    settle_message,
)
from interchange_service.actions.webhook_endpoints import rotate_encryption
from interchange_service.metrics import WEBHOOKS
from interchange_service.secret_encryption import SecretBox
from interchange_service.webhook_http import Attempt, DeliveryError, WebhookClient
from interchange_service.webhook_messages import headers_of
from shared.db import EVERY_DEALER
from shared.delivery.worker import DeliveryWorker
from shared.notifications import WorkSignal
from shared.trace_context import TraceContext, use_context

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WebhookSender(DeliveryWorker[ClaimedDelivery, Attempt]):
    """Sends what is due, `lanes` messages at a time.

    `waited` is the share of each delay that is waited before the next attempt; only a script that
    replays the past waits none of it.
    """

    secret_box: SecretBox
    post: WebhookClient
    waited: float = 1.0

    @property
    def lease_s(self) -> float:
        """Longer than the post and the reading of its answer, with room to spare."""
        return 2 * self.post.timeout_s + 30

    def background(self, wakeup: WorkSignal) -> Sequence[Coroutine[object, None, None]]:  # noqa: ARG002  the base's argument
        """Beside the lanes: bring the secrets under the first key."""
        return (self.rotate_encryption(),)

    async def claim(self, tx: AsyncSession) -> ClaimedDelivery | None:
        """See `DeliveryWorker`."""
        return await claim_message(tx, lease_s=self.lease_s, now=self.clock.now())

    async def next_due(self, tx: AsyncSession) -> float | None:
        """See `DeliveryWorker`."""
        return await next_due(tx)

    def tracing(self, message: ClaimedDelivery) -> AbstractContextManager[object]:
        """The trace of the event that the message is about."""
        of = message.delivery
        return use_context(TraceContext(of.correlation_id, str(of.event_id), of.traceparent))

    async def attempt(self, message: ClaimedDelivery) -> Attempt:
        """Post a message, signed with every secret in force."""
        delivery = message.delivery
        try:
            secrets = [self.secret_box.decrypt(sealed) for sealed in message.secrets]
        except InvalidToken:
            return Attempt(trouble=DeliveryError.SECRET_LOST)
        # Receivers compare with real time, whatever the product's clock says.
        seconds = int(time.time())
        headers = headers_of(delivery.event_id, delivery.body, secrets, seconds=seconds)
        return await self.post.send(message.url, headers, delivery.body)

    async def settle(
        self, tx: AsyncSession, message: ClaimedDelivery, result: Attempt
    ) -> str | None:
        """See `DeliveryWorker`."""
        chance = random.random()  # noqa: S311  a delay is no secret
        return await settle_message(
            tx,
            message.delivery,
            result,
            chance=chance,
            now=self.clock.now(),
            waited=self.waited,
        )

    def report(self, message: ClaimedDelivery, result: Attempt, step: str | None) -> None:
        """See `DeliveryWorker`."""
        WEBHOOKS.labels(message.delivery.dealer_id, step or "taken_over").inc()
        log.info(
            "webhook",
            delivery_id=str(message.delivery.delivery_id),
            step=step or "taken_over",
            status=result.status,
            trouble=result.trouble,
            duration_ms=result.duration_ms,
        )

    async def rotate_encryption(self) -> None:
        """Encrypt every secret with the first key; try until it is done."""
        while True:
            try:
                async with self.database.transaction(EVERY_DEALER) as tx:
                    renewed = await rotate_encryption(tx, self.secret_box)
            except (OSError, DBAPIError) as cause:
                log.warning("webhook_secret_rotation_failed", cause=type(cause).__name__)
                await asyncio.sleep(1)
            else:
                log.info("webhook_secrets_rotated", endpoints=renewed)
                return
