"""Actors: the person of a request in their highest role, with those they represent today."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.queries import substitutions_on
from returns_service.rules.return_form import DEFAULT_REASONS
from returns_service.rules.return_visibility import Actor
from returns_service.rules.substitute_approver import acts_as
from shared import request_context
from shared.auth import Principal
from shared.roles import Role

_HIGHEST_FIRST = (Role.TFC, Role.HQ, Role.MANAGER, Role.SALES)


@dataclass(frozen=True)
class Person:
    """Who acts: name and mail of the profile, and as whom this person may act today.

    The first of `actors` is the person; the others are the approvers whom they represent.
    """

    name: str
    mail: str | None
    actors: tuple[Actor, ...]

    @property
    def self_actor(self) -> Actor:
        """The person as such."""
        return self.actors[0]

    @property
    def stores(self) -> frozenset[str] | None:
        """The stores whose applications this person sees; None: all of the dealer's, or TFC."""
        if any(actor.role in {Role.HQ, Role.TFC} for actor in self.actors):
            return None
        return frozenset(actor.store_code for actor in self.actors if actor.store_code)


@dataclass(frozen=True, slots=True)
class RequestContext(request_context.RequestContext):
    """Who acts, in which transaction; `reasons` are 未返却理由 (D92)."""

    who: Person
    reasons: Mapping[str, str] = field(default_factory=lambda: DEFAULT_REASONS)


TFC_CORE = Person("TFC", None, (Actor("TFC-CORE", Role.TFC),))


async def resolve_actor(tx: AsyncSession, principal: Principal, *, today: date) -> Person:
    """The person behind a request, in their highest role, with those they represent on `today`."""
    role = next(role for role in _HIGHEST_FIRST if principal.has(role))
    if role is Role.TFC:
        return Person(principal.name, None, (Actor(principal.person_id, role),))
    store = None if role is Role.HQ else principal.store
    self_actor = Actor(principal.person_id, role, principal.dealer, store)
    represented = await substitutions_on(tx, self_actor, today=today)
    return Person(principal.name, principal.mail, acts_as(self_actor, represented, today=today))
