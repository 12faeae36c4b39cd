"""Substitute approvers (代理承認, part D): who may represent an absent approver, and when.

Both may act during that time. A substitute has no substitute, so it is always clear who represents
whom; return_approval refuses the approval of one's own item.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from returns_service.rules.return_visibility import Actor
from shared.errors import Kind, Refusal
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
