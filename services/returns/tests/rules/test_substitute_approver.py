"""Substitute approvers: who approves while an approver is away."""

import dataclasses
from datetime import date

import pytest

from returns_service.rules.return_visibility import Actor
from returns_service.rules.substitute_approver import (
    RoleNotSubstituted,
    SubstituteHasSubstitute,
    SubstituteNotSuitable,
    Substitution,
    SubstitutionPeriodReversed,
    acts_as,
    check_substitution,
)
from shared.roles import Role

from .actors import COLLEAGUE, SATO

SUBSTITUTION = Substitution(SATO, "E102", date(2025, 7, 10), date(2025, 7, 15))


@pytest.mark.parametrize(("day", "substitutes"), [(9, False), (10, True), (15, True), (16, False)])
def test_from_and_to_are_included(day: int, substitutes: bool) -> None:
    for_sato = Actor("E102", Role.MANAGER, "D01", "S10", acting_for="M100")
    expected = (COLLEAGUE, for_sato) if substitutes else (COLLEAGUE,)
    assert acts_as(COLLEAGUE, [SUBSTITUTION], today=date(2025, 7, day)) == expected
    assert acts_as(SATO, [SUBSTITUTION], today=date(2025, 7, day)) == (SATO,)


def test_another_active_person_of_the_dealer_may_substitute() -> None:
    check_substitution(SUBSTITUTION, [], dealer_code="D01", active=True)
    for dealer_code, active in (("D02", True), ("D01", False)):
        with pytest.raises(SubstituteNotSuitable):
            check_substitution(SUBSTITUTION, [], dealer_code=dealer_code, active=active)
    self_actor = dataclasses.replace(SUBSTITUTION, substitute_id="M100")
    with pytest.raises(SubstituteNotSuitable):
        check_substitution(self_actor, [], dealer_code="D01", active=True)


def test_only_approvers_have_substitutes() -> None:
    of_staff = dataclasses.replace(SUBSTITUTION, approver=COLLEAGUE, substitute_id="E103")
    with pytest.raises(RoleNotSubstituted):
        check_substitution(of_staff, [], dealer_code="D01", active=True)


def test_a_period_may_be_one_day_but_not_reversed() -> None:
    one_day = dataclasses.replace(SUBSTITUTION, to_on=date(2025, 7, 10))
    check_substitution(one_day, [], dealer_code="D01", active=True)
    with pytest.raises(SubstitutionPeriodReversed):
        check_substitution(
            dataclasses.replace(SUBSTITUTION, to_on=date(2025, 7, 9)),
            [],
            dealer_code="D01",
            active=True,
        )


@pytest.mark.parametrize(
    ("approver_id", "substitute_id", "from_day", "refused"),
    [
        ("E102", "M101", 15, True),
        ("E102", "M101", 16, False),
        ("M200", "M100", 15, True),
        ("M200", "M100", 16, False),
        ("M100", "E103", 15, False),
    ],
    ids=[
        "the substitute is substituted", "a day later", "the approver substitutes", "a day later 2",
        "a second substitute",
    ],
)  # fmt: skip
def test_a_substitute_has_no_substitute(
    approver_id: str, substitute_id: str, from_day: int, refused: bool
) -> None:
    other = Substitution(
        Actor(approver_id, Role.MANAGER, "D01", "S10"),
        substitute_id,
        date(2025, 7, from_day),
        date(2025, 7, 31),
    )
    if refused:
        with pytest.raises(SubstituteHasSubstitute):
            check_substitution(SUBSTITUTION, [other], dealer_code="D01", active=True)
    else:
        check_substitution(SUBSTITUTION, [other], dealer_code="D01", active=True)
