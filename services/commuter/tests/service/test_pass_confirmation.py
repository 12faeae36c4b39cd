"""Confirmation of passes by HTTP: confirmed, sent back, withdrawn R21-R28, R33, R62."""

from typing import Any

import pytest

from event_contracts.commuter import (
    PassConfirmed,
    PassRejected,
    PassWithdrawn,
)

from .conftest import (
    ADMIN,
    CHIEF,
    HANAKO,
    P1,
    TARO,
    CommuterApi,
    charged,
    refused,
)

ALL_THE_WAY = "三鷹:JR東日本/中央線:東京"


@pytest.mark.rule("R21")
async def test_an_application_deducts_only_after_its_confirmation(
    commuter_api: CommuterApi,
) -> None:
    one = await commuter_api.apply()
    price = {"rides": [{"on": "2022/07/11", "route": "東京:中央線:新宿"}]}
    assert (await commuter_api.post(TARO, "/deductions", price))["items"][0]["charged_yen"] == 198
    await commuter_api.confirm(one)
    assert await charged(commuter_api, "2022/07/11") == 0


@pytest.mark.rule("R24")
async def test_a_changed_pass_keeps_its_confirmed_version_meanwhile(
    commuter_api: CommuterApi,
) -> None:
    one = await commuter_api.register()
    body = {"route": ALL_THE_WAY}
    path = f"/my-passes/{one['pass_id']}"
    again = await commuter_api.put(TARO, path, body, version=one["version"])
    assert (again["status"], again["section"]) == ("applied", "三鷹―東京")
    assert again["in_force"]["section"] == "東京―新宿"
    ride = {"on": "2022/07/11", "route": ALL_THE_WAY, "employee_id": TARO.person_id}
    rides = {"rides": [ride]}
    through = await charged(commuter_api, "2022/07/11", "三鷹:中央線:新宿", HANAKO)
    assert (await commuter_api.post(ADMIN, "/deductions", rides))["items"][0][
        "charged_yen"
    ] == through
    await commuter_api.confirm(again)
    assert (await commuter_api.post(ADMIN, "/deductions", rides))["items"][0]["charged_yen"] == 0


@pytest.mark.rule("R25")
@pytest.mark.parametrize("before", [True, False])
async def test_withdrawing_and_rejecting_bring_the_last_version_back(
    commuter_api: CommuterApi, before: bool
) -> None:
    for step in ("withdraw", "reject"):
        if before:
            one = await commuter_api.register()
            path = f"/my-passes/{one['pass_id']}"
            one = await commuter_api.put(TARO, path, {"route": ALL_THE_WAY}, version=one["version"])
        else:
            one = await commuter_api.apply(ALL_THE_WAY)
        assert (await commuter_api.get(TARO, "/me"))["blocked_by_unconfirmed_pass"]
        if step == "withdraw":
            path = f"/my-passes/{one['pass_id']}/withdrawal"
            after = await commuter_api.post(TARO, path, version=one["version"])
        else:
            path = f"/passes/{one['pass_id']}/rejection"
            empty = await commuter_api.request(ADMIN, "POST", path, {}, version=one["version"])
            refused(empty, 422, "REASON_MISSING")
            reason = {"reason": "経路が異なります。"}
            after = await commuter_api.post(ADMIN, path, reason, version=one["version"])
            assert after["reason"] == "経路が異なります。"
        ended = "withdrawn" if step == "withdraw" else "rejected"
        assert after["status"] == ("confirmed" if before else ended)
        assert after["section"] == ("東京―新宿" if before else "三鷹―東京")
        assert not (await commuter_api.get(TARO, "/me"))["blocked_by_unconfirmed_pass"]
    assert (
        len(await commuter_api.events(PassWithdrawn))
        == len(await commuter_api.events(PassRejected))
        == 1
    )


async def confirm_from_list(commuter_api: CommuterApi, one: Any) -> Any:
    ticked = {"pass_id": one["pass_id"], "version": one["version"]}
    return (await commuter_api.post(ADMIN, "/passes/confirmations", {"passes": [ticked]}))["items"][
        0
    ]


async def confirm_from_editor(commuter_api: CommuterApi, one: Any) -> Any:
    body = {"route": one["route"], "starts_on": one["starts_on"], "ends_on": one["ends_on"]}
    return await commuter_api.put(ADMIN, f"/passes/{one['pass_id']}", body, version=one["version"])


@pytest.mark.rule("R26")
@pytest.mark.parametrize("way", ["list", "view", "editor"])
async def test_confirming_from_list_view_and_editor_is_the_same(
    commuter_api: CommuterApi, way: str
) -> None:
    one = await commuter_api.apply(period="2022/04/01~")
    ways = {"list": confirm_from_list, "editor": confirm_from_editor}
    done = await ways[way](commuter_api, one) if way in ways else await commuter_api.confirm(one)
    assert (done["status"], done["period"]) == ("confirmed", "2022/04/01~")
    assert await charged(commuter_api, "2022/07/11") == 0
    assert not (await commuter_api.get(TARO, "/me"))["blocked_by_unconfirmed_pass"]
    assert (await commuter_api.get(ADMIN, "/passes", params={"status": "applied"}))["items"] == []


@pytest.mark.rule("R26", "R32")
async def test_the_applicant_is_notified_from_every_place_of_confirmation(
    commuter_api: CommuterApi,
) -> None:
    for confirm in (confirm_from_list, confirm_from_editor):
        await confirm(commuter_api, await commuter_api.apply())
    assert len(await commuter_api.events(PassConfirmed)) == 2
    await commuter_api.register()  # a registration answers no application
    assert len(await commuter_api.events(PassConfirmed)) == 2


@pytest.mark.rule("R27")
async def test_without_the_box_there_is_neither_list_nor_step(commuter_api: CommuterApi) -> None:
    one = await commuter_api.apply()
    await commuter_api.allow(ADMIN, pass_master=False)
    assert (await commuter_api.get(ADMIN, "/me"))["rights"]["pass_master"] is False
    doors: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/passes", {}),
        ("GET", "/passes/health", {}),
        ("POST", f"/passes/{one['pass_id']}/confirmation", {}),
        ("POST", f"/passes/{one['pass_id']}/rejection", {"reason": "x"}),
        ("POST", "/passes", {"employee_id": TARO.person_id, "route": P1}),
        ("PUT", f"/passes/{one['pass_id']}", {"route": P1}),
    ]
    for method, path, body in doors:
        answer = await commuter_api.request(ADMIN, method, path, body, version=one["version"])
        assert answer.status_code == 403, path
    await commuter_api.allow(CHIEF, pass_master=True)
    assert (await commuter_api.get(CHIEF, "/me"))["rights"]["pass_master"] is True
    assert (await commuter_api.confirm(one, by=CHIEF))["status"] == "confirmed"


@pytest.mark.rule("R28")
async def test_of_two_administrators_the_second_gets_a_conflict(commuter_api: CommuterApi) -> None:
    await commuter_api.allow(CHIEF, pass_master=True)
    one = await commuter_api.apply()
    done = await commuter_api.confirm(one)
    path = f"/passes/{one['pass_id']}/confirmation"
    late = await commuter_api.request(CHIEF, "POST", path, {}, version=one["version"])
    assert refused(late, 412, "VERSION_CONFLICT")["facts"]["current_version"] == done["version"]
    again = await commuter_api.confirm(done)  # who looks again and presses again changes nothing
    assert again["version"] == done["version"]
    assert len(await commuter_api.events(PassConfirmed)) == 1


@pytest.mark.rule("R28")
async def test_without_a_version_nothing_is_confirmed(commuter_api: CommuterApi) -> None:
    one = await commuter_api.apply()
    answer = await commuter_api.request(ADMIN, "POST", f"/passes/{one['pass_id']}/confirmation", {})
    refused(answer, 428, "VERSION_MISSING")


@pytest.mark.rule("R33")
async def test_two_confirmed_at_once_are_one_decision(commuter_api: CommuterApi) -> None:
    first, second = await commuter_api.apply(), await commuter_api.apply("東京:東海道線:品川")
    ticked = [{"pass_id": o["pass_id"], "version": o["version"]} for o in (first, second)]
    stale = [ticked[0], {**ticked[1], "version": 99}]
    answer = await commuter_api.request(ADMIN, "POST", "/passes/confirmations", {"passes": stale})
    refused(answer, 412, "VERSION_CONFLICT")
    assert await commuter_api.events(PassConfirmed) == []  # all or none
    done = await commuter_api.post(ADMIN, "/passes/confirmations", {"passes": ticked})
    assert [one["status"] for one in done["items"]] == ["confirmed", "confirmed"]
    events = await commuter_api.events(PassConfirmed)
    assert len(events) == 2
    assert len({event.decision_id for event in events}) == 1


@pytest.mark.rule("R62")
async def test_every_step_is_written_down_with_before_and_after(commuter_api: CommuterApi) -> None:
    one = await commuter_api.apply(period="2022/04/01~")
    one = await commuter_api.confirm(one)
    path = f"/passes/{one['pass_id']}/end"
    one = await commuter_api.post(ADMIN, path, {"ends_on": "2022/07/31"}, version=one["version"])
    published = [(t["actor"], t["action"], t["before"].get("period"), t["after"].get("period"))
            for t in one["trail"]]  # fmt: skip
    assert published == [
        ("D01-E101", "apply", None, "2022/04/01~"),
        ("D01-A001", "confirm", None, "2022/04/01~"),
        ("D01-A001", "register", "2022/04/01~", "2022/04/01~2022/07/31"),
    ]
    assert {t["at"] for t in one["trail"]} == {"2022-07-11T01:00:00Z"}
