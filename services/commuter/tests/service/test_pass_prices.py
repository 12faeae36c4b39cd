"""定期代 by HTTP: kept with a pass, dated, and in force only with it (R110, R111, R117)."""

from typing import Any

import pytest

from .conftest import ADMIN, HANAKO, OTHER_ADMIN, P1, TARO, CommuterApi, charged, ends, refused

PRICES: dict[str, Any] = {"one_month_yen": 10_360, "six_months_yen": 49_750, "paid_every": 6}


async def registered(api: CommuterApi, period: str = "2022/04/01~", **prices: Any) -> Any:
    body = {"employee_id": TARO.person_id, "route": P1, **ends(period), **prices}
    return await api.post(ADMIN, "/passes", body)


async def rewritten(api: CommuterApi, one: Any, **more: Any) -> Any:
    body = {"route": P1, "starts_on": one["starts_on"], "ends_on": one["ends_on"], **more}
    return await api.put(ADMIN, f"/passes/{one['pass_id']}", body, version=one["version"])


def history(one: Any) -> list[tuple[str, int | None, int | None]]:
    return [(row["from_on"], row["one_month_yen"], row["paid_every"]) for row in one["prices"]]


@pytest.mark.rule("R110")
async def test_prices_are_kept_and_deduct_nothing_else(commuter_api: CommuterApi) -> None:
    one = await registered(commuter_api, **PRICES)
    assert {name: one[name] for name in PRICES} == PRICES
    assert history(one) == [("2022-04-01", 10_360, 6)]
    assert one["trail"][0]["after"]["prices"] == "1か月 10,360円、6か月 49,750円（6か月ごとに支給）"
    assert await charged(commuter_api, "2022/07/11") == 0
    mine = (await commuter_api.get(TARO, "/my-passes"))["items"]
    assert mine[0]["six_months_yen"] == 49_750
    listed = await commuter_api.get(ADMIN, "/passes/employees?text=E101")
    assert listed["items"][0]["passes"][0]["one_month_yen"] == 10_360
    without = await registered(commuter_api)
    assert (without["prices"], without["one_month_yen"]) == ([], None)


@pytest.mark.rule("R110")
async def test_wrong_prices_name_their_fields_and_keep_nothing(commuter_api: CommuterApi) -> None:
    body = {"employee_id": TARO.person_id, "route": P1, "one_month_yen": 0, "paid_every": 3}
    answer = await commuter_api.request(ADMIN, "POST", "/passes", body)
    assert answer.status_code == 422
    fields = [one["field"] for one in answer.json()["errors"]]
    assert fields == ["one_month_yen", "three_months_yen"]
    huge = {**body, "one_month_yen": 2**40, "paid_every": None}
    assert (await commuter_api.request(ADMIN, "POST", "/passes", huge)).status_code == 422
    assert await commuter_api.count("pass_version") == 0


@pytest.mark.rule("R111")
async def test_a_revision_leaves_the_days_before(commuter_api: CommuterApi) -> None:
    one = await registered(commuter_api, **PRICES)
    same = await rewritten(commuter_api, one, **PRICES)
    assert history(same) == [("2022-04-01", 10_360, 6)]
    more = {**PRICES, "one_month_yen": 10_900}
    later = await rewritten(commuter_api, same, **more, priced_from="2022/10/01")
    assert history(later) == [("2022-04-01", 10_360, 6), ("2022-10-01", 10_900, 6)]
    path = f"/passes/{one['pass_id']}/end"
    ended = await commuter_api.post(
        ADMIN, path, {"ends_on": "2022-12-31"}, version=later["version"]
    )
    assert history(ended) == history(later)
    assert ended["one_month_yen"] == 10_900
    right = await rewritten(
        commuter_api, ended, **more | {"one_month_yen": 10_950}, priced_from="2022/10/01"
    )
    assert history(right)[1:] == [("2022-10-01", 10_950, 6)]
    now = await rewritten(commuter_api, right, one_month_yen=11_000)
    assert history(now)[1] == ("2022-07-11", 11_000, None)


@pytest.mark.rule("R111")
async def test_an_application_counts_once_it_is_confirmed(commuter_api: CommuterApi) -> None:
    body = {"route": P1, **ends("2022/08/01~"), **PRICES}
    one = await commuter_api.post(TARO, "/my-passes", body)
    assert (one["one_month_yen"], one["prices"]) == (10_360, [])
    done = await commuter_api.confirm(one, ends_on="2022-12-31")
    assert history(done) == [("2022-08-01", 10_360, 6)]
    again = {"route": P1, **ends("2022/08/01~"), "one_month_yen": 99_000, "paid_every": 1}
    path = f"/my-passes/{one['pass_id']}"
    waits = await commuter_api.put(TARO, path, again, version=done["version"])
    assert history(waits) == [("2022-08-01", 10_360, 6)]
    reason = {"reason": "定期代が違います"}
    path = f"/passes/{one['pass_id']}/rejection"
    back = await commuter_api.post(ADMIN, path, reason, version=waits["version"])
    assert (back["one_month_yen"], history(back)) == (10_360, [("2022-08-01", 10_360, 6)])


async def test_prices_go_with_their_pass(commuter_api: CommuterApi) -> None:
    one = await registered(commuter_api, "2022/04/01~2022/07/31", **PRICES)
    commuter_api.clock.set("2022/12/31")
    await commuter_api.timers()
    refused(await commuter_api.request(ADMIN, "GET", f"/passes/{one['pass_id']}"), 404, "NOT_FOUND")
    assert await commuter_api.count("pass_price") == 0


async def refund(api: CommuterApi, one: Any, ended_on: str, who: Any = TARO, **more: str) -> Any:
    params = {"ended_on": ended_on, **more}
    return await api.get(who, f"/passes/{one['pass_id']}/refund", params=params)


@pytest.mark.rule("R117", "R118")
async def test_what_comes_back_if_a_pass_is_given_up(commuter_api: CommuterApi) -> None:
    one = await registered(commuter_api, **PRICES, three_months_yen=29_500)
    found = await refund(commuter_api, one, "2022/08/20")
    assert (found["months"], found["bought_on"], found["valid_until"]) == (
        6, "2022-04-01", "2022-09-30",
    )  # fmt: skip
    assert (found["case"], found["used_months"]) == ("NOTHING_LEFT", 5)
    assert (await refund(commuter_api, one, "2022/07/11"))["refund_yen"] == 9_670
    second = await refund(commuter_api, one, "2022-10-05")
    assert (second["bought_on"], second["refund_yen"], second["first_days"]) == (
        "2022-10-01", 39_170, True,
    )  # fmt: skip
    named = await refund(commuter_api, one, "2022-07-11", months="3", bought_on="2022-07-01")
    assert named["refund_yen"] == 29_500 - 10_360 - 220
    assert (await refund(commuter_api, one, "2022-07-11", who=ADMIN)) == await refund(
        commuter_api, one, "2022-07-11"
    )


@pytest.mark.rule("R118")
@pytest.mark.parametrize(
    ("route", "case"),
    [
        ("渋谷:東急/東横線:横浜", "OPERATOR_UNKNOWN"),
        ("三鷹:JR東日本/中央線:中野:東京メトロ/東西線:大手町", "SEVERAL_OPERATORS"),
        (P1, "PRICES_MISSING"),
    ],
)
async def test_what_is_not_known_is_not_guessed(
    commuter_api: CommuterApi, route: str, case: str
) -> None:
    one = await commuter_api.register(route, "2022/04/01~")
    found = await refund(commuter_api, one, "2022-07-11")
    assert (found["case"], found["refund_yen"]) == (case, None)


@pytest.mark.rule("R117")
async def test_a_refund_is_shown_to_who_may_see_the_pass(commuter_api: CommuterApi) -> None:
    one = await registered(commuter_api, **PRICES)
    path = f"/passes/{one['pass_id']}/refund"
    asked = {"params": {"ended_on": "2022-07-11"}}
    refused(await commuter_api.request(HANAKO, "GET", path, **asked), 403, "RIGHT_MISSING")
    refused(await commuter_api.request(OTHER_ADMIN, "GET", path, **asked), 404, "NOT_FOUND")
    for wrong in ({}, {"ended_on": "x"}, {"ended_on": "2022-07-11", "months": "2"}):
        answer = await commuter_api.request(TARO, "GET", path, params=wrong)
        assert answer.status_code == 422
