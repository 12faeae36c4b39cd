"""HTTP API of commuter, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from datetime import date
from pydantic import BaseModel


class SlipMove(BaseModel, frozen=True):
    """One step of a slip: by whom and when, with the comment."""

    step: str
    by: str
    at: str
    comment: str | None


class SlipPerson(BaseModel, frozen=True):
    """A person of a slip: address, declined mails, and whether they have left (D158)."""

    person_id: str
    name: str
    mail: str | None
    declined: list[str]
    left: bool


class EndingRecipient(BaseModel, frozen=True):
    """The holder of a pass that ends; `ends`: it still does, and nothing follows it."""

    pass_id: str
    dealer_id: str
    section: str
    ends_on: date
    holder: SlipPerson
    ends: bool


class SubmissionRecipient(BaseModel, frozen=True):
    """An employee who is asked to submit, and how many slips of the month are not submitted …"""

    employee_id: str
    dealer_id: str
    name: str
    mail: str | None
    month: str
    unsubmitted: int
    left: bool


class SlipRecipients(BaseModel, frozen=True):
    """All that a mail about a slip says, and to whom, as of now."""

    slip_id: str
    dealer_id: str
    title: str
    kind_japanese: str
    total_yen: int
    status: str
    status_japanese: str
    submitted_at: str | None
    applicant: SlipPerson
    approver: SlipPerson | None
    move: SlipMove
    is_latest: bool


class Recipients(BaseModel, frozen=True):
    """Applicant and administrators of a pass with their addresses."""

    pass_id: str
    dealer_id: str
    applicant_name: str
    applicant_mail: str | None
    applicant_left: bool
    applied_on: date | None
    reason: str | None
    administrator_mails: list[str]
