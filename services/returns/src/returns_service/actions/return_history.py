"""History of an application: one line for every step, mail and rejected step; never changed."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.mail import MailEvent, MailSuppressed
from returns_service.actions.return_events import remand_levels
from returns_service.actions.step_result import StepResult
from returns_service.mapping import changes_to_json
from returns_service.models import Application, HistoryLine
from returns_service.queries import application_by_id
from returns_service.rules.return_commands import Action


def history_line(result: StepResult) -> HistoryLine:
    """The line of a step that was taken."""
    application, actor = result.application, result.actor
    return HistoryLine(
        application_id=application.application_id,
        dealer_id=application.dealer_id,
        at=result.at,
        action=result.action.value,
        step=result.outcome.step,
        actor_id=actor.user_id,
        actor_role=actor.role.value,
        actor_name=result.actor_name,
        on_behalf_of=actor.acting_for,
        from_status=result.from_status,
        to_status=application.status,
        version=application.version,
        status_version=application.status_version,
        comment=result.outcome.text,
        changes=changes_to_json(result.changes),
        facts=_facts(result),
    )


def line_without_step(  # noqa: PLR0913 -- a line of history has these columns
    application: Application,
    *,
    at: datetime,
    action: str,
    actor_id: str,
    actor_role: str,
    actor_name: str,
    facts: dict[str, object],
    comment: str | None = None,
) -> HistoryLine:
    """A line of something that left the application as it is."""
    return HistoryLine(
        application_id=application.application_id,
        dealer_id=application.dealer_id,
        at=at,
        action=action,
        actor_id=actor_id,
        actor_role=actor_role,
        actor_name=actor_name,
        from_status=application.status,
        to_status=application.status,
        version=application.version,
        status_version=application.status_version,
        comment=comment,
        changes=[],
        facts=facts,
    )


async def record_mail(tx: AsyncSession, event: MailEvent, *, at: datetime) -> None:
    """Add the result of a mail about one of our applications; other mails are ignored."""
    found = await application_by_id(tx, event.subject_id)
    if found is None or found.dealer_id != event.dealer_id:
        return
    facts = event.model_dump(mode="json", include={"mail_kind", "recipient_role", "reason"})
    if isinstance(event, MailSuppressed) and event.person_left:
        facts["reason"] = "person_left"
    line = line_without_step(
        found,
        at=at,
        action=event.wire_type.split(".v")[0].replace(".", "_"),
        actor_id="NOTIFIER",
        actor_role="service",
        actor_name="メール配信",
        facts=facts,
    )
    tx.add(line)


def _facts(result: StepResult) -> dict[str, object]:
    outcome = result.outcome
    facts: dict[str, object] = {}
    if result.action is Action.SUBMIT:
        facts["route"] = result.application.levels
    if outcome.approvals_voided:
        facts["approvals_voided"] = [level.value for level in outcome.approvals_voided]
    if result.remand:
        facts["remanded_from"], facts["remanded_to"] = remand_levels(outcome)
        facts["mail_will_be_sent"] = result.remand.mail_will_be_sent
    return facts
