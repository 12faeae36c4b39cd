"""Return applications of the demo history: every status, each reached by real steps.

A script lists the steps of one application in order. The last step is dated `ago` half days before
today, and each earlier one lies one to three half days before the next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random

from contracts_service.master_facts import PersonFacts
from madoguchi.embedded.demo_history import texts
from madoguchi.embedded.demo_history.business_days import MINUTES_OF_SLOT, BusinessDays
from madoguchi.embedded.demo_history.contracts import ResultEntry
from madoguchi.embedded.demo_history.dealer_team import DealerTeam, DueContract
from madoguchi.embedded.demo_history.replay import Replay, ScheduledStep
from madoguchi.embedded.mail_catcher import ANSWER_LOST, NO_SUCH_USER
from shared.clock import jst_day
from shared.roles import Role

TFC = "T001"
CHOSEN_BEFORE, REPLACED = 0.7, 0.6


@dataclass(frozen=True, slots=True)
class ApplicationScript:
    """The steps of an application, the age of the last one in half days, and special fields.

    `mail` is the originator's entry in 連絡先3: their own address, none, or another one.
    """

    steps: str
    ago: int
    by: Role = Role.SALES
    unreturned: str | None = None
    completion_mail: bool = True
    mail: str = "own"


APPROVED = "submit store hq"
PAST = (
    ApplicationScript(f"{APPROVED} accept complete", 44),
    ApplicationScript("submit store- correct store hq accept complete", 38),
    ApplicationScript(f"{APPROVED} accept hold release complete", 33, mail="none"),
    ApplicationScript(
        "submit store hq- store hq accept complete", 30, unreturned="CUSTOMER_UNREACHABLE"
    ),
    ApplicationScript(f"{APPROVED} accept contact reply complete", 24),
    ApplicationScript(f"{APPROVED} accept tfc- hq accept complete", 19),
    ApplicationScript("submit hq accept complete", 15, by=Role.MANAGER),
    ApplicationScript(f"{APPROVED} accept complete", 11, completion_mail=False),
    ApplicationScript(f"{APPROVED} accept complete", 7, mail=NO_SUCH_USER),
    ApplicationScript("submit accept complete", 5, by=Role.HQ, unreturned="TOTAL_LOSS_OR_THEFT"),
    ApplicationScript(f"{APPROVED} accept complete", 2),
    ApplicationScript("submit withdraw", 40),
    ApplicationScript("submit store- withdraw", 21, unreturned="CHANGED_TO_CASH"),
    ApplicationScript(f"{APPROVED} withdraw", 8),
)
OPEN = (
    ApplicationScript("submit", 1),
    ApplicationScript("submit", 4),
    ApplicationScript("submit store- correct", 2),
    ApplicationScript("submit", 17),
    ApplicationScript("submit store", 1),
    ApplicationScript("submit store", 3),
    ApplicationScript("submit hq- correct", 2, by=Role.MANAGER),
    ApplicationScript("submit store", 11),
    ApplicationScript("submit store-", 2),
    ApplicationScript("submit store-", 6, mail=ANSWER_LOST),
    ApplicationScript("submit store hq- store-", 14),
    ApplicationScript("submit store hq-", 3),
    ApplicationScript("submit store hq-", 9, unreturned="OTHER"),
    ApplicationScript("submit hq-", 5, by=Role.MANAGER),
    ApplicationScript(f"{APPROVED} accept tfc-", 2),
    ApplicationScript(f"{APPROVED} accept hold tfc-", 8),
    ApplicationScript(APPROVED, 0),
    ApplicationScript(APPROVED, 2),
    ApplicationScript("submit store note hq", 4),
    ApplicationScript(f"{APPROVED} accept", 1),
    ApplicationScript(f"{APPROVED} accept hold release", 6),
    ApplicationScript(f"{APPROVED} accept hold", 4),
    ApplicationScript(f"{APPROVED} accept hold", 12),
    ApplicationScript(f"{APPROVED} accept contact", 1),
)
FEW = (
    ApplicationScript("submit store", 4),
    ApplicationScript("submit store-", 5),
    ApplicationScript(APPROVED, 1),
    ApplicationScript(f"{APPROVED} accept", 3),
    ApplicationScript(f"{APPROVED} accept hold", 7),
    ApplicationScript(f"{APPROVED} accept complete", 10),
)


@dataclass(slots=True)
class ApplicationSteps:
    """One application during the replay, with its current version."""

    script: ApplicationScript
    team: DealerTeam
    case: DueContract
    chance: Random
    returned_on: date
    application_id: str = ""
    version: int = 0

    @property
    def originator(self) -> PersonFacts:
        """The person who submits the application."""
        match self.script.by:
            case Role.MANAGER:
                return self.team.manager(self.case.store)
            case Role.HQ:
                return self.team.headquarters
            case _:
                return self.case.staff

    def form(self) -> dict[str, object]:
        """The fields of 起票画面."""
        store = next(s for s in self.team.dealer.stores if s.code == self.case.store)
        mail = {"own": self.originator.mail, "none": None}.get(
            self.script.mail, f"{self.script.mail}@{self.originator.mail.rpartition('@')[2]}"
        )
        result = {"kind": "RETURNED", "received_on": self.returned_on.isoformat()}
        if self.script.unreturned:
            result = {"kind": "UNRETURNED", "unreturned_reason": self.script.unreturned}
        return {
            "contact_1": store.phone,
            "contact_2": self.originator.mobile,
            "contact_3": mail,
            "completion_mail": self.script.completion_mail,
            **result,
        }

    async def run(self, step: str, replay: Replay) -> None:
        """Take one step of the application."""
        if step == "submit":
            body = {"contract_no": self.case.contract_no, **self.form()}
            sender = self.team.of(self.originator)
            answer = await replay.ask(sender, "returns", "/applications", body)
            self.application_id = answer["application_id"]
        else:
            who, path, body = self._request(step, replay)
            answer = await replay.ask(
                who,
                "returns",
                f"/applications/{self.application_id}/{path}",
                body,
                method="PUT" if step == "note" else "POST",
                version=self.version,
            )
        self.version = answer["version"]

    def _request(self, step: str, replay: Replay) -> tuple[str, str, dict[str, object]]:
        """User id, path and body of a step after the first."""
        own, hq = self.team.of(self.originator), self.team.of(self.team.headquarters)
        store = self.team.of(self.team.store_approver(self.case.store, jst_day(replay.clock.now())))
        requests: dict[str, Callable[[], tuple[str, str, dict[str, object]]]] = {
            "store": lambda: (store, "approval", {}),
            "hq": lambda: (hq, "approval", {}),
            "store-": lambda: (store, "remand", {"comment": self._text(texts.STORE_REMANDS)}),
            "hq-": lambda: (
                hq,
                "remand",
                {
                    "comment": self._text(texts.HQ_REMANDS),
                    "dealer_note": self._text(texts.DEALER_NOTES),
                },
            ),
            "note": lambda: (
                hq, "dealer-note", {"dealer_note": self._text(texts.DEALER_NOTES)}
            ),
            "correct": lambda: (own, "correction", self.form()),
            "withdraw": lambda: (own, "withdrawal", {}),
            "accept": lambda: (TFC, "acceptance", {}),
            "hold": lambda: (TFC, "hold", {"reason": self._text(texts.HOLDS)}),
            "release": lambda: (TFC, "release", {}),
            "contact": lambda: (TFC, "contact-entry", {}),
            "reply": lambda: (TFC, "contact", {"message": self._text(texts.MESSAGES)}),
            "tfc-": lambda: (TFC, "tfc-remand", {"reason": self._text(texts.TFC_REMANDS)}),
            "complete": lambda: (TFC, "completion", {}),
        }  # fmt: skip
        return requests[step]()

    def _text(self, choices: tuple[str, ...]) -> str:
        return self.chance.choice(choices)


def applications(
    scripts: tuple[ApplicationScript, ...], team: DealerTeam, past: BusinessDays, chance: Random
) -> Iterator[ScheduledStep]:
    """The scheduled steps of a dealer's applications."""
    for script in scripts:
        steps = script.steps.split()
        slots = [script.ago]
        for _ in steps[1:]:
            slots.append(slots[-1] + chance.randint(1, 3))
        slots.reverse()
        first_on, _ = past.slot(slots[0])
        case = team.take()
        returned_on = first_on - timedelta(days=chance.randint(0, 2))
        application = ApplicationSteps(script, team, case, chance, returned_on)
        yield from _selection_before(application, slots[0] + chance.randint(3, 6), past)
        for slot, step in zip(slots, steps, strict=True):
            yield ScheduledStep(
                slot, chance.randrange(MINUTES_OF_SLOT), partial(application.run, step)
            )


def _selection_before(
    application: ApplicationSteps, slot: int, past: BusinessDays
) -> Iterator[ScheduledStep]:
    """The 車両返却 result entry, for applications where it preceded the return of the car."""
    case, chance = application.case, application.chance
    day, _ = past.slot(slot)
    if (
        day <= case.final_on
        and not application.script.unreturned
        and chance.random() < CHOSEN_BEFORE
    ):
        entry = ResultEntry(case, application.team, "vehicle_return", chance.random() < REPLACED)
        yield ScheduledStep(slot, chance.randrange(MINUTES_OF_SLOT), entry.run)
