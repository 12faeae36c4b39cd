"""Passes R1-R3, R19-R28: registration, application, confirmation, and their mail recipients."""

import pytest

from commuter_service.rules.pass_application import (
    Actor,
    ApplicationsNotAllowed,
    CsvRegistrationRefused,
    NotYourPass,
    PassState,
    PassStatus,
    PassStep,
    PassStepNotPossible,
    ReasonMissing,
    RouteNotDecided,
    check_count,
    step_pass,
)
from commuter_service.rules.pass_mail_recipients import (
    application_recipients,
)

APPLICANT = Actor(is_owner=True, has_permission=False)
ADMINISTRATOR = Actor(is_owner=False, has_permission=True)
STRANGER = Actor(is_owner=False, has_permission=False)
NEW = PassState(None)
CONFIRMED = PassState(PassStatus.CONFIRMED, has_confirmed_version=True)
FIRST_APPLICATION = PassState(PassStatus.APPLIED)
CHANGE_APPLIED = PassState(PassStatus.APPLIED, has_confirmed_version=True)


def step(
    state: PassState, deed: PassStep, actor: Actor, *, allowed: bool = True, **facts: object
) -> PassState:
    return step_pass(state, deed, actor, applications_allowed=allowed, **facts)  # type: ignore[arg-type]


@pytest.mark.rule("R1")
def test_administrators_registration_counts_at_once() -> None:
    registered = step(NEW, PassStep.REGISTER, ADMINISTRATOR, allowed=False)
    assert registered == CONFIRMED
    assert registered.has_confirmed_version
    with pytest.raises(NotYourPass):
        step(NEW, PassStep.REGISTER, APPLICANT)


@pytest.mark.rule("R2")
@pytest.mark.parametrize("count", [0, 2])
def test_passes_are_registered_one_by_one(count: int) -> None:
    check_count(1)
    with pytest.raises(CsvRegistrationRefused) as refusal:
        check_count(count)
    assert refusal.value.message == "CSVでの登録はできません。一件ずつ登録が必要です。"


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    ("state", "deed", "actor"),
    [
        (NEW, PassStep.REGISTER, ADMINISTRATOR),
        (FIRST_APPLICATION, PassStep.CONFIRM, ADMINISTRATOR),
        (NEW, PassStep.APPLY, APPLICANT),
    ],
)
def test_no_confirmation_without_a_route(state: PassState, deed: PassStep, actor: Actor) -> None:
    with pytest.raises(RouteNotDecided):
        step(state, deed, actor, has_route=False)


@pytest.mark.rule("R19")
def test_application_needs_the_companys_permission() -> None:
    assert step(NEW, PassStep.APPLY, APPLICANT) == FIRST_APPLICATION
    with pytest.raises(ApplicationsNotAllowed):
        step(NEW, PassStep.APPLY, APPLICANT, allowed=False)


@pytest.mark.rule("R20")
@pytest.mark.parametrize("actor", [STRANGER, ADMINISTRATOR])
def test_only_own_passes_are_applied_for(actor: Actor) -> None:
    assert step(NEW, PassStep.APPLY, APPLICANT).status == "未確定"
    with pytest.raises(NotYourPass):
        step(NEW, PassStep.APPLY, actor)


@pytest.mark.rule("R21")
def test_application_has_no_effect_until_confirmed() -> None:
    assert not FIRST_APPLICATION.has_confirmed_version
    assert step(FIRST_APPLICATION, PassStep.CONFIRM, ADMINISTRATOR).has_confirmed_version
    with pytest.raises(NotYourPass):
        step(FIRST_APPLICATION, PassStep.CONFIRM, APPLICANT)


@pytest.mark.rule("R24")
def test_change_of_a_confirmed_pass_waits_again_and_the_old_version_stays() -> None:
    changed = step(CONFIRMED, PassStep.APPLY, APPLICANT)
    assert changed == CHANGE_APPLIED
    assert changed.has_confirmed_version


@pytest.mark.rule("R25")
@pytest.mark.parametrize(
    ("state", "deed", "actor", "after"),
    [
        (FIRST_APPLICATION, PassStep.WITHDRAW, APPLICANT, PassState(PassStatus.WITHDRAWN)),
        (FIRST_APPLICATION, PassStep.REJECT, ADMINISTRATOR, PassState(PassStatus.REJECTED)),
        (CHANGE_APPLIED, PassStep.WITHDRAW, APPLICANT, CONFIRMED),
        (CHANGE_APPLIED, PassStep.REJECT, ADMINISTRATOR, CONFIRMED),
    ],
)
def test_withdrawing_and_rejecting_restore_the_last_confirmed_version(
    state: PassState, deed: PassStep, actor: Actor, after: PassState
) -> None:
    assert step(state, deed, actor, reason="区間が違います") == after


@pytest.mark.rule("R25")
def test_rejection_gives_a_reason_and_needs_the_permission() -> None:
    with pytest.raises(ReasonMissing):
        step(FIRST_APPLICATION, PassStep.REJECT, ADMINISTRATOR, reason=" ")
    with pytest.raises(NotYourPass):
        step(FIRST_APPLICATION, PassStep.REJECT, APPLICANT, reason="区間が違います")
    with pytest.raises(NotYourPass):
        step(FIRST_APPLICATION, PassStep.WITHDRAW, ADMINISTRATOR)


@pytest.mark.rule("R28")
def test_confirming_twice_changes_nothing() -> None:
    assert step(CONFIRMED, PassStep.CONFIRM, ADMINISTRATOR) == CONFIRMED


@pytest.mark.parametrize("deed", [PassStep.CONFIRM, PassStep.WITHDRAW, PassStep.REJECT])
def test_nothing_follows_where_no_application_is(deed: PassStep) -> None:
    actor = APPLICANT if deed is PassStep.WITHDRAW else ADMINISTRATOR
    with pytest.raises(PassStepNotPossible):
        step(NEW, deed, actor, reason="理由")


@pytest.mark.rule("R29", "R30")
@pytest.mark.parametrize(
    ("permitted", "recipients"),
    [
        (["a@x", "b@x"], ("a@x", "b@x", "admin@x")),
        (["admin@x", "a@x"], ("admin@x", "a@x")),
        (["ADMIN@x"], ("ADMIN@x",)),
        ([], ("admin@x",)),
    ],
)
def test_application_is_mailed_to_the_permitted_and_always_to_the_administrator(
    permitted: list[str], recipients: tuple[str, ...]
) -> None:
    assert application_recipients(permitted, "admin@x") == recipients
