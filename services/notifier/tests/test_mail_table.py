"""Mail table of docs/mails.md: every cell in backticks equals what the notifier does."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from event_contracts import Event
from event_contracts.commuter import (
    PassApplied,
    PassConfirmed,
    PassEnding,
    PassRejected,
    SlipMoved,
    SubmissionRequested,
)
from event_contracts.customer_erasure import CustomerTracesErased
from event_contracts.masters import StaffAccessChanged
from event_contracts.returns import (
    OriginatorTakenOver,
    ReturnCompleted,
    ReturnCustomerErased,
    ReturnRemanded,
    ReturnStatusChanged,
    Status,
)
from notifier_service.actions.schedule_reminders import REMINDER_TIMERS, SLIP_WAITING
from notifier_service.rules.recipients import (
    MAILS_ABOUT_A_STAY,
    Facts,
    MailKind,
    ReturnSnapshot,
    RoundApprover,
    Suppression,
    mail_of_status,
    recipients_for,
    suppression,
)
from notifier_service.rules.reminders import ReminderPolicy, reminder_mails, slip_reminder_at
from notifier_service.subscribers import subscribers_with
from shared.clock import JST
from shared.testing.stepwise import drain

DOCUMENT = Path(__file__).parents[3] / "docs" / "mails.md"
STATUSES: tuple[str, ...] = Status.__args__  # type: ignore[attr-defined]
MONDAY = datetime(2025, 7, 7, 15, 20, tzinfo=JST)


class Row(NamedTuple):
    """A row of the table; cells as written."""

    mail: str
    caused_by: str
    in_status: str
    goes_to: str
    when: str
    not_sent: str


def codes(cell: str) -> set[str]:
    """The words in backticks."""
    return set(re.findall(r"`([^`]+)`", cell))


def table() -> Mapping[MailKind, Row]:
    """The rows of docs/mails.md by kind."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [
        Row(*(c.strip() for c in line.strip("|").split("|"))) for line in lines if "| `" in line
    ]
    found = {MailKind(next(iter(codes(row.mail)))): row for row in rows}
    assert len(found) == len(rows)
    return found


def facts_of(kind: MailKind) -> list[Facts]:
    """The facts that a mail of the kind may keep: the stay, or each level of a remand."""
    if kind is MailKind.REMANDED:
        return [Facts(to_level=level) for level in ("hq", "store", "originator")]
    return [Facts(status_version=4)]


def snapshots(kind: MailKind) -> Iterator[ReturnSnapshot]:
    """What may be known of an application when the mail is sent: everything, and with gaps."""
    status = next(iter(MAILS_ABOUT_A_STAY.get(kind, ["COMPLETED"])))
    full = ReturnSnapshot(
        status=status, status_version=4, completion_mail=True, originator="y@d01.example",
        store_approver="s@d01.example", hq_approvers=["t@d01.example", "h@d01.example"],
        round_approvers=[RoundApprover("store", "s@d01.example"), RoundApprover("hq", None)],
        applicant="p@d01.example", administrators=["a@d01.example", "b@d01.example"],
        store_notice=True, store_approvers=["s@d01.example", "u@d01.example"],
        approver="c@d01.example",
    )  # fmt: skip
    yield replace(full, moved_on=True)
    yield replace(full, declined=frozenset(MailKind))
    for ticked, notice, version in product((True, False), (True, False), (4, 5)):
        yield replace(full, completion_mail=ticked, store_notice=notice, status_version=version)
    yield replace(
        full, originator=None, store_approver=None, hq_approvers=[], applicant=None,
        administrators=[], store_approvers=[], approver=None,
    )  # fmt: skip


def test_every_mail_stands_in_the_table_by_its_name() -> None:
    assert {kind: row.mail for kind, row in table().items()} == {
        kind: f"`{kind.value}` {kind.label_ja}" for kind in MailKind
    }


WITHOUT_MAILS = (ReturnCustomerErased, CustomerTracesErased, StaffAccessChanged)
"""Events that the notifier takes in without writing to anybody."""


@pytest.mark.rule("D146", "D147", "D148", "D149", "D150")
@pytest.mark.parametrize("kind", MailKind)
def test_recipients_and_reasons_are_those_of_the_rules(kind: MailKind) -> None:
    roles: set[str] = set()
    reasons: set[str] = set()
    for facts, known in product(facts_of(kind), snapshots(kind)):
        if reason := suppression(kind, facts, known):
            reasons.add(reason.value)
            continue
        found = recipients_for(kind, facts, known)
        roles |= {one.role for one in found}
        reasons |= {one.suppressed.value for one in found if one.suppressed}
    row = table()[kind]
    assert codes(row.goes_to) == roles
    assert codes(row.not_sent) == reasons - {Suppression.DUPLICATE.value}


@pytest.mark.rule("D147", "D149", "D150", "D151")
@pytest.mark.parametrize("kind", MailKind)
def test_statuses_and_days_are_those_of_the_rules(kind: MailKind) -> None:
    due = {s: reminder_mails(s, MONDAY, ReminderPolicy()).get(kind) for s in STATUSES}
    at_once = {s for s in STATUSES if mail_of_status(s, store_notice=True) is kind}
    row = table()[kind]
    assert codes(row.in_status) == at_once | {s for s, moment in due.items() if moment}
    moments = {moment for moment in due.values() if moment}
    if kind is MailKind.SLIP_WAITING:
        moments = {slip_reminder_at(MONDAY, ReminderPolicy())}
    texts = {
        f"after {(m.astimezone(JST).date() - MONDAY.date()).days} days, {m.astimezone(JST):%H:%M}"
        for m in moments
    }
    assert (texts or {"at once"}) == {row.when}


RETURN = {
    "dealer_id": "D01",
    "application_id": "A1",
    "contract_no": "12345678",
    "store_code": "S10",
    "originator_id": "D01-E101",
}
PASS = {"dealer_id": "D01", "pass_id": "P1", "employee_id": "D01-E101"}
NOW = datetime(2025, 7, 7, 1, 0, tzinfo=UTC)
SLIP_STEPS: tuple[tuple[str, Any], ...] = (
    *(("submit", "pending"), ("approve", "approved"), ("remand", "remanded")),
    *(("withdraw", "withdrawn"), ("settle", "settled"), ("reject", "rejected")),
)
TIMERS = {**REMINDER_TIMERS, SLIP_WAITING: MailKind.SLIP_WAITING}
EVENTS: tuple[Event, ...] = (
    ReturnCompleted(
        **RETURN, completed_at=NOW, result="returned", separate_procedure=False,
        completion_mail_opt_in=True,
    ),
    ReturnRemanded(**RETURN, from_level="hq", to_level="store", recipient_has_address=True),
    OriginatorTakenOver(**RETURN, from_id="D01-E101", to_id="D01-E102"),
    *(
        ReturnStatusChanged(
            **RETURN, from_status=None, to_status=status, status_version=number, entered_at=NOW,
            store_approver_notice=True,
        )
        for number, status in enumerate(STATUSES, 1)
    ),
    PassApplied(**PASS, applied_on=date(2025, 7, 7)),
    PassConfirmed(**PASS, decision_id="d1"),
    PassRejected(**PASS),
    PassEnding(**PASS, ends_on=date(2025, 7, 31)),
    *(
        SlipMoved(
            dealer_id="D01", slip_id="E1", employee_id="D01-E101", status=status, total_yen=1,
            step=step, move_id=step,
        )
        for step, status in SLIP_STEPS
    ),
    SubmissionRequested(dealer_id="D01", month="2025-06", employee_id="D01-E101", slips=2),
)  # fmt: skip


async def test_the_events_of_the_table_and_no_others_make_mails_due(notifier: Any) -> None:
    notifier.clock.travel_to(NOW)
    caused: dict[str, set[str]] = {kind.value: set() for kind in MailKind}
    for event in EVENTS:
        envelope = notifier.envelope(event, NOW)
        await notifier.running.inbox.store([envelope])
        await drain(notifier.running.worker)
        kinds = {row[0] for row in await notifier.ledger("mail_kind")}
        timers = {row[0] for row in await notifier.rows("SELECT kind FROM timer")}
        await notifier.rows("DELETE FROM mail RETURNING 1")
        await notifier.rows("DELETE FROM timer RETURNING 1")
        for kind in kinds | {TIMERS[timer].value for timer in timers}:
            caused[kind].add(event.wire_type)
    assert await notifier.running.inbox.dead_letters() == []
    assert {kind.value: codes(row.caused_by) for kind, row in table().items()} == caused
    handled = set(subscribers_with(ReminderPolicy()).handlers)
    assert handled - {one.wire_type for one in WITHOUT_MAILS} == {
        event.wire_type for event in EVENTS
    }
