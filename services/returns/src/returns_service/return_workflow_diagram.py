"""Workflow diagram: the transitions allowed over every setting and originator (B2, B3).

Walks `STEPS` from the first sending; prints the result as CSV and as a Mermaid diagram. Take-over
(T22) and notes (T21) are no part of the workflow.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from returns_service.rules.approval_route import SETTINGS, ApprovalSetting, Route
from returns_service.rules.return_approval import STEPS, By
from returns_service.rules.return_commands import Action
from returns_service.rules.return_status import FINAL, ORIGINATORS, Status
from shared.roles import Role

BEFORE_FIRST = "未起票"
COLUMNS = (
    "store_approval", "hq_approval", "originator", "state", "action", "actor", "next",
)  # fmt: skip
_WORKFLOW = tuple(s for s in STEPS if s.action not in {Action.TAKE_OVER, Action.EDIT_DEALER_NOTE})


@dataclass(frozen=True)
class Transition:
    """One allowed transition; `state` is None before the first sending."""

    setting: ApprovalSetting
    originator: Role
    state: Status | None
    action: Action
    actor: By
    next: Status


def allowed_transitions() -> tuple[Transition, ...]:
    """Every allowed transition, by setting, originator, state and step: 264 of them."""
    return tuple(
        transition
        for setting in SETTINGS
        for originator in ORIGINATORS
        for transition in _transitions(setting, originator)
    )


def _transitions(setting: ApprovalSetting, originator: Role) -> Iterator[Transition]:
    """The transitions between the states that one setting and originator can reach at all."""
    route = Route.of(setting, originator)
    reached: dict[Status | None, list[Transition]] = {}
    ahead: list[Status | None] = [None]
    while ahead:
        state = ahead.pop()
        if state in reached:
            continue
        reached[state] = [
            Transition(setting, originator, state, s.action, s.by, s.lands_on(route, state))
            for s in _WORKFLOW
            if s.is_open(state, route)
        ]
        ahead += [transition.next for transition in reached[state]]
    for state in (None, *Status):
        yield from reached.get(state, ())


def _named(state: Status | None) -> str:
    return state.label_ja if state else BEFORE_FIRST


def workflow_csv() -> str:
    """All transitions as CSV with a header, lines end with LF, states by their Japanese names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        (
            int(t.setting.store_approval),
            int(t.setting.hq_approval),
            t.originator.value,
            _named(t.state),
            t.action.value,
            t.actor.value,
            _named(t.next),
        )
        for t in allowed_transitions()
    )
    return out.getvalue()


def workflow_mermaid(setting: ApprovalSetting | None = None, originator: Role | None = None) -> str:
    """The transitions as a Mermaid state diagram: of one setting, one originator, or all in one."""
    chosen = [
        t
        for t in allowed_transitions()
        if setting in {None, t.setting} and originator in {None, t.originator}
    ]
    shown = {t.next for t in chosen}
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{s.label_ja}" as {s.value}' for s in Status if s in shown]
    # One arrow for transitions that only differ by setting or originator, in order of appearance.
    arrows = dict.fromkeys((t.state, t.next, t.action, t.actor) for t in chosen)
    lines += [
        f"    {state.value if state else '[*]'} --> {to.value} : {action.value} ({actor.value})"
        for state, to, action, actor in arrows
    ]
    lines += [f"    {s.value} --> [*]" for s in Status if s in shown & FINAL]
    return "\n".join(lines) + "\n"
