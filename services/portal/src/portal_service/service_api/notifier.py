"""HTTP API of notifier, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from typing import Literal, TypedDict
from portal_service.api_client import QueryValue, ServiceClient, ServiceResponse


class MailLine(TypedDict):
    """A mail as the list shows it."""

    mail_id: str
    dealer_id: str
    mail_kind: str
    mail_kind_japanese: str
    application_id: str
    contract_no: str
    recipient_role: str
    recipient_role_japanese: str
    address: str | None
    state: Literal["scheduled", "sending", "sent", "suppressed", "failed", "unknown"]
    state_japanese: str
    reason: str | None
    reason_japanese: str | None
    attempts: int
    last_error: str | None
    planned_at: str
    settled_at: str | None
    version: int
    resend: ResendOffer


class MailPage(TypedDict):
    """Some of the mails, the newest first; `next` goes into `after` for the following ones."""

    mails: list[MailLine]
    next: str | None


class ResendOffer(TypedDict):
    """Whether a person may have the message sent again, and if not, why."""

    enabled: bool
    code: str | None
    reason: str | None


class Step(TypedDict):
    """One thing that happened to a mail; `actor` where a person did it."""

    happened_at: str
    step: str
    actor: str | None
    detail: str | None


class WholeMail(TypedDict):
    """A mail as it was, or will be, sent; the text is None until an attempt was made."""

    mail_id: str
    dealer_id: str
    mail_kind: str
    mail_kind_japanese: str
    application_id: str
    contract_no: str
    recipient_role: str
    recipient_role_japanese: str
    address: str | None
    state: Literal["scheduled", "sending", "sent", "suppressed", "failed", "unknown"]
    state_japanese: str
    reason: str | None
    reason_japanese: str | None
    attempts: int
    last_error: str | None
    planned_at: str
    settled_at: str | None
    version: int
    resend: ResendOffer
    message_id: str | None
    subject: str | None
    body: str | None
    history: list[Step]


async def search_mails(
    services: ServiceClient,
    *,
    dealer_id: QueryValue = None,
    application_id: QueryValue = None,
    after: QueryValue = None,
    limit: QueryValue = None,
    contract_no: QueryValue = None,
    state: QueryValue = None,
    mail_kind: QueryValue = None,
    planned_from: QueryValue = None,
    planned_to: QueryValue = None,
) -> ServiceResponse[MailPage]:
    """The mails that fit all that is given, the newest first."""
    return await services.get(
        "notifier",
        "/mails",
        {
            "dealer_id": dealer_id,
            "application_id": application_id,
            "after": after,
            "limit": limit,
            "contract_no": contract_no,
            "state": state,
            "mail_kind": mail_kind,
            "planned_from": planned_from,
            "planned_to": planned_to,
        },
    )


async def read_mail(services: ServiceClient, mail_id: str) -> ServiceResponse[WholeMail]:
    """One mail with its text and all that happened to it."""
    return await services.get("notifier", f"/mails/{mail_id}")


async def resend_mail(
    services: ServiceClient, mail_id: str, *, version: str | None
) -> ServiceResponse[WholeMail]:
    """Have a mail sent again; If-Match names the version that the person saw."""
    return await services.send("notifier", "POST", f"/mails/{mail_id}/resend", version=version)
