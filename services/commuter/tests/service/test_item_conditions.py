"""Items of a slip by HTTP: conditions of the look-up, by hand instead, and while it is blocked."""

from typing import Any

import pytest

from .conftest import CHIEF, TARO, CommuterApi, line, looked_up, refused

ASKED = {"start": "東京", "end": "新宿", "on": "2022/07/11"}


async def test_a_candidate_is_priced_as_its_decision_will_be(commuter_api: CommuterApi) -> None:
    more: dict[str, Any] = {
        "round_trip": True,
        "child": True,
        "charges": [{"kind": "グリーン料金", "yen": 780}],
    }
    found = (await commuter_api.post(TARO, "/look-ups", {**ASKED, **more}))["items"]
    slip = await commuter_api.slip(looked_up(route=found[0]["route"], **more))
    assert slip["items"][0]["amount_yen"] == found[0]["charged_yen"]
    plain = (await commuter_api.post(TARO, "/look-ups", ASKED))["items"]
    assert [one["route"] for one in plain] == [one["route"] for one in found]
    assert found[0]["charged_yen"] == 2 * (plain[0]["charged_yen"] // 2 + 780)


async def test_the_ride_is_named_by_trains_and_without_its_notation(
    commuter_api: CommuterApi,
) -> None:
    one = await commuter_api.register(period="2022/04/01~")
    await commuter_api.register("横浜:東海道線:川崎")  # beside the ride
    slip = await commuter_api.slip(looked_up(route="三鷹:中央線:東京"))
    (item,) = slip["items"]
    assert item["section"] == "三鷹―東京"
    assert item["route_words"] == ["三鷹", "中央線", "東京"]
    sections = [part for leg in item["itinerary"] for part in leg["sections"]]
    assert [part["coverage"] for part in sections] == ["charged", "on_pass"]
    assert [(used["section"], used["period"]) for used in item["passes"]] == [
        ("東京―新宿", "2022/04/01~")
    ]
    assert one["route_words"] == ["東京", "中央線", "新宿"]


async def test_a_looked_up_item_is_turned_into_a_typed_one(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up(route="三鷹:中央線:東京", round_trip=True))
    amount = slip["items"][0]["amount_yen"]
    answer = await commuter_api.save(TARO, slip, line(slip["items"][0], by_hand=True))
    (item,) = answer["items"]
    assert (item["source"], item["words"], item["amount_yen"]) == (
        "typed", "三鷹―東京（往復）", amount,
    )  # fmt: skip
    assert (item["route"], item["explanation"], item["itinerary"]) == (None, None, [])
    answer = await commuter_api.save(TARO, answer, line(item, words="電車", amount_yen=500))
    assert (answer["items"][0]["words"], answer["total_yen"]) == ("電車", 500)
    back = line(answer["items"][0], look_up=looked_up()["look_up"])
    answer = await commuter_api.save(TARO, answer, back)
    assert answer["items"][0]["source"] == "look_up"


@pytest.mark.rule("R34")
async def test_a_ride_of_an_ic_card_is_not_typed_over(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip()
    row = {"item_on": "2022/07/11", "words": "東京―新宿", "amount_yen": 198}
    path = f"/slips/{slip['slip_id']}"
    slip = await commuter_api.post(
        TARO, f"{path}/ic-card-rows", {"rows": [row]}, version=slip["version"]
    )
    body = {"title": "x", "items": [line(slip["items"][0], by_hand=True)]}
    answer = await commuter_api.request(TARO, "PUT", path, body, version=slip["version"])
    refused(answer, 422, "AMOUNT_IS_LOOKED_UP")


@pytest.mark.rule("R22")
async def test_a_draft_says_why_it_is_blocked(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up())
    other = await commuter_api.slip(kind="expense")
    assert slip["blocked"] is None
    one = await commuter_api.apply()
    shown = await commuter_api.get(TARO, f"/slips/{slip['slip_id']}")
    submit = next(step for step in shown["actions"] if step["action"] == "submit")
    assert shown["blocked"] == submit["reason"]
    assert "未確定の定期区間" in submit["reason"]
    assert not submit["enabled"]
    assert (await commuter_api.get(TARO, f"/slips/{other['slip_id']}"))["blocked"] is None
    await commuter_api.confirm(one)
    slip = await commuter_api.step(TARO, shown, "submit")
    await commuter_api.apply("三鷹:中央線:東京")
    seen = await commuter_api.get(CHIEF, f"/slips/{slip['slip_id']}")
    assert seen["blocked"] is None
