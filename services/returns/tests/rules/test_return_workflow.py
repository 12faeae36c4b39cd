"""The whole workflow against a transcription of the manual that knows nothing of the code."""

import csv
import io
import itertools

import pytest

from returns_service.return_workflow_diagram import (
    allowed_transitions,
    workflow_csv,
    workflow_mermaid,
)
from returns_service.rules.approval_route import SETTINGS, ApprovalSetting, Route
from returns_service.rules.return_approval import ReturnFacts, decide
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
from returns_service.rules.return_status import ORIGINATORS, Status
from returns_service.rules.return_visibility import Actor
from shared.errors import Refusal
from shared.roles import Role

# Store and HQ approval on or off, originator, then where each step leads:
#   first   after 送信        store+ / store-  the store approver approves / remands
#   tfc-    TFC remands       hq+ / hq-        the HQ approver approves / remands
# - : there is no such step.
LEADS_TO = """
store hq originator | first     | store+   | store-   | hq+  | hq-      | tfc-
  0    0  sales     | 依頼中    | -        | -        | -    | -        | 担当者差戻
  0    0  manager   | 依頼中    | -        | -        | -    | -        | 店舗差戻
  0    0  hq        | 依頼中    | -        | -        | -    | -        | 本部差戻
  1    0  sales     | 店舗手続中 | 依頼中   | 担当者差戻 | -    | -        | 店舗差戻
  1    0  manager   | 依頼中    | -        | -        | -    | -        | 店舗差戻
  1    0  hq        | 依頼中    | -        | -        | -    | -        | 本部差戻
  0    1  sales     | 本部手続中 | -        | -        | 依頼中 | 担当者差戻 | 本部差戻
  0    1  manager   | 本部手続中 | -        | -        | 依頼中 | 店舗差戻   | 本部差戻
  0    1  hq        | 依頼中    | -        | -        | -    | -        | 本部差戻
  1    1  sales     | 店舗手続中 | 本部手続中 | 担当者差戻 | 依頼中 | 店舗差戻   | 本部差戻
  1    1  manager   | 本部手続中 | -        | -        | 依頼中 | 店舗差戻   | 本部差戻
  1    1  hq        | 依頼中    | -        | -        | -    | -        | 本部差戻
"""
SHORT = {
    "担当者差戻": "担当者手続中（差戻）",
    "店舗手続中": "店舗承認者手続中",
    "店舗差戻": "店舗承認者手続中（差戻）",
    "本部手続中": "本部承認者手続中",
    "本部差戻": "本部承認者手続中（差戻）",
    "依頼中": "依頼中",
}
PROCESSING = "TFC対応中（取下げ・訂正NG）"
HOLD = "TFC対応保留"
CONTACT = "TFC連絡事項入力中"
TFC_STEPS = (
    ("依頼中", "accept", PROCESSING),
    (PROCESSING, "hold", HOLD),
    (CONTACT, "hold", HOLD),
    (HOLD, "release", PROCESSING),
    (PROCESSING, "start_contact", CONTACT),
    (HOLD, "start_contact", CONTACT),
    (CONTACT, "finish_contact", PROCESSING),
    (PROCESSING, "complete", "完了"),
    (HOLD, "complete", "完了"),
    (CONTACT, "complete", "完了"),
)

Row = tuple[str, str, str, str, str, str, str]


def _rows_of(line: str) -> set[Row]:
    """The rows of one line of LEADS_TO: 依頼中, TFC's steps, the approvers', the originator's."""
    key, *cells = line.split("|")
    store, hq, originator = key.split()
    first, store_ok, store_back, hq_ok, hq_back, tfc_back = (SHORT.get(c.strip()) for c in cells)
    steps: set[tuple[str, str, str, str | None]] = {("未起票", "submit", "originator", first)}
    steps |= {(state, action, "tfc", after) for state, action, after in TFC_STEPS}
    steps |= {(state, "remand", "tfc", tfc_back) for state in (PROCESSING, HOLD, CONTACT)}
    if store_ok:
        for state in (SHORT["店舗手続中"], SHORT["店舗差戻"]):
            steps |= {(state, "approve", "manager", store_ok)}
            steps |= {(state, "remand", "manager", store_back)}
    if hq_ok:
        for state in (SHORT["本部手続中"], SHORT["本部差戻"]):
            steps |= {(state, "approve", "hq", hq_ok), (state, "remand", "hq", hq_back)}
    dealers = {str(after) for *_, after in steps} & set(SHORT.values())
    for state in sorted(dealers):
        steps |= {
            (state, "correct", "originator", first),
            (state, "withdraw", "originator", "取下げ"),
        }
    return {(store, hq, originator, s, action, by, str(to)) for s, action, by, to in steps}


ORACLE: set[Row] = {row for line in LEADS_TO.strip().splitlines()[1:] for row in _rows_of(line)}


def test_the_transcription_itself_has_264_rows() -> None:
    assert len(ORACLE) == 264


@pytest.mark.rule("D95", "D112", "D116", "D117", "D118", "D119", "D121", "D122", "D123")
def test_the_csv_lists_exactly_the_transitions_of_the_manual() -> None:
    header, *rows = csv.reader(io.StringIO(workflow_csv()))
    assert ",".join(header) == "store_approval,hq_approval,originator,state,action,actor,next"
    assert {tuple(row) for row in rows} == ORACLE
    assert len(rows) == 264


@pytest.mark.rule("D149")
def test_headquarters_never_waits_for_itself() -> None:
    """So that its approval is asked for by mail only where a store originated (B2, A-21)."""
    waits = {
        (t.setting, t.originator) for t in allowed_transitions() if t.next is Status.HQ_PENDING
    }
    assert waits == {
        (setting, originator)
        for setting in SETTINGS
        for originator in (Role.SALES, Role.MANAGER)
        if setting.hq_approval
    }


def test_the_diagram_of_one_setting_names_its_states_and_draws_its_arrows() -> None:
    neither = ApprovalSetting(store_approval=False, hq_approval=False)
    diagram = workflow_mermaid(neither, Role.HQ)
    assert diagram.startswith("stateDiagram-v2\n")
    assert '    state "本部承認者手続中（差戻）" as HQ_REMANDED\n' in diagram
    assert "    TFC_HOLD --> HQ_REMANDED : remand (tfc)\n" in diagram
    assert "STORE_PENDING" not in diagram
    assert diagram.count(" : ") == 18
    assert diagram.endswith("    WITHDRAWN --> [*]\n")


def test_the_diagram_of_everything_draws_each_arrow_once() -> None:
    arrows = [line for line in workflow_mermaid().splitlines() if " : " in line]
    drawn = {(t.state, t.next, t.action, t.actor) for t in allowed_transitions()}
    assert len(arrows) == len(set(arrows)) == len(drawn)


def command_of(action: Action, setting: ApprovalSetting) -> Command:
    """A command for `action` with everything that it must carry, on version 7."""
    new = NewOriginator("E102", Role.SALES, "D01", "S10", active=True)
    commands: dict[Action, Command] = {
        Action.SUBMIT: Submit(setting=setting),
        Action.APPROVE: Approve(expected_version=7),
        Action.REMAND: Remand(expected_version=7, comment="受領日を確認してください"),
        Action.CORRECT: Correct(expected_version=7, setting=setting),
        Action.WITHDRAW: Withdraw(expected_version=7),
        Action.ACCEPT: Accept(expected_version=7),
        Action.HOLD: Hold(expected_version=7, reason="書類待ち"),
        Action.RELEASE: Release(expected_version=7),
        Action.START_CONTACT: StartContact(expected_version=7),
        Action.FINISH_CONTACT: FinishContact(expected_version=7, message="書類が届きました"),
        Action.COMPLETE: Complete(expected_version=7),
        Action.EDIT_DEALER_NOTE: EditDealerNote(expected_version=7, dealer_note="至急"),
        Action.TAKE_OVER: TakeOver(expected_version=7, setting=setting, new_originator=new),
    }
    return commands[action]


PEOPLE = {
    "山田": Actor("E101", Role.SALES, "D01", "S10"),
    "同僚": Actor("E102", Role.SALES, "D01", "S10"),
    "佐藤": Actor("M100", Role.MANAGER, "D01", "S10"),
    "店長2": Actor("M101", Role.MANAGER, "D01", "S10"),
    "田中": Actor("H001", Role.HQ, "D01"),
    "本部2": Actor("H002", Role.HQ, "D01"),
    "TFC": Actor("tfc", Role.TFC),
    "同僚 for 佐藤": Actor("E102", Role.MANAGER, "D01", "S10", acting_for="M100"),
    "山田 for 佐藤": Actor("E101", Role.MANAGER, "D01", "S10", acting_for="M100"),
    "店長2 for 田中": Actor("M101", Role.HQ, "D01", acting_for="H001"),
    "高橋": Actor("M200", Role.MANAGER, "D01", "S20"),
    "鈴木": Actor("E201", Role.SALES, "D01", "S20"),
    "他社": Actor("H001", Role.HQ, "D02"),
}
ORIGINATOR = {Role.SALES: "山田", Role.MANAGER: "佐藤", Role.HQ: "田中"}
OF_STORE = {"佐藤", "店長2", "同僚 for 佐藤", "山田 for 佐藤"}
OF_HQ = {"田中", "本部2", "店長2 for 田中"}


OUTSIDE_WORKFLOW = {Action.EDIT_DEALER_NOTE, Action.TAKE_OVER}
REFUSALS = {
    "RETURN_NOT_VISIBLE",
    "ROLE_MAY_NOT",
    "SUBSTITUTE_MAY_NOT",
    "NOT_THE_ORIGINATOR",
    "RETURN_ALREADY_DECIDED",
    "STEP_NOT_POSSIBLE",
    "NOT_YOUR_STEP",
    "OWN_ITEM",
}


def _may_act(name: str, by: str, originator: str) -> bool:
    """Whether a person is one whom the manual lets act `by` that capacity."""
    if by == "originator":
        return name == originator
    if by == "tfc":
        return name == "TFC"
    actor, owner = PEOPLE[name], PEOPLE[originator].user_id
    is_own = owner in {actor.user_id, actor.acting_for}
    return not is_own and name in (OF_STORE if by == "manager" else OF_HQ)


def _tried(facts: ReturnFacts | None, command: Command, actor: Actor) -> str:
    """The status reached, by its Japanese name, or the code of the refusal."""
    try:
        return decide(facts, command, actor).status.label_ja
    except Refusal as refusal:
        return refusal.code


@pytest.mark.rule("D1", "D2", "D111", "D112", "D116", "D117", "D118", "D119", "D121", "D123")
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("originator", ORIGINATORS)
def test_everybody_tries_everything_everywhere(setting: ApprovalSetting, originator: Role) -> None:
    """Every status × action × person is decided as the manual says, or refused with a name."""
    owner = ORIGINATOR[originator]
    mine = (str(int(setting.store_approval)), str(int(setting.hq_approval)), originator.value)
    rows = [row[3:] for row in ORACLE if row[:3] == mine]
    for status, action, name in itertools.product(Status, Action, PEOPLE):
        route = Route.of(setting, originator)
        facts = ReturnFacts("D01", "S10", PEOPLE[owner].user_id, status, route, True, 7)  # noqa: FBT003 - was_requested
        result = _tried(facts, command_of(action, setting), PEOPLE[name])
        allowed = {
            after
            for state, verb, by, after in rows
            if (state, verb) == (status.label_ja, action) and _may_act(name, by, owner)
        }
        if allowed:
            assert {result} == allowed, (status, action, name)
        elif action not in OUTSIDE_WORKFLOW and status.label_ja in {row[3] for row in rows}:
            assert result in REFUSALS, (status, action, name)
        else:
            # Unreachable, or no part of the 264: still an answer, never a crash.
            assert result in REFUSALS | {s.label_ja for s in Status}


@pytest.mark.rule("D82")
def test_submit_is_open_to_the_three_roles_of_a_dealer_and_closed_to_tfc() -> None:
    both = SETTINGS[3]
    first = {
        name: decide(None, Submit(setting=both), PEOPLE[name]).status.label_ja
        for name in ("山田", "佐藤", "田中")
    }
    assert first == {"山田": "店舗承認者手続中", "佐藤": "本部承認者手続中", "田中": "依頼中"}
    with pytest.raises(Refusal) as refused:
        decide(None, Submit(setting=both), PEOPLE["TFC"])
    assert (refused.value.code, refused.value.kind) == ("ROLE_MAY_NOT", "forbidden")
