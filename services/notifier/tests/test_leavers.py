"""Leavers: no access to the mail log, and no mail, with the reason in the ledger (C4)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from event_contracts.mail import MailSuppressed
from event_contracts.masters import StaffAccessChanged
from event_contracts.returns import ReturnCompleted, ReturnRemanded
from notifier_service.app import create_app
from notifier_service.recipients_client import NO_RETURN
from notifier_service.rules.recipients import (
    Facts,
    MailKind,
    RoundApprover,
    Suppression,
    recipients_for,
)
from notifier_service.rules.slip_mails import mail_of_move
from shared.testing.people import OTHER_HQ, TANAKA, bearer, verifier
from shared.tokens import principal_of

COMPLETED = {
    "completed_at": datetime(2025, 7, 7, 1, 0, tzinfo=UTC),
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}
YAMADA, SATO, HQ_MAIL = "yamada@d01.example", "sato@d01.example", "tanaka@d01.example"
LEFT_YAMADA = {"person_id": "D01-E101", "role": "sales", "mail": YAMADA, "left": True}
LEFT_SATO = {"person_id": "D01-E100", "role": "store", "mail": SATO, "left": True}


@pytest.mark.rule("D156")
async def test_a_leaver_reads_no_mails_until_they_come_back(notifier: Any) -> None:
    app = create_app(notifier.database, notifier.clock, principal_of(verifier()))
    base = "http://notifier/api/notifier/v1"

    async def access(*, active: bool) -> int:
        changed = StaffAccessChanged(dealer_id="D01", staff_code="H001", active=active)
        await notifier._arrives(changed, notifier.clock.now())
        return (await http.get("/mails", headers=bearer(TANAKA))).status_code

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as http:
        assert (await http.get("/mails", headers=bearer(TANAKA))).status_code == 200
        assert await access(active=False) == 403
        assert await access(active=False) == 403
        refused = await http.get("/mails", headers=bearer(TANAKA))
        assert refused.json()["code"] == "STAFF_DEACTIVATED"
        assert (await http.get("/mails", headers=bearer(OTHER_HQ))).status_code == 200
        assert await access(active=True) == 200


@pytest.mark.rule("D158")
async def test_a_remand_to_a_leaver_is_not_mailed_and_the_ledger_says_why(notifier: Any) -> None:
    notifier.knows(originator=LEFT_YAMADA)
    remand = {"from_level": "store", "to_level": "originator", "recipient_has_address": True}
    await notifier.receive(ReturnRemanded, **remand)
    await notifier.sender().send_due()
    assert notifier.host.written_to == []
    assert await notifier.ledger() == [("M3", "originator", "suppressed", "person_left")]
    emitted = await notifier.rows(
        "SELECT payload->>'reason', payload->>'person_left' FROM outbox"
        f" WHERE type = '{MailSuppressed.wire_type}'"
    )
    assert emitted == [("no_address", "true")]
    assert Suppression("person_left").label_ja == "宛先の方が退職"


@pytest.mark.rule("D158")
async def test_the_others_get_the_completion_mail_of_a_leaver(notifier: Any) -> None:
    notifier.knows(originator=LEFT_YAMADA)
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [SATO, HQ_MAIL]
    assert sorted(await notifier.ledger()) == [
        ("M1", "hq_approver", "sent", None),
        ("M1", "originator", "suppressed", "person_left"),
        ("M1", "store_approver", "sent", None),
    ]


@pytest.mark.rule("D158")
async def test_an_approver_who_left_gets_no_completion_mail(notifier: Any) -> None:
    notifier.knows(store_approver=LEFT_SATO, round_approvers=[LEFT_SATO])
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [YAMADA]
    assert ("M1", "store_approver", "suppressed", "person_left") in await notifier.ledger()


@pytest.mark.rule("D158")
@pytest.mark.parametrize(
    ("kind", "facts", "role"),
    [
        (MailKind.STALE, Facts(), "originator"),
        (MailKind.REMANDED, Facts(to_level="store"), "store_approver"),
        (MailKind.PASS_CONFIRMED, Facts(), "applicant"),
        (MailKind.SLIP_SETTLED, Facts(), "applicant"),
        (MailKind.SLIP_SUBMITTED, Facts(), "approver"),
        (MailKind.SUBMISSION_REQUESTED, Facts(), "applicant"),
    ],
)
def test_every_mail_to_one_person_stops_with_their_departure(
    kind: MailKind, facts: Facts, role: Any
) -> None:
    known = replace(
        NO_RETURN, originator="a@d01.example", store_approver="b@d01.example",
        applicant="c@d01.example", approver="d@d01.example",
    )  # fmt: skip
    [there] = recipients_for(kind, facts, known)
    assert (there.role, there.suppressed) == (role, None)
    [gone] = recipients_for(kind, facts, replace(known, left=frozenset({role})))
    assert gone.suppressed is Suppression.PERSON_LEFT


@pytest.mark.rule("D158")
def test_a_colleague_with_the_leavers_address_still_gets_theirs() -> None:
    shared = "store@d01.example"
    known = replace(
        NO_RETURN, completion_mail=True, originator=shared, left=frozenset({"originator"}),
        round_approvers=(RoundApprover("store", shared),),
    )  # fmt: skip
    found = recipients_for(MailKind.COMPLETED, Facts(), known)
    assert [one.suppressed for one in found] == [Suppression.PERSON_LEFT, None]


@pytest.mark.rule("D157")
def test_the_next_approver_is_asked_for_a_slip_that_was_handed_on() -> None:
    assert mail_of_move("hand_on", "pending") is MailKind.SLIP_SUBMITTED
