"""Contract steps of the demo history: result entries, memos, payoffs, re-splits, moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from madoguchi.embedded.demo import VEHICLES
from madoguchi.embedded.demo_history import texts
from madoguchi.embedded.demo_history.business_days import MINUTES_OF_SLOT, BusinessDays
from madoguchi.embedded.demo_history.dealer_team import DealerTeam, DueContract
from madoguchi.embedded.demo_history.replay import Replay, ScheduledStep
from shared.clock import jst_day

CHOICES = ("early_payoff", "cash_settlement", "vehicle_return", "re_split")
RESPLIT_INSTALMENTS = 24
MOVES_UNDER_WAY, MOVES_REFLECTED = (0, 1, 2), (22, 23, 26)


@dataclass(frozen=True, slots=True)
class ResultEntry:
    """進捗・結果入力 of a contract by the staff member assigned to it."""

    case: DueContract
    team: DealerTeam
    selection: str
    replaced: bool

    async def run(self, replay: Replay) -> None:
        """Record the choice; 再分割 is reached by applying for the screening."""
        who, path = self.team.of(self.case.staff), f"/contracts/{self.case.contract_no}"
        shown = await replay.ask(who, "contracts", path, method="GET")
        if self.selection == "re_split":
            wish, screening = {"instalments": RESPLIT_INSTALMENTS}, f"{path}/resplit-application"
            await replay.ask(who, "contracts", screening, wish, version=shown["version"])
            return
        paper = self.selection != "early_payoff"
        signed_on = jst_day(replay.clock.now()) - timedelta(days=1)
        vehicle = VEHICLES[int(self.case.contract_no[-2:]) % len(VEHICLES)]
        body = {
            "categories": [self.selection],
            "own_replacement": self.replaced,
            "vehicle_code": vehicle.code if self.replaced else None,
            "confirmation_received": paper,
            "confirmation_received_on": signed_on.isoformat() if paper else None,
            "unchangeable_confirmed": True,
        }
        await replay.ask(
            who, "contracts", f"{path}/result", body, method="POST", version=shown["version"]
        )
        if self.selection == "early_payoff" and self.replaced:
            await replay.ask(who, "contracts", f"{path}/payoff-request")


@dataclass(frozen=True, slots=True)
class Memo:
    """自由記入欄 of a contract."""

    case: DueContract
    team: DealerTeam
    text: str

    async def run(self, replay: Replay) -> None:
        """Write the first memo."""
        who, path = self.team.of(self.case.staff), f"/contracts/{self.case.contract_no}/memo"
        body = {"text": self.text}
        await replay.ask(who, "contracts", path, body, method="PUT", version=0)


@dataclass(frozen=True, slots=True)
class Move:
    """店舗・スタッフ変更 of a contract by its manager, to staff of another store."""

    case: DueContract
    team: DealerTeam

    async def run(self, replay: Replay) -> None:
        """Register the change; it is reflected on the third business day."""
        who, path = (
            self.team.of(self.team.manager(self.case.store)),
            (f"/contracts/{self.case.contract_no}"),
        )
        shown = await replay.ask(who, "contracts", path, method="GET")
        person = next(p for p in self.team.dealer.sales if p.store_code != self.case.store)
        body = {
            "to_store": person.store_code,
            "to_staff": person.code,
            "reason": "customer_moved",
        }
        await replay.ask(
            who, "contracts", f"{path}/assignment-change", body, version=shown["version"]
        )


def contracts(
    team: DealerTeam, past: BusinessDays, chance: Random, *, rounds: int
) -> Iterator[ScheduledStep]:
    """The scheduled steps on a dealer's contracts without a return application."""

    def minute() -> int:
        return chance.randrange(MINUTES_OF_SLOT)

    for number in range(rounds):
        for place, selection in enumerate(CHOICES):
            slot = 3 + 9 * number + 2 * place
            case = team.take(after=past.today + timedelta(days=1))
            entry = ResultEntry(case, team, selection, chance.random() < 0.5)  # noqa: PLR2004
            yield ScheduledStep(slot, minute(), entry.run)
    later = past.today + timedelta(days=45)
    for place, text in enumerate(texts.MEMOS):
        case = team.take(after=later)
        yield ScheduledStep(2 + 5 * place, minute(), Memo(case, team, text).run)
    for slot in (*MOVES_UNDER_WAY, *MOVES_REFLECTED):
        yield ScheduledStep(slot, minute(), Move(team.take(after=later, movable=True), team).run)
