"""Steps: their texts, the approvals they void, and the take-over."""

import dataclasses

import pytest

from returns_service.rules.approval_route import Level
from returns_service.rules.free_text import TextTooLong, TextUnprintable
from returns_service.rules.return_approval import (
    By,
    decide,
    holder,
)
from returns_service.rules.return_commands import (
    Approve,
    Command,
    Correct,
    EditDealerNote,
    FinishContact,
    Hold,
    NewOriginator,
    Release,
    Remand,
    StartContact,
    TakeOver,
    Withdraw,
)
from returns_service.rules.return_refusals import (
    ContactMessageMissing,
    DealerNoteIsForHqApprover,
    NewOriginatorNotSuitable,
    ReasonMissing,
    RoleMayNot,
    StepNotPossible,
)
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared.errors import Kind
from shared.roles import Role

from .actors import BOTH, SATO, TANAKA, TFC, YAMADA, given


@pytest.mark.rule("D113")
def test_a_remand_takes_a_comment_of_500_characters_or_none() -> None:
    facts = given(Status.STORE_PENDING)
    assert decide(facts, Remand(expected_version=7), SATO).text is None
    assert decide(facts, Remand(expected_version=7, comment="　\n"), SATO).text is None
    longest = "あ" * 500
    assert decide(facts, Remand(expected_version=7, comment=longest), SATO).text == longest
    with pytest.raises(TextTooLong):
        decide(facts, Remand(expected_version=7, comment=longest + "い"), SATO)
    with pytest.raises(TextUnprintable):
        decide(facts, Remand(expected_version=7, comment="a\x00b"), SATO)
    lines = decide(facts, Remand(expected_version=7, comment="一行目\r\n二行目"), SATO).text
    assert lines == "一行目\n二行目"


@pytest.mark.rule("D115")
def test_only_the_hq_approver_writes_the_dealer_note() -> None:
    note = "受領日を確認してください"
    remand = Remand(expected_version=7, dealer_note=note)
    assert decide(given(Status.HQ_PENDING), remand, TANAKA).dealer_note == note
    with pytest.raises(DealerNoteIsForHqApprover) as refused:
        decide(given(Status.STORE_PENDING), remand, SATO)
    assert refused.value.kind is Kind.FORBIDDEN
    edit = EditDealerNote(expected_version=7, dealer_note=note)
    for actor in (SATO, YAMADA):
        with pytest.raises(RoleMayNot):
            decide(given(Status.HQ_PENDING), edit, actor)
    for status in (Status.HQ_PENDING, Status.HQ_REMANDED):
        assert decide(given(status), edit, TANAKA).dealer_note == note
    with pytest.raises(StepNotPossible):
        decide(given(Status.STORE_PENDING), edit, TANAKA)
    empty = EditDealerNote(expected_version=7, dealer_note=" ")
    assert decide(given(Status.HQ_PENDING), empty, TANAKA).dealer_note == ""


def test_tfc_gives_its_reason_and_its_message() -> None:
    facts = given(Status.TFC_PROCESSING)
    for missing in (Remand(expected_version=7), Hold(expected_version=7, reason=" ")):
        with pytest.raises(ReasonMissing):
            decide(facts, missing, TFC)
    with pytest.raises(ContactMessageMissing):
        decide(given(Status.TFC_CONTACT), FinishContact(expected_version=7, message=""), TFC)
    assert decide(facts, Hold(expected_version=7, reason="書類待ち"), TFC).text == "書類待ち"
    said = decide(
        given(Status.TFC_CONTACT), FinishContact(expected_version=7, message="届きました"), TFC
    )
    assert (said.text, said.status) == ("届きました", Status.TFC_PROCESSING)
    assert decide(facts, StartContact(expected_version=7), TFC).status is Status.TFC_CONTACT
    released = decide(given(Status.TFC_HOLD), Release(expected_version=7), TFC)
    assert released.status is Status.TFC_PROCESSING


VOIDED = [
    ("correct at 依頼中", Status.REQUESTED, Correct(expected_version=7, setting=BOTH), YAMADA,
     (Level.STORE, Level.HQ)),
    ("correct at 本部承認者手続中", Status.HQ_PENDING, Correct(expected_version=7, setting=BOTH),
     YAMADA, (Level.STORE,)),
    ("correct at 店舗承認者手続中", Status.STORE_PENDING,
     Correct(expected_version=7, setting=BOTH), YAMADA, ()),
    ("TFC remands to HQ", Status.TFC_HOLD, Remand(expected_version=7, comment="不備"), TFC,
     (Level.HQ,)),
    ("HQ remands to the store", Status.HQ_PENDING, Remand(expected_version=7), TANAKA,
     (Level.STORE,)),
    ("store remands", Status.STORE_PENDING, Remand(expected_version=7), SATO, ()),
    ("store approves", Status.STORE_PENDING, Approve(expected_version=7), SATO, ()),
    ("HQ approves again", Status.HQ_REMANDED, Approve(expected_version=7), TANAKA, ()),
    ("withdraw", Status.REQUESTED, Withdraw(expected_version=7), YAMADA, ()),
]  # fmt: skip


@pytest.mark.rule("D122")
@pytest.mark.parametrize(
    ("status", "command", "actor", "voided"),
    [row[1:] for row in VOIDED],
    ids=[row[0] for row in VOIDED],
)
def test_approvals_voided(
    status: Status, command: Command, actor: Actor, voided: tuple[Level, ...]
) -> None:
    assert decide(given(status), command, actor).approvals_voided == voided


NEW = NewOriginator("E102", Role.SALES, "D01", "S10", active=True)


@pytest.mark.parametrize(
    ("new", "status", "levels"),
    [
        (NEW, Status.STAFF_REMANDED, (Level.STORE, Level.HQ)),
        (dataclasses.replace(NEW, user_id="M100", role=Role.MANAGER), Status.STORE_REMANDED,
         (Level.HQ,)),
        (NewOriginator("H001", Role.HQ, "D01", None, active=True), Status.HQ_REMANDED, ()),
    ],
    ids=["staff", "manager", "hq"],
)  # fmt: skip
def test_hq_hands_a_stuck_application_over(
    new: NewOriginator, status: Status, levels: tuple[Level, ...]
) -> None:
    command = TakeOver(expected_version=7, setting=BOTH, new_originator=new)
    taken = decide(given(Status.REQUESTED), command, TANAKA)
    assert (taken.status, taken.originator_id, taken.route.levels) == (status, new.user_id, levels)
    assert taken.approvals_voided == (Level.STORE, Level.HQ)
    assert holder(taken.status, taken.route) is By.ORIGINATOR
    assert not taken.sets_requested_at


@pytest.mark.parametrize(
    "new",
    [
        dataclasses.replace(NEW, active=False),
        dataclasses.replace(NEW, store_code="S20"),
        dataclasses.replace(NEW, dealer_code="D02"),
        dataclasses.replace(NEW, role=Role.TFC),
    ],
    ids=["leaver", "other store", "other dealer", "tfc"],
)
def test_an_unsuitable_new_originator_is_refused(new: NewOriginator) -> None:
    command = TakeOver(expected_version=7, setting=BOTH, new_originator=new)
    with pytest.raises(NewOriginatorNotSuitable):
        decide(given(Status.REQUESTED), command, TANAKA)


def test_only_hq_hands_over_and_not_what_tfc_works_on() -> None:
    command = TakeOver(expected_version=7, setting=BOTH, new_originator=NEW)
    with pytest.raises(RoleMayNot):
        decide(given(Status.REQUESTED), command, SATO)
    with pytest.raises(StepNotPossible):
        decide(given(Status.TFC_HOLD), command, TANAKA)
