"""Answers of the services to one person, believed for a few seconds and waited for briefly.

A question is on its way only once: who asks meanwhile gets the same answer. A page that did not
get it in time goes without; the question goes on, and the next page finds the answer. What fails
is asked again. A change through this process makes it forget the answers to that person; other
processes believe theirs until the time is over.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Coroutine, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
PEOPLE = 5_000
"""Of how many people answers are kept; who was away longest is dropped first."""


@dataclass(slots=True)
class Asked(Generic[Answer]):
    """A question on its way or answered; `at` is when its answer came."""

    task: asyncio.Task[Answer]
    at: float | None = None

    def came(self, task: asyncio.Task[Answer]) -> None:
        """The answer is there, or it never will be (then nobody needs to hear of it again)."""
        failed = task.cancelled() or task.exception() is not None
        self.at = None if failed else time.monotonic()

    def serves(self, keep_s: float) -> bool:
        """Whether another question would be one too many."""
        if not self.task.done():
            return True
        return self.at is not None and time.monotonic() < self.at + keep_s


class RecentAnswers(Generic[Answer]):
    """What was answered, by person and question."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._known: OrderedDict[Hashable, dict[Hashable, Asked[Answer]]] = OrderedDict()

    async def get(
        self,
        whose: Hashable,
        question: Hashable,
        asking: Coroutine[object, None, Answer],
        *,
        keep_s: float = 0,
        patient: bool = False,
    ) -> Answer | None:
        """The answer, None where it is not there in time; raises what `asking` raises.

        An answer that came within `keep_s` is taken as it is; `patient` waits as long as it takes.
        """
        answers = self._known.setdefault(whose, {})
        self._known.move_to_end(whose)
        if len(self._known) > PEOPLE:
            self._known.popitem(last=False)
        asked = answers.get(question)
        if asked and asked.serves(keep_s):
            asking.close()
        else:
            asked = answers[question] = Asked(asyncio.create_task(asking))
            asked.task.add_done_callback(asked.came)
        done, _ = await asyncio.wait({asked.task}, timeout=None if patient else self._wait_s)
        return asked.task.result() if done else None

    def forget(self, whose: Hashable) -> None:
        """Answers from before a change are not believed any more."""
        self._known.pop(whose, None)


@dataclass(frozen=True, slots=True)
class SharedAnswers(Generic[Answer]):
    """Names and choices that all people of a dealer share."""

    answers: RecentAnswers[Answer]
    dealer: str | None
    keep_s: float

    async def get(self, name: str, asking: Coroutine[object, None, Answer]) -> Answer | None:
        """The answer, at most `keep_s` old; raises what `asking` raises."""
        whose = ("masters", self.dealer)
        return await self.answers.get(whose, name, asking, keep_s=self.keep_s, patient=True)
