"""HTTP API of commuter, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from datetime import date
from pydantic import BaseModel


class Recipients(BaseModel, frozen=True):
    """Applicant and administrators of a pass with their addresses."""

    pass_id: str
    dealer_id: str
    applicant_name: str
    applicant_mail: str | None
    applied_on: date | None
    reason: str | None
    administrator_mails: list[str]
