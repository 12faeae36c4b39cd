"""Departures: which open applications need someone else because a person has left (D157, A-22).

Headquarters takes such an application over. SQL filters by the same statuses; a test compares both.
"""

from dataclasses import dataclass
from enum import StrEnum

from returns_service.rules.approval_route import Level, Route
from returns_service.rules.return_status import Status


class Departure(StrEnum):
    """Who has left, as far as the application waits for them or comes back to them."""

    ORIGINATOR = "ORIGINATOR_LEFT"
    STORE_APPROVER = "APPROVER_LEFT"

    @property
    def label_ja(self) -> str:
        """The words on the screen."""
        return {
            Departure.ORIGINATOR: "起票者が退職",
            Departure.STORE_APPROVER: "店舗承認者が退職",
        }[self]


AT_STORE = (Status.STORE_PENDING, Status.STORE_REMANDED)
OPEN_AT_DEALER = (
    *(Status.STAFF_REMANDED, *AT_STORE, Status.HQ_PENDING, Status.HQ_REMANDED, Status.REQUESTED),
)
"""In these headquarters may take an application over (T22)."""


@dataclass(frozen=True)
class People:
    """Who of an application is still there; `store_has_approver`: a manager or their substitute."""

    originator_left: bool
    store_has_approver: bool


def departure(status: Status, route: Route, people: People) -> Departure | None:
    """Why somebody must take the application over; None: it can go on as it is."""
    if status not in OPEN_AT_DEALER:
        return None
    if people.originator_left:
        return Departure.ORIGINATOR
    waits_at_store = not route.is_with_originator(status) and route.holder(status) is Level.STORE
    return Departure.STORE_APPROVER if waits_at_store and not people.store_has_approver else None
