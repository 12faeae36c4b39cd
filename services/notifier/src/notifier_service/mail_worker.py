"""Mail worker: sends the mails that are due in the ledger.

For each: ask the service that owns the application for the recipients, take the mail in one
transaction, hand it to the mail server, settle it in another.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.actions.deliver_mail import (
    AddressInUse,
    BatchChanged,
    RetryPolicy,
    address_now,
    mark_lost_unknown,
    settle_mail,
    suppress_duplicate,
    take_batch,
)
from notifier_service.actions.join_reminders import (
    APART,
    claim_companions,
    companions_of,
    lock_group,
    release,
)
from notifier_service.mail_templates import MailTemplates
from notifier_service.metrics import MAIL_AGE, MAIL_RESULTS, MAILS_WAITING
from notifier_service.models import MAILS, Mail
from notifier_service.queries import mails_in_flight
from notifier_service.recipients_client import (
    Application,
    CommuterPass,
    NoSuchApplication,
    PassEnd,
    RecipientSource,
    RecipientsUnavailable,
    Slip,
    SubmissionRequest,
)
from notifier_service.rules.joined_reminders import MOST_IN_ONE_MAIL, may_join
from notifier_service.rules.recipients import PASS_MAILS, SLIP_MAILS, Facts, MailKind
from notifier_service.rules.reminders import ReminderPolicy
from notifier_service.rules.slip_mails import asked_until
from notifier_service.smtp import Draft, MailServer, SmtpOutcome
from shared import tracing
from shared.db import EVERY_DEALER
from shared.delivery.worker import DeliveryWorker
from shared.notifications import WorkSignal
from shared.trace_context import TraceContext, current_context

log = structlog.get_logger()

LOST_CHECK_S = 15
Subject = Application | CommuterPass | PassEnd | Slip | SubmissionRequest
"""What a mail is about, as its service knows it at sending."""
Batch = Sequence[tuple[Mail, Subject]]
"""The lines of the ledger that leave in one mail, the first of them its lead."""


@dataclass(frozen=True, slots=True)
class Sender(DeliveryWorker[Mail, SmtpOutcome]):
    """Sends what is due in one notifier's ledger, `lanes` mails at a time.

    A connection to the mail server is kept `longest_wait_s` seconds for its next mail.
    """

    recipients: RecipientSource
    server: MailServer
    mail_templates: MailTemplates
    timing: ReminderPolicy = field(default_factory=ReminderPolicy)
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    longest_wait_s: float = 10
    join_reminders: bool = True

    @property
    def lease_s(self) -> float:
        """See `DeliveryWorker`."""
        return self.retry_policy.lease_s

    async def run(self, wakeup: WorkSignal) -> None:
        """Send until cancelled; mails in flight then are still settled."""
        try:
            await DeliveryWorker.run(self, wakeup)
        finally:
            await self.server.hang_up()

    def background(self, wakeup: WorkSignal) -> Sequence[Coroutine[object, None, None]]:
        """Beside the lanes: find lost mails."""
        return (self._watch_for_lost(wakeup),)

    async def idle(self) -> float | None:
        """Close the connections that have waited long enough."""
        return await self.server.hang_up(self.longest_wait_s)

    async def claim(self, tx: AsyncSession) -> Mail | None:
        """See `DeliveryWorker`."""
        return await MAILS.claim(tx, lease_s=self.lease_s, now=self.clock.now())

    async def next_due(self, tx: AsyncSession) -> float | None:
        """See `DeliveryWorker`."""
        return await MAILS.next_due(tx)

    def tracing(self, message: Mail) -> AbstractContextManager[object]:
        """A step of the trace of what caused the mail."""
        work = TraceContext(message.correlation_id, message.cause, message.traceparent)
        about = {"mail.id": str(message.mail_id), "mail.kind": message.mail_kind}
        return tracing.step(f"send mail {message.mail_kind}", "INTERNAL", work, about)

    async def attempt(self, message: Mail) -> SmtpOutcome | None:
        """Send a mail to whom it is for now; None if it is suppressed."""
        try:
            application = await self._application_of(message)
        except RecipientsUnavailable as cause:
            return SmtpOutcome("transient", f"recipients: {cause}")
        except NoSuchApplication:
            return SmtpOutcome("permanent", "recipients: no such application")
        batch = [(message, application)]
        if self.join_reminders and may_join(message.mail_kind, message.facts, message.copies):
            companions = await self._companions(message, application)
            if companions is None:
                return None
            batch += companions
        try:
            draft = self._write(batch)
        except Exception as cause:  # whatever a template or its filters raise is this mail's alone
            log.exception("mail_not_rendered", kind=message.mail_kind)
            return SmtpOutcome("permanent", f"template: {type(cause).__name__}: {cause}")
        address = await self._take(batch, draft)
        if address is None:
            MAIL_RESULTS.labels("suppressed").inc()
            return None
        return await self._deliver(draft, address)

    async def settle(self, tx: AsyncSession, message: Mail, result: SmtpOutcome) -> str | None:
        """See `DeliveryWorker`."""
        now = self.clock.now()
        for companion in await companions_of(tx, message):
            await settle_mail(tx, companion, result, retry_policy=self.retry_policy, now=now)
        return await settle_mail(tx, message, result, retry_policy=self.retry_policy, now=now)

    def report(self, message: Mail, result: SmtpOutcome, step: str | None) -> None:
        """See `DeliveryWorker`."""
        MAIL_RESULTS.labels(result.result).inc()
        log.info(
            "mail",
            mail_id=str(message.mail_id),
            kind=message.mail_kind,
            result=result.result,
            step=step or "taken_over",
        )

    async def mark_lost_unknown(self) -> int:
        """Mark as unknown what another worker left while sending; returns how many."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            lost = await mark_lost_unknown(tx, retry_policy=self.retry_policy, now=self.clock.now())
        MAIL_RESULTS.labels("unknown").inc(lost)
        return lost

    async def measure(self) -> None:
        """Read from the ledger how many mails wait, and for how long."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            waiting, oldest = await mails_in_flight(tx)
        MAILS_WAITING.set(waiting)
        MAIL_AGE.set((self.clock.now() - oldest).total_seconds() if oldest else 0)

    async def _deliver(self, draft: Draft, address: str) -> SmtpOutcome:
        with tracing.step("SMTP", "CLIENT", current_context(), {}) as step:
            step.set_attributes(
                {"server.address": self.server.host, "server.port": self.server.port}
            )
            outcome = await self.server.deliver(draft, to=address, written_at=self.clock.now())
            step.set_attributes({"mail.result": outcome.result})
            if outcome.result != "sent":
                step.failed(outcome.result)
        return outcome

    async def _application_of(self, mail: Mail) -> Subject:
        if mail.mail_kind in PASS_MAILS:
            return await self.recipients.of_pass(mail.subject_id)
        if mail.mail_kind in SLIP_MAILS:
            return await self.recipients.of_slip(mail.subject_id, mail.facts["move_id"])
        if mail.mail_kind == MailKind.SUBMISSION_REQUESTED:
            return await self.recipients.of_month(mail.subject_id, mail.facts["month"])
        if mail.mail_kind == MailKind.PASS_ENDING:
            return await self.recipients.of_ending(mail.subject_id, mail.facts["ends_on"])
        return await self.recipients.of(mail.subject_id)

    async def _companions(
        self, lead: Mail, application: Subject
    ) -> list[tuple[Mail, Subject]] | None:
        """The reminders that leave with the lead, of its group and to its address now.

        None where the lead is put off, so that they can.
        """
        address = address_now(lead, application.known)
        if address is None:
            return []
        async with self.database.transaction(EVERY_DEALER) as tx:
            claimed = await claim_companions(
                tx, lead, lease_s=self.lease_s, most=MOST_IN_ONE_MAIL - 1, now=self.clock.now()
            )
        if claimed is None:
            return None
        joined: list[tuple[Mail, Subject]] = []
        for mail in claimed:
            with contextlib.suppress(RecipientsUnavailable, NoSuchApplication):
                subject = await self._application_of(mail)
                if address_now(mail, subject.known) == address:
                    joined.append((mail, subject))
        kept = {mail.mail_id for mail, _ in joined}
        if left := [mail for mail in claimed if mail.mail_id not in kept]:
            async with self.database.transaction(EVERY_DEALER) as tx:
                await release(tx, left)
        return joined

    async def _take(self, batch: Batch, draft: Draft) -> str | None:
        now, known = self.clock.now(), [(mail, subject.known) for mail, subject in batch]
        try:
            async with self.database.transaction(EVERY_DEALER) as tx:
                if len(batch) > 1:
                    await lock_group(tx, batch[0][0])
                return await take_batch(tx, known, draft, now=now)
        except (BatchChanged, AddressInUse):
            async with self.database.transaction(EVERY_DEALER) as tx:
                if len(batch) == 1:
                    await suppress_duplicate(tx, batch[0][0], now=now)
                else:  # next time the lead goes alone
                    await release(tx, [batch[0][0]])
                    await release(tx, [mail for mail, _ in batch[1:]], after=APART)
            return None

    def _write(self, batch: Batch) -> Draft:
        mail, subject = batch[0]
        kind = MailKind(mail.mail_kind)
        facts = self._facts_of(mail, kind, subject)
        if len(batch) > 1:
            facts["applications"] = [one for _, one in batch]
        mail_text = self.mail_templates.render(kind, **facts)
        message_id = self.server.message_id(mail.mail_id, mail.copies)
        return Draft(mail_text, message_id, self.mail_templates.sender_of(kind))

    def _facts_of(self, mail: Mail, kind: MailKind, subject: Subject) -> dict[str, object]:
        if isinstance(subject, CommuterPass):
            return dict(subject)
        if isinstance(subject, SubmissionRequest):
            return {"request": subject}
        if isinstance(subject, PassEnd):
            return {"one": subject}
        if isinstance(subject, Slip):
            days = self.timing.slip_waiting_days
            moved_at = datetime.fromisoformat(subject.move.at)
            return {"slip": subject, "days": days, "until": asked_until(moved_at, days)}
        waited = {
            MailKind.STALE: self.timing.stale_days,
            MailKind.APPROVAL_STALE: self.timing.approval_stale_days,
        }
        return {
            "application": subject,
            "contract_no": subject.contract_no,
            "remand": subject.remand_of(Facts(**mail.facts)),
            "days": waited.get(kind),
        }

    async def _watch_for_lost(self, wakeup: WorkSignal) -> None:
        while True:
            try:
                if await self.mark_lost_unknown() and self.retry_policy.resend_unknown:
                    wakeup.set()
                await self.measure()
            except (OSError, DBAPIError) as cause:
                log.warning("lost_mail_check_failed", cause=type(cause).__name__)
            await asyncio.sleep(LOST_CHECK_S)
