"""Return applications of the past weeks: every status, each reached by the steps that lead there.

A story names the steps of one application in their order. The last step lies a while ago, the
others go back from it by one to three half days.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any

from madoguchi.embedded.demo import Person
from madoguchi.embedded.demo_history import texts
from madoguchi.embedded.demo_history.business_days import MINUTES_OF_SLOT, BusinessDays
from madoguchi.embedded.demo_history.contracts import ResultEntry
from madoguchi.embedded.demo_history.dealer_cast import DealerCast, DueContract
from madoguchi.embedded.demo_history.replay import Replay, ScheduledStep
from madoguchi.embedded.mail_catcher import ANSWER_LOST, NO_SUCH_USER
from shared.clock import jst_day
from shared.roles import Role

TFC = "T001"
CHOSEN_BEFORE, REPLACED = 0.7, 0.6


@dataclass(frozen=True, slots=True)
class ApplicationStory:
    """The steps of an application, how many half days ago the last one was, and what is special.

    `mail` is what the originator leaves as 連絡先3: their own address, none, or another one.
    """

    steps: str
    ago: int
    by: Role = Role.SALES
    unreturned: str | None = None
    completion_mail: bool = True
    mail: str = "own"


APPROVED = "submit store hq"
PAST = (
    ApplicationStory(f"{APPROVED} accept complete", 44),
    ApplicationStory("submit store- correct store hq accept complete", 38),
    ApplicationStory(f"{APPROVED} accept hold release complete", 33, mail="none"),
    ApplicationStory(
        "submit store hq- store hq accept complete", 30, unreturned="CUSTOMER_UNREACHABLE"
    ),
    ApplicationStory(f"{APPROVED} accept contact reply complete", 24),
    ApplicationStory(f"{APPROVED} accept tfc- hq accept complete", 19),
    ApplicationStory("submit hq accept complete", 15, by=Role.MANAGER),
    ApplicationStory(f"{APPROVED} accept complete", 11, completion_mail=False),
    ApplicationStory(f"{APPROVED} accept complete", 7, mail=NO_SUCH_USER),
    ApplicationStory("submit accept complete", 5, by=Role.HQ, unreturned="TOTAL_LOSS_OR_THEFT"),
    ApplicationStory(f"{APPROVED} accept complete", 2),
    ApplicationStory("submit withdraw", 40),
    ApplicationStory("submit store- withdraw", 21, unreturned="CHANGED_TO_CASH"),
    ApplicationStory(f"{APPROVED} withdraw", 8),
)
OPEN = (
    ApplicationStory("submit", 1),
    ApplicationStory("submit", 4),
    ApplicationStory("submit store- correct", 2),
    ApplicationStory("submit", 17),
    ApplicationStory("submit store", 1),
    ApplicationStory("submit store", 3),
    ApplicationStory("submit hq- correct", 2, by=Role.MANAGER),
    ApplicationStory("submit store", 11),
    ApplicationStory("submit store-", 2),
    ApplicationStory("submit store-", 6, mail=ANSWER_LOST),
    ApplicationStory("submit store hq- store-", 14),
    ApplicationStory("submit store hq-", 3),
    ApplicationStory("submit store hq-", 9, unreturned="OTHER"),
    ApplicationStory("submit hq-", 5, by=Role.MANAGER),
    ApplicationStory(f"{APPROVED} accept tfc-", 2),
    ApplicationStory(f"{APPROVED} accept hold tfc-", 8),
    ApplicationStory(APPROVED, 0),
    ApplicationStory(APPROVED, 2),
    ApplicationStory("submit store note hq", 4),
    ApplicationStory(f"{APPROVED} accept", 1),
    ApplicationStory(f"{APPROVED} accept hold release", 6),
    ApplicationStory(f"{APPROVED} accept hold", 4),
    ApplicationStory(f"{APPROVED} accept hold", 12),
    ApplicationStory(f"{APPROVED} accept contact", 1),
)
FEW = (
    ApplicationStory("submit store", 4),
    ApplicationStory("submit store-", 5),
    ApplicationStory(APPROVED, 1),
    ApplicationStory(f"{APPROVED} accept", 3),
    ApplicationStory(f"{APPROVED} accept hold", 7),
    ApplicationStory(f"{APPROVED} accept complete", 10),
)


@dataclass(slots=True)
class ApplicationSteps:
    """One application while its story is acted."""

    story: ApplicationStory
    cast: DealerCast
    case: DueContract
    chance: Random
    returned_on: date
    application_id: str = ""
    version: int = 0

    @property
    def originator(self) -> Person:
        """Who sends the application."""
        match self.story.by:
            case Role.MANAGER:
                return self.cast.manager(self.case.store)
            case Role.HQ:
                return self.cast.headquarters
            case _:
                return self.case.staff

    def form(self) -> dict[str, Any]:
        """起票画面 as filled in."""
        store = next(s for s in self.cast.dealer.stores if s.code == self.case.store)
        mail = {"own": self.originator.mail, "none": None}.get(
            self.story.mail, f"{self.story.mail}@{self.originator.mail.rpartition('@')[2]}"
        )
        result = {"kind": "RETURNED", "received_on": self.returned_on.isoformat()}
        if self.story.unreturned:
            result = {"kind": "UNRETURNED", "unreturned_reason": self.story.unreturned}
        return {
            "contact_1": store.phone,
            "contact_2": self.originator.mobile,
            "contact_3": mail,
            "completion_mail": self.story.completion_mail,
            **result,
        }

    async def act(self, step: str, stage: Replay) -> None:
        """Take one step of the story."""
        if step == "submit":
            body = {"contract_no": self.case.contract_no, **self.form()}
            sender = self.cast.of(self.originator)
            answer = await stage.ask(sender, "returns", "/applications", body)
            self.application_id = answer["application_id"]
        else:
            who, path, body = self._request(step, stage)
            answer = await stage.ask(
                who,
                "returns",
                f"/applications/{self.application_id}/{path}",
                body,
                method="PUT" if step == "note" else "POST",
                version=self.version,
            )
        self.version = answer["version"]

    def _request(self, step: str, stage: Replay) -> tuple[str, str, dict[str, Any]]:
        """Who asks for what in a step after the first."""
        own, hq = self.cast.of(self.originator), self.cast.of(self.cast.headquarters)
        store = self.cast.of(self.cast.store_approver(self.case.store, jst_day(stage.clock.now())))
        requests: dict[str, Callable[[], tuple[str, str, dict[str, Any]]]] = {
            "store": lambda: (store, "approval", {}),
            "hq": lambda: (hq, "approval", {}),
            "store-": lambda: (store, "remand", {"comment": self._word(texts.STORE_REMANDS)}),
            "hq-": lambda: (
                hq,
                "remand",
                {
                    "comment": self._word(texts.HQ_REMANDS),
                    "dealer_note": self._word(texts.DEALER_NOTES),
                },
            ),
            "note": lambda: (
                hq, "dealer-note", {"dealer_note": self._word(texts.DEALER_NOTES)}
            ),
            "correct": lambda: (own, "correction", self.form()),
            "withdraw": lambda: (own, "withdrawal", {}),
            "accept": lambda: (TFC, "acceptance", {}),
            "hold": lambda: (TFC, "hold", {"reason": self._word(texts.HOLDS)}),
            "release": lambda: (TFC, "release", {}),
            "contact": lambda: (TFC, "contact-entry", {}),
            "reply": lambda: (TFC, "contact", {"message": self._word(texts.MESSAGES)}),
            "tfc-": lambda: (TFC, "tfc-remand", {"reason": self._word(texts.TFC_REMANDS)}),
            "complete": lambda: (TFC, "completion", {}),
        }  # fmt: skip
        return requests[step]()

    def _word(self, choices: tuple[str, ...]) -> str:
        return self.chance.choice(choices)


def applications(
    stories: tuple[ApplicationStory, ...], cast: DealerCast, past: BusinessDays, chance: Random
) -> Iterator[ScheduledStep]:
    """The moments of a dealer's applications."""
    for story in stories:
        steps = story.steps.split()
        slots = [story.ago]
        for _ in steps[1:]:
            slots.append(slots[-1] + chance.randint(1, 3))
        slots.reverse()
        first_on, _ = past.slot(slots[0])
        case = cast.take()
        returned_on = first_on - timedelta(days=chance.randint(0, 2))
        telling = ApplicationSteps(story, cast, case, chance, returned_on)
        yield from _selection_before(telling, slots[0] + chance.randint(3, 6), past)
        for slot, step in zip(slots, steps, strict=True):
            yield ScheduledStep(slot, chance.randrange(MINUTES_OF_SLOT), partial(telling.act, step))


def _selection_before(
    telling: ApplicationSteps, slot: int, past: BusinessDays
) -> Iterator[ScheduledStep]:
    """車両返却 as the choice, where it was entered before the car came back."""
    case, chance = telling.case, telling.chance
    day, _ = past.slot(slot)
    if day <= case.final_on and not telling.story.unreturned and chance.random() < CHOSEN_BEFORE:
        entry = ResultEntry(case, telling.cast, "vehicle_return", chance.random() < REPLACED)
        yield ScheduledStep(slot, chance.randrange(MINUTES_OF_SLOT), entry.act)
