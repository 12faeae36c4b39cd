"""Demo dealers with their staff and the contracts that are about to end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from contracts_service.master_facts import PersonFacts
from madoguchi.embedded.demo import COLUMNS, Dealer
from shared.roles import Role

NO_RETURN_HERE = ("オープンエンド", "リース", "その他")
STAY_AT_THEIR_STORE = (
    "スマートバリュープランA（エース）",
    "スマートバリュートゥワイスA（エース）",
)
NEAREST_DAYS, FARTHEST_DAYS = -40, 500


@dataclass(frozen=True, slots=True)
class DueContract:
    """A contract that is about to end, and the staff member assigned to it."""

    contract_no: str
    product: str
    final_on: date
    store: str
    staff: PersonFacts


@dataclass(frozen=True, slots=True)
class Absence:
    """The days on which a substitute acts for a manager."""

    manager: PersonFacts
    substitute: PersonFacts
    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class DealerTeam:
    """A dealer's staff and its contracts, sorted by distance of the last day from today."""

    dealer: Dealer
    cases: list[DueContract] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)

    def of(self, person: PersonFacts) -> str:
        """The user id of a person."""
        return f"{self.dealer.code}-{person.code}"

    def manager(self, store: str) -> PersonFacts:
        """The manager of a store."""
        found = (p for p in self.dealer.staff if p.role is Role.MANAGER and p.store_code == store)
        return next(found)

    def store_approver(self, store: str, day: date) -> PersonFacts:
        """The approver of a store on a day: its manager, or the manager's substitute."""
        manager = self.manager(store)
        standing_in = (
            absence.substitute
            for absence in self.absences
            if absence.manager == manager and absence.first_on <= day <= absence.last_on
        )
        return next(standing_in, manager)

    @property
    def headquarters(self) -> PersonFacts:
        """The first person at headquarters."""
        return next(p for p in self.dealer.staff if p.role is Role.HQ)

    def take(self, *, after: date | None = None, movable: bool = False) -> DueContract:
        """Remove and return the next contract, optionally with a last day after `after`.

        `movable` skips products that must stay at their store.
        """
        for case in self.cases:
            late = after is None or case.final_on > after
            if late and (not movable or case.product not in STAY_AT_THEIR_STORE):
                self.cases.remove(case)
                return case
        raise LookupError(f"{self.dealer.code} has no contract left for the script")


def dealer_teams(
    dealers: Iterable[Dealer], rows: Iterable[tuple[str, ...]], today: date
) -> Mapping[str, DealerTeam]:
    """Each dealer with its contracts whose cars may be returned."""
    found = {dealer.code: DealerTeam(dealer) for dealer in dealers}
    for row in rows:
        facts = dict(zip(COLUMNS, row, strict=True))
        team = found[facts["販売店コード"]]
        final_on = datetime.strptime(facts["最終回年月日"] or "2999/12/31", "%Y/%m/%d").date()  # noqa: DTZ007
        flagged = "1" in (facts["TFC対応"], facts["届出変更中"])
        near = NEAREST_DAYS <= (final_on - today).days <= FARTHEST_DAYS
        if near and not flagged and not any(word in facts["制度"] for word in NO_RETURN_HERE):
            staff = next(p for p in team.dealer.staff if p.code == facts["スタッフコード"])
            case = DueContract(
                facts["契約番号"], facts["制度"], final_on, facts["店舗コード"], staff
            )
            team.cases.append(case)
    for team in found.values():
        team.cases.sort(key=lambda case: (abs((case.final_on - today).days), case.contract_no))
    return found
