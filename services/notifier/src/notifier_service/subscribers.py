"""Which events make mails due? Completion, remand, every entry into a status; steps of a pass.

M1, M3 and M4 tell a fact and go out even if the application has moved on since; M2, M5 and N1
belong to a stay: entering a status anew replaces the stay's timers (D152), and whether the stay
still lasts is asked again at sending.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.commuter import PassApplied, PassConfirmed, PassEvent, PassRejected
from event_contracts.returns import (
    OriginatorTakenOver,
    ReturnCompleted,
    ReturnCustomerErased,
    ReturnEvent,
    ReturnRemanded,
    ReturnStatusChanged,
)
from notifier_service.actions.customer_erasure import erase_customer
from notifier_service.actions.planning import Cause, plan_mail
from notifier_service.rules.recipients import Facts, MailKind, mail_of_status
from notifier_service.rules.reminders import Timing, is_timely, stale_mails
from shared.timers import TimerHandler, cancel_timers, set_timer
from shared.worker import Delivery, Subscribers

STAY_TIMERS = {"stale": MailKind.STALE, "approval_stale": MailKind.APPROVAL_STALE}
"""The timers of a stay; each is keyed by the application, for it has one stay at a time."""


def subscribers_with(timing: Timing) -> Subscribers:
    """The notifier's subscribers."""
    subscribers = Subscribers()

    async def plan(
        event: ReturnEvent, delivery: Delivery, tx: AsyncSession, kind: MailKind, facts: Facts
    ) -> None:
        timely = is_timely(
            delivery.occurred_at, now=delivery.now, imported=event.imported, timing=timing
        )
        if timely:
            cause = _cause(event, str(delivery.event_id))
            await plan_mail(tx, cause, kind, facts, now=delivery.now)

    @subscribers.on(ReturnCompleted)
    async def tell_completion(event: ReturnCompleted, delivery: Delivery, tx: AsyncSession) -> None:
        await plan(event, delivery, tx, MailKind.COMPLETED, Facts())

    @subscribers.on(ReturnRemanded)
    async def tell_remand(event: ReturnRemanded, delivery: Delivery, tx: AsyncSession) -> None:
        facts = Facts(from_level=event.from_level, to_level=event.to_level)
        await plan(event, delivery, tx, MailKind.REMANDED, facts)

    @subscribers.on(OriginatorTakenOver)
    async def tell_new_originator(
        event: OriginatorTakenOver, delivery: Delivery, tx: AsyncSession
    ) -> None:
        facts = Facts(from_level="hq", to_level="originator")
        await plan(event, delivery, tx, MailKind.REMANDED, facts)

    @subscribers.on(ReturnStatusChanged)
    async def follow_the_stay(
        event: ReturnStatusChanged, delivery: Delivery, tx: AsyncSession
    ) -> None:
        facts = Facts(status_version=event.status_version)
        if kind := mail_of_status(event.to_status, store_notice=event.store_approver_notice):
            await plan(event, delivery, tx, kind, facts)
        await _begin_stay(event, delivery, tx, timing)

    @subscribers.on(ReturnCustomerErased)
    async def forget_customer(event: ReturnCustomerErased, _: Delivery, tx: AsyncSession) -> None:
        await erase_customer(tx, event.application_id, event.contract_no)

    _tell_of_passes(subscribers, timing)
    return subscribers


def _tell_of_passes(subscribers: Subscribers, timing: Timing) -> None:
    """The mails about commuter passes (R29, R32, R33); what is confirmed together makes one."""

    async def plan(
        event: PassEvent, key: str, kind: MailKind, on: Delivery, tx: AsyncSession
    ) -> None:
        if is_timely(on.occurred_at, now=on.now, imported=False, timing=timing):
            cause = Cause(key, event.dealer_id, event.pass_id, "")
            await plan_mail(tx, cause, kind, Facts(), now=on.now)

    @subscribers.on(PassApplied)
    async def tell_application(event: PassApplied, delivery: Delivery, tx: AsyncSession) -> None:
        await plan(event, str(delivery.event_id), MailKind.PASS_APPLIED, delivery, tx)

    @subscribers.on(PassConfirmed)
    async def tell_confirmation(event: PassConfirmed, delivery: Delivery, tx: AsyncSession) -> None:
        key = f"{event.decision_id}:{event.employee_id}"
        await plan(event, key, MailKind.PASS_CONFIRMED, delivery, tx)

    @subscribers.on(PassRejected)
    async def tell_rejection(event: PassRejected, delivery: Delivery, tx: AsyncSession) -> None:
        await plan(event, str(delivery.event_id), MailKind.PASS_REJECTED, delivery, tx)


async def _begin_stay(
    event: ReturnStatusChanged, delivery: Delivery, tx: AsyncSession, timing: Timing
) -> None:
    await cancel_timers(tx, event.application_id, *STAY_TIMERS)
    due = stale_mails(event.to_status, event.entered_at, timing)
    for timer, kind in STAY_TIMERS.items():
        due_at = due.get(kind)
        if due_at and is_timely(due_at, now=delivery.now, imported=event.imported, timing=timing):
            await set_timer(tx, timer, event.application_id, due_at, _stay(event))


def _cause(event: ReturnEvent, key: str) -> Cause:
    return Cause(key, event.dealer_id, event.application_id, event.contract_no)


def _stay(event: ReturnStatusChanged) -> dict[str, object]:
    return {
        "dealer_id": event.dealer_id,
        "contract_no": event.contract_no,
        "status_version": event.status_version,
    }


def timers() -> dict[str, TimerHandler]:
    """What happens when a stay has lasted too long: its mail becomes due, once (D151)."""

    def becomes_due(kind: MailKind) -> TimerHandler:
        async def plan_stale(
            key: str, payload: dict[str, Any], now: datetime, tx: AsyncSession
        ) -> None:
            version = payload["status_version"]
            cause = Cause(f"{key}:{version}", payload["dealer_id"], key, payload["contract_no"])
            await plan_mail(tx, cause, kind, Facts(status_version=version), now=now)

        return plan_stale

    return {timer: becomes_due(kind) for timer, kind in STAY_TIMERS.items()}
