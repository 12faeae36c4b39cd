"""Travel expenses of the demo history: passes in every state, slips at every approval step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random

from madoguchi.embedded.demo_history.business_days import MINUTES_OF_SLOT, BusinessDays
from madoguchi.embedded.demo_history.replay import Answer, Replay, ScheduledStep
from shared.clock import jst_day

FIRST_SLOT = 60
HOME_TO_WORK = "三鷹:JR東日本/中央線:東京"
TO_A_CUSTOMER = "三鷹:JR東日本/中央線:東京:JR東日本/東海道線:品川"
FROM_YOKOHAMA = "横浜:JR東日本/東海道線:東京"
FROM_SHIBUYA = "渋谷:東京メトロ/半蔵門線:大手町"
FROM_IKEBUKURO = "池袋:JR東日本/山手線:東京"
RIDER, NEWCOMER, CHIEF, SECOND, HEAD, ACCOUNTANT = "E101", "E201", "M100", "M200", "H001", "A001"


RIDES = (
    ((TO_A_CUSTOMER, True), (HOME_TO_WORK, True)),
    ((FROM_YOKOHAMA, True),),
    ((TO_A_CUSTOMER, False), (FROM_SHIBUYA, True), (FROM_IKEBUKURO, False)),
    ((FROM_SHIBUYA, True), (TO_A_CUSTOMER, True)),
    ((FROM_IKEBUKURO, True),),
)
"""Routes, and whether each is a round trip."""


@dataclass(frozen=True, slots=True)
class PassScript:
    """A pass: its holder, first and last day (counted from today), and its steps.

    `steps` starts with the application; empty means that accounting registered the pass.
    """

    holder: str
    route: str
    first: int | None
    last: int | None
    slot: int
    steps: tuple[str, ...] = ()


PASSES = (
    PassScript(RIDER, HOME_TO_WORK, -150, None, 59),
    PassScript(CHIEF, FROM_YOKOHAMA, -160, 20, 58),
    PassScript(HEAD, FROM_SHIBUYA, None, None, 58),
    PassScript(SECOND, FROM_YOKOHAMA, -190, -12, 57),
    PassScript(SECOND, FROM_SHIBUYA, -11, 170, 24, ("apply", "confirm")),
    PassScript(HEAD, FROM_IKEBUKURO, 10, 190, 18, ("apply", "reject")),
    PassScript(CHIEF, FROM_SHIBUYA, 21, 200, 9, ("apply", "withdraw")),
    PassScript(NEWCOMER, FROM_IKEBUKURO, -3, 180, 5, ("apply",)),
)


@dataclass(frozen=True, slots=True)
class SlipScript:
    """A slip: its owner, title, the slot of its first save, and the steps after that."""

    owner: str
    title: str
    slot: int
    steps: str = ""
    kind: str = "transport"


SLIPS = (
    SlipScript(RIDER, "{month}月前半の交通費", 52, "submit approve:M100 approve:H001 settle:A001"),
    SlipScript(RIDER, "横浜納車の交通費", 41, "submit approve:M100 approve:H001 reject:A001"),
    SlipScript(SECOND, "店長会議の交通費", 37, "submit approve:M100 approve:H001 settle:A001"),
    SlipScript(RIDER, "展示会の応援", 31, "submit withdraw"),
    SlipScript(RIDER, "{month}月後半の交通費", 25, "submit approve:M100 approve:H001"),
    SlipScript(SECOND, "研修の出張費", 16, "submit remand:M100", "trip"),
    SlipScript(RIDER, "品川のお客様訪問", 13, "submit remand:M100"),
    SlipScript(CHIEF, "本部会議の交通費", 7, "submit"),
    SlipScript(SECOND, "先週のお客様訪問", 6, "submit approve:M100"),
    SlipScript(NEWCOMER, "納車時の駐車場代", 4, "submit", "expense"),
    SlipScript(RIDER, "先週の交通費", 3, "submit"),
    SlipScript(RIDER, "今週の交通費", 1),
)
REASONS = {
    "reject": "社用車で移動した日が含まれています。",
    "remand": "訪問先のお客様名を目的欄に記入してください。",
}


@dataclass(slots=True)
class Company:
    """One dealer's company settings and passes during the replay."""

    dealer: str
    past: BusinessDays

    def id_of(self, code: str) -> str:
        """The user id of a person."""
        return f"{self.dealer}-{code}"

    async def decide(self, replay: Replay) -> None:
        """システム設定 and 権限マスタ."""
        accountant = self.id_of(ACCOUNTANT)
        setting = {
            "applications_allowed": True,
            "retention_days": 90,
            "admin_mail": f"keiri@{self.dealer.lower()}.example.jp",
            "approvers": [self.id_of(CHIEF), self.id_of(HEAD)],
        }
        await replay.ask(accountant, "commuter", "/settings", setting, method="PUT", version=0)
        every = {"pass_master": True, "edit_at_approval": True, "edit_after_approval": True}
        rights = f"/permissions/{accountant}"
        await replay.ask(accountant, "commuter", rights, every, method="PUT", version=0)

    async def make_pass(self, script: PassScript, replay: Replay) -> None:
        """Register a pass, or apply for one and take its further steps."""
        first, last = self._day(script.first), self._day(script.last)
        content: dict[str, object] = {"route": script.route, "starts_on": first, "ends_on": last}
        holder, accountant = self.id_of(script.holder), self.id_of(ACCOUNTANT)
        if not script.steps:
            body = {**content, "employee_id": holder}
            await replay.ask(accountant, "commuter", "/passes", body)
            return
        made = await replay.ask(holder, "commuter", "/my-passes", content)
        for step in script.steps[1:]:
            who, path, order = {
                "confirm": (accountant, "passes/{}/confirmation", {}),
                "reject": (
                    accountant,
                    "passes/{}/rejection",
                    {"reason": "開始日を定期券の購入日に合わせてください。"},
                ),
                "withdraw": (holder, "my-passes/{}/withdrawal", {}),
            }[step]
            path = f"/{path.format(made['pass_id'])}"
            made = await replay.ask(who, "commuter", path, order, version=made["version"])

    def _day(self, days: int | None) -> str | None:
        return (self.past.today + timedelta(days=days)).isoformat() if days is not None else None


@dataclass(slots=True)
class SlipSteps:
    """One slip during the replay, with its current version."""

    script: SlipScript
    company: Company
    slip_id: str = ""
    version: int = 0

    async def begin(self, replay: Replay) -> None:
        """Save the slip for the first time."""
        today = jst_day(replay.clock.now())
        trip = self.script.kind == "trip"
        body: dict[str, object] = {
            "kind": self.script.kind,
            "title": self.script.title.format(month=today.month),
            "purpose": "お客様訪問",
            "items": _items(today, self.script),
        }
        if trip:
            body["trip_from"] = (today - timedelta(days=3)).isoformat()
            body["trip_to"] = (today - timedelta(days=2)).isoformat()
        self._keep(await replay.ask(self._owner, "commuter", "/slips", body))

    async def take_step(self, step: str, replay: Replay) -> None:
        """Take one step; `approve:M100` names the person who takes it."""
        name, _, code = step.partition(":")
        who = self.company.id_of(code) if code else self._owner
        body = {"comment": REASONS.get(name, "")}
        path = f"/slips/{self.slip_id}/{name}"
        self._keep(await replay.ask(who, "commuter", path, body, version=self.version))

    @property
    def _owner(self) -> str:
        return self.company.id_of(self.script.owner)

    def _keep(self, answer: Answer) -> None:
        self.slip_id, self.version = answer["slip_id"], answer["version"]


def _items(until: date, script: SlipScript) -> list[Mapping[str, object]]:
    """Rides of the days before, and a receipt; different for each slip."""
    ridden = RIDES[script.slot % len(RIDES)] if script.kind != "expense" else ()
    rides = [
        {
            "item_on": on.isoformat(),
            "purpose": "お客様訪問",
            "look_up": {"on": on.isoformat(), "route": route, "round_trip": round_trip},
        }
        for days, (route, round_trip) in enumerate(ridden, 2)
        for on in [until - timedelta(days=days)]
    ]
    parking = {
        "item_on": (until - timedelta(days=2)).isoformat(),
        "purpose": "納車",
        "words": "駐車場",
        "amount_yen": 400 + 100 * (script.slot % 9),
        "receipt": True,
    }
    return [*rides, parking]


def expenses(dealer: str, past: BusinessDays, chance: Random) -> Iterator[ScheduledStep]:
    """The scheduled steps of a dealer's travel expenses."""

    def minute() -> int:
        return chance.randrange(MINUTES_OF_SLOT)

    company = Company(dealer, past)
    yield ScheduledStep(FIRST_SLOT, minute(), company.decide)
    for wish in PASSES:
        yield ScheduledStep(wish.slot, minute(), partial(company.make_pass, wish))
    for script in SLIPS:
        slip_steps, slot = SlipSteps(script, company), script.slot
        yield ScheduledStep(slot, minute(), slip_steps.begin)
        for step in script.steps.split():
            slot -= 1
            yield ScheduledStep(slot, minute(), partial(slip_steps.take_step, step))
