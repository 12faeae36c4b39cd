"""Status of a return application: name, group, colour, guidance (D103-D105, D107-D109, B1).

One line of `MEANING` answers everything that a screen asks about a status.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.roles import Role

ORIGINATORS = (Role.SALES, Role.MANAGER, Role.HQ)


class Tab(StrEnum):
    """The two tabs of 進捗一覧 (D103)."""

    CURRENT = "現在申込中一覧"
    PAST = "過去申込一覧"


class Colour(StrEnum):
    """The colour of a status in the list (D107); never shown without its text."""

    YELLOW = "yellow"
    RED = "red"
    NONE = "none"


_ACT = "状況をご確認の上、承認・差戻・取下げ等のご対応をお願いいたします"
_WAIT = "トヨタファイナンスでの手続をお待ちください"
_NOTHING = "－"


class Group(StrEnum):
    """The display groups of 進捗一覧 (D104), in the order of the screen."""

    DEALER_IN_PROGRESS = "DEALER_IN_PROGRESS"
    DEALER_REMANDED = "DEALER_REMANDED"
    REQUESTED = "REQUESTED"
    TFC_IN_PROGRESS = "TFC_IN_PROGRESS"
    COMPLETED = "COMPLETED"
    WITHDRAWN = "WITHDRAWN"

    @property
    def label_ja(self) -> str:
        """The name on the screen."""
        return _GROUPS[self][0]

    @property
    def tab(self) -> Tab:
        """Where the group is shown."""
        return _GROUPS[self][1]

    @property
    def guidance(self) -> str:
        """What the dealer is asked to do (貴社ご対応, D105)."""
        return _GROUPS[self][2]


_GROUPS = {
    Group.DEALER_IN_PROGRESS: ("貴社手続中", Tab.CURRENT, _ACT),
    Group.DEALER_REMANDED: ("貴社手続中（差戻）", Tab.CURRENT, _ACT),
    Group.REQUESTED: ("依頼中", Tab.CURRENT, _WAIT),
    Group.TFC_IN_PROGRESS: ("TFC対応中", Tab.CURRENT, _WAIT),
    Group.COMPLETED: ("完了", Tab.PAST, _NOTHING),
    Group.WITHDRAWN: ("取下げ", Tab.PAST, _NOTHING),
}


class Status(StrEnum):
    """The eleven statuses of a return application (B1)."""

    STAFF_REMANDED = "STAFF_REMANDED"
    STORE_PENDING = "STORE_PENDING"
    STORE_REMANDED = "STORE_REMANDED"
    HQ_PENDING = "HQ_PENDING"
    HQ_REMANDED = "HQ_REMANDED"
    REQUESTED = "REQUESTED"
    TFC_PROCESSING = "TFC_PROCESSING"
    TFC_HOLD = "TFC_HOLD"
    TFC_CONTACT = "TFC_CONTACT"
    COMPLETED = "COMPLETED"
    WITHDRAWN = "WITHDRAWN"

    @property
    def label_ja(self) -> str:
        """The name on the screen."""
        return MEANING[self].label_ja

    @property
    def group(self) -> Group:
        """The display group (D104)."""
        return MEANING[self].group

    @property
    def colour(self) -> Colour:
        """The colour in the list (D107)."""
        return MEANING[self].colour

    @property
    def acts(self) -> Role | None:
        """The dealer's role that must act (手続者, D108); None: no one at the dealer."""
        return MEANING[self].acts


@dataclass(frozen=True)
class Meaning:
    """One status as the dealer sees it."""

    label_ja: str
    group: Group
    colour: Colour
    acts: Role | None


MEANING = {
    Status.STAFF_REMANDED: Meaning(
        "担当者手続中（差戻）", Group.DEALER_REMANDED, Colour.RED, Role.SALES
    ),
    Status.STORE_PENDING: Meaning(
        "店舗承認者手続中", Group.DEALER_IN_PROGRESS, Colour.YELLOW, Role.MANAGER
    ),
    Status.STORE_REMANDED: Meaning(
        "店舗承認者手続中（差戻）", Group.DEALER_REMANDED, Colour.RED, Role.MANAGER
    ),
    Status.HQ_PENDING: Meaning(
        "本部承認者手続中", Group.DEALER_IN_PROGRESS, Colour.YELLOW, Role.HQ
    ),
    Status.HQ_REMANDED: Meaning(
        "本部承認者手続中（差戻）", Group.DEALER_REMANDED, Colour.RED, Role.HQ
    ),
    Status.REQUESTED: Meaning("依頼中", Group.REQUESTED, Colour.NONE, None),
    Status.TFC_PROCESSING: Meaning(
        "TFC対応中（取下げ・訂正NG）", Group.TFC_IN_PROGRESS, Colour.NONE, None
    ),
    Status.TFC_HOLD: Meaning("TFC対応保留", Group.TFC_IN_PROGRESS, Colour.NONE, None),
    Status.TFC_CONTACT: Meaning("TFC連絡事項入力中", Group.TFC_IN_PROGRESS, Colour.NONE, None),
    Status.COMPLETED: Meaning("完了", Group.COMPLETED, Colour.NONE, None),
    Status.WITHDRAWN: Meaning("取下げ", Group.WITHDRAWN, Colour.NONE, None),
}

FINAL = frozenset({Status.COMPLETED, Status.WITHDRAWN})
