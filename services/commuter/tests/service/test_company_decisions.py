"""What a company decides shows in its people's slips: fares, passes, roundabout ways."""

from typing import Any

import pytest

from .conftest import BUS, P1, TARO, Bureau, looked_up, refused


@pytest.mark.parametrize(
    ("decided", "ride", "code"),
    [
        ({"media": "ic"}, {"medium": "ticket"}, "MEDIUM_NOT_ACCEPTED"),
        ({"media": "ticket"}, {"medium": "ic"}, "MEDIUM_NOT_ACCEPTED"),
        ({"without_pass_allowed": False}, {"without_pass_reason": "忘れた"}, "PASS_MUST_BE_USED"),
    ],
)
async def test_the_company_decides_which_look_ups_it_accepts(
    bureau: Bureau, decided: dict[str, Any], ride: dict[str, Any], code: str
) -> None:
    slip = await bureau.slip(looked_up(**ride))
    await bureau.setting(**decided)
    body = {"kind": "transport", "items": [looked_up(**ride)]}
    refused(await bureau.ask(TARO, "POST", "/slips", body), 422, code)
    (item,) = slip["items"]
    path = f"/slips/{slip['slip_id']}/items/{item['item_id']}/look-up"
    again = {"on": "2022-07-11", "route": P1, **ride}
    answer = await bureau.ask(TARO, "POST", path, again, version=slip["version"])
    refused(answer, 422, code)
    assert await bureau.count("slip") == 1
    media = decided.get("media", "ic")
    await bureau.slip(looked_up(medium=media))
    kept = await bureau.save(TARO, slip)  # what was decided before stays
    assert kept["items"][0]["amount_yen"] == item["amount_yen"]


@pytest.mark.parametrize("blocks", [False, True])
async def test_the_company_decides_whether_it_pays_roundabout_ways(
    bureau: Bureau, blocks: bool
) -> None:
    await bureau.setting(roundabout_blocks=blocks)
    near = await bureau.slip(looked_up("2026/04/01", "新宿:丸ノ内線:東京"))
    await bureau.step(TARO, near, "submit")
    far = await bureau.slip(looked_up("2026/04/01", "新宿:中央線:東京"))
    path = f"/slips/{far['slip_id']}/submit"
    answer = await bureau.ask(TARO, "POST", path, {}, version=far["version"])
    if blocks:
        problem = refused(answer, 422, "ROUNDABOUT_BLOCKS_SUBMISSION")
        assert problem["title"] == "最も安い経路(209円)より44円高い経路です"
        assert (await bureau.get(TARO, f"/slips/{far['slip_id']}"))["status"] == "draft"
    else:
        assert answer.json()["status"] == "pending"


@pytest.mark.rule("F17")
async def test_the_company_may_deduct_nothing_of_a_pass_with_a_bus(bureau: Bureau) -> None:
    await bureau.register(BUS)
    for policy, charged in (("rail_only", 0), ("none", 220)):
        await bureau.setting(bus_policy=policy)
        slip = await bureau.slip(looked_up(route="新宿:中央線:三鷹"))
        assert slip["total_yen"] == charged
