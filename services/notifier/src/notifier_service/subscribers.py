"""Subscribers: the events that make mails due; steps of a return application, a pass, a slip.

M1, M3 and M4 state a fact and go out even if the application has moved on since; M2, M5 and N1
belong to a stay: entering a status again replaces the stay's timers (D152), and whether the stay
still lasts is checked again at sending.
"""

from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.commuter import (
    PassApplied,
    PassConfirmed,
    PassEnding,
    PassEvent,
    PassRejected,
    SlipMoved,
    SubmissionRequested,
)
from event_contracts.customer_erasure import CustomerTracesErased
from event_contracts.returns import (
    OriginatorTakenOver,
    ReturnCompleted,
    ReturnCustomerErased,
    ReturnEvent,
    ReturnRemanded,
    ReturnStatusChanged,
)
from notifier_service.actions.customer_erasure import erase_customer, erase_words
from notifier_service.actions.schedule_mail import Cause, schedule_mail
from notifier_service.actions.schedule_reminders import (
    REMINDER_TIMERS,
    SLIP_WAITING,
    schedule_reminders,
    schedule_slip_reminder,
)
from notifier_service.models import DEPARTED_STAFF
from notifier_service.rules.joined_reminders import group_of
from notifier_service.rules.recipients import Facts, MailKind, mail_of_status
from notifier_service.rules.reminders import ReminderPolicy, is_timely
from notifier_service.rules.slip_mails import mail_of_move
from shared.departed_staff import keep_departed_staff
from shared.timers import TimerHandler, TimerPayload
from shared.worker import Delivery, Subscribers

NO_FACTS = Facts()


async def erase_customer_words(event: CustomerTracesErased, _: Delivery, tx: AsyncSession) -> None:
    """A customer was erased; mails about slips may name them."""
    await erase_words(tx, event.dealer_id, event.contract_no, event.words)


def subscribers_with(timing: ReminderPolicy) -> Subscribers:
    """The notifier's subscribers."""
    subscribers = Subscribers()

    schedule = partial(_schedule, timing)

    @subscribers.on(ReturnCompleted)
    async def schedule_completion(
        event: ReturnCompleted, delivery: Delivery, tx: AsyncSession
    ) -> None:
        await schedule(event, delivery, tx, MailKind.COMPLETED, Facts())

    @subscribers.on(ReturnRemanded)
    async def schedule_remand(event: ReturnRemanded, delivery: Delivery, tx: AsyncSession) -> None:
        facts = Facts(from_level=event.from_level, to_level=event.to_level)
        await schedule(event, delivery, tx, MailKind.REMANDED, facts)

    @subscribers.on(OriginatorTakenOver)
    async def schedule_new_originator(
        event: OriginatorTakenOver, delivery: Delivery, tx: AsyncSession
    ) -> None:
        facts = Facts(from_level="hq", to_level="originator")
        await schedule(event, delivery, tx, MailKind.REMANDED, facts)

    @subscribers.on(ReturnStatusChanged)
    async def schedule_notice_and_reminders(
        event: ReturnStatusChanged, delivery: Delivery, tx: AsyncSession
    ) -> None:
        facts = Facts(status_version=event.status_version)
        if kind := mail_of_status(event.to_status, store_notice=event.store_approver_notice):
            await schedule(event, delivery, tx, kind, facts)
        await schedule_reminders(tx, event, timing, now=delivery.now)

    subscribers.on(ReturnCustomerErased)(erase_customer_data)
    keep_departed_staff(subscribers, DEPARTED_STAFF)
    subscribers.on(CustomerTracesErased)(erase_customer_words)
    _pass_subscribers(subscribers, timing)
    _slip_subscribers(subscribers, timing)
    return subscribers


async def _schedule(  # noqa: PLR0913, PLR0917  a handler's arguments, and the mail
    timing: ReminderPolicy,
    event: ReturnEvent,
    delivery: Delivery,
    tx: AsyncSession,
    kind: MailKind,
    facts: Facts,
) -> None:
    """Make a mail due because of an event, unless the event is too old."""
    now, imported = delivery.now, event.imported
    if is_timely(delivery.occurred_at, now=now, imported=imported, timing=timing):
        await schedule_mail(tx, _cause(event, str(delivery.event_id)), kind, facts, now=now)


async def erase_customer_data(event: ReturnCustomerErased, _: Delivery, tx: AsyncSession) -> None:
    """The mails about the application keep no customer data."""
    await erase_customer(tx, event.application_id, event.contract_no)


def _pass_subscribers(subscribers: Subscribers, timing: ReminderPolicy) -> None:
    """The mails about commuter passes (R29, R32, R33); passes confirmed together make one mail."""

    async def schedule(  # noqa: PLR0913, PLR0917  a handler's arguments, and the mail
        event: PassEvent,
        key: str,
        kind: MailKind,
        on: Delivery,
        tx: AsyncSession,
        facts: Facts = NO_FACTS,
    ) -> None:
        if is_timely(on.occurred_at, now=on.now, imported=False, timing=timing):
            cause = Cause(key, event.dealer_id, event.pass_id, "")
            await schedule_mail(tx, cause, kind, facts, now=on.now)

    @subscribers.on(PassApplied)
    async def schedule_application(
        event: PassApplied, delivery: Delivery, tx: AsyncSession
    ) -> None:
        await schedule(event, str(delivery.event_id), MailKind.PASS_APPLIED, delivery, tx)

    @subscribers.on(PassConfirmed)
    async def schedule_confirmation(
        event: PassConfirmed, delivery: Delivery, tx: AsyncSession
    ) -> None:
        key = f"{event.decision_id}:{event.employee_id}"
        await schedule(event, key, MailKind.PASS_CONFIRMED, delivery, tx)

    @subscribers.on(PassRejected)
    async def schedule_rejection(event: PassRejected, delivery: Delivery, tx: AsyncSession) -> None:
        await schedule(event, str(delivery.event_id), MailKind.PASS_REJECTED, delivery, tx)

    @subscribers.on(PassEnding)
    async def schedule_ending(event: PassEnding, delivery: Delivery, tx: AsyncSession) -> None:
        ends_on = event.ends_on.isoformat()
        key, facts = f"{event.pass_id}:ends:{ends_on}", Facts(ends_on=ends_on)
        await schedule(event, key, MailKind.PASS_ENDING, delivery, tx, facts)


def _slip_subscribers(subscribers: Subscribers, timing: ReminderPolicy) -> None:
    """The mails about slips, and the reminder of the approver."""

    @subscribers.on(SlipMoved)
    async def schedule_slip_mail(event: SlipMoved, delivery: Delivery, tx: AsyncSession) -> None:
        moved_at, now = delivery.occurred_at, delivery.now
        kind = mail_of_move(event.step, event.status) if event.move_id else None
        if kind and is_timely(moved_at, now=now, imported=False, timing=timing):
            cause = Cause(str(delivery.event_id), event.dealer_id, event.slip_id, "")
            await schedule_mail(tx, cause, kind, Facts(move_id=event.move_id), now=now)
        await schedule_slip_reminder(tx, event, timing, moved_at=moved_at, now=now)

    @subscribers.on(SubmissionRequested)
    async def schedule_submission_request(
        event: SubmissionRequested, delivery: Delivery, tx: AsyncSession
    ) -> None:
        if is_timely(delivery.occurred_at, now=delivery.now, imported=False, timing=timing):
            cause = Cause(str(delivery.event_id), event.dealer_id, event.employee_id, "")
            kind, facts = MailKind.SUBMISSION_REQUESTED, Facts(month=event.month)
            await schedule_mail(tx, cause, kind, facts, now=delivery.now)


def _cause(event: ReturnEvent, key: str) -> Cause:
    return Cause(key, event.dealer_id, event.application_id, event.contract_no)


def timers() -> dict[str, TimerHandler]:
    """Timer handlers: when a stay has lasted too long, its mail becomes due, once (D151)."""

    def becomes_due(kind: MailKind) -> TimerHandler:
        async def schedule_reminder(
            key: str, payload: TimerPayload, now: datetime, tx: AsyncSession
        ) -> None:
            version = int(payload["status_version"])
            dealer_id, contract_no = str(payload["dealer_id"]), str(payload["contract_no"])
            cause = Cause(f"{key}:{version}", dealer_id, key, contract_no)
            originator = str(payload.get("originator_id", key))  # missing in timers of before
            group = group_of(kind, originator_id=originator, dealer_id=dealer_id)
            facts = Facts(status_version=version, group=group)
            await schedule_mail(tx, cause, kind, facts, now=now)

        return schedule_reminder

    async def remind_approver(
        key: str, payload: TimerPayload, now: datetime, tx: AsyncSession
    ) -> None:
        move_id, dealer_id = str(payload["move_id"]), str(payload["dealer_id"])
        cause = Cause(f"{key}:{move_id}", dealer_id, key, "")
        await schedule_mail(tx, cause, MailKind.SLIP_WAITING, Facts(move_id=move_id), now=now)

    of_returns = {timer: becomes_due(kind) for timer, kind in REMINDER_TIMERS.items()}
    return {**of_returns, SLIP_WAITING: remind_approver}
