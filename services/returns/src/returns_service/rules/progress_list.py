"""Progress list (進捗一覧) rules: kinds, counts and search keys (D98-D100, D103-D108, D142).

Names, groups and colours of a status are in return_status; here are the questions on a whole
list. SQL may filter with the statuses and bounds that this file gives.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

from returns_service.rules.return_approval import By, ReturnFacts, check_step, holder
from returns_service.rules.return_commands import Action
from returns_service.rules.return_status import Group, Status
from returns_service.rules.return_visibility import Actor
from shared.errors import Kind, Refusal
from shared.roles import Role

_JST = timezone(timedelta(hours=9))
_RECEPTION = re.compile(r"(?:RA)?[-ー‐−\s]*([0-9]{1,8})")
_WHO_ACTS = {Role.SALES: "起票者", Role.MANAGER: "店舗承認者", Role.HQ: "本部承認者"}


class ApplicationKind(StrEnum):
    """申込内容: the return of a car, or a change that TFC reports, read-only here (D99)."""

    VEHICLE_RETURN = "VEHICLE_RETURN"
    ADDRESS_CHANGE = "ADDRESS_CHANGE"
    NAME_CHANGE = "NAME_CHANGE"
    OTHER = "OTHER"

    @property
    def label_ja(self) -> str:
        """The name on the screen."""
        return {
            ApplicationKind.VEHICLE_RETURN: "車両返却",
            ApplicationKind.ADDRESS_CHANGE: "住所変更",
            ApplicationKind.NAME_CHANGE: "氏名変更",
            ApplicationKind.OTHER: "その他",
        }[self]


TO_APPROVE = (Status.STORE_PENDING, Status.HQ_PENDING)
REMANDED = (Status.STAFF_REMANDED, Status.STORE_REMANDED, Status.HQ_REMANDED)
DEALERS_TURN = (*TO_APPROVE, *REMANDED)
"""The statuses in which the dealer must act, in whichever role."""
STILL_DAYS = 7
"""An application at the dealer that was not changed for so long does not move (D147)."""


def last_change_of_stale(today: date) -> date:
    """The latest JST day on which an application that does not move on `today` was changed."""
    return today - timedelta(days=STILL_DAYS)


def waits_for(facts: ReturnFacts, actor: Actor) -> bool:
    """Whether the application is on the actor's own work list.

    It does where a dealer must act (D108) and the actor is the one who can: the originator of what
    was remanded to them, else an approver of that level who did not originate it.
    """
    if facts.status.acts is None:
        return False
    with_originator = holder(facts.status, facts.route) is By.ORIGINATOR
    needed = Action.CORRECT if with_originator else Action.APPROVE
    try:
        check_step(facts, needed, actor)
    except Refusal:
        return False
    return True


@dataclass(frozen=True)
class Counts:
    """Number of applications per display group and per status; every key is there, also at 0."""

    groups: dict[Group, int]
    statuses: dict[Status, int]


def count(statuses: Iterable[Status]) -> Counts:
    """The counts over the statuses of all visible applications, whatever the filter (D106)."""
    counts = Counts(dict.fromkeys(Group, 0), dict.fromkeys(Status, 0))
    for status in statuses:
        counts.statuses[status] += 1
        counts.groups[status.group] += 1
    return counts


class SearchPeriodReversed(Refusal):
    """The search begins after it ends."""

    code = "SEARCH_PERIOD_REVERSED"
    kind = Kind.INVALID
    message = "最終更新日時の開始日は終了日以前の日付を入力してください"


@dataclass(frozen=True)
class ProgressSearch:
    """The search keys of 進捗一覧 as typed; None or nothing: any (D98).

    The days are JST days, both inclusive. `kind` None is 全件 (D99); `statuses` are the ticked ones
    (D100). `waiting`: only what waits for the person who asks (D108); `own`: only what they
    originated. `left_on`: only what somebody must take over on that day because a person has left
    (D157). `reception_no` (受付番号) is the number of an application, RA-00000001.
    """

    kind: ApplicationKind | None = None
    statuses: frozenset[Status] = frozenset()
    customer_name: str | None = None
    contract_no: str | None = None
    reception_no: str | None = None
    updated_from_on: date | None = None
    updated_to_on: date | None = None
    waiting: bool = False
    own: bool = False
    left_on: date | None = None


def updated_between(search: ProgressSearch) -> tuple[datetime | None, datetime | None]:
    """The instants (UTC) from which and before which a row was updated; None: no bound.

    Raises SearchPeriodReversed.
    """
    first, last = search.updated_from_on, search.updated_to_on
    if first and last and first > last:
        raise SearchPeriodReversed
    return (
        _begin_of(first) if first else None,
        _begin_of(last + timedelta(days=1)) if last else None,
    )


def name_key(name: str) -> str:
    """A name as it is compared: NFKC, without spaces; found in part (D98 as D7)."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def name_grams(key: str) -> list[str]:
    """What an index finds a name by: pairs of neighbouring characters, or the only character."""
    return sorted({key[at : at + 2] for at in range(max(1, len(key) - 1))})


def number_key(number: str) -> str:
    """A contract number as it is compared: NFKC, trimmed, no hyphens; found as a whole (D98)."""
    return unicodedata.normalize("NFKC", number).strip().replace("-", "")


def reception_key(number: str) -> str:
    """受付番号 as it is compared: RA-00000001, found also by 「ＲＡ１」 and by 「1」."""
    typed = unicodedata.normalize("NFKC", number).strip().upper()
    found = _RECEPTION.fullmatch(typed)
    return f"RA-{int(found[1]):08}" if found else typed


def guidance_for(facts: ReturnFacts, actors: Sequence[Actor]) -> str:
    """What the screen asks of a person of the dealer who opened an application (D105, D108).

    The list has one sentence per group; here the person is known, and what they can do.
    """
    status = facts.status
    if status.acts is None:
        return status.group.guidance
    if not any(waits_for(facts, actor) for actor in actors):
        return f"{_WHO_ACTS[status.acts]}の手続をお待ちください"
    if holder(status, facts.route) is By.ORIGINATOR:
        return "差戻しの理由をご確認のうえ、訂正または取下げをお願いいたします"
    return "内容をご確認のうえ、承認または差戻しをお願いいたします"


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time.min, _JST).astimezone(UTC)
