"""Leavers: no access, their applications marked and handed on, no mail promised (C4, A-22)."""

from typing import Any

import pytest

from event_contracts.mail import MailSuppressed
from event_contracts.masters import StaffUpdated
from shared.auth import Principal
from shared.testing.people import (
    COLLEAGUE,
    NOTIFIER,
    SATO,
    SUZUKI,
    TANAKA,
    TFC,
    YAMADA,
)

from .conftest import ReturnsApi, registered


def member(who: Principal, *, active: bool) -> StaffUpdated:
    return StaffUpdated(
        dealer_id=who.dealer or "",
        staff_code=who.staff_code or "",
        name=who.name,
        store_code=who.store,
        role=next(iter(who.roles)).value,
        active=active,
    )


async def marked(returns: ReturnsApi, who: Principal = TANAKA) -> dict[str, str]:
    """The applications marked in the list; the filter of the work list must find the same."""
    rows = (await returns(who).get("/applications")).json()["items"]
    found = {row["application_id"]: row["departed"]["code"] for row in rows if row["departed"]}
    filtered = (await returns(who).get("/applications", left=True)).json()["items"]
    assert {row["application_id"] for row in filtered} == found.keys()
    counts = (await returns(who).get("/work")).json()["counts"]
    if who is TANAKA:
        assert [c["count"] for c in counts if c["key"] == "left"] == [len(found)] * bool(found)
    for application_id, code in found.items():
        opened = (await returns(who).get(f"/applications/{application_id}")).json()
        assert opened["departed"]["code"] == code
    return found


@pytest.mark.rule("D156")
async def test_a_leaver_neither_submits_nor_reads_until_they_come_back(returns: ReturnsApi) -> None:
    await returns.receive(member(YAMADA, active=False))
    for answer in (
        await returns(YAMADA).submit(),
        await returns(YAMADA).get("/applications"),
        await returns(YAMADA).get("/work"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "STAFF_DEACTIVATED")
    assert await returns.rows("SELECT * FROM application") == []
    assert (await returns(COLLEAGUE).get("/applications")).status_code == 200
    await returns.receive(member(YAMADA, active=True))
    assert (await returns(YAMADA).submit()).status_code == 201


@pytest.mark.rule("D157")
async def test_headquarters_sees_and_takes_over_what_a_leaver_originated(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    assert await marked(returns) == {}
    await returns.receive(member(YAMADA, active=False))
    assert await marked(returns) == {application_id: "ORIGINATOR_LEFT"}
    assert await marked(returns, SATO) == {application_id: "ORIGINATOR_LEFT"}
    taken = await returns(TANAKA).step(application_id, "take-over", new_originator_id="D01-E102")
    assert taken.status_code == 200, taken.text
    assert await marked(returns) == {}


@pytest.mark.rule("D157")
async def test_what_tfc_holds_or_has_finished_needs_nobody(returns: ReturnsApi) -> None:
    await returns.set_flow(store=False, hq=False)
    application_id = await returns.submit_new()
    await returns.receive(member(YAMADA, active=False))
    assert await marked(returns) == {application_id: "ORIGINATOR_LEFT"}
    await returns.take_steps(application_id, (TFC, "acceptance"))
    assert await marked(returns) == {}
    rows = (await returns(TFC).get("/applications", left=True)).json()["items"]
    assert rows == []


@pytest.mark.rule("D157")
async def test_a_store_whose_manager_left_is_marked_until_somebody_can_approve(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    await returns.receive(registered("C-2001", store="S20"))
    elsewhere = await returns.submit_new(SUZUKI, "C-2001")
    substitute = {"substitute_id": "D01-E102", "from_on": "2025-07-15", "to_on": "2025-07-20"}
    named = await returns(SATO).send("POST", "/substitutes", substitute)
    assert named.status_code == 201, named.text
    await returns.receive(member(SATO, active=False))
    assert await marked(returns) == {}  # 伊藤 stands in
    [row] = (await returns(TANAKA).get("/substitutes")).json()["items"]
    assert (row["approver_left"], row["substitute_left"]) == (True, False)
    await returns.receive(member(COLLEAGUE, active=False))
    assert await marked(returns) == {application_id: "APPROVER_LEFT"}
    [row] = (await returns(TANAKA).get("/substitutes")).json()["items"]
    assert (row["approver_left"], row["substitute_left"]) == (True, True)
    await returns.receive(member(SATO, active=True))
    assert await marked(returns) == {}
    assert (await returns(SUZUKI).get(f"/applications/{elsewhere}")).json()["departed"] is None


@pytest.mark.rule("D158")
async def test_a_remand_promises_no_mail_to_a_leaver(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.receive(member(YAMADA, active=False))
    path = f"/applications/{application_id}/consequence"
    before = (await returns(SATO).get(path, step="remand")).json()
    assert (before["mail"], "退職" in before["message"]) == (False, True)
    done = (await returns(SATO).step(application_id, "remand", comment="確認のため")).json()
    assert done["mail_will_be_sent"] is False
    assert "退職" in done["notices"][0]["label"]
    known = await recipients(returns, application_id)
    assert (known["originator"]["left"], known["originator"]["mail"]) == (True, "yamada@example.jp")


@pytest.mark.rule("D158")
async def test_approvers_who_left_are_marked_and_the_others_are_not(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"), (TANAKA, "approval"))
    await returns.receive(member(SATO, active=False))
    known = await recipients(returns, application_id)
    assert known["store_approver"]["left"]
    assert [one["left"] for one in known["round_approvers"]] == [True, False]
    assert not known["originator"]["left"]


@pytest.mark.rule("D158")
async def test_the_history_says_why_a_leaver_got_no_mail(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.receive(
        MailSuppressed(
            dealer_id="D01",
            mail_id="m1",
            subject_id=application_id,
            mail_kind="M3",
            recipient_role="originator",
            reason="no_address",
            person_left=True,
        )
    )
    history = (await returns(TANAKA).get(f"/applications/{application_id}")).json()["history"]
    label = "差戻しメールを起票者へ送信していません（宛先の方が退職）"
    assert history[-1]["label"] == label


async def recipients(returns: ReturnsApi, application_id: str) -> dict[str, Any]:
    answer = await returns(NOTIFIER).get(f"/internal/applications/{application_id}/recipients")
    found: dict[str, Any] = answer.json()
    return found
