"""承認, 差戻し, 引継ぎ as people take them, and who may not."""

from typing import Any

import pytest

from event_contracts.returns import ReturnRemanded
from shared.auth import Principal
from shared.testing.people import COLLEAGUE, SATO, TAKAHASHI, TANAKA, TFC, YAMADA

from .conftest import FORM, OTHER_MANAGER, RETURNED, ReturnsApi, refused

TO_REQUESTED = [(SATO, "approval"), (TANAKA, "approval")]


@pytest.mark.rule("D112")
async def test_store_approval_alone_leads_to_the_request(returns: ReturnsApi) -> None:
    await returns.set_flow(store=True, hq=False)
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    assert await returns.status(application_id) == "依頼中"


@pytest.mark.rule("D1", "D112", "D121")
@pytest.mark.parametrize(
    ("who", "step", "status", "code"),
    [
        (YAMADA, "approval", 403, "ROLE_MAY_NOT"),
        (TAKAHASHI, "approval", 404, "RETURN_NOT_VISIBLE"),
        (OTHER_MANAGER, "approval", 404, "RETURN_NOT_VISIBLE"),
        (TANAKA, "approval", 409, "NOT_YOUR_STEP"),
        (TFC, "approval", 403, "ROLE_NOT_ALLOWED"),
        (SATO, "acceptance", 403, "ROLE_NOT_ALLOWED"),
        (TFC, "acceptance", 404, "RETURN_NOT_VISIBLE"),
        (COLLEAGUE, "withdrawal", 403, "NOT_THE_ORIGINATOR"),
        (COLLEAGUE, "correction", 403, "NOT_THE_ORIGINATOR"),
        (SATO, "withdrawal", 403, "NOT_THE_ORIGINATOR"),
        (YAMADA, "dealer-note", 403, "ROLE_NOT_ALLOWED"),
        (SATO, "take-over", 403, "ROLE_NOT_ALLOWED"),
    ],
)
async def test_the_wrong_person_at_the_store_approvers_step(
    returns: ReturnsApi, who: Principal, step: str, status: int, code: str
) -> None:
    application_id = await returns.submit_new()
    more = {"dealer_note": "x", "new_originator_id": "D01-E102"}
    body = more if step in {"dealer-note", "take-over"} else FORM
    assert await refused(returns, application_id, who, step, **body) == (status, code)


async def test_no_one_approves_their_own_item(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(SATO)
    await returns.take_steps(application_id, (TANAKA, "remand"))
    assert await refused(returns, application_id, SATO, "approval") == (409, "OWN_ITEM")


@pytest.mark.rule("D114")
async def test_an_approver_overwrites_the_result_only(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    future = {**RETURNED, "received_on": "2025-07-16"}
    assert await refused(returns, application_id, TANAKA, "approval", overwrite=future) == (
        422,
        "FORM_ERRORS",
    )
    overwrite = {"kind": "RETURNED", "received_on": "2025-07-02", "contact_1": "03-1111-2222"}
    done = await returns(TANAKA).step(application_id, "approval", overwrite=overwrite)
    assert done.json()["status"]["label"] == "依頼中"
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert opened["entry"]["received_on"] == "2025-07-02"
    assert opened["entry"]["contact_1"] == FORM["contact_1"]
    [change] = opened["history"][-1]["changes"]
    assert (change["before"], change["after"]) == ("2025-07-01", "2025-07-02")


@pytest.mark.rule("D114")
async def test_an_approver_sees_what_changed_since_their_approval(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    path = f"/applications/{application_id}"
    assert (await returns(SATO).get(path)).json()["changed_since_my_approval"] is None
    await returns.take_steps(application_id, (SATO, "approval"))
    assert (await returns(SATO).get(path)).json()["changed_since_my_approval"] == []
    correction = FORM | {"received_on": "2025-07-05", "contact_1": "03-5555-0000"}
    await returns(YAMADA).step(application_id, "correction", **correction)
    changed = (await returns(SATO).get(path)).json()["changed_since_my_approval"]
    assert [(one["field"], one["before"], one["after"]) for one in changed] == [
        ("contact_1", "03-0010-1000", "03-5555-0000"),
        ("received_on", "2025-07-01", "2025-07-05"),
    ]
    assert [(one["label"], one["before_label"], one["after_label"]) for one in changed] == [
        ("連絡先1", "03-0010-1000", "03-5555-0000"),
        ("車両返却受領日", "2025年07月01日", "2025年07月05日"),
    ]
    assert (await returns(TANAKA).get(path)).json()["changed_since_my_approval"] is None


@pytest.mark.rule("D113")
async def test_a_remand_keeps_its_comment_apart_from_the_dealer_note(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    await returns(TANAKA).step(
        application_id, "remand", comment="日付を確認", dealer_note="受領日を確認してください"
    )
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert opened["history"][-1]["comment"] == "日付を確認"
    assert opened["dealer_note"] == "受領日を確認してください"
    assert opened["status"]["label"] == "店舗承認者手続中（差戻）"


@pytest.mark.rule("D113")
@pytest.mark.parametrize(
    ("comment", "code"), [("あ" * 501, "TEXT_TOO_LONG"), ("a\x07b", "FORM_ERRORS")]
)
async def test_a_comment_that_cannot_be_kept(returns: ReturnsApi, comment: str, code: str) -> None:
    application_id = await returns.submit_new()
    found = await refused(returns, application_id, SATO, "remand", comment=comment)
    assert found == (422, code)
    fits = await returns(SATO).step(application_id, "remand", comment="あ" * 500)
    assert fits.status_code == 200


@pytest.mark.rule("D115")
async def test_the_dealer_note_is_headquarters(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    found = await refused(returns, application_id, SATO, "remand", dealer_note="メモ")
    assert found == (403, "DEALER_NOTE_IS_FOR_HQ_APPROVER")
    await returns.take_steps(application_id, (SATO, "approval"))
    before = (await returns(SATO).get(f"/applications/{application_id}")).json()
    written = await returns(TANAKA).step(
        application_id, "dealer-note", dealer_note="受領日を確認してください"
    )
    assert written.status_code == 200
    for reader in (SATO, YAMADA):
        opened = (await returns(reader).get(f"/applications/{application_id}")).json()
        assert opened["dealer_note"] == "受領日を確認してください"
        assert opened["entered_at"] == before["entered_at"]
        assert opened["status_version"] == before["status_version"]
    assert (await returns.published(application_id))[
        -1
    ].wire_type == "return.dealer_note_changed.v1"


@pytest.mark.rule("D116", "D117", "D119")
@pytest.mark.parametrize(
    ("store", "hq", "who", "way", "statuses"),
    [
        (
            True, True, YAMADA, [(TFC, "tfc-remand"), (TANAKA, "remand"), (SATO, "remand")],
            ["本部承認者手続中（差戻）", "店舗承認者手続中（差戻）", "担当者手続中（差戻）"],
        ),
        (
            False, True, YAMADA, [(TFC, "tfc-remand"), (TANAKA, "remand")],
            ["本部承認者手続中（差戻）", "担当者手続中（差戻）"],
        ),
        (
            True, False, YAMADA, [(TFC, "tfc-remand"), (SATO, "remand")],
            ["店舗承認者手続中（差戻）", "担当者手続中（差戻）"],
        ),
        (False, False, YAMADA, [(TFC, "tfc-remand")], ["担当者手続中（差戻）"]),
        (False, False, SATO, [(TFC, "tfc-remand")], ["店舗承認者手続中（差戻）"]),
        (False, False, TANAKA, [(TFC, "tfc-remand")], ["本部承認者手続中（差戻）"]),
    ],
)  # fmt: skip
async def test_a_remand_goes_one_step_back_on_the_route(  # noqa: PLR0917
    returns: ReturnsApi,
    store: bool,
    hq: bool,
    who: Principal,
    way: list[tuple[Principal, str]],
    statuses: list[str],
) -> None:
    await returns.set_flow(store=store, hq=hq)
    application_id = await returns.submit_new(who)
    approvals = [(SATO, "approval")] * store + [(TANAKA, "approval")] * hq
    await returns.take_steps(application_id, *(approvals if who is YAMADA else []))
    await returns.take_steps(application_id, (TFC, "acceptance"))
    seen = []
    for person, step in way:
        await returns.take_steps(application_id, (person, step))
        seen.append(await returns.status(application_id))
    assert seen == statuses


@pytest.mark.rule("D116")
async def test_nobody_chooses_where_a_remand_goes(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    await returns(TANAKA).step(application_id, "remand", to_level="originator", to="E101")
    assert await returns.status(application_id) == "店舗承認者手続中（差戻）"


@pytest.mark.rule("D119")
async def test_after_a_remand_the_holder_approves_again(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"), (TANAKA, "remand"))
    await returns.take_steps(application_id, (SATO, "approval"))
    assert await returns.status(application_id) == "本部承認者手続中"


@pytest.mark.rule("D120")
@pytest.mark.parametrize(("mail", "submit_new"), [("", False), ("yamada@example.jp", True)])
async def test_the_hint_where_the_receiver_has_no_address(
    returns: ReturnsApi, mail: str, submit_new: bool
) -> None:
    application_id = await returns.submit_new(**RETURNED, contact_3=mail)
    remanded = (await returns(SATO).step(application_id, "remand")).json()
    assert remanded["mail_will_be_sent"] is submit_new
    assert (
        "TELL_RECIPIENT" in {notice["code"] for notice in remanded["notices"]}
    ) is not submit_new
    [event] = [e for e in await returns.published(application_id) if isinstance(e, ReturnRemanded)]
    assert (event.recipient_has_address, event.recipient_id) == (submit_new, "D01-E101")


@pytest.mark.rule("D112", "D120")
@pytest.mark.parametrize(
    ("dialog", "kept"),
    [
        ({"contact_3": ""}, None),
        ({"contact_3": "sato@example.jp"}, "sato@example.jp"),
        ({}, SATO.mail),
    ],
    ids=["emptied", "changed", "as prefilled from the profile"],
)
async def test_the_store_approver_is_reached_at_the_address_of_the_dialog(
    returns: ReturnsApi, dialog: dict[str, Any], kept: str | None
) -> None:
    application_id = await returns.submit_new()
    opened = (await returns(SATO).get(f"/applications/{application_id}")).json()
    assert opened["approver_contact_3"] == SATO.mail
    await returns(SATO).step(application_id, "approval", **dialog)
    assert [row.mail for row in await returns.rows("SELECT mail FROM approval")] == [kept]
    remanded = (await returns(TANAKA).step(application_id, "remand")).json()
    assert remanded["mail_will_be_sent"] is (kept is not None)


@pytest.mark.rule("D105", "D101")
async def test_what_is_offered_names_the_reason_where_it_is_not_possible(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, *TO_REQUESTED)
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert {o["action"] for o in opened["actions"] if o["enabled"]} == {"correct", "withdraw"}
    opened = (await returns(SATO).get(f"/applications/{application_id}")).json()
    assert all(o["reason"] for o in opened["actions"] if not o["enabled"])
    assert not any(o["enabled"] for o in opened["actions"])


async def test_headquarters_hands_an_application_over(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    wrong = await refused(
        returns, application_id, TANAKA, "take-over", new_originator_id="D01-E201"
    )
    assert wrong == (422, "NEW_ORIGINATOR_NOT_SUITABLE")
    taken = await returns(TANAKA).step(
        application_id, "take-over", new_originator_id="D01-E102", contact_3="ito@example.jp"
    )
    assert taken.json()["status"]["label"] == "担当者手続中（差戻）"
    opened = (await returns(COLLEAGUE).get(f"/applications/{application_id}")).json()
    assert opened["dealer"]["person_name"] == "伊藤 翔"
    assert opened["entry"]["contact_3"] == "ito@example.jp"
    assert {o["action"] for o in opened["actions"] if o["enabled"]} == {"correct", "withdraw"}
    assert await refused(returns, application_id, YAMADA, "withdrawal") == (
        403,
        "NOT_THE_ORIGINATOR",
    )


@pytest.mark.rule("D111")
async def test_applications_in_flight_keep_their_route(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.set_flow(store=False, hq=False)
    await returns.take_steps(application_id, (SATO, "approval"))
    assert await returns.status(application_id) == "本部承認者手続中"
    await returns.take_steps(application_id, (TANAKA, "remand"))
    corrected = await returns(YAMADA).step(application_id, "correction", **FORM)
    assert corrected.json()["status"]["label"] == "依頼中"


async def test_without_a_version_nothing_is_changed(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    path = f"/applications/{application_id}/approval"
    answer = await returns(SATO).send("POST", path, {})
    assert (answer.status_code, answer.json()["code"]) == (428, "VERSION_MISSING")
    old = await returns(SATO).send("POST", path, {}, version=7)
    assert (old.status_code, old.json()["code"]) == (412, "VERSION_CONFLICT")
    assert old.json()["facts"] == {"current_version": 1, "current_status": "STORE_PENDING"}
