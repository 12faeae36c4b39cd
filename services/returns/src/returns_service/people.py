"""As whom does somebody act here? The words of tokens and events, and those of the rules.

Tokens, events and tables say `sales` where the rules of the workflow say `staff`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.queries import substitutions_on
from returns_service.rules.return_form import DEFAULT_REASONS
from returns_service.rules.return_status import Role
from returns_service.rules.return_visibility import Actor
from returns_service.rules.substitute_approver import acts_as
from shared import auth
from shared.auth import Principal
from shared.clock import jst_day

_RULE_ROLES = {
    auth.Role.TFC: Role.TFC,
    auth.Role.HQ: Role.HQ,
    auth.Role.MANAGER: Role.MANAGER,
    auth.Role.SALES: Role.STAFF,
}


def rule_role(word: str) -> Role:
    """The rules' role for a word of tokens, events and tables."""
    return Role.STAFF if word == "sales" else Role(word)


def role_word(role: Role) -> str:
    """The word of tokens, events and tables for a role of the rules."""
    return "sales" if role is Role.STAFF else role.value


@dataclass(frozen=True)
class Person:
    """Who acts: name and mail of the profile, and as whom this person may act today.

    The first of `actors` is the person; the others are the approvers whom he represents.
    """

    name: str
    mail: str | None
    actors: tuple[Actor, ...]

    @property
    def himself(self) -> Actor:
        """The person as such."""
        return self.actors[0]

    @property
    def stores(self) -> frozenset[str] | None:
        """The stores whose applications this person sees; None: all of the dealer's, or TFC."""
        if any(actor.role in {Role.HQ, Role.TFC} for actor in self.actors):
            return None
        return frozenset(actor.store_code for actor in self.actors if actor.store_code)


@dataclass(frozen=True)
class Acting:
    """Who acts, at which instant, in which transaction; `reasons` are 未返却理由 (D92)."""

    tx: AsyncSession
    who: Person
    now: datetime
    reasons: Mapping[str, str] = field(default_factory=lambda: DEFAULT_REASONS)

    @property
    def today(self) -> date:
        """The JST day."""
        return jst_day(self.now)


TFC_CORE = Person("TFC", None, (Actor("TFC-CORE", Role.TFC),))


async def person_of(tx: AsyncSession, principal: Principal, *, today: date) -> Person:
    """The person behind a request, in his highest role, with whom he represents on `today`."""
    role = next(rule for word, rule in _RULE_ROLES.items() if principal.has(word))
    if role is Role.TFC:
        return Person(principal.name, None, (Actor(principal.person_id, role),))
    store = None if role is Role.HQ else principal.store
    himself = Actor(principal.person_id, role, principal.dealer, store)
    represented = await substitutions_on(tx, himself, today=today)
    return Person(principal.name, principal.mail, acts_as(himself, represented, today=today))
