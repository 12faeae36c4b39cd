"""Work that waits for a person: its counts, and the lists that show exactly that.

Each service answers `GET /work` (for operators `GET /operations/work`) with its counts. `filter`
holds the conditions of the list that was counted, as that list's own query parameters, so that the
number and the list behind it come from the same conditions.
"""

from datetime import datetime

from pydantic import BaseModel, Field


class WorkCount(BaseModel):
    """One kind of work; `waits`: the person must act, so it counts for the number in the bar."""

    key: str
    label: str
    count: int = Field(ge=0)
    waits: bool
    filter: dict[str, str | list[str]] = {}


class RemandedWork(BaseModel):
    """Something returned to the person; `comment` says why, or is None."""

    subject_id: str
    title: str
    note: str
    comment: str | None
    by: str | None
    at: datetime | None


class Work(BaseModel):
    """All the work of one person in one service; of remands, the newest few."""

    counts: list[WorkCount]
    remanded: list[RemandedWork] = []


REMANDS_SHOWN = 5
"""How many remands are shown with their reason; the list behind the number shows all."""
