"""Approval route: the levels of a return application, and where a remand leads (D116-D118, B2).

The route is frozen when the application is sent (A-31): own level and those below are skipped for
the originator (A-21), and a remand goes exactly one step back.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from returns_service.rules.return_status import Status
from shared.roles import Role


class Level(StrEnum):
    """A level of approval, in the order of the route."""

    STORE = "store"
    HQ = "hq"

    @property
    def pending(self) -> Status:
        """Waiting for this level."""
        return Status.STORE_PENDING if self is Level.STORE else Status.HQ_PENDING

    @property
    def remanded(self) -> Status:
        """Sent back to this level."""
        return Status.STORE_REMANDED if self is Level.STORE else Status.HQ_REMANDED


@dataclass(frozen=True)
class ApprovalSetting:
    """承認フロー設定 of a dealer (D153): which levels approve."""

    store_approval: bool
    hq_approval: bool


SETTINGS = (
    ApprovalSetting(store_approval=False, hq_approval=False),
    ApprovalSetting(store_approval=True, hq_approval=False),
    ApprovalSetting(store_approval=False, hq_approval=True),
    ApprovalSetting(store_approval=True, hq_approval=True),
)


@dataclass(frozen=True)
class Route:
    """The frozen way of one application: the originator's role, then the levels that approve."""

    originator: Role
    levels: tuple[Level, ...]

    @classmethod
    def of(cls, setting: ApprovalSetting, originator: Role) -> Self:
        """The route that `setting` gives an application of this originator."""
        store = setting.store_approval and originator is Role.SALES
        hq = setting.hq_approval and originator in {Role.SALES, Role.MANAGER}
        return cls(originator, (Level.STORE,) * store + (Level.HQ,) * hq)

    def first(self) -> Status:
        """The status after sending: wait for the first level, or 依頼中 where none approves."""
        return self.levels[0].pending if self.levels else Status.REQUESTED

    def after(self, level: Level) -> Status:
        """The status after `level` approved."""
        later = self.levels[self.levels.index(level) + 1 :]
        return later[0].pending if later else Status.REQUESTED

    def before(self, level: Level) -> Status:
        """The status after `level` remanded: one step back, at last the originator."""
        earlier = self.levels[: self.levels.index(level)]
        return earlier[-1].remanded if earlier else self.with_originator()

    def before_tfc(self) -> Status:
        """The status after TFC remanded: the last level, or the originator."""
        return self.levels[-1].remanded if self.levels else self.with_originator()

    def with_originator(self) -> Status:
        """The REMANDED status of the originator; their role names it (D117, A-20)."""
        return {
            Role.SALES: Status.STAFF_REMANDED,
            Role.MANAGER: Status.STORE_REMANDED,
            Role.HQ: Status.HQ_REMANDED,
        }[self.originator]

    def holder(self, status: Status) -> Level | None:
        """The level that holds an item in `status`; None: no approver holds it."""
        return next((lv for lv in self.levels if status in {lv.pending, lv.remanded}), None)

    def is_with_originator(self, status: Status) -> bool:
        """Whether the item lies, remanded, with its originator."""
        return status is self.with_originator() and self.holder(status) is None

    def standing_approvals(self, status: Status) -> tuple[Level, ...]:
        """The levels whose approval counts while an item is in `status`."""
        if self.is_with_originator(status):
            return ()
        level = self.holder(status)
        return self.levels if level is None else self.levels[: self.levels.index(level)]
