"""HTTP API of returns, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from pydantic import BaseModel


class RemandAnswer(BaseModel, frozen=True):
    """The last remand: from which level to which, by whom and when, with its comment."""

    from_level: str
    to_level: str
    remanded_by: str
    remanded_at: str
    comment: str | None


class PersonAnswer(BaseModel, frozen=True):
    """A person with their address; None where none is known. `left`: no mail goes to them."""

    person_id: str | None
    role: str
    mail: str | None
    left: bool


class RecipientsAnswer(BaseModel, frozen=True):
    """All that decides who gets a mail about an application, as of now."""

    application_id: str
    dealer_id: str
    dealer_name: str | None
    store_name: str | None
    originator_name: str
    submitted_at: str
    contract_no: str
    separate_procedure: bool
    status: str
    status_japanese: str
    status_version: int
    completion_mail: bool
    originator: PersonAnswer
    store_approver: PersonAnswer | None
    store_approver_notice: bool
    store_approver_mails: list[str]
    hq_approver_mails: list[str]
    round_approvers: list[PersonAnswer]
    last_remand: RemandAnswer | None
