"""Departures: when an application needs somebody else (D157)."""

import pytest

from returns_service.rules.approval_route import SETTINGS, ApprovalSetting, Route
from returns_service.rules.departures import OPEN_AT_DEALER, Departure, People, departure
from returns_service.rules.return_approval import STEPS
from returns_service.rules.return_commands import Action
from returns_service.rules.return_status import Status
from shared.roles import Role

THERE = People(originator_left=False, store_has_approver=True)
LEFT = People(originator_left=True, store_has_approver=True)
EMPTY_STORE = People(originator_left=False, store_has_approver=False)
BOTH = ApprovalSetting(store_approval=True, hq_approval=True)


@pytest.mark.rule("D157")
@pytest.mark.parametrize("status", list(Status))
def test_an_originator_who_left_stops_what_headquarters_may_take_over(status: Status) -> None:
    route = Route.of(BOTH, Role.SALES)
    taken_over = next(step for step in STEPS if step.action is Action.TAKE_OVER).states
    expected = Departure.ORIGINATOR if status in taken_over else None
    assert departure(status, route, LEFT) is expected
    assert departure(status, route, THERE) is None
    assert frozenset(OPEN_AT_DEALER) == taken_over


@pytest.mark.rule("D157")
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("role", [Role.SALES, Role.MANAGER, Role.HQ])
def test_a_store_without_an_approver_stops_what_waits_there(
    setting: ApprovalSetting, role: Role
) -> None:
    route = Route.of(setting, role)
    stopped = {status for status in Status if departure(status, route, EMPTY_STORE)}
    waits_there = setting.store_approval and role is Role.SALES
    assert stopped == ({Status.STORE_PENDING, Status.STORE_REMANDED} if waits_there else set())
