"""Delivery search: what the list APIs of all ledgers have in common."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.db import EVERY_DEALER
from shared.errors import Refusal

Code = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class LedgerSearch(BaseModel):
    """What to look for; `dealer_id` is only for those who see all dealers."""

    model_config = ConfigDict(extra="forbid")

    dealer_id: Code | None = None
    application_id: Code | None = None
    after: UUID | None = Field(None, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200)

    def within(self, scope: str) -> Self:
        """The search of a person who sees one dealer, or everything for EVERY_DEALER."""
        return self if scope == EVERY_DEALER else self.model_copy(update={"dealer_id": scope})


class ResendOffer(BaseModel):
    """Whether a person may have the message sent again, and if not, why."""

    enabled: bool
    code: str | None
    reason: str | None

    @classmethod
    def of(cls, refusal: Refusal | None) -> Self:
        """The offer, unless the rules refuse it."""
        if refusal is None:
            return cls(enabled=True, code=None, reason=None)
        return cls(enabled=False, code=refusal.code, reason=refusal.message)


class LedgerStep(BaseModel):
    """One thing that happened to a message; `actor` where a person did it."""

    happened_at: datetime
    step: str
    actor: str | None
