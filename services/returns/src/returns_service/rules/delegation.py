"""Delegation (代理承認, part D): in which capacity a person takes a step.

In their own wherever that is allowed; else for one of the approvers whom they represent.
"""

from collections.abc import Sequence

from returns_service.rules.return_approval import Offer, Outcome, ReturnFacts, decide, offers
from returns_service.rules.return_commands import Command
from returns_service.rules.return_visibility import Actor
from shared.errors import Kind, Refusal

_FURTHER = (Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.VERSION_CONFLICT, Kind.CONFLICT, Kind.INVALID)


def decide_as(
    facts: ReturnFacts | None, command: Command, actors: Sequence[Actor]
) -> tuple[Outcome, Actor]:
    """What `command` changes, and the first of `actors` who may take it.

    Raises the most specific refusal; at a tie the person's own, which comes first.
    """
    refusals: list[Refusal] = []
    for actor in actors:
        try:
            return decide(facts, command, actor), actor
        except Refusal as refusal:
            refusals.append(refusal)
    raise max(refusals, key=lambda refusal: _FURTHER.index(refusal.kind))


def offers_as(facts: ReturnFacts, actors: Sequence[Actor]) -> tuple[Offer, ...]:
    """The offers of all `actors`, one for each action: an enabled one before any other."""
    best: dict[str, Offer] = {}
    for actor in actors:
        for offer in offers(facts, actor):
            known = best.get(offer.action)
            if known is None or (offer.enabled and not known.enabled):
                best[offer.action] = offer
    return tuple(best.values())
