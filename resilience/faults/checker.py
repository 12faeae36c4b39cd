"""Checker: did every committed event take effect exactly once, in the order of its aggregate?

Pure: takes the histories of both sides, returns counts. It is independent of the transport.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Committed(NamedTuple):
    """A committed event according to the source's own history; `n` counts per aggregate."""

    aggregate: str
    n: int
    event_id: str


class Effect(NamedTuple):
    """The effect of a handler; `effect_id` grows in the order of the effects."""

    effect_id: int
    aggregate: str
    n: int
    event_id: str


class Answer(NamedTuple):
    """A change that was confirmed to a client."""

    aggregate: str
    n: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of a history. `duplicate_deliveries` are not faults: they show what was tolerated."""

    events: int
    lost: int
    duplicate_effects: int
    order_violations: int
    effects_of_nothing: int
    broken_answers: int
    duplicate_deliveries: int

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, nothing happened twice, nothing out of order."""
        return not (
            self.lost
            or self.duplicate_effects
            or self.order_violations
            or self.effects_of_nothing
            or self.broken_answers
        )


def judge(
    committed: Sequence[Committed],
    effects: Sequence[Effect],
    answers: Iterable[Answer] = (),
    deliveries: int = 0,
) -> Verdict:
    """Compare the effects with the committed events and the responses to clients.

    `deliveries` is the number of messages that reached the inbox processes, including copies.
    """
    happened = Counter(Answer(e.aggregate, e.n) for e in effects)
    expected = {Answer(c.aggregate, c.n) for c in committed}
    by_id = {c.event_id: Answer(c.aggregate, c.n) for c in committed}
    mistaken = sum(by_id.get(e.event_id) != (e.aggregate, e.n) for e in effects)
    return Verdict(
        events=len(committed),
        lost=len(expected - happened.keys()) + len(committed) - len(expected),
        duplicate_effects=sum(times - 1 for times in happened.values()),
        order_violations=_order_violations(effects),
        effects_of_nothing=mistaken,
        broken_answers=len(set(answers) - expected),
        duplicate_deliveries=max(0, deliveries - len(committed)),
    )


def _order_violations(effects: Iterable[Effect]) -> int:
    """Number of events whose first effect came after that of a later one of their aggregate."""
    newest: dict[str, int] = {}
    seen: set[Answer] = set()
    violations = 0
    for effect in sorted(effects):
        event = Answer(effect.aggregate, effect.n)
        if event in seen:
            continue
        seen.add(event)
        violations += effect.n < newest.get(effect.aggregate, 0)
        newest[effect.aggregate] = max(newest.get(effect.aggregate, 0), effect.n)
    return violations
