"""Step result: the one record from which history line, events and answer of a step derive."""

from dataclasses import dataclass
from datetime import datetime

from returns_service.models import Application
from returns_service.rules.mail_notice import RemandNotice
from returns_service.rules.return_approval import Outcome
from returns_service.rules.return_commands import Action
from returns_service.rules.return_form import Change
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """A step that was taken; `application` is already as it is after it.

    `from_status` and `from_originator_id` are those before the step, None before a submission.
    `recipient_id` receives a remand, as far as a person is known. `store_notice`: the dealer wants
    the store's approvers to be notified of what waits for them.
    """

    application: Application
    action: Action
    outcome: Outcome
    actor: Actor
    actor_name: str
    at: datetime
    from_status: Status | None = None
    from_originator_id: str | None = None
    changes: tuple[Change, ...] = ()
    note_changed: bool = False
    remand: RemandNotice | None = None
    recipient_id: str | None = None
    store_notice: bool = False
