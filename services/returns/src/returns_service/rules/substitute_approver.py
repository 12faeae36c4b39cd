"""Substitute approvers (代理承認, part D): who may represent an absent approver, and when.

Both may act during that time. A substitute has no substitute, so it is always clear who represents
whom; return_approval refuses the approval of one's own item.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from returns_service.rules.return_visibility import Actor
from shared.errors import FieldError, FormErrors, Kind, Refusal
from shared.roles import Role


@dataclass(frozen=True)
class Substitution:
    """`substitute_id` approves for `approver`, a manager or HQ, on these days, both included."""

    approver: Actor
    substitute_id: str
    from_on: date
    to_on: date

    def overlaps(self, other: Self) -> bool:
        """Whether the two share a day."""
        return self.from_on <= other.to_on and other.from_on <= self.to_on


_SUBSTITUTE_MISSING = ("SUBSTITUTE_REQUIRED", "代理承認者を選択してください")
_START_MISSING = ("FROM_ON_REQUIRED", "開始日を入力してください")
_END_MISSING = ("TO_ON_REQUIRED", "終了日を入力してください")
_END_PAST = ("TO_ON_IN_PAST", "終了日は本日以降の日付を入力してください")


class RoleNotSubstituted(Refusal):
    """Only approvers have substitutes."""

    code = "ROLE_NOT_SUBSTITUTED"
    kind = Kind.FORBIDDEN
    message = "代理承認者を設定できるのは店長・本部担当者のみです"


class SubstituteNotSuitable(Refusal):
    """The substitute must be another active person of the same dealer."""

    code = "SUBSTITUTE_NOT_SUITABLE"
    kind = Kind.INVALID
    message = "代理承認者には、同じ販売店の有効な別の担当者を指定してください"


class SubstitutionPeriodReversed(Refusal):
    """The substitution ends before it begins."""

    code = "SUBSTITUTION_PERIOD_REVERSED"
    kind = Kind.INVALID
    message = "代理期間の終了日は開始日以降の日付を入力してください"


class SubstituteHasSubstitute(Refusal):
    """A substitute would be substituted too on one of the days."""

    code = "SUBSTITUTE_HAS_SUBSTITUTE"
    kind = Kind.CONFLICT
    message = "代理承認者の代理は設定できません"


@dataclass(frozen=True)
class Entered:
    """What was typed about a substitution, complete."""

    substitute_id: str
    from_on: date
    to_on: date


def check_entered(
    substitute_id: str | None, from_on: date | None, to_on: date | None, *, today: date
) -> Entered:
    """The form with everything that it needs; raises FormErrors with every faulty field."""
    wrong: list[FieldError] = []
    if not substitute_id:
        wrong.append(FieldError("substitute_id", *_SUBSTITUTE_MISSING))
    if from_on is None:
        wrong.append(FieldError("from_on", *_START_MISSING))
    if to_on is None:
        wrong.append(FieldError("to_on", *_END_MISSING))
    elif from_on is not None and from_on > to_on:
        reversed_ = SubstitutionPeriodReversed
        wrong.append(FieldError("to_on", reversed_.code, reversed_.message))
    elif to_on < today:
        wrong.append(FieldError("to_on", *_END_PAST))
    if wrong or not substitute_id or from_on is None or to_on is None:
        raise FormErrors(*wrong)
    return Entered(substitute_id, from_on, to_on)


def check_substitution(
    new: Substitution, others: Iterable[Substitution], *, dealer_code: str, active: bool
) -> None:
    """Refuse a substitution that may not be registered; `others` are those that are in force.

    `dealer_code` and `active` describe the substitute.
    """
    if new.approver.role not in {Role.MANAGER, Role.HQ}:
        raise RoleNotSubstituted
    is_self = new.substitute_id == new.approver.user_id
    if is_self or not active or dealer_code != new.approver.dealer_code:
        raise SubstituteNotSuitable
    if new.from_on > new.to_on:
        raise SubstitutionPeriodReversed
    for other in others:
        chained = (
            other.approver.user_id == new.substitute_id
            or other.substitute_id == new.approver.user_id
        )
        if chained and new.overlaps(other):
            raise SubstituteHasSubstitute


def acts_as(
    person: Actor, substitutions: Iterable[Substitution], *, today: date
) -> tuple[Actor, ...]:
    """As whom `person` may act on `today` (JST): themselves, then each whom they represent."""
    represented = (
        replace(s.approver, user_id=person.user_id, acting_for=s.approver.user_id)
        for s in substitutions
        if s.substitute_id == person.user_id and s.from_on <= today <= s.to_on
    )
    return (person, *represented)
