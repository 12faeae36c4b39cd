"""Beyond the manual: re-check, simulation, findings, many rides at once."""

from typing import Any

import pytest

from commuter_service.rules.pass_simulation import MonthsNotSold, Offer, compare

from .conftest import ADMIN, HANAKO, P1, TARO, CommuterApi, looked_up, refused

JULY = {"first": "2022/07/01", "last": "2022/07/31"}


async def test_a_recheck_lists_what_changed_in_yen(commuter_api: CommuterApi) -> None:
    await commuter_api.approved(await commuter_api.slip(looked_up(), looked_up(round_trip=True)))
    await commuter_api.slip(looked_up())  # a draft is no claim yet
    nothing = await commuter_api.post(ADMIN, "/rechecks", JULY)
    assert (nothing["checked"], nothing["items"]) == (2, [])
    await commuter_api.register(period="2022/07/01~")
    found = await commuter_api.post(ADMIN, "/rechecks", JULY)
    assert sorted(row["difference_yen"] for row in found["items"]) == [-396, -198]
    assert found["total_difference_yen"] == -594
    other = {**JULY, "employee_id": HANAKO.person_id}
    assert (await commuter_api.post(ADMIN, "/rechecks", other))["checked"] == 0
    for edge, count in (("2022/07/11", 2), ("2022/07/12", 0)):
        answer = await commuter_api.post(ADMIN, "/rechecks", {**JULY, "first": edge})
        assert answer["checked"] == count


async def test_a_recheck_does_not_guess_about_deleted_passes(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(retention_days=40)
    await commuter_api.register(period="2022/04/01~2022/07/31")
    await commuter_api.approved(await commuter_api.slip(looked_up()))
    commuter_api.clock.set("2022/09/30")
    await commuter_api.timers()
    (row,) = (await commuter_api.post(ADMIN, "/rechecks", JULY))["items"]
    assert (row["now_yen"], row["difference_yen"]) == (None, 0)
    assert "削除" in row["why"]


async def test_a_recheck_is_for_accounting_and_for_a_period(commuter_api: CommuterApi) -> None:
    refused(await commuter_api.request(TARO, "POST", "/rechecks", JULY), 403, "ROLE_NOT_ALLOWED")
    reversed_ = {"first": "2022/07/31", "last": "2022/07/01"}
    refused(
        await commuter_api.request(ADMIN, "POST", "/rechecks", reversed_), 422, "PERIOD_REVERSED"
    )


@pytest.mark.parametrize(
    ("offer", "daily", "left", "days", "expected"),
    [
        (Offer(1, 7680), 506, 0, 20, (7680, 10120, 2440, 16)),
        (Offer(3, 21900), 506, 0, 14, (7300, 7084, -216, 15)),
        (Offer(6, 30001), 506, 506, 20, (5001 + 10120, 10120, -5001, None)),
        (Offer(1, 506), 506, 0, 1, (506, 506, 0, 1)),
    ],
)
def test_a_pass_pays_from_so_many_days_on(
    offer: Offer, daily: int, left: int, days: int, expected: Any
) -> None:
    found = compare(offer, daily_yen=daily, daily_with_pass_yen=left, days=days)
    shown = (found.monthly_yen, found.fares_yen, found.saving_yen, found.break_even_days)
    assert shown == expected
    if found.break_even_days is not None:
        even = found.break_even_days
        assert compare(offer, daily_yen=daily, daily_with_pass_yen=left, days=even).saving_yen >= 0
        assert (
            compare(offer, daily_yen=daily, daily_with_pass_yen=left, days=even - 1).saving_yen < 0
        )


def test_passes_are_sold_for_one_three_or_six_months() -> None:
    with pytest.raises(MonthsNotSold):
        Offer(2, 100)


async def test_the_cheapest_pass_for_a_way_to_work(commuter_api: CommuterApi) -> None:
    commuter_api.clock.set("2026/04/10")
    await commuter_api.approved(await commuter_api.slip(looked_up("2026/04/01", round_trip=True)))
    body = {
        "start": "東京", "end": "新宿", "on": "2026/04/10", "days_per_month": 20,
        "offers": [
            {"route": P1, "months": 1, "yen": 7680},
            {"route": "東京:丸ノ内線:新宿", "months": 6, "yen": 45000},
        ],
    }  # fmt: skip
    found = await commuter_api.post(TARO, "/simulations/passes", body)
    assert found["daily_yen"] == 209 * 2  # the cheapest way is by 丸ノ内線
    jr, metro = found["offers"]
    assert (jr["fares_yen"], jr["saving_yen"], jr["break_even_days"]) == (8360, 680, 19)
    assert (metro["monthly_yen"], metro["break_even_days"]) == (7500, 18)
    assert found["best"] == metro["route"]
    assert (jr["past_quarter_saving_yen"], metro["past_quarter_saving_yen"]) == (506, 0)
    body["days_per_month"] = 3
    assert (await commuter_api.post(TARO, "/simulations/passes", body))["best"] is None


async def test_a_simulation_takes_passes_by_their_stations(commuter_api: CommuterApi) -> None:
    offers: list[dict[str, object]] = [
        {"months": 1, "yen": 7680},
        {"months": 1, "yen": 9000, "via": ["品川"]},
        {"months": 1, "yen": 9000, "start": "三鷹"},
    ]
    body = {
        "start": "東京", "end": "新宿", "on": "2026/04/10", "days_per_month": 20,
        "offers": offers,
    }  # fmt: skip
    found = await commuter_api.post(TARO, "/simulations/passes", body)
    direct, around, longer = (one["route"] for one in found["offers"])
    assert direct == P1
    assert "品川" in around
    assert longer.startswith("三鷹")
    offers[1]["via"], offers[2]["start"] = ["渋夜"], "大阪"
    answer = await commuter_api.request(TARO, "POST", "/simulations/passes", body)
    problem = refused(answer, 422, "STATIONS_REFUSED")
    assert [one["field"] for one in problem["errors"]] == ["offers.1.via.0", "offers.2.start"]


@pytest.mark.rule("F13")
async def test_a_simulation_tells_where_two_tickets_are_cheaper(commuter_api: CommuterApi) -> None:
    body = {"start": "八王子", "end": "東京", "on": "2026/04/10", "days_per_month": 1}
    notices = (await commuter_api.post(TARO, "/simulations/passes", body))["notices"]
    assert any(one["code"] == "SPLIT_TICKET_HINT" for one in notices)


async def faults(commuter_api: CommuterApi, slip: Any) -> list[str]:
    found = await commuter_api.get(TARO, f"/slips/{slip['slip_id']}/findings")
    return [one["fault"] for one in found["items"]]


async def test_the_same_trip_twice_is_found_across_slips(commuter_api: CommuterApi) -> None:
    first = await commuter_api.slip(looked_up())
    assert await faults(commuter_api, first) == []
    back = await commuter_api.slip(looked_up(route="新宿:中央線:東京"))
    other_day = await commuter_api.slip(looked_up("2022/07/12"))
    await commuter_api.slip(looked_up(), who=HANAKO)
    assert await faults(commuter_api, back) == await faults(commuter_api, other_day) == []
    again = await commuter_api.slip(looked_up())
    assert (
        await faults(commuter_api, first)
        == await faults(commuter_api, again)
        == ["SAME_TRIP_TWICE"]
    )


async def test_a_roundabout_way_is_found(commuter_api: CommuterApi) -> None:
    for fair in ("新宿:中央線:東京", "新宿:丸ノ内線:東京", "神田:中央線:荻窪"):
        slip = await commuter_api.slip(looked_up("2026/04/01", fair))
        assert await faults(commuter_api, slip) == []
    far = await commuter_api.slip(
        looked_up("2026/04/01", "新宿:山手線:渋谷:銀座線:新橋:東海道線:東京")
    )
    assert await faults(commuter_api, far) == ["ROUNDABOUT"]
    route = "浅草:東京メトロ/銀座線:渋谷:東横線:横浜:東海道線:品川:山手線:新宿"
    ambiguous = await commuter_api.slip(looked_up("2026/04/01", route))  # 浅草 is two places
    assert await faults(commuter_api, ambiguous) == ["ROUNDABOUT"]


async def test_a_section_of_the_pass_typed_by_hand_is_found(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period="2022/04/01~")
    typed = {"words": "東京から新宿まで", "amount_yen": 198}
    during = await commuter_api.slip({**typed, "item_on": "2022/07/11"})
    before = await commuter_api.slip({**typed, "item_on": "2022/03/31"})
    other = await commuter_api.slip({**typed, "item_on": "2022/07/11", "words": "東京から品川まで"})
    assert await faults(commuter_api, during) == ["TYPED_ON_PASS"]
    assert await faults(commuter_api, before) == await faults(commuter_api, other) == []


async def test_many_rides_are_priced_in_their_order_and_each_alone(
    commuter_api: CommuterApi,
) -> None:
    await commuter_api.register(period="2022/04/01~")
    rides = [
        {"on": "2022/07/11", "route": P1},
        {"on": "2022/07/11", "route": "東京:幻線:新宿"},
        {"on": "2022/03/31", "route": P1},
    ]
    found = (await commuter_api.post(TARO, "/deductions", {"rides": rides}))["items"]
    assert [row.get("charged_yen") for row in found] == [0, None, 198]
    assert found[1]["problem"]["code"] == "UNKNOWN_LINE"
    assert (await commuter_api.post(TARO, "/deductions", {"rides": rides}))["items"] == found
    over = {"rides": rides * 400}
    assert (await commuter_api.request(TARO, "POST", "/deductions", over)).status_code == 422


@pytest.mark.rule("F22")
async def test_candidates_are_sorted_by_what_is_charged(commuter_api: CommuterApi) -> None:
    body = {"start": "東京", "end": "新宿", "on": "2026/04/01", "order": "charged"}
    before = (await commuter_api.post(TARO, "/look-ups", body))["items"]
    await commuter_api.register()
    after = (await commuter_api.post(TARO, "/look-ups", body))["items"]
    assert "丸ノ内線" in before[0]["route"]
    assert ("中央線" in after[0]["route"], after[0]["charged_yen"]) == (True, 0)
    assert [one["charged_yen"] for one in after] == sorted(o["charged_yen"] for o in after)
    assert len(after) <= 5


@pytest.mark.parametrize(
    ("start", "code", "published"),
    [
        ("市谷", "UNKNOWN_STATION", "suggestions"),
        ("大阪", "STATION_OUTSIDE_AREA", "station"),
        ("日本橋", "", ""),
        ("小川町", "AMBIGUOUS_STATION", "choices"),
    ],
)
async def test_names_that_are_not_clear(
    commuter_api: CommuterApi, start: str, code: str, published: str
) -> None:
    body = {"start": start, "end": "新宿", "on": "2026/04/01"}
    answer = await commuter_api.request(TARO, "POST", "/look-ups", body)
    if code:
        assert refused(answer, 422, code)["facts"][published]


async def test_a_station_is_suggested_by_its_beginning(commuter_api: CommuterApi) -> None:
    found = (await commuter_api.get(TARO, "/stations", params={"prefix": "shinju"}))["items"]
    assert found[0]["name"] == "新宿"
