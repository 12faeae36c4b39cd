"""Pass application: statuses, and who takes each step (R1-R3, R19-R21, R24, R25, R28).

An administrator's registration counts at once. An employee's application waits for confirmation;
until then the last confirmed version stays the legal one. Withdrawing or rejecting an application
brings that version back, so that nobody stays blocked for ever.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from shared.errors import Kind, Refusal


class PassStatus(StrEnum):
    """State of the newest version of a pass."""

    CONFIRMED = "確定"
    APPLIED = "未確定"
    WITHDRAWN = "取下げ"
    REJECTED = "差戻し"


class PassStep(StrEnum):
    """What somebody wants to do with a pass."""

    REGISTER = "register"
    APPLY = "apply"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    REJECT = "reject"


class PassStepNotPossible(Refusal):
    """The step does not follow from the state."""

    code: ClassVar[str] = "PASS_STEP_NOT_POSSIBLE"
    kind: ClassVar[Kind] = Kind.CONFLICT


class NotYourPass(Refusal):
    """An applicant moves own passes only; confirming takes the permission."""

    code: ClassVar[str] = "NOT_YOUR_PASS"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class ApplicationsNotAllowed(Refusal):
    """The company does not let employees apply for passes."""

    code: ClassVar[str] = "PASS_APPLICATIONS_NOT_ALLOWED"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class RouteNotDecided(Refusal):
    """A pass without a decided route cannot come into force."""

    code: ClassVar[str] = "ROUTE_NOT_DECIDED"


class ReasonMissing(Refusal):
    """A rejection says why."""

    code: ClassVar[str] = "REASON_MISSING"


class CsvRegistrationRefused(Refusal):
    """Passes are registered one by one."""

    code: ClassVar[str] = "CSV_REGISTRATION_REFUSED"

    def __init__(self) -> None:
        super().__init__("CSVでの登録はできません。一件ずつ登録が必要です。")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: owner of the pass or not, with the permission 定期区間マスタ or not."""

    is_owner: bool
    has_permission: bool


@dataclass(frozen=True, slots=True)
class PassState:
    """The newest version, and whether a confirmed one stands behind it. None: no version yet."""

    status: PassStatus | None
    has_confirmed_version: bool = False


ADMINISTRATOR_STEPS = frozenset({PassStep.REGISTER, PassStep.CONFIRM, PassStep.REJECT})
# After which states each step may follow; None is the pass that does not exist yet.
FOLLOWS: dict[PassStep, frozenset[PassStatus | None]] = {
    PassStep.REGISTER: frozenset({None, *PassStatus}),
    PassStep.APPLY: frozenset({None, *PassStatus}),
    PassStep.CONFIRM: frozenset({PassStatus.APPLIED, PassStatus.CONFIRMED}),
    PassStep.WITHDRAW: frozenset({PassStatus.APPLIED}),
    PassStep.REJECT: frozenset({PassStatus.APPLIED}),
}


def check_count(count: int) -> None:
    """Refuse lists: one pass per registration (R2)."""
    if count != 1:
        raise CsvRegistrationRefused


def step_pass(  # noqa: PLR0913 - state, step, actor and the three facts they are judged by
    state: PassState,
    step: PassStep,
    actor: Actor,
    *,
    applications_allowed: bool,
    has_route: bool = True,
    reason: str = "",
) -> PassState:
    """The state after a step; confirming twice changes nothing (R28)."""
    _check_actor(step, actor, applications_allowed=applications_allowed)
    if state.status not in FOLLOWS[step]:
        raise PassStepNotPossible(f"{state.status or '未登録'}の定期区間にこの操作はできません")
    if step in (PassStep.REGISTER, PassStep.APPLY, PassStep.CONFIRM) and not has_route:
        raise RouteNotDecided("乗換案内で経路を決定してください")
    if step is PassStep.REJECT and not reason.strip():
        raise ReasonMissing("差戻しの理由を入力してください")
    confirmed_before = state.has_confirmed_version or state.status is PassStatus.CONFIRMED
    if step in (PassStep.REGISTER, PassStep.CONFIRM):
        return PassState(PassStatus.CONFIRMED, has_confirmed_version=True)
    if step is PassStep.APPLY:
        return PassState(PassStatus.APPLIED, confirmed_before)
    if confirmed_before:
        return PassState(PassStatus.CONFIRMED, has_confirmed_version=True)
    left = PassStatus.WITHDRAWN if step is PassStep.WITHDRAW else PassStatus.REJECTED
    return PassState(left)


def _check_actor(step: PassStep, actor: Actor, *, applications_allowed: bool) -> None:
    if step in ADMINISTRATOR_STEPS:
        if not actor.has_permission:
            raise NotYourPass("定期区間マスタの権限がありません")
        return
    if not actor.is_owner:
        raise NotYourPass("他の社員の定期区間は操作できません")
    if step is PassStep.APPLY and not applications_allowed:
        raise ApplicationsNotAllowed("個人による定期区間の申請は許可されていません")
