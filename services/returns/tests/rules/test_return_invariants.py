"""Invariants of the approvals over random sequences of steps."""

import dataclasses
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_service.rules.approval_route import SETTINGS, ApprovalSetting, Level
from returns_service.rules.progress_list import count, waits_for
from returns_service.rules.return_approval import By, Outcome, ReturnFacts, decide, offers
from returns_service.rules.return_commands import (
    Accept,
    Action,
    Approve,
    Command,
    Complete,
    Correct,
    EditDealerNote,
    FinishContact,
    Hold,
    NewOriginator,
    Release,
    Remand,
    StartContact,
    Submit,
    TakeOver,
    Withdraw,
)
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared.errors import Refusal
from shared.roles import Role

PEOPLE = (
    Actor("E101", Role.SALES, "D01", "S10"),
    Actor("M100", Role.MANAGER, "D01", "S10"),
    Actor("M101", Role.MANAGER, "D01", "S10"),
    Actor("H001", Role.HQ, "D01"),
    Actor("H002", Role.HQ, "D01"),
    Actor("E102", Role.MANAGER, "D01", "S10", acting_for="M100"),
    Actor("tfc", Role.TFC),
)
VERSION = 1  # versions are proved in test_return_approval; here everybody saw the newest
REMANDED = {Status.STAFF_REMANDED, Status.STORE_REMANDED, Status.HQ_REMANDED}

people = st.sampled_from(PEOPLE)
settings_of_dealer = st.sampled_from(SETTINGS)
new_originators = st.sampled_from(
    [
        NewOriginator("E103", Role.SALES, "D01", "S10", active=True),
        NewOriginator("M101", Role.MANAGER, "D01", "S10", active=True),
        NewOriginator("H002", Role.HQ, "D01", None, active=True),
    ]
)
version = st.just(VERSION)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(Approve, expected_version=version),
    st.builds(Approve, expected_version=version),
    st.builds(Remand, expected_version=version, comment=st.just("不備")),
    st.builds(Correct, expected_version=version, setting=settings_of_dealer),
    st.builds(Withdraw, expected_version=version),
    st.builds(Accept, expected_version=version),
    st.builds(Hold, expected_version=version, reason=st.just("確認中")),
    st.builds(Release, expected_version=version),
    st.builds(StartContact, expected_version=version),
    st.builds(FinishContact, expected_version=version, message=st.just("連絡")),
    st.builds(Complete, expected_version=version),
    st.builds(EditDealerNote, expected_version=version, dealer_note=st.just("至急")),
    st.builds(
        TakeOver,
        expected_version=version,
        setting=settings_of_dealer,
        new_originator=new_originators,
    ),
)
attempts = st.lists(st.tuples(commands, st.integers(0, len(PEOPLE) - 1)), max_size=40)


@dataclass
class History:
    """An audit trail: the facts after each step, its outcome, its actor."""

    facts: ReturnFacts
    steps: list[tuple[ReturnFacts | None, Action, Actor, Outcome]]


def after(facts: ReturnFacts, outcome: Outcome) -> ReturnFacts:
    return dataclasses.replace(
        facts,
        status=outcome.status,
        route=outcome.route,
        originator_id=outcome.originator_id,
        was_requested=facts.was_requested or outcome.sets_requested_at,
    )


def lived(setting: ApprovalSetting, originator: Actor, tries: list[tuple[Command, int]]) -> History:
    """An application on which people tried all this; what was refused left no trace.

    The person of a try is looked for from the drawn one on, so that most tries succeed.
    """
    submit = decide(None, Submit(setting=setting), originator)
    facts = ReturnFacts(
        "D01", "S10", originator.user_id, submit.status, submit.route,
        was_requested=submit.sets_requested_at, version=VERSION,
    )  # fmt: skip
    history = History(facts, [(None, Action.SUBMIT, originator, submit)])
    for command, first in tries:
        for actor in PEOPLE[first:] + PEOPLE[:first]:
            facts = history.facts
            try:
                outcome = decide(facts, command, actor)
            except Refusal:
                continue
            history.steps.append((facts, command.action, actor, outcome))
            history.facts = after(facts, outcome)
            break
    return history


histories = st.builds(
    lived,
    settings_of_dealer,
    st.sampled_from([PEOPLE[0], PEOPLE[1], PEOPLE[3]]),
    attempts,
)


@pytest.mark.rule("D112", "D118", "D122")
@given(histories)
def test_requested_only_after_all_levels_approved_since_the_last_sending(history: History) -> None:
    approved: set[Level] = set()
    for _, action, _, outcome in history.steps:
        if action in {Action.SUBMIT, Action.CORRECT, Action.TAKE_OVER}:
            approved = set()
        if action is Action.APPROVE:
            approved.add(Level.STORE if outcome.step in {"T2", "T6"} else Level.HQ)
        if outcome.status is Status.REQUESTED and outcome.moves:
            assert approved == set(outcome.route.levels)


@pytest.mark.rule("D102")
@given(histories)
def test_requested_at_is_set_exactly_when_requested_was_reached(history: History) -> None:
    reached = any(outcome.status is Status.REQUESTED for *_, outcome in history.steps)
    assert history.facts.was_requested == reached


@pytest.mark.rule("D123")
@given(histories)
def test_nothing_follows_a_final_status(history: History) -> None:
    before = [facts.status for facts, *_ in history.steps if facts]
    assert {Status.COMPLETED, Status.WITHDRAWN}.isdisjoint(before)


@pytest.mark.rule("D116")
@given(histories)
def test_a_remand_goes_exactly_one_step_back(history: History) -> None:
    for facts, action, _, outcome in history.steps:
        if action is not Action.REMAND:
            assert outcome.remanded_by is outcome.remanded_to is None
            continue
        assert facts
        way = [By.ORIGINATOR]
        way += [{"store": By.STORE_APPROVER, "hq": By.HQ_APPROVER}[lv] for lv in facts.route.levels]
        way += [By.TFC]
        assert outcome.remanded_by
        assert outcome.remanded_to
        assert way.index(outcome.remanded_by) - way.index(outcome.remanded_to) == 1
        assert outcome.status in REMANDED


@pytest.mark.rule("D121")
@given(histories)
def test_only_the_originator_corrects_and_no_one_approves_their_own(history: History) -> None:
    for facts, action, actor, _ in history.steps:
        if not facts:
            continue
        own = facts.originator_id in {actor.user_id, actor.acting_for}
        if action in {Action.CORRECT, Action.WITHDRAW}:
            assert facts.originator_id == actor.user_id
        if action is Action.APPROVE or (action is Action.REMAND and actor.role is not Role.TFC):
            assert not own


@given(histories)
def test_replaying_the_outcomes_rebuilds_the_application(history: History) -> None:
    *_, submitted = history.steps[0]
    rebuilt = ReturnFacts(
        "D01", "S10", submitted.originator_id, submitted.status, submitted.route,
        was_requested=submitted.sets_requested_at, version=VERSION,
    )  # fmt: skip
    for *_, outcome in history.steps[1:]:
        rebuilt = after(rebuilt, outcome)
    assert rebuilt == history.facts


@given(histories)
def test_an_open_application_never_hangs_and_voided_approvals_are_given_again(
    history: History,
) -> None:
    """Someone can always act, and a voided approval was valid before."""
    offered = {o.action for actor in PEOPLE for o in offers(history.facts, actor) if o.enabled}
    final = history.facts.status in {Status.COMPLETED, Status.WITHDRAWN}
    assert bool(offered) != final
    for facts, _, _, outcome in history.steps:
        standing = facts.route.standing_approvals(facts.status) if facts else ()
        assert set(outcome.approvals_voided) <= set(standing)


@pytest.mark.rule("D108")
@given(histories)
def test_the_work_list_holds_what_the_person_can_really_do(history: History) -> None:
    for actor in PEOPLE:
        enabled = {o.action for o in offers(history.facts, actor) if o.enabled}
        if waits_for(history.facts, actor):
            assert enabled & {Action.APPROVE, Action.CORRECT}
            assert history.facts.status.acts is not None
        else:
            assert Action.APPROVE not in enabled


@pytest.mark.rule("D104", "D106")
@given(st.lists(st.sampled_from(Status)))
def test_the_groups_sum_up_to_the_visible_applications(statuses: list[Status]) -> None:
    counts = count(statuses)
    assert sum(counts.groups.values()) == sum(counts.statuses.values()) == len(statuses)
