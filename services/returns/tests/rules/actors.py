"""The people and settings of the manual's examples, and an application as it stands."""

from returns_service.rules.approval_route import ApprovalSetting, Route
from returns_service.rules.return_approval import ReturnFacts
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared.roles import Role

NONE = ApprovalSetting(store_approval=False, hq_approval=False)
STORE = ApprovalSetting(store_approval=True, hq_approval=False)
HQ = ApprovalSetting(store_approval=False, hq_approval=True)
BOTH = ApprovalSetting(store_approval=True, hq_approval=True)

YAMADA = Actor("E101", Role.SALES, "D01", "S10")
COLLEAGUE = Actor("E102", Role.SALES, "D01", "S10")
SATO = Actor("M100", Role.MANAGER, "D01", "S10")
TAKAHASHI = Actor("M200", Role.MANAGER, "D01", "S20")
SUZUKI = Actor("E201", Role.SALES, "D01", "S20")
TANAKA = Actor("H001", Role.HQ, "D01")
TFC = Actor("tfc", Role.TFC)


def given(
    status: Status,
    setting: ApprovalSetting = BOTH,
    originator: Actor = YAMADA,
    *,
    version: int = 7,
    was_requested: bool = True,
) -> ReturnFacts:
    route = Route.of(setting, originator.role)
    return ReturnFacts("D01", "S10", originator.user_id, status, route, was_requested, version)
