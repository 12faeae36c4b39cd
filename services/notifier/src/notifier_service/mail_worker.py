"""How do the mails of the ledger leave? Borrowed one by one, by as many senders as one likes.

For each: ask the service that knows who it is for now, take it in one transaction, hand it to the
mail server, settle it in another.
"""

import asyncio
from dataclasses import dataclass, field

import structlog
from jinja2 import TemplateError
from sqlalchemy.exc import DBAPIError

from notifier_service.actions.deliver_mail import (
    AddressWrittenTo,
    RetryPolicy,
    claim_mail,
    mark_lost_unknown,
    next_due,
    settle_mail,
    suppress_duplicate,
    take_mail,
)
from notifier_service.mail_templates import MailTemplates
from notifier_service.metrics import MAIL_AGE, MAILS, MAILS_WAITING
from notifier_service.models import Mail
from notifier_service.queries import mails_in_flight
from notifier_service.returns_client import (
    Application,
    CommuterPass,
    NoSuchApplication,
    RecipientSource,
    RecipientsUnavailable,
)
from notifier_service.rules.recipients import PASS_MAILS, Facts, MailKind
from notifier_service.rules.reminders import ReminderPolicy
from notifier_service.smtp import Draft, MailServer, Outcome
from shared import tracing
from shared.clock import Clock
from shared.context import TraceContext, current_context
from shared.db import EVERY_DEALER, Database
from shared.notifications import WorkSignal

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends what is due in one notifier's ledger, `lanes` mails at a time.

    A line to the mail server may wait `longest_wait_s` seconds for its next mail.
    """

    database: Database
    clock: Clock
    recipients: RecipientSource
    server: MailServer
    mail_templates: MailTemplates
    timing: ReminderPolicy = field(default_factory=ReminderPolicy)
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    lanes: int = 4
    longest_wait_s: float = 10

    async def run(self, wakeup: WorkSignal) -> None:
        """Send until cancelled; mails that are on their way then are still seen off."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_for_lost(wakeup))
                for _ in range(self.lanes):
                    tasks.create_task(self._lane(wakeup))
        finally:
            await self.server.hang_up()

    async def send_one(self) -> bool:
        """Try the mail that waits longest; False if none is due."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            mail = await claim_mail(tx, self.retry_policy)
        if mail is None:
            return False
        work = TraceContext(mail.correlation_id, mail.cause, mail.traceparent)
        about = {"mail.id": str(mail.mail_id), "mail.kind": mail.mail_kind}
        with tracing.step(f"send mail {mail.mail_kind}", "INTERNAL", work, about):
            await self._send(mail)
        return True

    async def mark_lost_unknown(self) -> int:
        """Mark as unknown what another sender left on its way; returns how many."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            lost = await mark_lost_unknown(tx, retry_policy=self.retry_policy, now=self.clock.now())
        MAILS.labels("unknown").inc(lost)
        return lost

    async def measure(self) -> None:
        """Read from the ledger how many mails wait, and for how long."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            waiting, oldest = await mails_in_flight(tx)
        MAILS_WAITING.set(waiting)
        MAIL_AGE.set((self.clock.now() - oldest).total_seconds() if oldest else 0)

    async def _send(self, mail: Mail) -> None:
        try:
            application = await self._concerned(mail)
        except RecipientsUnavailable as cause:
            await self._settle(mail, Outcome("transient", f"recipients: {cause}"))
            return
        except NoSuchApplication:
            await self._settle(mail, Outcome("permanent", "recipients: no such application"))
            return
        try:
            draft = self._write(mail, application)
        except TemplateError as cause:
            log.exception("mail_not_rendered", kind=mail.mail_kind)
            await self._settle(mail, Outcome("transient", f"template: {cause}"))
            return
        address = await self._take(mail, application, draft)
        if address is not None:
            await self._settle(mail, await self._deliver(draft, address))
        else:
            MAILS.labels("suppressed").inc()

    async def _deliver(self, draft: Draft, address: str) -> Outcome:
        with tracing.step("SMTP", "CLIENT", current_context(), {}) as step:
            step.tell({"server.address": self.server.host, "server.port": self.server.port})
            outcome = await self.server.deliver(draft, to=address, written_at=self.clock.now())
            step.tell({"mail.result": outcome.result})
            if outcome.result != "sent":
                step.failed(outcome.result)
        return outcome

    async def _concerned(self, mail: Mail) -> Application | CommuterPass:
        if mail.mail_kind in PASS_MAILS:
            return await self.recipients.of_pass(mail.subject_id)
        return await self.recipients.of(mail.subject_id)

    async def _take(
        self, mail: Mail, application: Application | CommuterPass, draft: Draft
    ) -> str | None:
        now = self.clock.now()
        try:
            async with self.database.transaction(EVERY_DEALER) as tx:
                return await take_mail(tx, mail, application.known, draft, now=now)
        except AddressWrittenTo:
            async with self.database.transaction(EVERY_DEALER) as tx:
                await suppress_duplicate(tx, mail, now=now)
            return None

    def _write(self, mail: Mail, application: Application | CommuterPass) -> Draft:
        if isinstance(application, CommuterPass):
            mail_text = self.mail_templates.render(mail.mail_kind, **dict(application))
            return Draft(mail_text, self.server.message_id(mail.mail_id, mail.copies))
        days = {
            MailKind.STALE: self.timing.stale_days,
            MailKind.APPROVAL_STALE: self.timing.approval_stale_days,
        }
        mail_text = self.mail_templates.render(
            mail.mail_kind,
            dealer_name=application.dealer_name or application.dealer_id,
            contract_no=application.contract_no,
            application_id=application.application_id,
            status=application.status_japanese,
            reason=application.reason_of(Facts(**mail.facts)),
            days=days.get(MailKind(mail.mail_kind)),
        )
        return Draft(mail_text, self.server.message_id(mail.mail_id, mail.copies))

    async def _settle(self, mail: Mail, outcome: Outcome) -> None:
        async with self.database.transaction(EVERY_DEALER) as tx:
            await settle_mail(
                tx, mail, outcome, retry_policy=self.retry_policy, now=self.clock.now()
            )
        MAILS.labels(outcome.result).inc()
        log.info("mail", mail_id=str(mail.mail_id), kind=mail.mail_kind, result=outcome.result)

    async def _next_due(self) -> float | None:
        """In how many seconds the next mail falls due; None without any."""
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
                await asyncio.wait({one}, timeout=self.retry_policy.lease_s)
                raise
            except Exception:  # one mail's trouble must not stop the others
                log.exception("mail_delivery_failed")
                await asyncio.sleep(1)
                continue
            if not sent:
                idle_s = await self.server.hang_up(self.longest_wait_s)
                known = [s for s in (due_s, idle_s) if s is not None]
                await wakeup.wait(seen, min(known, default=None))

    async def _watch_for_lost(self, wakeup: WorkSignal) -> None:
        while True:
            try:
                if await self.mark_lost_unknown() and self.retry_policy.resend_unknown:
                    wakeup.set()
                await self.measure()
            except (OSError, DBAPIError) as cause:
                log.warning("lost_mail_check_failed", cause=type(cause).__name__)
            await asyncio.sleep(15)
