"""Events of a step: the one named after it, then a request for approval or to TFC, then the status.

They derive from the `StepResult` alone.
"""

from typing import Literal

from event_contracts import Event, returns
from returns_service.actions.step_result import StepResult
from returns_service.models import Application
from returns_service.rules.return_approval import By, Outcome
from returns_service.rules.return_commands import Action
from returns_service.rules.return_status import Status
from shared.roles import Role

Base = dict[str, object]
FromLevel = Literal["tfc", "hq", "store"]

_FROM_LEVEL: dict[By, FromLevel] = {
    By.TFC: "tfc",
    By.HQ_APPROVER: "hq",
    By.STORE_APPROVER: "store",
}
_TO_LEVEL: dict[By, returns.Holder] = {
    By.HQ_APPROVER: "hq",
    By.STORE_APPROVER: "store",
    By.ORIGINATOR: "originator",
}


def base_of(application: Application) -> Base:
    """The fields that every event of an application carries."""
    return {
        "dealer_id": application.dealer_id,
        "application_id": application.application_id,
        "contract_no": application.contract_no,
        "store_code": application.store_code,
        "originator_id": application.originator_id,
    }


def remand_levels(outcome: Outcome) -> tuple[FromLevel, returns.Holder]:
    """From which level to which holder a remand goes, as history and events name them."""
    assert outcome.remanded_by is not None, "a remand has a level that it comes from"
    assert outcome.remanded_to is not None, "a remand has a holder that it goes to"
    return _FROM_LEVEL[outcome.remanded_by], _TO_LEVEL[outcome.remanded_to]


def events_for(result: StepResult) -> list[Event]:
    """The events of a step, in the order in which they are sent."""
    base = base_of(result.application)
    events = [_named_event(result, base)]
    if result.note_changed and result.action is not Action.EDIT_DEALER_NOTE:
        events.append(_note_changed(result.application, base))
    if requested := _approval_requested(result, base):
        events.append(requested)
    if result.outcome.moves:
        events.append(_status_changed(result, base))
    return events


def _note_changed(application: Application, base: Base) -> Event:
    return returns.DealerNoteChanged(**base, note_version=application.dealer_note_version)


def _approval_requested(result: StepResult, base: Base) -> Event | None:
    """The approval that is now awaited, or the request to TFC."""
    application, outcome = result.application, result.outcome
    if outcome.approval_requested:
        level = outcome.approval_requested.value
        return returns.ApprovalRequested(**base, level=level, entered_at=result.at)
    if outcome.moves and outcome.status is Status.REQUESTED:
        return returns.ReturnRequested(
            **base,
            **_reported_result(application),
            requested_at=result.at,
            application_version=application.version,
        )
    return None


def _status_changed(result: StepResult, base: Base) -> Event:
    return returns.ReturnStatusChanged(
        **base,
        from_status=result.from_status,
        to_status=result.outcome.status,
        entered_at=result.at,
        status_version=result.application.status_version,
        application_version=result.application.version,
        store_approver_notice=result.store_notice,
    )


def _reported_result(application: Application) -> dict[str, object]:
    return {
        "result": "returned" if application.kind == "RETURNED" else "not_returned",
        "received_on": application.received_on,
        "unreturned_reason": application.unreturned_reason,
    }


def _named_event(result: StepResult, base: Base) -> Event:  # noqa: PLR0911 -- an event per action
    """The event that is named after the step."""
    application, text = result.application, result.outcome.text
    match result.action:
        case Action.SUBMIT:
            return returns.ApplicationSubmitted(
                **base,
                **_reported_result(application),
                completion_mail_opt_in=application.completion_mail,
                route=tuple(application.levels),
                separate_procedure=application.separate_procedure,
            )
        case Action.APPROVE | Action.REMAND | Action.CORRECT | Action.WITHDRAW | Action.TAKE_OVER:
            return _dealer_event(result, base)
        case Action.HOLD:
            return returns.ReturnPutOnHold(**base, reason=text or "")
        case Action.FINISH_CONTACT:
            return returns.ContactEntered(**base, message=text or "")
        case Action.COMPLETE:
            return returns.ReturnCompleted(
                **base,
                completed_at=result.at,
                result=_reported_result(application)["result"],
                separate_procedure=application.separate_procedure,
                completion_mail_opt_in=application.completion_mail,
            )
        case Action.EDIT_DEALER_NOTE:
            return _note_changed(application, base)
        case Action.ACCEPT:
            return returns.ReturnAcceptedByTfc(**base)
        case Action.RELEASE:
            return returns.ReturnHoldReleased(**base)
        case Action.START_CONTACT:
            return returns.ContactEntryStarted(**base)


def _dealer_event(result: StepResult, base: Base) -> Event:
    outcome, actor, before = result.outcome, result.actor, result.from_status
    assert before is not None, "only a submission starts without a status"
    changed = tuple(change.field for change in result.changes)
    match result.action:
        case Action.APPROVE:
            return returns.ReturnApproved(
                **base,
                level="hq" if actor.role is Role.HQ else "store",
                approver_id=actor.user_id,
                on_behalf_of=actor.acting_for,
                changed_fields=changed,
            )
        case Action.REMAND:
            from_level, to_level = remand_levels(outcome)
            return returns.ReturnRemanded(
                **base,
                from_level=from_level,
                to_level=to_level,
                recipient_id=result.recipient_id,
                recipient_has_address=bool(result.remand and result.remand.mail_will_be_sent),
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
                from_id=result.from_originator_id or "",
                to_id=result.application.originator_id,
            )
