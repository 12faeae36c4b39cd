"""The two warnings and the notices of an item, on every way that changes its day R40-R57."""

from typing import Any

import pytest

from .conftest import (
    ADMIN,
    CHIEF,
    TARO,
    CommuterApi,
    line,
    looked_up,
    refused,
    warned,
)

A = "2022/04/01~"
BEFORE_A = "2022-03-31"
TYPED = {"item_on": "2022/07/11", "words": "会議費", "amount_yen": 1200, "receipt": True}


@pytest.mark.rule("R40")
async def test_another_day_in_the_dialog_warns(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period=A)
    slip = await commuter_api.slip(looked_up("2022/03/31", item_on="2022/07/11"))
    (item,) = slip["items"]
    assert item["amount_yen"] == 198  # the pass does not cover the day that was looked up
    (warning,) = item["warnings"]
    assert warning == {
        "code": "W1",
        "message": "明細の日付と乗換案内で実行された日付が異なるため、"
        "定期区間控除の判定ができませんでした。もう一度、乗換案内を呼び出してください。",
    }


async def auto_saved(commuter_api: CommuterApi) -> Any:
    slip = await commuter_api.slip(looked_up())
    return await commuter_api.save(TARO, slip, *moved(slip), automatic=True)


async def saved(commuter_api: CommuterApi) -> Any:
    slip = await commuter_api.slip(looked_up())
    return await commuter_api.save(TARO, slip, *moved(slip))


async def remanded(commuter_api: CommuterApi) -> Any:
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    slip = await commuter_api.step(CHIEF, slip, "remand", "日付を確認してください")
    slip = await commuter_api.save(TARO, slip, *moved(slip))
    return await commuter_api.step(TARO, slip, "submit")


async def withdrawn(commuter_api: CommuterApi) -> Any:
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    slip = await commuter_api.step(TARO, slip, "withdraw")
    return await commuter_api.save(TARO, slip, *moved(slip))


async def edited_at_approval(commuter_api: CommuterApi) -> Any:
    await commuter_api.allow(CHIEF, edit_at_approval=True)
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    return await commuter_api.save(CHIEF, slip, *moved(slip))


async def edited_by_accounting(commuter_api: CommuterApi) -> Any:
    await commuter_api.allow(ADMIN, pass_master=True, edit_after_approval=True)
    slip = await commuter_api.approved(await commuter_api.slip(looked_up()))
    return await commuter_api.save(ADMIN, slip, *moved(slip))


async def copied(commuter_api: CommuterApi) -> Any:
    slip = await commuter_api.slip(looked_up())
    slip = await commuter_api.post(TARO, f"/slips/{slip['slip_id']}/copies")
    assert warned(slip) == [[]]
    return await commuter_api.save(TARO, slip, *moved(slip))


def moved(slip: Any) -> list[Any]:
    return [line(item, item_on=BEFORE_A) for item in slip["items"]]


PATHS = {
    "自動保存": auto_saved,
    "一時保存": saved,
    "差戻し": remanded,
    "取下げ": withdrawn,
    "承認途中の修正": edited_at_approval,
    "管理者の修正": edited_by_accounting,
    "伝票コピー": copied,
}


@pytest.mark.rule("R41", "R42", "R58")
@pytest.mark.parametrize("path", PATHS)
async def test_a_changed_day_warns_on_every_path(commuter_api: CommuterApi, path: str) -> None:
    await commuter_api.register(period=A)
    slip = await PATHS[path](commuter_api)
    (item,) = slip["items"]
    assert item["amount_yen"] == 0
    assert item["warnings"] == [
        {
            "code": "W2",
            "message": "乗換案内の使用後に、明細の日付が変更されたため、"
            "定期区間控除の判定ができませんでした。もう一度、乗換案内を呼び出してください。",
        }
    ]
    reader = ADMIN if path == "管理者の修正" else TARO
    again = await commuter_api.get(reader, f"/slips/{slip['slip_id']}")
    assert warned(again) == [["W2"]]  # it survives being read again, though it is stored nowhere


@pytest.mark.rule("R43")
async def test_looking_up_again_cures(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period=A)
    in_dialog = await commuter_api.slip(looked_up("2022/03/31", item_on="2022/07/11"))
    for warned_slip in (await saved(commuter_api), in_dialog):
        (item,) = warned_slip["items"]
        slip = await commuter_api.save(TARO, warned_slip, line(item, item_on=BEFORE_A))
        path = f"/slips/{slip['slip_id']}/items/{item['item_id']}/look-up"
        again = {"on": BEFORE_A, "route": item["route"]}
        cured = await commuter_api.post(TARO, path, again, version=slip["version"])
        (item,) = cured["items"]
        assert (item["warnings"], item["amount_yen"], item["deduction_yen"]) == ([], 198, 0)


@pytest.mark.rule("R43")
async def test_a_look_up_for_another_day_warns_of_that_day_and_no_longer_of_the_change(
    commuter_api: CommuterApi,
) -> None:
    await commuter_api.register(period=A)
    slip = await saved(commuter_api)
    assert warned(slip) == [["W2"]]
    (item,) = slip["items"]
    path = f"/slips/{slip['slip_id']}/items/{item['item_id']}/look-up"
    again = {"on": "2022/07/12", "route": item["route"]}
    assert warned(await commuter_api.post(TARO, path, again, version=slip["version"])) == [["W1"]]


@pytest.mark.rule("R49", "R50", "R53")
async def test_no_warning_without_reason(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period=A)
    slip = await saved(commuter_api)
    back = [line(item, item_on="2022-07-11") for item in slip["items"]]
    assert warned(await commuter_api.save(TARO, slip, *back)) == [[]]
    empty = await commuter_api.slip(looked_up(), {**TYPED, "item_on": BEFORE_A})
    lines = [line(item, item_on=None) for item in empty["items"]]
    assert warned(await commuter_api.save(TARO, empty, *lines)) == [[], []]


@pytest.mark.rule("R54")
@pytest.mark.parametrize("blocks", [False, True])
async def test_the_company_decides_whether_a_warning_blocks(
    commuter_api: CommuterApi, blocks: bool
) -> None:
    await commuter_api.setting(warning_blocks=blocks)
    await commuter_api.register(period=A)
    slip = await saved(commuter_api)
    path = f"/slips/{slip['slip_id']}/submit"
    answer = await commuter_api.request(TARO, "POST", path, {}, version=slip["version"])
    if blocks:
        refused(answer, 422, "WARNING_BLOCKS_SUBMISSION")
        assert (await commuter_api.get(TARO, f"/slips/{slip['slip_id']}"))["status"] == "draft"
    else:
        assert answer.status_code == 200
        assert warned(await commuter_api.get(CHIEF, f"/slips/{slip['slip_id']}")) == [["W2"]]


@pytest.mark.rule("R55")
async def test_revised_fares_are_another_notice(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up("2026/03/13"))
    (item,) = slip["items"]
    assert warned(await commuter_api.save(TARO, slip, line(item, item_on="2026-03-14"))) == [
        ["FARES_REVISED"]
    ]


@pytest.mark.rule("R56")
async def test_a_pass_changed_since_is_reported(commuter_api: CommuterApi) -> None:
    one = await commuter_api.register(period=A)
    slip = await commuter_api.slip(looked_up("2022/08/05"))
    end = {"ends_on": "2022/07/31"}
    path = f"/passes/{one['pass_id']}/end"
    await commuter_api.post(ADMIN, path, end, version=one["version"])
    slip = await commuter_api.get(TARO, f"/slips/{slip['slip_id']}")
    assert warned(slip) == [["PASS_CHANGED"]]
    (item,) = slip["items"]
    path = f"/slips/{slip['slip_id']}/items/{item['item_id']}/look-up"
    again = {"on": "2022/08/05", "route": item["route"]}
    cured = await commuter_api.post(TARO, path, again, version=slip["version"])
    assert (warned(cured), cured["total_yen"]) == ([[]], 198)


RENEWALS = [
    ("2022/08/05", {"ends_on": "2022/08/05"}, []),  # the last day still deducts
    ("2022/08/05", {"ends_on": "2022/08/04"}, ["PASS_CHANGED"]),
    ("2022/08/05", {"starts_on": "2022/08/05"}, []),
    ("2022/08/05", {"starts_on": "2022/08/06"}, ["PASS_CHANGED"]),
    ("2022/08/05", {"route": "東京:中央線:三鷹"}, []),  # longer, over the same tracks
    ("2022/08/05", {"route": "四ツ谷:中央線:新宿"}, ["PASS_CHANGED"]),
]


@pytest.mark.rule("R56")
@pytest.mark.parametrize(("on", "change", "noticed"), RENEWALS)
async def test_a_changed_pass_is_mentioned_only_where_it_deducts_otherwise(
    commuter_api: CommuterApi, on: str, change: dict[str, str], noticed: list[str]
) -> None:
    one = await commuter_api.register(period=A)
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up(on)), "submit")
    body = {"route": one["route"], "starts_on": "2022/04/01", "ends_on": None, **change}
    await commuter_api.put(ADMIN, f"/passes/{one['pass_id']}", body, version=one["version"])
    for reader in (TARO, CHIEF):
        assert warned(await commuter_api.get(reader, f"/slips/{slip['slip_id']}")) == [noticed]


@pytest.mark.rule("R56")
@pytest.mark.parametrize(
    ("route", "noticed"),
    [("東京:中央線:新宿", ["PASS_CHANGED"]), ("渋谷:山手線:品川", []), ("三鷹:中央線:立川", [])],
)
async def test_another_pass_is_mentioned_only_if_it_meets_the_ride(
    commuter_api: CommuterApi, route: str, noticed: list[str]
) -> None:
    slip = await commuter_api.slip(looked_up("2022/08/05"))
    await commuter_api.register(route=route)
    assert warned(await commuter_api.get(TARO, f"/slips/{slip['slip_id']}")) == [noticed]


@pytest.mark.rule("R54")
async def test_a_warning_that_blocks_is_the_reason_beside_submit(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(warning_blocks=True)
    await commuter_api.register(period=A)
    slip = await saved(commuter_api)
    (submit,) = (one for one in slip["actions"] if one["action"] == "submit")
    assert submit["enabled"] is False
    assert submit["reason"].startswith("乗換案内の使用後に、明細の日付が変更されたため")


@pytest.mark.rule("R57")
async def test_a_copy_keeps_the_searched_day(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period="2022/04/01~2022/08/31")
    sent = await commuter_api.approved(await commuter_api.slip(looked_up(), TYPED))
    copy = await commuter_api.post(TARO, f"/slips/{sent['slip_id']}/copies")
    assert (copy["status"], copy["copied_from"]) == ("draft", sent["slip_id"])
    names = ("route", "amount_yen", "searched_on", "explanation", "words", "receipt")
    assert [[i[n] for n in names] for i in copy["items"]] == [
        [i[n] for n in names] for i in sent["items"]
    ]
    first, second = (line(item) for item in copy["items"])
    copy = await commuter_api.save(TARO, copy, {**first, "item_on": "2022/09/05"}, second)
    assert warned(copy) == [["W2"], []]
    await commuter_api.apply()
    answer = await commuter_api.request(TARO, "POST", f"/slips/{sent['slip_id']}/copies")
    refused(answer, 409, "UNCONFIRMED_PASS_BLOCKS")
