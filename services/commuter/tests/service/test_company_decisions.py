"""Company settings take effect in the staff's slips: fares, passes, roundabout ways."""

from typing import Any

import pytest

from .conftest import BUS, P1, TARO, CommuterApi, looked_up, refused


@pytest.mark.parametrize(
    ("decided", "ride", "code"),
    [
        ({"media": "ic"}, {"medium": "ticket"}, "MEDIUM_NOT_ACCEPTED"),
        ({"media": "ticket"}, {"medium": "ic"}, "MEDIUM_NOT_ACCEPTED"),
        ({"without_pass_allowed": False}, {"without_pass_reason": "忘れた"}, "PASS_MUST_BE_USED"),
    ],
)
async def test_the_company_decides_which_look_ups_it_accepts(
    commuter_api: CommuterApi, decided: dict[str, Any], ride: dict[str, Any], code: str
) -> None:
    slip = await commuter_api.slip(looked_up(**ride))
    await commuter_api.setting(**decided)
    body = {"kind": "transport", "items": [looked_up(**ride)]}
    refused(await commuter_api.request(TARO, "POST", "/slips", body), 422, code)
    (item,) = slip["items"]
    path = f"/slips/{slip['slip_id']}/items/{item['item_id']}/look-up"
    again = {"on": "2022-07-11", "route": P1, **ride}
    answer = await commuter_api.request(TARO, "POST", path, again, version=slip["version"])
    refused(answer, 422, code)
    assert await commuter_api.count("slip") == 1
    media = decided.get("media", "ic")
    other = await commuter_api.slip(looked_up(medium=media))
    assert other["media"] == ([media] if "media" in decided else ["ic", "ticket"])
    kept = await commuter_api.save(TARO, slip)  # what was decided before stays
    assert kept["items"][0]["amount_yen"] == item["amount_yen"]


@pytest.mark.parametrize("blocks", [False, True])
async def test_the_company_decides_whether_it_pays_roundabout_ways(
    commuter_api: CommuterApi, blocks: bool
) -> None:
    await commuter_api.setting(roundabout_blocks=blocks)
    near = await commuter_api.slip(looked_up("2026/04/01", "新宿:丸ノ内線:東京"))
    await commuter_api.step(TARO, near, "submit")
    far = await commuter_api.slip(
        looked_up("2026/04/01", "新宿:山手線:渋谷:銀座線:新橋:東海道線:東京")
    )
    path = f"/slips/{far['slip_id']}/submit"
    answer = await commuter_api.request(TARO, "POST", path, {}, version=far["version"])
    if blocks:
        problem = refused(answer, 422, "ROUNDABOUT_BLOCKS_SUBMISSION")
        assert problem["title"].startswith("新宿→(丸ノ内線)→東京なら209円(19分、乗換0回)です。")
        assert "乗換2回です" in problem["title"]
        assert (await commuter_api.get(TARO, f"/slips/{far['slip_id']}"))["status"] == "draft"
    else:
        assert answer.json()["status"] == "pending"


@pytest.mark.rule("F17")
async def test_the_company_may_deduct_nothing_of_a_pass_with_a_bus(
    commuter_api: CommuterApi,
) -> None:
    await commuter_api.register(BUS)
    for policy, charged in (("rail_only", 0), ("none", 220)):
        await commuter_api.setting(bus_policy=policy)
        slip = await commuter_api.slip(looked_up(route="新宿:中央線:三鷹"))
        assert slip["total_yen"] == charged
