"""Mail notices on the screen after a step."""

import pytest

from returns_service.rules.approval_route import ApprovalSetting, Route
from returns_service.rules.mail_notice import (
    ASK_APPROVER,
    Addresses,
    RemandComment,
    approver_notice,
    passed_on_comment,
    remand_notice,
)
from returns_service.rules.return_approval import Outcome, ReturnFacts, decide
from returns_service.rules.return_commands import Approve, Command, Correct, Remand, Submit
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor

from .actors import SATO, TANAKA, TFC, YAMADA

SETTINGS = {
    "none": ApprovalSetting(store_approval=False, hq_approval=False),
    "store": ApprovalSetting(store_approval=True, hq_approval=False),
    "hq": ApprovalSetting(store_approval=False, hq_approval=True),
    "both": ApprovalSetting(store_approval=True, hq_approval=True),
}


def step(
    status: Status, actor: Actor, command: Command, *, setting: str, originator: Actor = YAMADA
) -> Outcome:
    route = Route.of(SETTINGS[setting], originator.role)
    facts = ReturnFacts(
        "D01", "S10", originator.user_id, status, route, was_requested=True, version=1
    )
    return decide(facts, command, actor)


@pytest.mark.rule("D96")
@pytest.mark.parametrize(
    ("setting", "hint"),
    [("none", None), ("store", ASK_APPROVER), ("hq", ASK_APPROVER), ("both", ASK_APPROVER)],
)
def test_after_sending_the_originator_is_asked_to_notify_the_approver(
    setting: str, hint: str | None
) -> None:
    assert ASK_APPROVER == "承認者へ承認依頼のご連絡をお願いします"
    assert approver_notice(decide(None, Submit(setting=SETTINGS[setting]), YAMADA)) == hint
    again = Correct(expected_version=1, setting=SETTINGS[setting])
    assert approver_notice(step(Status.REQUESTED, YAMADA, again, setting=setting)) == hint


@pytest.mark.rule("D96", "D112")
def test_the_store_approver_is_asked_where_hq_comes_next_and_not_at_requested() -> None:
    approve = Approve(expected_version=1)
    assert (
        approver_notice(step(Status.STORE_PENDING, SATO, approve, setting="both")) == ASK_APPROVER
    )
    assert approver_notice(step(Status.STORE_PENDING, SATO, approve, setting="store")) is None
    assert approver_notice(step(Status.HQ_PENDING, TANAKA, approve, setting="both")) is None


ALL = Addresses("yamada@example.jp", "sato@example.jp", ("hq@example.jp",))
REMANDS = [
    ("店長→営業スタッフ", Status.STORE_PENDING, SATO, YAMADA, ALL, True),
    ("連絡先3 blank", Status.STORE_PENDING, SATO, YAMADA,
     Addresses(None, "sato@example.jp", ("hq@example.jp",)), False),
    ("本部→店長", Status.HQ_PENDING, TANAKA, YAMADA,
     Addresses(None, "sato@example.jp", ()), True),
    ("店長 left none", Status.HQ_PENDING, TANAKA, YAMADA,
     Addresses("yamada@example.jp", None, ("hq@example.jp",)), False),
    ("本部→店長 who originated", Status.HQ_PENDING, TANAKA, SATO,
     Addresses("sato@example.jp", None, ()), True),
    ("TFC→本部", Status.TFC_HOLD, TFC, YAMADA, Addresses(None, None, ("hq@example.jp",)),
     True),
    ("本部 not set", Status.TFC_HOLD, TFC, YAMADA,
     Addresses("yamada@example.jp", "sato@example.jp", ()), False),
    ("TFC→本部 who originated", Status.TFC_HOLD, TFC, TANAKA,
     Addresses("tanaka@example.jp", None, ()), True),
]  # fmt: skip


@pytest.mark.rule("D120")
@pytest.mark.parametrize(
    ("status", "actor", "originator", "addresses", "submit_new"),
    [row[1:] for row in REMANDS],
    ids=[row[0] for row in REMANDS],
)
def test_a_remand_says_whether_its_mail_will_be_sent(
    status: Status, actor: Actor, originator: Actor, addresses: Addresses, submit_new: bool
) -> None:
    remand = Remand(expected_version=1, comment="不備")
    hint = remand_notice(
        step(status, actor, remand, setting="both", originator=originator), addresses
    )
    assert hint is not None
    assert hint.mail_will_be_sent is submit_new
    assert ("別途連絡" in (hint.message or "")) is not submit_new


@pytest.mark.rule("D120")
def test_no_remand_no_hint() -> None:
    approve = step(Status.STORE_PENDING, SATO, Approve(expected_version=1), setting="both")
    assert remand_notice(approve, ALL) is None


@pytest.mark.rule("D120")
@pytest.mark.parametrize(
    ("remands", "comment"),
    [
        ([], None),
        ([(Status.REQUESTED, "受領日")], "受領日"),
        ([(Status.REQUESTED, "受領日"), (Status.HQ_REMANDED, None)], "受領日"),
        (
            [
                (Status.REQUESTED, "受領日"),
                (Status.HQ_REMANDED, None),
                (Status.STORE_REMANDED, None),
            ],
            "受領日",
        ),
        ([(Status.REQUESTED, "受領日"), (Status.HQ_REMANDED, "電話で確認を")], "電話で確認を"),
        ([(Status.HQ_PENDING, "前の回"), (Status.STORE_PENDING, None)], None),
    ],
)
def test_a_remand_passed_on_without_words_keeps_the_reason(
    remands: list[tuple[Status, str | None]], comment: str | None
) -> None:
    assert passed_on_comment([RemandComment(*remand) for remand in remands]) == comment
