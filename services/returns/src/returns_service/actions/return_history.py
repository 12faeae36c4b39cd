"""What is written down and told after a step? One line of history, and the events of B3.

The named event comes first, then the request for an approval or to TFC, last the new status.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import Event, returns
from returns_service.mapping import changes_to_json
from returns_service.models import Application, HistoryLine
from returns_service.queries import approval_flow_of
from returns_service.rules.approval_route import Level
from returns_service.rules.return_approval import By, Outcome
from returns_service.rules.return_commands import Action
from returns_service.rules.return_form import Change
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared import outbox

Base = dict[str, Any]

_FROM_LEVEL: dict[By, Literal["tfc", "hq", "store"]] = {
    By.TFC: "tfc",
    By.HQ_APPROVER: "hq",
    By.STORE_APPROVER: "store",
}
TO_LEVEL: dict[By, returns.Holder] = {
    By.HQ_APPROVER: "hq",
    By.STORE_APPROVER: "store",
    By.ORIGINATOR: "originator",
}


@dataclass(frozen=True)
class StepRecord:
    """A step that was taken: `application` is already as it is after it.

    `recipient_id` and `recipient_has_address` are about the receiver of a remand; `store_notice`
    says that the dealer wishes its store's approvers to be told of what waits for them.
    """

    application: Application
    action: Action
    outcome: Outcome
    actor: Actor
    actor_name: str
    before: Status | None
    now: datetime
    originator_before: str | None = None
    changes: tuple[Change, ...] = ()
    note_changed: bool = False
    recipient_id: str | None = None
    recipient_has_address: bool = False
    store_notice: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


async def record_step(tx: AsyncSession, record: StepRecord) -> None:
    """Add the line of history and emit the events of a step."""
    application, actor = record.application, record.actor
    tx.add(
        HistoryLine(
            application_id=application.application_id,
            dealer_id=application.dealer_id,
            at=record.now,
            action=record.action.value,
            step=record.outcome.step,
            actor_id=actor.user_id,
            actor_role=actor.role.value,
            actor_name=record.actor_name,
            on_behalf_of=actor.acting_for,
            from_status=record.before,
            to_status=application.status,
            version=application.version,
            status_version=application.status_version,
            said=record.outcome.text,
            changes=changes_to_json(record.changes),
            facts=_facts(record),
        )
    )
    await tx.flush()
    if record.outcome.approval_requested is Level.STORE:
        flow = await approval_flow_of(tx, application.dealer_id)
        wished = flow is not None and flow.store_approver_notice
        record = replace(record, store_notice=wished)
    await outbox.add_many(tx, events_for(record), now=record.now)


def _facts(record: StepRecord) -> dict[str, Any]:
    outcome = record.outcome
    facts: dict[str, Any] = dict(record.facts)
    if outcome.approvals_voided:
        facts["approvals_voided"] = [level.value for level in outcome.approvals_voided]
    if outcome.remanded_to:
        facts["remanded_from"] = _FROM_LEVEL[outcome.remanded_by] if outcome.remanded_by else None
        facts["remanded_to"] = TO_LEVEL[outcome.remanded_to]
        facts["mail_will_be_sent"] = record.recipient_has_address
    return facts


def base_of(application: Application) -> Base:
    """What every event of an application carries."""
    return {
        "dealer_id": application.dealer_id,
        "application_id": application.application_id,
        "contract_no": application.contract_no,
        "store_code": application.store_code,
        "originator_id": application.originator_id,
    }


def events_for(record: StepRecord) -> list[Event]:
    """The events of a step, in the order in which they are told."""
    base = base_of(record.application)
    return [
        _step_history(record, base),
        *_dealer_note(record, base),
        *_approval_requested(record, base),
        *_status(record, base),
    ]


def _dealer_note(record: StepRecord, base: Base) -> list[Event]:
    """貴社連絡欄 that came with another step."""
    if not record.note_changed or record.action is Action.EDIT_DEALER_NOTE:
        return []
    return [_note_changed(record, base)]


def _note_changed(record: StepRecord, base: Base) -> Event:
    version = record.application.dealer_note_version
    return returns.DealerNoteChanged(**base, note_version=version)


def _approval_requested(record: StepRecord, base: Base) -> list[Event]:
    """An approval that is now waited for, or the request to TFC."""
    application, outcome = record.application, record.outcome
    if outcome.approval_requested:
        level = outcome.approval_requested.value
        return [returns.ApprovalRequested(**base, level=level, entered_at=record.now)]
    if outcome.moves and outcome.status is Status.REQUESTED:
        return [
            returns.ReturnRequested(
                **base,
                **_result(application),
                requested_at=record.now,
                application_version=application.version,
            )
        ]
    return []


def _status(record: StepRecord, base: Base) -> list[Event]:
    if not record.outcome.moves:
        return []
    return [
        returns.ReturnStatusChanged(
            **base,
            from_status=record.before,
            to_status=record.outcome.status,
            entered_at=record.now,
            status_version=record.application.status_version,
            application_version=record.application.version,
            store_approver_notice=record.store_notice,
        )
    ]


def _result(application: Application) -> dict[str, Any]:
    return {
        "result": "returned" if application.kind == "RETURNED" else "not_returned",
        "received_on": application.received_on,
        "unreturned_reason": application.unreturned_reason,
    }


def _step_history(record: StepRecord, base: Base) -> Event:  # noqa: PLR0911 -- an event per action
    """The event that is named after the step."""
    application, text = record.application, record.outcome.text
    match record.action:
        case Action.SUBMIT:
            return returns.ApplicationSubmitted(
                **base,
                **_result(application),
                completion_mail_opt_in=application.completion_mail,
                route=tuple(application.levels),
                separate_procedure=application.separate_procedure,
            )
        case Action.APPROVE | Action.REMAND | Action.CORRECT | Action.WITHDRAW | Action.TAKE_OVER:
            return _dealer_event(record, base)
        case Action.HOLD:
            return returns.ReturnPutOnHold(**base, reason=text or "")
        case Action.FINISH_CONTACT:
            return returns.ContactEntered(**base, message=text or "")
        case Action.COMPLETE:
            return returns.ReturnCompleted(
                **base,
                completed_at=record.now,
                result=_result(application)["result"],
                separate_procedure=application.separate_procedure,
                completion_mail_opt_in=application.completion_mail,
            )
        case Action.EDIT_DEALER_NOTE:
            return _note_changed(record, base)
        case Action.ACCEPT:
            return returns.ReturnAcceptedByTfc(**base)
        case Action.RELEASE:
            return returns.ReturnHoldReleased(**base)
        case Action.START_CONTACT:
            return returns.ContactEntryStarted(**base)


def _dealer_event(record: StepRecord, base: Base) -> Event:
    outcome, actor, before = record.outcome, record.actor, record.before
    assert before is not None, "only a sending starts from nothing"
    changed = tuple(change.field for change in record.changes)
    match record.action:
        case Action.APPROVE:
            return returns.ReturnApproved(
                **base,
                level="hq" if actor.role.value == "hq" else "store",
                approver_id=actor.user_id,
                on_behalf_of=actor.acting_for,
                changed_fields=changed,
            )
        case Action.REMAND:
            assert outcome.remanded_by is not None, "a remand says from where"
            assert outcome.remanded_to is not None, "a remand says to where"
            return returns.ReturnRemanded(
                **base,
                from_level=_FROM_LEVEL[outcome.remanded_by],
                to_level=TO_LEVEL[outcome.remanded_to],
                recipient_id=record.recipient_id,
                recipient_has_address=record.recipient_has_address,
            )
        case Action.CORRECT:
            voided = tuple(level.value for level in outcome.approvals_voided)
            return returns.ReturnCorrected(
                **base, from_status=before, changed_fields=changed, approvals_voided=voided
            )
        case Action.WITHDRAW:
            return returns.ReturnWithdrawn(**base, from_status=before)
        case _:
            return returns.OriginatorTakenOver(
                **base,
                from_id=record.originator_before or "",
                to_id=record.application.originator_id,
            )
