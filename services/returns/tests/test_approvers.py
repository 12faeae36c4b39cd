"""承認フロー設定, 代理承認, bulk approval, and the recipients that the notifier reads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from event_contracts.returns import ApprovalFlowUpdated, ReturnApproved, ReturnStatusChanged
from shared.auth import Principal
from shared.testing.people import (
    COLLEAGUE,
    NOTIFIER,
    OTHER_HQ,
    SATO,
    SUZUKI,
    TAKAHASHI,
    TANAKA,
    TFC,
    YAMADA,
)

from .conftest import FORM, OTHER_SALES, RETURNED, ReturnsApi, T, registered

FLOW = {"store_approval": False, "hq_approval": True, "hq_mails": ["a@d01.example.jp"]}


@pytest.mark.rule("D153")
async def test_headquarters_sets_the_flow(returns: ReturnsApi) -> None:
    put = await returns(TANAKA).send("PUT", "/approval-flow", FLOW, version=1)
    assert (put.status_code, put.headers["etag"]) == (200, '"2"')
    got = (await returns(TANAKA).get("/approval-flow")).json()
    assert {name: got[name] for name in FLOW} == FLOW
    assert (got["updated_by"], got["version"]) == ("D01-H001", 2)
    submit_new = (await returns(YAMADA).submit()).json()
    assert submit_new["status"]["label"] == "本部承認者手続中"
    [event] = [e for e in await returns.published() if isinstance(e, ApprovalFlowUpdated)]
    assert "a@d01" not in event.model_dump_json()


@pytest.mark.rule("D153")
@pytest.mark.parametrize("who", [YAMADA, SATO, TFC])
async def test_no_other_role_sets_the_flow(returns: ReturnsApi, who: Principal) -> None:
    put = await returns(who).send("PUT", "/approval-flow", FLOW, version=1)
    assert put.status_code == 403
    assert (await returns(who).get("/approval-flow")).status_code == 403


@pytest.mark.rule("D153")
async def test_another_dealer_has_a_flow_of_its_own(returns: ReturnsApi) -> None:
    got = await returns(OTHER_HQ).get("/approval-flow")
    assert (got.headers["etag"], got.json()["hq_mails"]) == ('"0"', [])
    put = await returns(OTHER_HQ).send("PUT", "/approval-flow", FLOW, version=0)
    assert put.status_code == 200
    assert (await returns(TANAKA).get("/approval-flow")).json()["version"] == 1


@pytest.mark.rule("D153")
@pytest.mark.parametrize(
    ("mails", "kept"),
    [
        ([], []),
        (["", " "], []),
        (["a@x.jp", "A@x.jp", "b@x.jp"], ["a@x.jp", "b@x.jp"]),
        (["abc@"], None),
    ],
)
async def test_addresses_of_the_flow(
    returns: ReturnsApi, mails: list[str], kept: list[str] | None
) -> None:
    put = await returns(TANAKA).send("PUT", "/approval-flow", FLOW | {"hq_mails": mails}, version=1)
    if kept is None:
        assert (put.status_code, put.json()["errors"][0]["field"]) == (422, "hq_mails")
    else:
        assert put.json()["hq_mails"] == kept


async def test_a_flow_changed_by_another_person_is_refused(returns: ReturnsApi) -> None:
    await returns(TANAKA).send("PUT", "/approval-flow", FLOW, version=1)
    put = await returns(TANAKA).send("PUT", "/approval-flow", FLOW, version=1)
    assert (put.status_code, put.json()["facts"]) == (412, {"current_version": 2})


def substitute(substitute_id: str = "D01-E102", **more: str) -> dict[str, str]:
    return {
        "substitute_id": substitute_id,
        "from_on": "2025-07-15",
        "to_on": "2025-07-16",
        **more,
    }


async def test_a_substitute_approves_for_the_absent_manager(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    body = substitute()
    assert (await returns(SATO).send("POST", "/substitutes", body)).status_code == 201
    opened = (await returns(COLLEAGUE).get(f"/applications/{application_id}")).json()
    assert opened["acting_for"] == ["D01-M100"]
    assert {o["action"] for o in opened["actions"] if o["enabled"]} == {"approve", "remand"}
    work = (await returns(COLLEAGUE).get("/applications/work")).json()["items"]
    assert [row["application_id"] for row in work] == [application_id]
    await returns.take_steps(application_id, (COLLEAGUE, "approval"))
    [approved] = [e for e in await returns.published() if isinstance(e, ReturnApproved)]
    assert (approved.approver_id, approved.on_behalf_of) == ("D01-E102", "D01-M100")
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert opened["history"][-1]["on_behalf_of"] == "D01-M100"
    assert opened["route"][1]["approved_by"] == "伊藤 翔"


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (datetime(2025, 7, 16, 14, 59, tzinfo=UTC), 200),
        (datetime(2025, 7, 16, 15, 0, tzinfo=UTC), 403),
    ],
    ids=["last day", "the day after"],
)
async def test_a_substitution_ends_with_its_last_day(
    returns: ReturnsApi, now: datetime, status: int
) -> None:
    application_id = await returns.submit_new()
    await returns(SATO).send("POST", "/substitutes", substitute())
    returns.clock.travel_to(now)
    assert (await returns(COLLEAGUE).step(application_id, "approval")).status_code == status


async def test_the_originator_is_no_substitute_for_their_own_item(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns(SATO).send("POST", "/substitutes", substitute("D01-E101"))
    answer = await returns(YAMADA).step(application_id, "approval")
    assert (answer.status_code, answer.json()["code"]) == (409, "OWN_ITEM")


async def test_a_substitute_from_another_store_sees_the_represented_store(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    await returns(SATO).send("POST", "/substitutes", substitute("D01-M200"))
    listed = (await returns(TAKAHASHI).get("/applications")).json()["items"]
    assert [row["application_id"] for row in listed] == [application_id]
    await returns.take_steps(application_id, (TAKAHASHI, "approval"))


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        (SATO, substitute("D01-M100"), 422, "SUBSTITUTE_NOT_SUITABLE"),
        (SATO, substitute("D01-NOBODY"), 422, "SUBSTITUTE_NOT_SUITABLE"),
        (SATO, substitute("D02-H001"), 422, "SUBSTITUTE_NOT_SUITABLE"),
        (SATO, substitute(to_on="2025-07-14"), 422, "FORM_ERRORS"),
        (SATO, substitute(approver_id="D01-M200"), 403, "ROLE_MAY_NOT"),
        (TANAKA, substitute(approver_id="D01-E101"), 403, "ROLE_NOT_SUBSTITUTED"),
        (YAMADA, substitute(), 403, "ROLE_NOT_ALLOWED"),
    ],
)
async def test_substitutions_that_are_refused(
    returns: ReturnsApi, who: Principal, body: dict[str, str], status: int, code: str
) -> None:
    answer = await returns(who).send("POST", "/substitutes", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await returns.rows("SELECT 1 FROM substitute") == []


@pytest.mark.rule("D94")
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"SUBSTITUTE_REQUIRED", "FROM_ON_REQUIRED", "TO_ON_REQUIRED"}),
        (substitute(from_on="2025-07-20", to_on="2025-07-18"), {"SUBSTITUTION_PERIOD_REVERSED"}),
        (substitute(from_on="2025-07-01", to_on="2025-07-14"), {"TO_ON_IN_PAST"}),
    ],
)
async def test_the_check_of_a_substitution_names_all_errors_at_once(
    returns: ReturnsApi, body: dict[str, str], wrong: set[str]
) -> None:
    checked = await returns(SATO).send("POST", "/substitutes/check", body)
    assert checked.status_code == 422
    assert {error["code"] for error in checked.json()["errors"]} == wrong


@pytest.mark.rule("D94")
async def test_the_check_of_a_substitution_names_the_people_and_stores_nothing(
    returns: ReturnsApi,
) -> None:
    checked = await returns(SATO).send("POST", "/substitutes/check", substitute("D01-M200"))
    answer = checked.json()
    assert (answer["approver_name"], answer["substitute_name"]) == ("佐藤 誠", "高橋 健一")
    assert await returns.rows("SELECT 1 FROM substitute") == []


@pytest.mark.rule("D94", "D153")
async def test_the_check_of_the_setting_names_each_wrong_line(returns: ReturnsApi) -> None:
    mails = ["hq@d01.example.jp", "nobody", "", "bad@@x"]
    flow = FLOW | {"hq_mails": mails}
    checked = await returns(TANAKA).send("POST", "/approval-flow/check", flow, version=1)
    found = [error["message"].split("：")[0] for error in checked.json()["errors"]]
    assert (checked.status_code, found) == (422, ["2行目「nobody」", "4行目「bad@@x」"])
    fine = FLOW | {"hq_mails": [" ｈｑ@d01.example.jp", "hq@d01.example.jp"]}
    checked = await returns(TANAKA).send("POST", "/approval-flow/check", fine, version=1)
    assert checked.json()["hq_mails"] == ["hq@d01.example.jp"]
    assert (await returns(TANAKA).get("/approval-flow")).json()["version"] == 1


async def test_a_substitute_has_no_substitute(returns: ReturnsApi) -> None:
    await returns(SATO).send("POST", "/substitutes", substitute("D01-M200"))
    chained = await returns(TAKAHASHI).send("POST", "/substitutes", substitute("D01-E201"))
    assert (chained.status_code, chained.json()["code"]) == (409, "SUBSTITUTE_HAS_SUBSTITUTE")


async def test_a_substitution_is_changed_and_ended(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    made = await returns(TANAKA).send("POST", "/substitutes", substitute(approver_id="D01-M100"))
    path = f"/substitutes/{made.json()['substitute_no']}"
    changed = await returns(SATO).send("PUT", path, substitute("D01-E201"), version=1)
    assert (changed.status_code, changed.json()["substitute_name"]) == (200, "鈴木 花子")
    stale = await returns(SATO).send("DELETE", path, version=1)
    assert (stale.status_code, stale.json()["facts"]) == (412, {"current_version": 2})
    foreign = await returns(TAKAHASHI).send("DELETE", path, version=2)
    assert foreign.status_code == 404
    listed = (await returns(SATO).get("/substitutes")).json()["items"]
    assert [one["substitute_id"] for one in listed] == ["D01-E201"]
    assert (await returns(TAKAHASHI).get("/substitutes")).json()["items"] == []
    assert (await returns(SATO).send("DELETE", path, version=2)).status_code == 204
    assert (await returns(SUZUKI).step(application_id, "approval", 1)).status_code == 404
    assert (await returns(SATO).get("/substitutes")).json()["items"] == []


async def test_many_approvals_at_once_each_with_its_result(returns: ReturnsApi) -> None:
    await returns.receive(registered("C-2"), registered("C-3"), registered("C-4", store="S20"))
    ready = await returns.submit_new()
    stale = await returns.submit_new(contract_no="C-2")
    own = await returns.submit_new(SATO, "C-3")
    foreign = await returns.submit_new(SUZUKI, "C-4")
    items = [
        {"application_id": application_id, "version": version}
        for application_id, version in [
            (foreign, 1), (stale, 7), (ready, 1), (own, 1), (ready, 1), ("RA-0", 1),
        ]
    ]  # fmt: skip
    answer = (await returns(SATO).send("POST", "/bulk-approval", {"items": items})).json()
    assert [(r["approved"], r["code"]) for r in answer["results"]] == [
        (False, "RETURN_NOT_VISIBLE"),
        (False, "VERSION_CONFLICT"),
        (True, None),
        (False, "OWN_ITEM"),
        (False, "VERSION_CONFLICT"),
        (False, "RETURN_NOT_VISIBLE"),
    ]
    assert answer["approved"] == 1
    named = [(r["customer_name"], r["contract_no"]) for r in answer["results"][:3]]
    assert named == [(None, None), ("山本　太郎", "C-2"), ("山本　太郎", "C-1001")]
    assert answer["results"][1]["facts"]["current_version"] == 1
    assert await returns.status(ready) == "本部承認者手続中"
    approved = [e for e in await returns.published() if isinstance(e, ReturnApproved)]
    assert [e.application_id for e in approved] == [ready]


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 200), (100, 200), (101, 422)])
async def test_a_bulk_approval_has_one_to_a_hundred_items(
    returns: ReturnsApi, count: int, status: int
) -> None:
    items = [{"application_id": "RA-1", "version": 1}] * count
    answer = await returns(SATO).send("POST", "/bulk-approval", {"items": items})
    assert answer.status_code == status


async def recipients(returns: ReturnsApi, application_id: str) -> dict[str, Any]:
    answer = await returns(NOTIFIER).get(f"/internal/applications/{application_id}/recipients")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.rule("D146", "D120")
async def test_the_notifier_reads_the_recipients(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    fresh = await recipients(returns, application_id)
    assert fresh["store_approver"] is None
    assert fresh["originator"] == {
        "person_id": "D01-E101", "role": "sales", "mail": "yamada@example.jp", "left": False,
    }  # fmt: skip
    await returns(SATO).step(application_id, "approval", contact_3="sato@example.jp")
    await returns(TANAKA).step(application_id, "remand", comment="日付を確認")
    found = await recipients(returns, application_id)
    assert found["store_approver"]["mail"] == "sato@example.jp"
    assert found["hq_approver_mails"] == ["hq@d01.example.jp"]
    remand = found["last_remand"]
    assert datetime.fromisoformat(remand.pop("remanded_at")) >= T
    assert remand == {
        "from_level": "hq", "to_level": "store", "remanded_by": "田中 裕子",
        "comment": "日付を確認",
    }  # fmt: skip
    assert (found["store_name"], found["originator_name"]) == ("本店", "山田 太郎")
    assert datetime.fromisoformat(found["submitted_at"]) >= T
    assert found["separate_procedure"] is False
    assert (found["status"], found["status_japanese"]) == (
        "STORE_REMANDED",
        "店舗承認者手続中（差戻）",
    )
    assert (found["contract_no"], found["dealer_id"]) == ("C-1001", "D01")
    assert found["dealer_name"] == "東都自動車販売"


@pytest.mark.rule("D146")
async def test_approvers_of_an_earlier_round_are_not_notified(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(**RETURNED, completion_mail=False)
    await returns.take_steps(application_id, (SATO, "approval"), (TANAKA, "approval"))
    await returns(YAMADA).step(application_id, "correction", **FORM)
    assert (await recipients(returns, application_id))["round_approvers"] == []
    await returns(SATO).step(application_id, "approval", contact_3="second@example.jp")
    await returns.take_steps(application_id, (TANAKA, "approval"), (TFC, "acceptance"))
    await returns.take_steps(application_id, (TFC, "completion"))
    found = await recipients(returns, application_id)
    assert [(one["role"], one["mail"]) for one in found["round_approvers"]] == [
        ("store_approver", "second@example.jp"),
        ("hq_approver", None),
    ]
    assert found["completion_mail"] is True


@pytest.mark.rule("D149")
async def test_headquarters_is_not_asked_about_its_own_application(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(TANAKA, **FORM)
    assert await returns.status(application_id) == "依頼中"
    steps = [e.to_status for e in await returns.published() if isinstance(e, ReturnStatusChanged)]
    assert steps == ["REQUESTED"]


async def expected_recipients(returns: ReturnsApi, application_id: str) -> list[str]:
    mails: list[str] = (await recipients(returns, application_id))["store_approver_mails"]
    return mails


@pytest.mark.rule("D96")
async def test_the_notifier_reads_the_stores_approvers_if_the_dealer_wants_notices(
    returns: ReturnsApi,
) -> None:
    """Each by the address of their last approval at this store (A-29)."""
    await returns.receive(
        registered("C-1002"), registered("C-1003"), registered("C-2001", store="S20")
    )
    earlier = await returns.submit_new()
    await returns(SATO).step(earlier, "approval", contact_3="sato@example.jp")
    other_store = await returns.submit_new(SUZUKI, "C-2001", **FORM)
    await returns(TAKAHASHI).step(other_store, "approval", contact_3="takahashi@example.jp")
    waiting = await returns.submit_new(contract_no="C-1002", **FORM)
    assert await expected_recipients(returns, waiting) == []
    await returns.rows(
        "UPDATE approval_flow SET store_approver_notice = true WHERE dealer_id = 'D01' RETURNING 1"
    )
    assert await expected_recipients(returns, waiting) == ["sato@example.jp"]
    later = await returns.submit_new(contract_no="C-1003", **FORM)
    await returns(SATO).step(later, "approval", contact_3="new@example.jp")
    assert await expected_recipients(returns, waiting) == ["new@example.jp"]
    assert await expected_recipients(returns, other_store) == ["takahashi@example.jp"]


@pytest.mark.rule("D96")
@pytest.mark.parametrize("wished", [True, False])
async def test_the_status_event_carries_the_store_notice_setting(
    returns: ReturnsApi, wished: bool
) -> None:
    flow = FLOW | {"store_approval": True, "store_approver_notice": wished}
    await returns(TANAKA).send("PUT", "/approval-flow", flow, version=1)
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    published = [
        e for e in await returns.published(application_id) if isinstance(e, ReturnStatusChanged)
    ]
    assert [(e.to_status, e.store_approver_notice) for e in published] == [
        ("STORE_PENDING", wished),
        ("HQ_PENDING", False),
    ]


@pytest.mark.rule("D96")
async def test_a_manager_who_left_is_not_notified(returns: ReturnsApi) -> None:
    earlier = await returns.submit_new()
    await returns(SATO).step(earlier, "approval", contact_3="sato@example.jp")
    await returns.rows("UPDATE approval_flow SET store_approver_notice = true RETURNING 1")
    assert await expected_recipients(returns, earlier) == ["sato@example.jp"]
    await returns.rows("UPDATE staff SET active = false WHERE staff_code = 'M100' RETURNING 1")
    assert await expected_recipients(returns, earlier) == []


@pytest.mark.parametrize("who", [YAMADA, SATO, TANAKA, TFC, OTHER_SALES])
async def test_only_services_read_addresses(returns: ReturnsApi, who: Principal) -> None:
    application_id = await returns.submit_new()
    answer = await returns(who).get(f"/internal/applications/{application_id}/recipients")
    assert answer.status_code == 403


async def test_events_carry_no_addresses_and_no_names(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns(SATO).step(application_id, "approval", contact_3="sato@example.jp")
    await returns(TANAKA).step(application_id, "remand", dealer_note="内緒")
    for event in await returns.published():
        published = event.model_dump_json()
        assert not [w for w in ("@", "山本", "03-0010", "内緒", "090-") if w in published], (
            published
        )
