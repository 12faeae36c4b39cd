"""Passes by HTTP: registered, applied for, and refused R1-R10, R19, R20."""

from typing import Any

import pytest

from event_contracts.commuter import (
    PassApplied,
    PassRegistered,
)

from .conftest import (
    ADMIN,
    BUS,
    HANAKO,
    OTHER_ADMIN,
    P1,
    TARO,
    CommuterApi,
    charged,
    ends,
    looked_up,
    refused,
)

ALL_THE_WAY = "三鷹:JR東日本/中央線:東京"


@pytest.mark.rule("R1", "R33")
async def test_an_administrators_registration_deducts_from_then_on(
    commuter_api: CommuterApi,
) -> None:
    assert await charged(commuter_api, "2022/07/11") == 198
    one = await commuter_api.register()
    assert (one["status"], one["status_japanese"], one["section"]) == (
        "confirmed", "確定", "東京―新宿",
    )  # fmt: skip
    assert one["period"] == ""
    assert await charged(commuter_api, "2022/07/11") == 0
    (event,) = await commuter_api.events()
    assert isinstance(event, PassRegistered)  # and nothing that a mail follows


@pytest.mark.rule("R2")
@pytest.mark.parametrize("path", ["/passes", "/my-passes"])
@pytest.mark.parametrize("form", ["csv", "multipart", "list"])
async def test_files_and_lists_are_refused_with_the_manuals_sentence(
    commuter_api: CommuterApi, path: str, form: str
) -> None:
    body = {"employee_id": TARO.person_id, "route": P1} if path == "/passes" else {"route": P1}
    who = ADMIN if path == "/passes" else TARO
    sent: dict[str, dict[str, Any]] = {
        "csv": {"content": "社員,経路\nE101,東京", "headers": {"content-type": "text/csv"}},
        "multipart": {"files": {"file": ("passes.csv", b"E101")}},
        "list": {"json": [body, body]},
    }
    answer = await commuter_api.request(who, "POST", path, **sent[form])
    problem = refused(answer, 422, "CSV_REGISTRATION_REFUSED")
    assert problem["title"] == "CSVでの登録はできません。一件ずつ登録が必要です。"
    assert await commuter_api.count("commuter_pass") == 0


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    ("route", "code"),
    [
        ("", "ROUTE_NOT_DECIDED"),
        ("東京―新宿", "ROUTE_UNREADABLE"),
        ("東京:中央線:浅草", "PASS_HAS_GAP"),
        ("とうきょ:中央線:新宿", "UNKNOWN_STATION"),
        ("東京:幻線:新宿", "UNKNOWN_LINE"),
    ],
)
async def test_without_a_decided_route_nothing_is_kept(
    commuter_api: CommuterApi, route: str, code: str
) -> None:
    body = {"employee_id": TARO.person_id, "route": route}
    refused(await commuter_api.request(ADMIN, "POST", "/passes", body), 422, code)
    refused(await commuter_api.request(TARO, "POST", "/my-passes", {"route": route}), 422, code)
    refused(await commuter_api.request(TARO, "POST", "/passes/check", {"route": route}), 422, code)
    assert await commuter_api.count("commuter_pass") == 0
    assert await commuter_api.events() == []


async def test_an_unknown_station_comes_with_suggestions(commuter_api: CommuterApi) -> None:
    answer = await commuter_api.request(TARO, "POST", "/my-passes", {"route": "高円:中央線:新宿"})
    assert "高円寺" in refused(answer, 422, "UNKNOWN_STATION")["facts"]["suggestions"]


@pytest.mark.rule("R4", "R64")
@pytest.mark.parametrize(
    ("period", "shown"),
    [
        ("2022/04/01~", "2022/04/01~"),
        ("~2022-08-31", "~2022/08/31"),
        ("2022/04/01~2022-08-31", "2022/04/01~2022/08/31"),
        ("~", ""),
    ],
)
async def test_four_shapes_of_a_period_and_two_of_a_date(
    commuter_api: CommuterApi, period: str, shown: str
) -> None:
    one = await commuter_api.register(period=period)
    assert one["period"] == shown
    iso = ends(period.replace("/", "-"))
    assert {name: one[name] for name in iso} == iso


@pytest.mark.rule("R64")
@pytest.mark.parametrize("wrong", ["2022/02/30", "22-04-01", "4月1日", "0001-01-01", "9999-12-31"])
async def test_an_unreadable_date_names_its_field(commuter_api: CommuterApi, wrong: str) -> None:
    body = {"route": P1, "starts_on": wrong}
    answer = await commuter_api.request(TARO, "POST", "/my-passes", body)
    assert answer.status_code == 422
    assert await commuter_api.count("commuter_pass") == 0


@pytest.mark.rule("R6")
async def test_a_reversed_period_is_refused_and_one_day_is_not(commuter_api: CommuterApi) -> None:
    body = {"employee_id": TARO.person_id, "route": P1, **ends("2022/08/31~2022/04/01")}
    refused(await commuter_api.request(ADMIN, "POST", "/passes", body), 422, "PERIOD_REVERSED")
    assert await commuter_api.count("commuter_pass") == 0
    await commuter_api.register(period="2022/08/31~2022/08/31")
    found = [await charged(commuter_api, day) for day in ("2022/08/30", "2022/08/31", "2022/09/01")]
    assert found == [198, 0, 198]


@pytest.mark.rule("R5", "R7")
async def test_a_pass_from_the_future_has_no_end(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period="2022/10/01~")
    found = [await charged(commuter_api, day) for day in ("2022/09/30", "2022/10/01", "2035/01/01")]
    assert found == [198, 0, 0]


@pytest.mark.rule("R8", "R9")
async def test_an_overlap_is_shown_with_the_end_that_would_remove_it(
    commuter_api: CommuterApi,
) -> None:
    old = await commuter_api.register(period="2022/04/01~")
    new = {"route": "東京:東海道線:品川", "starts_on": "2022/08/01"}
    (met,) = (await commuter_api.post(TARO, "/passes/check", new))["overlaps"]
    assert (met["pass_id"], met["proposed_end"]) == (old["pass_id"], "2022-07-31")
    await commuter_api.apply(new["route"], "2022/08/01~")
    route = "新宿:中央線:東京:東海道線:品川"
    assert await charged(commuter_api, "2022/08/05", "新宿:中央線:東京") == 0
    mine = (await commuter_api.get(TARO, "/my-passes"))["items"]
    applied = next(one for one in mine if one["status"] == "applied")
    await commuter_api.confirm(applied)  # allowed without an end: then both deduct (F8)
    assert await charged(commuter_api, "2022/08/05", route) == 0
    version = (await commuter_api.get(ADMIN, f"/passes/{old['pass_id']}"))["version"]
    end = {"ends_on": met["proposed_end"]}
    path = f"/passes/{old['pass_id']}/end"
    ended = await commuter_api.post(ADMIN, path, end, version=version)
    assert (ended["period"], ended["overlaps"]) == ("2022/04/01~2022/07/31", [])
    assert await charged(commuter_api, "2022/08/05", "新宿:中央線:東京") == 198


@pytest.mark.rule("R9")
async def test_the_end_may_be_set_while_confirming(commuter_api: CommuterApi) -> None:
    one = await commuter_api.apply(period="2022/04/01~")
    done = await commuter_api.confirm(one, ends_on="2022/07/31")
    assert (done["status"], done["period"]) == ("confirmed", "2022/04/01~2022/07/31")
    assert [await charged(commuter_api, day) for day in ("2022/07/31", "2022/08/01")] == [0, 198]
    other = await commuter_api.apply(period="2022/09/01~")
    path = f"/passes/{other['pass_id']}/confirmation"
    answer = await commuter_api.request(
        ADMIN, "POST", path, {"ends_on": "2022/08/31"}, version=other["version"]
    )
    refused(answer, 422, "PERIOD_REVERSED")


@pytest.mark.rule("R8")
async def test_a_gap_between_two_passes_is_named(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period="2022/04/01~2022/06/30")
    body = {"route": P1, "starts_on": "2022/08/01"}
    found = await commuter_api.post(TARO, "/passes/check", body)
    assert [gap["period"] for gap in found["gaps"]] == ["2022/07/01~2022/07/31"]
    touching = {"route": P1, "starts_on": "2022/07/01"}
    assert (await commuter_api.post(TARO, "/passes/check", touching))["gaps"] == []


@pytest.mark.rule("R10")
async def test_a_bus_takes_the_promise_away_and_says_so(commuter_api: CommuterApi) -> None:
    one = await commuter_api.register(BUS)
    assert not one["guaranteed"]
    assert one["notices"] == ["バス区間を含む定期区間は自動控除の保証対象外です。"]
    checked = await commuter_api.post(TARO, "/passes/check", {"route": BUS})
    assert checked["notices"] == one["notices"]
    slip = await commuter_api.slip(looked_up(route="新宿:中央線:三鷹"))
    (item,) = slip["items"]
    assert item["amount_yen"] == 0  # the rail part is deducted
    assert "BUS_NOT_GUARANTEED" in [one["code"] for one in item["explanation"]["notices"]]


@pytest.mark.rule("R19")
async def test_only_a_company_that_allows_it_takes_applications(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(applications_allowed=False)
    answer = await commuter_api.request(TARO, "POST", "/my-passes", {"route": P1})
    refused(answer, 403, "PASS_APPLICATIONS_NOT_ALLOWED")
    assert (await commuter_api.get(TARO, "/my-passes"))["apply"]["enabled"] is False
    await commuter_api.setting(applications_allowed=True)
    assert (await commuter_api.apply())["status_japanese"] == "未確定"


@pytest.mark.rule("R19", "R11")
async def test_nothing_is_allowed_where_nobody_decided(empty_commuter_api: CommuterApi) -> None:
    setting = await empty_commuter_api.get(ADMIN, "/settings")
    assert (setting["applications_allowed"], setting["retention_days"]) == (False, 90)


@pytest.mark.rule("R20", "R61")
async def test_nobody_touches_anothers_pass(commuter_api: CommuterApi) -> None:
    one = await commuter_api.apply()
    path, version = one["pass_id"], one["version"]
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", f"/my-passes/{path}", {"route": P1}),
        ("POST", f"/my-passes/{path}/withdrawal", {}),
        ("GET", f"/passes/{path}", {}),
    ]
    for method, where, body in changes:
        answer = await commuter_api.request(HANAKO, method, where, body, version=version)
        assert answer.status_code == 403, where
    for method, where, body in changes:
        answer = await commuter_api.request(OTHER_ADMIN, method, where, body, version=version)
        assert answer.status_code == 404, where


async def test_a_double_click_is_one_application(commuter_api: CommuterApi) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}
    first = await commuter_api.post(TARO, "/my-passes", {"route": P1}, **sent)
    second = await commuter_api.post(TARO, "/my-passes", {"route": P1}, **sent)
    assert first["pass_id"] == second["pass_id"]
    assert len(await commuter_api.events(PassApplied)) == 1
