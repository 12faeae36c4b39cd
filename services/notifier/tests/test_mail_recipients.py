"""Mail recipients: the tables of A15, without a database."""

from dataclasses import replace
from typing import Any

import pytest

from event_contracts.returns import Status
from notifier_service.rules.recipients import (
    Facts,
    MailKind,
    ReturnSnapshot,
    RoundApprover,
    Suppression,
    mail_of_status,
    recipients_for,
    suppression,
)

YAMADA, SATO, TANAKA = "yamada@d01.example", "sato@d01.example", "tanaka@d01.example"
BOTH_APPROVED = (RoundApprover("store", SATO), RoundApprover("hq", None))
KNOWN = ReturnSnapshot(
    status="COMPLETED",
    status_version=9,
    completion_mail=True,
    originator=YAMADA,
    store_approver=SATO,
    hq_approvers=[TANAKA],
    round_approvers=BOTH_APPROVED,
)
STATUSES: tuple[str, ...] = Status.__args__  # type: ignore[attr-defined]


def sent_to(kind: MailKind, known: ReturnSnapshot, facts: Facts = Facts()) -> list[str]:  # noqa: B008
    if suppression(kind, facts, known):
        return []
    return [str(a.address) for a in recipients_for(kind, facts, known) if a.suppressed is None]


@pytest.mark.rule("D146")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [YAMADA, SATO, TANAKA]),
        ({"completion_mail": False}, []),
        ({"originator": None}, []),
        ({"originator": ""}, []),
        ({"originator": None, "completion_mail": False}, []),
        ({"round_approvers": ()}, [YAMADA]),
        ({"round_approvers": BOTH_APPROVED[:1]}, [YAMADA, SATO]),
        ({"round_approvers": BOTH_APPROVED[1:]}, [YAMADA, TANAKA]),
        ({"round_approvers": (RoundApprover("store", None), BOTH_APPROVED[1])}, [YAMADA, TANAKA]),
        ({"hq_approvers": []}, [YAMADA, SATO]),
        (
            {"hq_approvers": [TANAKA, "honda@d01.example"]},
            [YAMADA, SATO, TANAKA, "honda@d01.example"],
        ),
        ({"hq_approvers": [SATO, TANAKA]}, [YAMADA, SATO, TANAKA]),
        ({"hq_approvers": [YAMADA.upper()]}, [YAMADA, SATO]),
    ],
    ids=[
        "all three",
        "box unticked",
        "no address of the originator: none at all",
        "an empty address is none",
        "neither address nor tick",
        "no approval in this dealer",
        "store approval only",
        "HQ approval only",
        "a store approver without address",
        "no HQ address",
        "two HQ addresses",
        "the manager is an HQ approver too: one mail",
        "the same address in other letters: one mail",
    ],
)
def test_completion_goes_to_everybody_of_the_last_round(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert sent_to(MailKind.COMPLETED, replace(KNOWN, **changes)) == expected


@pytest.mark.rule("D146")
def test_each_one_left_out_has_a_reason() -> None:
    known = replace(
        KNOWN,
        hq_approvers=[SATO, TANAKA],
        round_approvers=(
            RoundApprover("store", SATO),
            RoundApprover("store", None),
            RoundApprover("hq", None),
        ),
    )
    assert [
        (a.role, a.place, a.suppressed) for a in recipients_for(MailKind.COMPLETED, Facts(), known)
    ] == [
        ("originator", 1, None),
        ("store_approver", 1, None),
        ("store_approver", 2, Suppression.NO_ADDRESS),
        ("hq_approver", 1, Suppression.DUPLICATE),
        ("hq_approver", 2, None),
    ]


STAY = Facts(status_version=4)


@pytest.mark.rule("D147")
@pytest.mark.parametrize("status", STATUSES)
def test_the_originator_is_reminded_in_five_statuses(status: str) -> None:
    known = replace(KNOWN, status=status, status_version=4, completion_mail=False)
    stale = {"STORE_PENDING", "HQ_PENDING", "STAFF_REMANDED", "STORE_REMANDED", "HQ_REMANDED"}
    assert sent_to(MailKind.STALE, known, STAY) == ([YAMADA] if status in stale else [])


@pytest.mark.rule("D147")
def test_a_stale_stay_needs_the_originators_address() -> None:
    known = replace(KNOWN, status="HQ_PENDING", status_version=4, originator=None)
    [nobody] = recipients_for(MailKind.STALE, STAY, known)
    assert nobody.suppressed is Suppression.NO_ADDRESS


@pytest.mark.rule("D147", "D151")
def test_a_stay_that_ended_is_not_stale_even_if_the_status_is_the_same_again() -> None:
    known = replace(KNOWN, status="HQ_PENDING", status_version=5)
    assert suppression(MailKind.STALE, STAY, known) is Suppression.STATUS_LEFT
    assert suppression(MailKind.APPROVAL_STALE, STAY, known) is Suppression.STATUS_LEFT
    assert suppression(MailKind.STALE, STAY, replace(known, status_version=4)) is None


@pytest.mark.rule("D148")
@pytest.mark.parametrize(
    ("from_level", "to_level", "expected"),
    [
        ("tfc", "hq", TANAKA),
        ("hq", "store", SATO),
        ("store", "originator", YAMADA),
        ("hq", "originator", YAMADA),
        ("tfc", "store", SATO),
        ("tfc", "originator", YAMADA),
    ],
)
def test_a_remand_is_mailed_to_its_receiver(from_level: str, to_level: str, expected: str) -> None:
    facts = Facts(from_level=from_level, to_level=to_level)
    assert sent_to(MailKind.REMANDED, KNOWN, facts) == [expected]
    nobody = replace(KNOWN, originator=None, store_approver=None, hq_approvers=[])
    assert sent_to(MailKind.REMANDED, nobody, facts) == []


@pytest.mark.rule("D149")
@pytest.mark.parametrize("status", STATUSES)
def test_only_entering_hq_pending_asks_for_an_approval(status: str) -> None:
    expected = MailKind.APPROVAL_REQUESTED if status == "HQ_PENDING" else None
    assert mail_of_status(status, store_notice=False) == expected


@pytest.mark.rule("D96")
@pytest.mark.parametrize("status", STATUSES)
def test_entering_store_pending_is_mailed_if_the_dealer_wants_notices(status: str) -> None:
    expected = MailKind.STORE_NOTICE if status == "STORE_PENDING" else None
    if status != "HQ_PENDING":
        assert mail_of_status(status, store_notice=True) == expected
    assert mail_of_status(status, store_notice=False) is not MailKind.STORE_NOTICE


@pytest.mark.parametrize(
    ("changes", "expected", "reason"),
    [
        ({}, [SATO, TANAKA], None),
        ({"store_approver": None, "originator": None}, [SATO, TANAKA], None),
        ({"store_approvers": [SATO, SATO.upper()]}, [SATO], None),
        ({"store_approvers": []}, [], None),
        ({"store_notice": False}, [], Suppression.OPTED_OUT),
        ({"status_version": 5}, [], Suppression.STATUS_LEFT),
        ({"status": "HQ_PENDING"}, [], Suppression.STATUS_LEFT),
    ],
    ids=[
        "everybody who may approve",
        "who approved before does not matter",
        "one mail for one address",
        "no address was left",
        "the dealer changed their mind",
        "the same status entered again",
        "approved in the meantime",
    ],
)
def test_the_notice_goes_to_who_may_approve_at_the_store(
    changes: dict[str, Any], expected: list[str], reason: Suppression | None
) -> None:
    known = replace(
        KNOWN,
        status="STORE_PENDING",
        status_version=4,
        store_approver=YAMADA,
        store_notice=True,
        store_approvers=[SATO, TANAKA],
    )
    known = replace(known, **changes)
    assert suppression(MailKind.STORE_NOTICE, STAY, known) is reason
    assert sent_to(MailKind.STORE_NOTICE, known, STAY) == expected


@pytest.mark.rule("D149", "D153")
@pytest.mark.parametrize("kind", [MailKind.APPROVAL_REQUESTED, MailKind.APPROVAL_STALE])
def test_the_hq_approvers_are_those_of_the_approval_flow(kind: MailKind) -> None:
    known = replace(KNOWN, status="HQ_PENDING", status_version=4)
    assert sent_to(kind, known, STAY) == [TANAKA]
    assert sent_to(kind, replace(known, hq_approvers=[]), STAY) == []
    assert sent_to(kind, replace(known, hq_approvers=[""]), STAY) == []
    assert sent_to(kind, replace(known, originator=None), STAY) == [TANAKA]


@pytest.mark.rule("D150")
@pytest.mark.parametrize("status", STATUSES)
def test_only_hq_pending_lets_an_approval_grow_stale(status: str) -> None:
    known = replace(KNOWN, status=status, status_version=4)
    expected = [TANAKA] if status == "HQ_PENDING" else []
    assert sent_to(MailKind.APPROVAL_STALE, known, STAY) == expected
