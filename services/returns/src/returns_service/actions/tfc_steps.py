"""Steps reported by TFC's core (T12-T18): taken, or rejected where they come too late."""

from event_contracts import returns, tfc_returns
from returns_service.actions.return_events import base_of
from returns_service.actions.return_history import line_without_step
from returns_service.actions.return_steps import apply_step
from returns_service.actor import RequestContext
from returns_service.models import Application
from returns_service.queries import application_by_id
from returns_service.rules.return_commands import (
    Accept,
    Command,
    Complete,
    FinishContact,
    Hold,
    Release,
    Remand,
    StartContact,
)
from shared import outbox
from shared.errors import Refusal


class UnknownApplication(LookupError):
    """TFC's core names an application that this dealer does not have; an operator must look."""


def command_of(event: tfc_returns.TfcReturnEvent) -> Command:  # noqa: PLR0911 -- a command per event
    """The step that an event of TFC's core asks for."""
    version = event.application_version
    match event:
        case tfc_returns.TfcReturnAccepted():
            return Accept(expected_version=version)
        case tfc_returns.TfcReturnOnHold(reason=reason):
            return Hold(expected_version=version, reason=reason)
        case tfc_returns.TfcReturnHoldReleased():
            return Release(expected_version=version)
        case tfc_returns.TfcReturnContactEntryStarted():
            return StartContact(expected_version=version)
        case tfc_returns.TfcReturnContactEntered(message=message):
            return FinishContact(expected_version=version, message=message)
        case tfc_returns.TfcReturnRemanded(reason=reason, reason_code=code):
            return Remand(expected_version=version, comment=reason or code)
        case _:
            return Complete(expected_version=version)


async def apply_tfc_step(ctx: RequestContext, event: tfc_returns.TfcReturnEvent) -> None:
    """Take TFC's step; one that is not possible any more is rejected with the present status.

    Raises UnknownApplication.
    """
    command = command_of(event)
    found = await application_by_id(ctx.tx, event.application_id, lock=True)
    if found is None or found.dealer_id != event.dealer_id:
        raise UnknownApplication(event.application_id)
    try:
        await apply_step(ctx, event.application_id, command)
    except Refusal as refusal:
        await _reject(ctx, found, event, command, refusal)


async def _reject(
    ctx: RequestContext,
    found: Application,
    event: tfc_returns.TfcReturnEvent,
    command: Command,
    refusal: Refusal,
) -> None:
    rejected = returns.TfcEventRejected(
        **base_of(found),
        action=command.action.value,
        application_version=event.application_version,
        current_version=found.version,
        current_status=found.status,
    )
    line = line_without_step(
        found,
        at=ctx.now,
        action="tfc_event_rejected",
        actor_id=ctx.who.self_actor.user_id,
        actor_role="tfc",
        actor_name=ctx.who.name,
        comment=refusal.message,
        facts={"action": command.action.value, "reason_code": refusal.code},
    )
    ctx.tx.add(line)
    await outbox.add(ctx.tx, rejected, now=ctx.now)
