"""Return approval: who may take which step; names as in the examples of the manual."""

import dataclasses

import pytest

from returns_service.rules.return_approval import (
    check_step,
    decide,
    offers,
)
from returns_service.rules.return_commands import (
    Accept,
    Action,
    Approve,
    Command,
    Complete,
    Correct,
    Hold,
    Remand,
    Submit,
    Withdraw,
)
from returns_service.rules.return_refusals import (
    NotTheOriginator,
    NotYourStep,
    OwnItem,
    ReturnAlreadyDecided,
    ReturnNotVisible,
    RoleMayNot,
    StepNotPossible,
    SubstituteMayNot,
)
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared.concurrency import VersionConflict
from shared.errors import Kind, Refusal
from shared.roles import Role

from .actors import BOTH, COLLEAGUE, SATO, SUZUKI, TAKAHASHI, TANAKA, TFC, YAMADA, given

REFUSED: list[tuple[str, Status, Actor, Command, type[Refusal], str]] = [
    ("sales never approve", Status.STORE_PENDING, YAMADA, Approve(expected_version=7),
     RoleMayNot, "forbidden"),
    ("sales never remand", Status.STORE_PENDING, COLLEAGUE, Remand(expected_version=7),
     RoleMayNot, "forbidden"),
    ("HQ at the store's step", Status.STORE_PENDING, TANAKA, Approve(expected_version=7),
     NotYourStep, "conflict"),
    ("store at HQ's step", Status.HQ_PENDING, SATO, Approve(expected_version=7),
     NotYourStep, "conflict"),
    ("store remands at HQ's step", Status.HQ_REMANDED, SATO, Remand(expected_version=7),
     NotYourStep, "conflict"),
    ("manager of another store", Status.STORE_PENDING, TAKAHASHI, Approve(expected_version=7),
     ReturnNotVisible, "not_found"),
    ("sales of another store", Status.REQUESTED, SUZUKI, Withdraw(expected_version=7),
     ReturnNotVisible, "not_found"),
    ("another dealer", Status.HQ_PENDING, Actor("H001", Role.HQ, "D02"),
     Approve(expected_version=7), ReturnNotVisible, "not_found"),
    ("colleague corrects", Status.REQUESTED, COLLEAGUE, Correct(expected_version=7, setting=BOTH),
     NotTheOriginator, "forbidden"),
    ("approver withdraws", Status.HQ_PENDING, SATO, Withdraw(expected_version=7),
     NotTheOriginator, "forbidden"),
    ("approve at 依頼中", Status.REQUESTED, TANAKA, Approve(expected_version=7),
     StepNotPossible, "conflict"),
    ("TFC remands before it accepts", Status.REQUESTED, TFC,
     Remand(expected_version=7, comment="不備"), StepNotPossible, "conflict"),
    ("TFC holds before it accepts", Status.REQUESTED, TFC,
     Hold(expected_version=7, reason="不備"), StepNotPossible, "conflict"),
    ("TFC completes before it accepts", Status.REQUESTED, TFC, Complete(expected_version=7),
     StepNotPossible, "conflict"),
    ("TFC accepts what is back at the dealer", Status.HQ_REMANDED, TFC,
     Accept(expected_version=7), StepNotPossible, "conflict"),
    ("TFC approves", Status.HQ_PENDING, TFC, Approve(expected_version=7),
     RoleMayNot, "forbidden"),
    ("TFC withdraws", Status.REQUESTED, TFC, Withdraw(expected_version=7),
     RoleMayNot, "forbidden"),
    ("dealer accepts", Status.REQUESTED, TANAKA, Accept(expected_version=7),
     RoleMayNot, "forbidden"),
    ("twice sent", Status.REQUESTED, YAMADA, Submit(setting=BOTH),
     StepNotPossible, "conflict"),
    ("double click on approve", Status.STORE_PENDING, SATO, Approve(expected_version=6),
     VersionConflict, "version_conflict"),
]  # fmt: skip


@pytest.mark.rule("D1", "D112", "D121")
@pytest.mark.parametrize(
    ("status", "actor", "command", "refusal", "kind"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_refused(
    status: Status, actor: Actor, command: Command, refusal: type[Refusal], kind: str
) -> None:
    facts = given(status)
    if command.action is Action.SUBMIT:
        facts = dataclasses.replace(facts, originator_id=actor.user_id)
    with pytest.raises(refusal) as refused:
        decide(facts, command, actor)
    assert refused.value.kind == Kind(kind)


@pytest.mark.rule("D121")
@pytest.mark.parametrize("status", Status)
def test_correction_and_withdrawal_are_open_in_six_statuses_only(status: Status) -> None:
    facts = given(status)
    open_in = {
        "STAFF_REMANDED", "STORE_PENDING", "STORE_REMANDED", "HQ_PENDING", "HQ_REMANDED",
        "REQUESTED",
    }  # fmt: skip
    for command in (Correct(expected_version=7, setting=BOTH), Withdraw(expected_version=7)):
        if status in open_in:
            assert decide(facts, command, YAMADA).moves
        else:
            with pytest.raises((StepNotPossible, ReturnAlreadyDecided)) as refused:
                decide(facts, command, YAMADA)
            assert refused.value.kind is Kind.CONFLICT


@pytest.mark.rule("D123")
@pytest.mark.parametrize("status", [Status.WITHDRAWN, Status.COMPLETED])
@pytest.mark.parametrize(
    ("actor", "command"),
    [
        (YAMADA, Correct(expected_version=7, setting=BOTH)),
        (YAMADA, Withdraw(expected_version=7)),
        (SATO, Approve(expected_version=7)),
        (TANAKA, Remand(expected_version=7)),
        (TFC, Accept(expected_version=7)),
        (TFC, Complete(expected_version=7)),
    ],
)
def test_nothing_follows_a_final_status(status: Status, actor: Actor, command: Command) -> None:
    with pytest.raises(ReturnAlreadyDecided):
        decide(given(status), command, actor)


@pytest.mark.parametrize("status", Status)
def test_an_old_version_is_refused_wherever_the_new_one_is_decided(status: Status) -> None:
    facts = given(status)
    for action, actor in (
        (Action.CORRECT, YAMADA), (Action.APPROVE, SATO), (Action.APPROVE, TANAKA),
        (Action.ACCEPT, TFC), (Action.COMPLETE, TFC),
    ):  # fmt: skip
        try:
            check_step(facts, action, actor, expected_version=7)
        except Refusal:
            continue
        for version in (6, 8):
            with pytest.raises(VersionConflict):
                check_step(facts, action, actor, expected_version=version)


@pytest.mark.rule("D1")
def test_tfc_does_not_see_an_application_before_it_was_requested() -> None:
    facts = given(Status.STORE_PENDING, was_requested=False)
    with pytest.raises(ReturnNotVisible):
        decide(facts, Accept(expected_version=7), TFC)
    assert decide(given(Status.REQUESTED), Accept(expected_version=7), TFC).moves


@pytest.mark.rule("D117")
@pytest.mark.parametrize(
    ("originator", "status", "other"),
    [
        (SATO, Status.STORE_REMANDED, Actor("M101", Role.MANAGER, "D01", "S10")),
        (TANAKA, Status.HQ_REMANDED, Actor("H002", Role.HQ, "D01")),
    ],
)
def test_what_came_back_to_its_originator_is_neither_approved_nor_remanded(
    originator: Actor, status: Status, other: Actor
) -> None:
    facts = given(status, BOTH, originator)
    for command in (Approve(expected_version=7), Remand(expected_version=7)):
        with pytest.raises(OwnItem):
            decide(facts, command, originator)
        with pytest.raises(NotYourStep):
            decide(facts, command, other)
    assert decide(facts, Correct(expected_version=7, setting=BOTH), originator).moves


def test_a_substitute_approves_for_the_absent_manager() -> None:
    substitute = dataclasses.replace(COLLEAGUE, role=Role.MANAGER, acting_for="M100")
    facts = given(Status.STORE_PENDING)
    assert decide(facts, Approve(expected_version=7), substitute).status is Status.HQ_PENDING
    assert decide(facts, Approve(expected_version=7), SATO).status is Status.HQ_PENDING


@pytest.mark.parametrize(
    "actor",
    [
        dataclasses.replace(YAMADA, role=Role.MANAGER, acting_for="M100"),
        dataclasses.replace(COLLEAGUE, role=Role.MANAGER, acting_for="E101"),
        dataclasses.replace(YAMADA, role=Role.MANAGER),
    ],
    ids=["originator for the manager", "another for the originator", "originator, now manager"],
)
def test_no_one_approves_their_own_item_in_any_capacity(actor: Actor) -> None:
    for command in (Approve(expected_version=7), Remand(expected_version=7)):
        with pytest.raises(OwnItem):
            decide(given(Status.STORE_PENDING), command, actor)


def test_a_substitute_takes_no_other_step() -> None:
    substitute = dataclasses.replace(COLLEAGUE, role=Role.MANAGER, acting_for="M100")
    for command in (Withdraw(expected_version=7), Correct(expected_version=7, setting=BOTH)):
        with pytest.raises(SubstituteMayNot):
            decide(given(Status.STORE_PENDING), command, substitute)
    with pytest.raises(SubstituteMayNot):
        decide(None, Submit(setting=BOTH), substitute)


@pytest.mark.rule("D101", "D105")
@pytest.mark.parametrize(
    ("status", "actor", "enabled"),
    [
        (Status.STORE_PENDING, SATO, {"approve", "remand"}),
        (Status.STORE_PENDING, TANAKA, {"take_over"}),
        (Status.HQ_PENDING, TANAKA, {"approve", "remand", "edit_dealer_note", "take_over"}),
        (Status.REQUESTED, YAMADA, {"correct", "withdraw"}),
        (Status.REQUESTED, SATO, set()),
        (Status.REQUESTED, TFC, {"accept"}),
        (Status.TFC_PROCESSING, YAMADA, set()),
        (Status.TFC_HOLD, SATO, set()),
        (Status.TFC_CONTACT, TANAKA, set()),
        (Status.COMPLETED, TANAKA, set()),
    ],
)
def test_offers(status: Status, actor: Actor, enabled: set[str]) -> None:
    shown = offers(given(status), actor)
    assert {offer.action.value for offer in shown if offer.enabled} == enabled
    assert all(offer.refusal.message for offer in shown if offer.refusal)


@pytest.mark.rule("D101")
def test_nothing_is_offered_to_those_who_do_not_see_it() -> None:
    assert offers(given(Status.STORE_PENDING), TAKAHASHI) == ()
