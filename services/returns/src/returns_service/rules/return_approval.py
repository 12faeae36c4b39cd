"""Approval of returns: who may take which step, and what follows (D111-D123, B2-B4, A-20, A-22).

`STEPS` is the only table of steps and `check_step` the only guard; `decide` adds what follows.
Facts and a command go in, an `Outcome` or a refusal named after its fact comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from returns_service.rules.approval_route import Level, Route
from returns_service.rules.free_text import DEALER_TEXT_CHARS, TFC_TEXT_CHARS, clean_text
from returns_service.rules.return_commands import (
    Action,
    Command,
    Correct,
    EditDealerNote,
    FinishContact,
    Hold,
    NewOriginator,
    Remand,
    Submit,
    TakeOver,
)
from returns_service.rules.return_refusals import (
    ContactMessageMissing,
    DealerNoteIsForHqApprover,
    NewOriginatorNotSuitable,
    NotTheOriginator,
    NotYourStep,
    OwnItem,
    ReasonMissing,
    ReturnAlreadyDecided,
    ReturnNotVisible,
    RoleMayNot,
    StepNotPossible,
    SubstituteMayNot,
)
from returns_service.rules.return_status import FINAL, ORIGINATORS, Status
from returns_service.rules.return_visibility import Actor, sees_return
from shared.concurrency import VersionConflict
from shared.errors import Refusal
from shared.roles import Role


class By(StrEnum):
    """In which capacity a step is taken."""

    ORIGINATOR = "originator"
    STORE_APPROVER = "manager"
    HQ_APPROVER = "hq"
    TFC = "tfc"
    HEADQUARTERS = "headquarters"

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that can have this capacity."""
        return _ROLES[self]

    @property
    def level(self) -> Level | None:
        """The level of an approver; None: not an approver."""
        return {By.STORE_APPROVER: Level.STORE, By.HQ_APPROVER: Level.HQ}.get(self)


_ROLES = {
    By.ORIGINATOR: ORIGINATORS,
    By.STORE_APPROVER: (Role.MANAGER,),
    By.HQ_APPROVER: (Role.HQ,),
    By.TFC: (Role.TFC,),
    By.HEADQUARTERS: (Role.HQ,),
}
_APPROVER = {Level.STORE: By.STORE_APPROVER, Level.HQ: By.HQ_APPROVER}


@dataclass(frozen=True)
class ReturnFacts:
    """What the rules need to know of one application.

    `was_requested`: it was 依頼中 at least once, so that TFC knows it. `version` grows with every
    change; a command must name it. `store_code` is the originating store's (A-34).
    """

    dealer_code: str
    store_code: str
    originator_id: str
    status: Status
    route: Route
    was_requested: bool
    version: int


@dataclass(frozen=True)
class Outcome:
    """What a step changes.

    `step` is its number in B3. `moves` is false where only a note changes: status, clock and status
    version stay (T21, D152). `approvals_voided` are the levels whose approval no longer counts.
    `remanded_by` and `remanded_to` are set after a remand only. `text` is what the command said
    (comment, reason or message) and `dealer_note` 貴社連絡欄, both as they are to be kept;
    None: nothing said.
    """

    step: str
    status: Status
    route: Route
    originator_id: str
    moves: bool
    approvals_voided: tuple[Level, ...]
    remanded_by: By | None
    remanded_to: By | None
    text: str | None
    dealer_note: str | None

    @property
    def sets_requested_at(self) -> bool:
        """依頼日時 becomes now; otherwise it keeps its last value (D102, A-18)."""
        return self.status is Status.REQUESTED

    @property
    def approval_requested(self) -> Level | None:
        """The level that this step asks to approve, if any."""
        return next((lv for lv in Level if self.moves and self.status is lv.pending), None)


Target = Status | Callable[[Route], Status] | None


@dataclass(frozen=True)
class Step:
    """One line of B3; a target of None leaves the status as it is."""

    name: str
    states: frozenset[Status | None]
    action: Action
    by: By
    target: Target

    def is_open(self, status: Status | None, route: Route) -> bool:
        """Whether the step exists in `status` on `route`; an approver needs their level (A-20)."""
        return status in self.states and (self.by.level is None or self.by.level in route.levels)

    def lands_on(self, route: Route, current: Status | None) -> Status:
        """The status after the step on `route`."""
        after = self.target(route) if callable(self.target) else self.target or current
        assert after is not None, "only SUBMIT starts from nothing, and it has a target"
        return after


def _in(*states: Status | None) -> frozenset[Status | None]:
    return frozenset(states)


_S = Status
_DEALERS_HAND = _in(
    _S.STAFF_REMANDED, _S.STORE_PENDING, _S.STORE_REMANDED, _S.HQ_PENDING, _S.HQ_REMANDED,
    _S.REQUESTED,
)  # fmt: skip
_TFCS_HAND = _in(_S.TFC_PROCESSING, _S.TFC_HOLD, _S.TFC_CONTACT)


def _after(level: Level) -> Callable[[Route], Status]:
    return lambda route: route.after(level)


def _before(level: Level) -> Callable[[Route], Status]:
    return lambda route: route.before(level)


# fmt: off
STEPS = (
    Step("T1", _in(None), Action.SUBMIT, By.ORIGINATOR, Route.first),
    Step("T2", _in(_S.STORE_PENDING), Action.APPROVE, By.STORE_APPROVER, _after(Level.STORE)),
    Step("T3", _in(_S.STORE_PENDING), Action.REMAND, By.STORE_APPROVER, _before(Level.STORE)),
    Step("T4", _in(_S.HQ_PENDING), Action.APPROVE, By.HQ_APPROVER, _after(Level.HQ)),
    Step("T5", _in(_S.HQ_PENDING), Action.REMAND, By.HQ_APPROVER, _before(Level.HQ)),
    Step("T6", _in(_S.STORE_REMANDED), Action.APPROVE, By.STORE_APPROVER, _after(Level.STORE)),
    Step("T7", _in(_S.STORE_REMANDED), Action.REMAND, By.STORE_APPROVER, _before(Level.STORE)),
    Step("T8", _in(_S.HQ_REMANDED), Action.APPROVE, By.HQ_APPROVER, _after(Level.HQ)),
    Step("T9", _in(_S.HQ_REMANDED), Action.REMAND, By.HQ_APPROVER, _before(Level.HQ)),
    Step("T10", _DEALERS_HAND, Action.CORRECT, By.ORIGINATOR, Route.first),
    Step("T11", _DEALERS_HAND, Action.WITHDRAW, By.ORIGINATOR, _S.WITHDRAWN),
    Step("T12", _in(_S.REQUESTED), Action.ACCEPT, By.TFC, _S.TFC_PROCESSING),
    Step("T13", _in(_S.TFC_PROCESSING, _S.TFC_CONTACT), Action.HOLD, By.TFC, _S.TFC_HOLD),
    Step("T14", _in(_S.TFC_HOLD), Action.RELEASE, By.TFC, _S.TFC_PROCESSING),
    Step("T15", _in(_S.TFC_PROCESSING, _S.TFC_HOLD), Action.START_CONTACT, By.TFC, _S.TFC_CONTACT),
    Step("T16", _in(_S.TFC_CONTACT), Action.FINISH_CONTACT, By.TFC, _S.TFC_PROCESSING),
    Step("T17", _TFCS_HAND, Action.REMAND, By.TFC, Route.before_tfc),
    Step("T18", _TFCS_HAND, Action.COMPLETE, By.TFC, _S.COMPLETED),
    Step("T21", _in(_S.HQ_PENDING, _S.HQ_REMANDED), Action.EDIT_DEALER_NOTE, By.HQ_APPROVER, None),
    Step("T22", _DEALERS_HAND, Action.TAKE_OVER, By.HEADQUARTERS, Route.with_originator),
)
# fmt: on


def holder(status: Status, route: Route) -> By:
    """In whose hand an application in `status` lies; TFC also holds what is decided."""
    if route.is_with_originator(status):
        return By.ORIGINATOR
    level = route.holder(status)
    return By.TFC if level is None else _APPROVER[level]


def check_step(
    facts: ReturnFacts | None, action: Action, actor: Actor, *, expected_version: int | None = None
) -> Step:
    """The step that `actor` may take, or the first refusal, top to bottom.

    No `facts`: nothing is originated yet. No `expected_version`: the version is not checked, as a
    screen asks that only wants to know what it may offer.
    """
    steps = [step for step in STEPS if step.action is action]
    _check_person(facts, steps, actor)
    if facts is not None:
        if facts.status in FINAL:
            raise ReturnAlreadyDecided(facts.status)
        if expected_version not in {None, facts.version}:
            message = f"他の方が先に更新しました（現在のステータス：{facts.status.label_ja}）"
            raise VersionConflict(facts.version, message, current_status=facts.status.value)
    status = facts.status if facts else None
    here = [step for step in steps if status in step.states]
    if not here:
        raise StepNotPossible(status)
    if facts is None:
        return here[0]
    people = {actor.user_id, actor.acting_for}
    if facts.originator_id in people and any(step.by.level for step in here):
        raise OwnItem
    mine = [s for s in here if actor.role in s.by.roles and s.is_open(status, facts.route)]
    if not mine:
        raise NotYourStep(status)
    return mine[0]


def _check_person(facts: ReturnFacts | None, steps: list[Step], actor: Actor) -> None:
    """Refuse an actor who does not see the application or never takes this action (404, 403)."""
    if facts is not None and not sees_return(
        actor,
        dealer_code=facts.dealer_code,
        store_code=facts.store_code,
        was_requested=facts.was_requested,
    ):
        raise ReturnNotVisible
    if not any(actor.role in step.by.roles for step in steps):
        raise RoleMayNot
    if actor.acting_for is not None and not any(step.by.level for step in steps):
        raise SubstituteMayNot
    is_own_item = facts is None or facts.originator_id == actor.user_id
    if not is_own_item and all(step.by is By.ORIGINATOR for step in steps):
        raise NotTheOriginator


def decide(facts: ReturnFacts | None, command: Command, actor: Actor) -> Outcome:
    """What `command` of `actor` changes; `facts` is None before the first sending.

    Raises a `Refusal` of return_refusals or free_text. Eligibility and form are checked apart.
    """
    version = None if isinstance(command, Submit) else command.expected_version
    step = check_step(facts, command.action, actor, expected_version=version)
    text, dealer_note = _words(command, actor)
    route, originator_id = _route_after(facts, command, actor)
    before = facts.status if facts else None
    after = step.lands_on(route, before)
    remanded = step.action is Action.REMAND
    return Outcome(
        step=step.name,
        status=after,
        route=route,
        originator_id=originator_id,
        moves=step.target is not None,
        approvals_voided=_voided(facts, after, route),
        remanded_by=step.by if remanded else None,
        remanded_to=holder(after, route) if remanded else None,
        text=text,
        dealer_note=dealer_note,
    )


def _words(command: Command, actor: Actor) -> tuple[str | None, str | None]:
    """Text and 貴社連絡欄 of a command, cleaned; refuse what is missing, too long or not theirs."""
    match command:
        case Remand(comment=comment, dealer_note=note):
            by_tfc = actor.role is Role.TFC
            text = clean_text(comment, limit=TFC_TEXT_CHARS if by_tfc else DEALER_TEXT_CHARS)
            if by_tfc and text is None:
                raise ReasonMissing
            if note is not None and actor.role is not Role.HQ:
                raise DealerNoteIsForHqApprover
            return text, clean_text(note, limit=DEALER_TEXT_CHARS)
        case Hold(reason=reason):
            text = clean_text(reason, limit=TFC_TEXT_CHARS)
            if text is None:
                raise ReasonMissing
            return text, None
        case FinishContact(message=message):
            text = clean_text(message, limit=TFC_TEXT_CHARS)
            if text is None:
                raise ContactMessageMissing
            return text, None
        case EditDealerNote(dealer_note=note):
            return None, clean_text(note, limit=DEALER_TEXT_CHARS) or ""
        case _:
            return None, None


def _route_after(facts: ReturnFacts | None, command: Command, actor: Actor) -> tuple[Route, str]:
    """Route and originator after `command`; only a sending or a take-over changes them (A-31).

    A correction is a new sending by its originator in the role that they have today.
    """
    if isinstance(command, Submit | Correct):
        return Route.of(command.setting, actor.role), actor.user_id
    assert facts is not None, "whatever is not SUBMIT was refused without facts"
    if isinstance(command, TakeOver):
        new = command.new_originator
        _check_new_originator(facts, new)
        return Route.of(command.setting, new.role), new.user_id
    return facts.route, facts.originator_id


def _check_new_originator(facts: ReturnFacts, new: NewOriginator) -> None:
    of_store = new.role in {Role.SALES, Role.MANAGER} and new.store_code == facts.store_code
    suitable = new.active and (of_store or new.role is Role.HQ)
    if not suitable or new.dealer_code != facts.dealer_code:
        raise NewOriginatorNotSuitable


def _voided(facts: ReturnFacts | None, after: Status, route: Route) -> tuple[Level, ...]:
    """The levels whose approval counted before the step and does not count after it."""
    if facts is None:
        return ()
    still = route.standing_approvals(after)
    return tuple(lv for lv in facts.route.standing_approvals(facts.status) if lv not in still)


@dataclass(frozen=True)
class Offer:
    """One action as a screen offers it: enabled, or with the reason why not."""

    action: Action
    refusal: Refusal | None

    @property
    def enabled(self) -> bool:
        """Whether the actor may take it now."""
        return self.refusal is None


def offers(facts: ReturnFacts, actor: Actor) -> tuple[Offer, ...]:
    """Every action that the actor's role can ever take on an application, as of now (D101, D105).

    Empty for an actor who does not see the application.
    """
    shown = []
    for action in Action:
        if action is Action.SUBMIT:
            continue
        try:
            check_step(facts, action, actor)
        except (RoleMayNot, ReturnNotVisible):
            continue
        except Refusal as refusal:
            shown.append(Offer(action, refusal))
        else:
            shown.append(Offer(action, None))
    return tuple(shown)
