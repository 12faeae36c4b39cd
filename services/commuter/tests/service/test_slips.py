"""Slips by HTTP: saved, submitted, approved, sent back, settled R22, R23, R34-R39, R59-R63."""

from typing import Any

import pytest

from event_contracts.commuter import SlipMoved

from .conftest import (
    ADMIN,
    CHIEF,
    HANAKO,
    HEAD,
    OTHER_ADMIN,
    P1,
    STRANGER,
    TARO,
    CommuterApi,
    line,
    looked_up,
    refused,
    warned,
)

A = "2022/04/01~"
BEFORE_A = "2022-03-31"
KINDS = {
    "transport": True,
    "trip_request": True,
    "trip": True,
    "overseas_trip_request": True,
    "overseas_trip": True,
    "expense": False,
    "payment_request": False,
}
TYPED = {"item_on": "2022/07/11", "words": "会議費", "amount_yen": 1200, "receipt": True}
TRIP = {"trip_from": "2022/07/11", "trip_to": "2022/07/12"}


@pytest.mark.rule("R36", "R37", "R62")
async def test_a_look_up_deducts_the_own_passes_of_the_items_day(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period="2022/04/01~2022/08/31")
    await commuter_api.register("新宿:中央線:三鷹", who=HANAKO)
    commuter_api.clock.set("2022/09/15")
    slip = await commuter_api.slip(
        looked_up("2022/08/20"), looked_up("2022/08/20", "東京:中央線:三鷹")
    )
    first, second = slip["items"]
    assert (first["amount_yen"], first["through_yen"], first["deduction_yen"]) == (0, 198, 198)
    assert second["amount_yen"] > 0  # what a colleague holds covers nothing
    (used,) = second["explanation"]["passes"]
    assert (used["use"], used["version"]) == ("USED", 1)
    assert slip["total_yen"] == second["amount_yen"]
    assert slip["trail"][0]["after"]["items"][0]["deduction_yen"] == 198


@pytest.mark.rule("R38")
async def test_fares_are_those_of_the_items_day(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up("2026/03/13"), looked_up("2026/03/14"))
    assert [item["amount_yen"] for item in slip["items"]] == [208, 253]
    answer = await commuter_api.request(
        TARO, "POST", "/slips", {"kind": "transport", "items": [looked_up("2015/01/01")]}
    )
    refused(answer, 422, "NO_TARIFF_ON_DATE")
    assert await commuter_api.count("slip") == 1


@pytest.mark.rule("R39", "R62")
async def test_a_pass_whose_station_is_gone_says_so_and_deducts_nothing(
    commuter_api: CommuterApi,
) -> None:
    one = await commuter_api.register()
    await commuter_api.sql("UPDATE pass_version SET route = '廃駅:JR東日本/中央線:新宿'")
    slip = await commuter_api.slip(looked_up())
    (item,) = slip["items"]
    assert item["amount_yen"] == 198
    (notice,) = [n for n in item["explanation"]["notices"] if n["code"] == "PASS_UNREADABLE"]
    assert "再登録" in notice["message"]
    (found,) = (await commuter_api.get(ADMIN, "/passes/health"))["items"]
    assert (found["trouble"], found["pass"]["pass_id"]) == ("ROUTE_GONE", one["pass_id"])
    commuter_api.clock.set("2022/07/12")
    search = {"start": "東京", "end": "新宿", "on": "2022/07/11"}
    assert (await commuter_api.post(TARO, "/look-ups", search))["notices"] == [notice]


@pytest.mark.rule("R22")
@pytest.mark.parametrize("kind", KINDS)
async def test_an_unconfirmed_pass_blocks_the_five_kinds_of_its_applicant(
    commuter_api: CommuterApi, kind: str
) -> None:
    uses = KINDS[kind]
    commuter_api.clock.set("2018/01/16")
    one = await commuter_api.apply()
    commuter_api.clock.set("2018/01/17")
    body = {"kind": kind, "title": "x", **TRIP, "items": [TYPED]}
    offered = (await commuter_api.get(TARO, "/slips"))["kinds"]
    assert {k["kind"]: k["enabled"] for k in offered}[kind] is not uses
    answer = await commuter_api.request(TARO, "POST", "/slips", body)
    if uses:
        refused(answer, 409, "UNCONFIRMED_PASS_BLOCKS")
        assert await commuter_api.count("slip") == 0
    else:
        assert answer.status_code == 201
    assert (await commuter_api.request(HANAKO, "POST", "/slips", body)).status_code == 201
    commuter_api.clock.set("2018/01/18")
    await commuter_api.confirm(one)
    assert (await commuter_api.request(TARO, "POST", "/slips", body)).status_code == 201


@pytest.mark.rule("R23", "R22")
async def test_what_is_blocked_and_what_goes_on(commuter_api: CommuterApi) -> None:
    draft = await commuter_api.slip(looked_up())
    sent = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    other = await commuter_api.step(HANAKO, await commuter_api.slip(TYPED, who=HANAKO), "submit")
    await commuter_api.setting(approvers=[TARO.person_id, HEAD.person_id])
    for_taro = await commuter_api.step(HANAKO, await commuter_api.slip(TYPED, who=HANAKO), "submit")
    await commuter_api.apply()
    path = f"/slips/{draft['slip_id']}/submit"
    answer = await commuter_api.request(TARO, "POST", path, {}, version=draft["version"])
    refused(answer, 409, "UNCONFIRMED_PASS_BLOCKS")
    search = {"start": "東京", "end": "新宿", "on": "2022/07/11"}
    answer = await commuter_api.request(TARO, "POST", "/look-ups", search)
    refused(answer, 409, "UNCONFIRMED_PASS_BLOCKS")
    await commuter_api.post(
        TARO, "/look-ups", {**search, "for_pass": True}
    )  # a pass needs its route
    path = f"/slips/{draft['slip_id']}/items/{draft['items'][0]['item_id']}/look-up"
    decision = {"on": "2022/07/11", "route": P1}
    answer = await commuter_api.request(TARO, "POST", path, decision, version=draft["version"])
    refused(answer, 409, "UNCONFIRMED_PASS_BLOCKS")
    await commuter_api.get(TARO, f"/slips/{draft['slip_id']}")
    await commuter_api.step(TARO, for_taro, "approve")
    await commuter_api.step(CHIEF, sent, "approve")
    withdrawn = (await commuter_api.get(TARO, f"/slips/{sent['slip_id']}"))["version"]
    await commuter_api.step(TARO, {**sent, "version": withdrawn}, "withdraw")
    await commuter_api.step(CHIEF, other, "approve")


@pytest.mark.rule("R23")
@pytest.mark.parametrize("approvers", [[CHIEF], [CHIEF, HEAD]])
async def test_the_chain_is_the_companys(commuter_api: CommuterApi, approvers: list[Any]) -> None:
    await commuter_api.setting(approvers=[one.person_id for one in approvers])
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    assert [one["employee_id"] for one in slip["chain"]] == [a.person_id for a in approvers]
    for who in approvers:
        assert slip["status"] == "pending"
        waiting = (await commuter_api.get(who, "/slips/to-approve"))["items"]
        assert [one["slip_id"] for one in waiting] == [slip["slip_id"]]
        for other in {CHIEF, HEAD, HANAKO, TARO} - {who}:
            path = f"/slips/{slip['slip_id']}/approve"
            answer = await commuter_api.request(other, "POST", path, {}, version=slip["version"])
            assert answer.status_code in {404, 409}
        slip = await commuter_api.step(who, slip, "approve")
    assert slip["status_japanese"] == "最終承認完了"
    slip = await commuter_api.step(ADMIN, slip, "settle")
    assert slip["status_japanese"] == "精算"
    assert [e.status for e in await commuter_api.events(SlipMoved)] == [
        *["pending"] * len(approvers), "approved", "settled",
    ]  # fmt: skip


@pytest.mark.rule("R23")
async def test_a_chain_has_one_or_two_different_approvers(commuter_api: CommuterApi) -> None:
    setting = await commuter_api.get(ADMIN, "/settings")
    version = setting.pop("version")
    setting.pop("retention_choices")
    three = [CHIEF.person_id, HEAD.person_id, HANAKO.person_id]
    for wrong in (three, [CHIEF.person_id] * 2):
        body = {**setting, "approvers": wrong}
        answer = await commuter_api.request(ADMIN, "PUT", "/settings", body, version=version)
        assert refused(answer, 422, "FORM_ERRORS")["errors"][0]["field"] == "approvers"
    await commuter_api.setting(approvers=[])
    slip = await commuter_api.slip(looked_up())
    path = f"/slips/{slip['slip_id']}/submit"
    answer = await commuter_api.request(TARO, "POST", path, {}, version=slip["version"])
    refused(answer, 422, "NO_APPROVER")


async def test_an_unfinished_slip_is_saved_and_not_submitted(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip({"purpose": "訪問"}, kind="trip", title="", automatic=True)
    assert (slip["status_japanese"], slip["trail"][0]["action"]) == ("一時保存", "auto_save")
    path = f"/slips/{slip['slip_id']}/submit"
    answer = await commuter_api.request(TARO, "POST", path, {}, version=slip["version"])
    fields = {one["field"] for one in refused(answer, 422, "FORM_ERRORS")["errors"]}
    assert fields == {"title", "trip_from", "items.0.item_on", "items.0.amount_yen"}
    assert (await commuter_api.get(TARO, f"/slips/{slip['slip_id']}"))["status"] == "draft"


async def test_the_receipts_have_a_total_of_their_own(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(
        TYPED, {**TYPED, "amount_yen": 300, "receipt": False}, looked_up()
    )
    assert (slip["total_yen"], slip["receipts_yen"]) == (1200 + 300 + 198, 1200)


@pytest.mark.rule("R34", "R35", "R51")
async def test_rows_of_the_ic_card_stay_as_read(commuter_api: CommuterApi) -> None:
    await commuter_api.register()
    slip = await commuter_api.slip(looked_up())
    rows = [
        {"item_on": "2022/07/11", "words": "東京―新宿", "amount_yen": 253},
        {"item_on": "2022/07/11", "words": "新宿―東京", "amount_yen": 0},
    ]
    path = f"/slips/{slip['slip_id']}"
    slip = await commuter_api.post(
        TARO, f"{path}/ic-card-rows", {"rows": rows}, version=slip["version"]
    )
    assert [i["amount_yen"] for i in slip["items"]] == [0, 253, 0]
    assert [i["source"] for i in slip["items"]] == ["look_up", "ic_card", "ic_card"]
    assert [i["deduction_yen"] for i in slip["items"]] == [198, 0, 0]
    item = f"{path}/items/{slip['items'][1]['item_id']}/look-up"
    decision = {"on": "2022/07/11", "route": P1}
    answer = await commuter_api.request(TARO, "POST", item, decision, version=slip["version"])
    refused(answer, 409, "IC_CARD_ROW_IS_FIXED")
    typed_over = [line(i) for i in slip["items"]]
    typed_over[1]["amount_yen"] = 999
    body = {"title": "x", "items": typed_over}
    answer = await commuter_api.request(TARO, "PUT", path, body, version=slip["version"])
    refused(answer, 422, "AMOUNT_IS_LOOKED_UP")
    moved = [line(i, item_on=BEFORE_A) for i in slip["items"]]
    assert warned(await commuter_api.save(TARO, slip, *moved))[1:] == [[], []]


@pytest.mark.rule("R59")
async def test_after_the_last_approval_only_the_right_edits(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.approved(await commuter_api.slip(looked_up()))
    path, body = f"/slips/{slip['slip_id']}", {"title": "訂正", "items": [line(slip["items"][0])]}
    for who in (TARO, CHIEF):
        answer = await commuter_api.request(who, "PUT", path, body, version=slip["version"])
        refused(answer, 409, "SLIP_STEP_NOT_POSSIBLE")
    answer = await commuter_api.request(ADMIN, "PUT", path, body, version=slip["version"])
    refused(answer, 403, "SLIP_RIGHT_MISSING")
    await commuter_api.allow(ADMIN, pass_master=True, edit_after_approval=True)
    done = await commuter_api.put(ADMIN, path, body, version=slip["version"])
    assert (done["title"], done["trail"][-1]["action"]) == ("訂正", "edit_after_approval")


@pytest.mark.rule("R60")
@pytest.mark.parametrize("allowed", [False, True])
async def test_an_approvers_edit_leaves_the_total_where_it_must(
    commuter_api: CommuterApi, allowed: bool
) -> None:
    await commuter_api.setting(amount_change_allowed=allowed)
    await commuter_api.register(period=A)
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    (item,) = slip["items"]
    path, words = f"/slips/{slip['slip_id']}", {"title": "題", "items": [line(item, purpose="p")]}
    answer = await commuter_api.request(CHIEF, "PUT", path, words, version=slip["version"])
    refused(answer, 403, "SLIP_RIGHT_MISSING")
    await commuter_api.allow(CHIEF, edit_at_approval=True)
    slip = await commuter_api.put(CHIEF, path, words, version=slip["version"])
    again = {"on": BEFORE_A, "route": item["route"]}
    at = f"{path}/items/{item['item_id']}/look-up"
    for sent in (
        await commuter_api.request(CHIEF, "POST", at, again, version=slip["version"]),
        await commuter_api.request(CHIEF, "PUT", path, {
            "title": "題", "items": [line(item, look_up=again, item_on=BEFORE_A)],
        }, version=slip["version"] + allowed),
    ):  # fmt: skip
        if allowed:
            assert sent.json()["total_yen"] == 198
        else:
            refused(sent, 422, "AMOUNT_CHANGE_NOT_ALLOWED")
    after = await commuter_api.get(CHIEF, path)
    assert after["total_yen"] == (198 if allowed else 0)
    assert after["items"][0]["searched_on"] == (BEFORE_A if allowed else "2022-07-11")


@pytest.mark.rule("R60")
async def test_a_changed_flow_stops_the_edit_at_approval(commuter_api: CommuterApi) -> None:
    await commuter_api.allow(CHIEF, edit_at_approval=True)
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    await commuter_api.setting(approvers=[HEAD.person_id])
    body = {"title": "x", "items": [line(slip["items"][0])]}
    path = f"/slips/{slip['slip_id']}"
    answer = await commuter_api.request(CHIEF, "PUT", path, body, version=slip["version"])
    problem = refused(answer, 409, "APPROVAL_FLOW_CHANGED")
    assert problem["title"] == "承認フローが変更されている為、修正できません"
    slip = await commuter_api.step(CHIEF, slip, "remand", "やり直し")
    slip = await commuter_api.step(TARO, slip, "submit")  # takes the flow of this moment
    assert [one["employee_id"] for one in slip["chain"]] == [HEAD.person_id]


@pytest.mark.rule("R61")
async def test_nobody_sees_anothers_slip(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up())
    path = f"/slips/{slip['slip_id']}"
    for who in (HANAKO, CHIEF, ADMIN, STRANGER, OTHER_ADMIN):
        assert (await commuter_api.request(who, "GET", path)).status_code == 404
        empty: dict[str, object] = {"title": "x", "items": []}
        answer = await commuter_api.request(who, "PUT", path, empty, version=slip["version"])
        assert answer.status_code == 404
    await commuter_api.step(TARO, slip, "submit")
    for who, seen in ((HANAKO, 404), (CHIEF, 200), (HEAD, 200), (ADMIN, 200), (OTHER_ADMIN, 404)):
        assert (await commuter_api.request(who, "GET", path)).status_code == seen
    body = {"rides": [{"on": "2022/07/11", "route": P1, "employee_id": TARO.person_id}]}
    refused(await commuter_api.request(HANAKO, "POST", "/deductions", body), 403, "RIGHT_MISSING")
    assert (await commuter_api.request(OTHER_ADMIN, "POST", "/deductions", body)).status_code == 404


@pytest.mark.rule("R62")
async def test_a_slips_life_is_written_down(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up())
    slip = await commuter_api.step(TARO, slip, "submit")
    slip = await commuter_api.step(CHIEF, slip, "remand", "領収書がありません")
    own = await commuter_api.get(TARO, f"/slips/{slip['slip_id']}")
    lines = [(t["actor"], t["action"], t["said"]) for t in own["trail"]]
    assert lines == [
        ("D01-E101", "save", None),
        ("D01-E101", "submit", None),
        ("D01-M100", "remand", "領収書がありません"),
    ]
    assert own["trail"][1]["before"] == {"status": "draft", "step": 0}
    assert [(t["actor"], t["action"], t["said"]) for t in slip["trail"]] == lines[1:]


@pytest.mark.parametrize("step", ["remand", "reject"])
async def test_who_refuses_says_why(commuter_api: CommuterApi, step: str) -> None:
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    who = CHIEF
    if step == "reject":
        for approver in (CHIEF, HEAD):
            slip = await commuter_api.step(approver, slip, "approve")
        who = ADMIN
    path = f"/slips/{slip['slip_id']}/{step}"
    answer = await commuter_api.request(
        who, "POST", path, {"comment": " "}, version=slip["version"]
    )
    refused(answer, 422, "COMMENT_MISSING")
    done = await commuter_api.step(who, slip, step, "規程に合いません")
    assert done["status"] == ("rejected" if step == "reject" else "remanded")


async def test_of_two_who_save_the_second_gets_a_conflict(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up())
    await commuter_api.save(TARO, slip, title="先")
    body = {"title": "後", "items": []}
    path = f"/slips/{slip['slip_id']}"
    answer = await commuter_api.request(TARO, "PUT", path, body, version=slip["version"])
    refused(answer, 412, "VERSION_CONFLICT")
    assert (await commuter_api.get(TARO, path))["title"] == "先"


async def test_rides_are_for_the_five_kinds(commuter_api: CommuterApi) -> None:
    body = {"kind": "expense", "title": "x", "items": [looked_up()]}
    answer = await commuter_api.request(TARO, "POST", "/slips", body)
    refused(answer, 422, "LOOK_UP_NOT_FOR_THIS_KIND")
    assert await commuter_api.count("slip") == 0


async def test_not_using_the_pass_needs_a_reason_and_keeps_it(commuter_api: CommuterApi) -> None:
    await commuter_api.register()
    ride = looked_up(without_pass_reason=" ")
    answer = await commuter_api.request(
        TARO, "POST", "/slips", {"kind": "transport", "items": [ride]}
    )
    refused(answer, 422, "REASON_FOR_NO_PASS_MISSING")
    slip = await commuter_api.slip(looked_up(without_pass_reason="定期券を忘れたため"))
    (item,) = slip["items"]
    assert (item["amount_yen"], item["without_pass_reason"]) == (198, "定期券を忘れたため")


async def test_an_own_slip_is_thrown_away_only_at_home(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    path = f"/slips/{slip['slip_id']}"
    answer = await commuter_api.request(TARO, "DELETE", path, version=slip["version"])
    refused(answer, 409, "SLIP_STEP_NOT_POSSIBLE")
    slip = await commuter_api.step(TARO, slip, "withdraw")
    assert (
        await commuter_api.request(TARO, "DELETE", path, version=slip["version"])
    ).status_code == 204
    assert await commuter_api.count("slip_item") == 0


@pytest.mark.rule("R63")
async def test_a_slip_names_the_passes_of_its_owner(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period="2022/04/01~2022/08/31")
    await commuter_api.register("新宿:中央線:三鷹", who=HANAKO)
    slip = await commuter_api.slip(looked_up())
    await commuter_api.apply("東京:東海道線:品川")
    slip = await commuter_api.get(TARO, f"/slips/{slip['slip_id']}")
    published = [
        (p["section"], p["route"], p["period"], p["status_japanese"]) for p in slip["passes"]
    ]
    assert published == [
        ("東京―新宿", "東京:JR東日本/中央線:新宿", "2022/04/01~2022/08/31", "確定"),
        ("東京―品川", "東京:JR東日本/東海道線:品川", "", "未確定"),
    ]
