"""How do the messages leave? Borrowed one by one, by as many senders as one likes.

For each: claim it in one transaction, post it outside of any, settle it in another.
"""

import asyncio
import random
import time
from dataclasses import dataclass

import structlog
from cryptography.fernet import InvalidToken
from sqlalchemy.exc import DBAPIError

from interchange_service.actions.deliver_webhook import (
    Claimed,
    claim_message,
    next_due,
    settle_message,
)
from interchange_service.actions.webhook_endpoints import rotate_encryption
from interchange_service.secret_encryption import SecretBox
from interchange_service.webhook_http import Attempt, DeliveryError, WebhookClient
from interchange_service.webhook_messages import headers_of
from shared.clock import Clock
from shared.context import TraceContext, use_context
from shared.db import EVERY_DEALER, Database
from shared.notifications import WorkSignal

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Sends what is due, `lanes` messages at a time.

    A loan outlasts the post and the reading of its answer with room to spare.
    """

    database: Database
    clock: Clock
    secret_box: SecretBox
    post: WebhookClient
    lanes: int = 4

    @property
    def lease_s(self) -> float:
        """How long a message is ours before another may try it."""
        return 2 * self.post.timeout_s + 30

    async def run(self, wakeup: WorkSignal) -> None:
        """Send until cancelled; messages that are on their way then are still seen off."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.rotate_encryption())
            for _ in range(self.lanes):
                tasks.create_task(self._lane(wakeup))

    async def rotate_encryption(self) -> None:
        """Bring every secret under the first key; try until it is done."""
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

    async def send_one(self) -> bool:
        """Try the message that waits longest; False if none is due."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            claimed = await claim_message(tx, lease_s=self.lease_s, now=self.clock.now())
        if claimed is None:
            return False
        delivery = claimed.delivery
        caused_by = str(delivery.event_id)
        with use_context(TraceContext(delivery.correlation_id, caused_by, delivery.traceparent)):
            answer = await self._answer(claimed)
            async with self.database.transaction(EVERY_DEALER) as tx:
                step = await settle_message(
                    tx,
                    delivery,
                    answer,
                    chance=random.random(),  # noqa: S311  a pause is no secret
                    now=self.clock.now(),
                )
            log.info(
                "webhook",
                delivery_id=str(delivery.delivery_id),
                step=step or "taken_over",
                status=answer.status,
                trouble=answer.trouble,
                duration_ms=answer.duration_ms,
            )
        return True

    async def _answer(self, claimed: Claimed) -> Attempt:
        delivery = claimed.delivery
        try:
            secrets = [self.secret_box.decrypt(sealed) for sealed in claimed.secrets]
        except InvalidToken:
            return Attempt(trouble=DeliveryError.SECRET_LOST)
        # Receivers compare with the time of the world, wherever our clock has travelled to.
        seconds = int(time.time())
        headers = headers_of(delivery.event_id, delivery.body, secrets, seconds=seconds)
        return await self.post.send(claimed.url, headers, delivery.body)

    async def _next_due(self) -> float | None:
        """In how many seconds the next message falls due; None without any."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            return await next_due(tx)

    async def _lane(self, wakeup: WorkSignal) -> None:
        while True:
            seen = wakeup.count
            one = asyncio.create_task(self.send_one())
            try:
                sent = await asyncio.shield(one)
                due_s = None if sent else await self._next_due()
            except asyncio.CancelledError:
                await asyncio.wait({one}, timeout=self.lease_s)
                raise
            except Exception:  # one message's trouble must not stop the others
                log.exception("webhook_delivery_failed")
                await asyncio.sleep(1)
                continue
            if not sent:
                await wakeup.wait(seen, due_s)
