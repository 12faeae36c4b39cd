"""Traces of whole applications, as in the examples of the manual."""

import dataclasses
from collections.abc import Callable

import pytest

from returns_service.rules.approval_route import ApprovalSetting, Level, Route
from returns_service.rules.return_approval import (
    By,
    Outcome,
    ReturnFacts,
    decide,
)
from returns_service.rules.return_commands import (
    Accept,
    Approve,
    Command,
    Complete,
    Correct,
    EditDealerNote,
    Remand,
    Submit,
    Withdraw,
)
from returns_service.rules.return_refusals import ReturnAlreadyDecided
from returns_service.rules.return_status import FINAL, Status
from returns_service.rules.return_visibility import Actor
from shared.concurrency import VersionConflict
from shared.roles import Role

from .actors import BOTH, HQ, NONE, SATO, STORE, TANAKA, TFC, YAMADA

KIND = {Role.SALES: YAMADA, Role.MANAGER: SATO, Role.HQ: TANAKA}


class Application:
    """One application that goes from step to step; `do` takes the next and gives its outcome."""

    def __init__(self, setting: ApprovalSetting, originator: Actor) -> None:
        self.setting = setting
        first = decide(None, Submit(setting=setting), originator)
        self.facts = ReturnFacts(
            "D01", "S10", first.originator_id, first.status, first.route,
            was_requested=first.sets_requested_at, version=1,
        )  # fmt: skip
        self.trail = [first.status]

    def do(self, actor: Actor, command: Callable[[int], Command]) -> Outcome:
        outcome = decide(self.facts, command(self.facts.version), actor)
        self.facts = dataclasses.replace(
            self.facts,
            status=outcome.status,
            route=outcome.route,
            originator_id=outcome.originator_id,
            was_requested=self.facts.was_requested or outcome.sets_requested_at,
            version=self.facts.version + 1,
        )
        self.trail.append(outcome.status)
        return outcome

    def approve(self, actor: Actor) -> Outcome:
        return self.do(actor, lambda v: Approve(expected_version=v))

    def remand(self, actor: Actor) -> Outcome:
        return self.do(actor, lambda v: Remand(expected_version=v, comment="要確認"))

    def correct(self, actor: Actor) -> Outcome:
        return self.do(actor, lambda v: Correct(expected_version=v, setting=self.setting))

    def withdraw(self, actor: Actor) -> Outcome:
        return self.do(actor, lambda v: Withdraw(expected_version=v))

    def accept(self) -> Outcome:
        return self.do(TFC, lambda v: Accept(expected_version=v))

    def complete(self) -> Outcome:
        return self.do(TFC, lambda v: Complete(expected_version=v))


@pytest.mark.rule("D95", "D102", "D112", "D113", "D116", "D117")
def test_trace_1_both_approve_and_tfc_sends_it_all_the_way_back() -> None:
    car = Application(BOTH, YAMADA)
    assert car.approve(SATO).approval_requested is Level.HQ
    assert car.approve(TANAKA).sets_requested_at
    car.accept()
    back = [car.remand(actor) for actor in (TFC, TANAKA, SATO)]
    assert [(o.status, o.remanded_by, o.remanded_to) for o in back] == [
        (Status.HQ_REMANDED, By.TFC, By.HQ_APPROVER),
        (Status.STORE_REMANDED, By.HQ_APPROVER, By.STORE_APPROVER),
        (Status.STAFF_REMANDED, By.STORE_APPROVER, By.ORIGINATOR),
    ]
    car.correct(YAMADA)
    car.approve(SATO)
    car.approve(TANAKA)
    car.accept()
    assert car.complete().status in FINAL
    assert car.trail == [
        Status.STORE_PENDING,
        Status.HQ_PENDING,
        Status.REQUESTED,
        Status.TFC_PROCESSING,
        Status.HQ_REMANDED,
        Status.STORE_REMANDED,
        Status.STAFF_REMANDED,
        Status.STORE_PENDING,
        Status.HQ_PENDING,
        Status.REQUESTED,
        Status.TFC_PROCESSING,
        Status.COMPLETED,
    ]


@pytest.mark.rule("D95", "D116", "D122")
def test_trace_2_hq_only_remands_straight_to_the_staff() -> None:
    car = Application(HQ, YAMADA)
    assert car.remand(TANAKA).remanded_to is By.ORIGINATOR
    assert car.correct(YAMADA).approval_requested is Level.HQ
    assert car.trail == [Status.HQ_PENDING, Status.STAFF_REMANDED, Status.HQ_PENDING]


@pytest.mark.rule("D112", "D116", "D117", "D119")
def test_trace_3_store_only_the_manager_approves_again_after_tfcs_remand() -> None:
    car = Application(STORE, YAMADA)
    car.approve(SATO)
    car.accept()
    assert car.remand(TFC).remanded_to is By.STORE_APPROVER
    car.approve(SATO)
    assert car.trail == [
        Status.STORE_PENDING,
        Status.REQUESTED,
        Status.TFC_PROCESSING,
        Status.STORE_REMANDED,
        Status.REQUESTED,
    ]


@pytest.mark.rule("D111", "D116", "D117", "D122", "D123")
def test_trace_4_none_the_headquarters_own_application() -> None:
    car = Application(NONE, TANAKA)
    car.accept()
    assert car.remand(TFC).remanded_to is By.ORIGINATOR
    assert car.correct(TANAKA).sets_requested_at
    car.withdraw(TANAKA)
    assert car.trail == [
        Status.REQUESTED,
        Status.TFC_PROCESSING,
        Status.HQ_REMANDED,
        Status.REQUESTED,
        Status.WITHDRAWN,
    ]


@pytest.mark.rule("D102", "D122")
def test_trace_5_a_correction_at_requested_voids_both_approvals() -> None:
    car = Application(BOTH, YAMADA)
    car.approve(SATO)
    car.approve(TANAKA)
    again = car.correct(YAMADA)
    assert again.status is Status.STORE_PENDING
    assert again.approvals_voided == (Level.STORE, Level.HQ)
    assert not again.sets_requested_at


@pytest.mark.rule("D123")
def test_trace_6_withdrawal_and_acceptance_race_on_version_7() -> None:
    route = Route.of(BOTH, Role.SALES)
    before = ReturnFacts(
        "D01", "S10", "E101", Status.REQUESTED, route, was_requested=True, version=7
    )
    withdraw, accept = Withdraw(expected_version=7), Accept(expected_version=7)
    withdrawn = decide(before, withdraw, YAMADA)
    after = dataclasses.replace(before, status=withdrawn.status, version=8)
    with pytest.raises(ReturnAlreadyDecided) as late:
        decide(after, accept, TFC)
    assert late.value.status is Status.WITHDRAWN

    accepted = decide(before, accept, TFC)
    after = dataclasses.replace(before, status=accepted.status, version=8)
    with pytest.raises(VersionConflict) as conflict:
        decide(after, withdraw, YAMADA)
    assert conflict.value.facts == {"current_version": 8, "current_status": "TFC_PROCESSING"}


@pytest.mark.rule("D152")
def test_trace_7_a_note_of_the_hq_approver_moves_nothing() -> None:
    car = Application(HQ, YAMADA)
    note = car.do(TANAKA, lambda v: EditDealerNote(expected_version=v, dealer_note="確認中"))
    assert (note.moves, note.status, note.dealer_note) == (False, Status.HQ_PENDING, "確認中")
    assert note.approval_requested is None
    assert note.approvals_voided == ()


ROUTES = """
setting  originator  levels
none     sales       -
none     manager     -
none     hq          -
store    sales       store
store    manager     -
store    hq          -
hq       sales       hq
hq       manager     hq
hq       hq          -
both     sales       store,hq
both     manager     hq
both     hq          -
"""


@pytest.mark.rule("D118")
@pytest.mark.parametrize("line", ROUTES.strip().splitlines()[1:])
def test_own_level_and_those_below_are_skipped_for_the_originator(line: str) -> None:
    setting, originator, levels = line.split()
    chosen = {"none": NONE, "store": STORE, "hq": HQ, "both": BOTH}[setting]
    assert ",".join(Route.of(chosen, Role(originator)).levels) == levels.replace("-", "")


@pytest.mark.rule("D111")
@pytest.mark.parametrize("originator", KIND.values(), ids=lambda a: a.role.value)
def test_without_a_workflow_nothing_ever_waits_for_an_approval(originator: Actor) -> None:
    car = Application(NONE, originator)
    car.correct(originator)
    car.accept()
    car.remand(TFC)
    car.correct(originator)
    assert {Status.STORE_PENDING, Status.HQ_PENDING}.isdisjoint(car.trail)


def test_a_changed_setting_leaves_the_frozen_route_until_the_originator_resends() -> None:
    car = Application(BOTH, YAMADA)
    car.setting = NONE
    assert car.approve(SATO).status is Status.HQ_PENDING
    again = car.correct(YAMADA)
    assert (again.status, again.route.levels) == (Status.REQUESTED, ())
    assert again.approvals_voided == (Level.STORE,)
