"""Ended passes disappear at midnight in Japan, and what slips deducted stays R11-R18, R65."""

from typing import Any

import pytest
from sqlalchemy import text

from event_contracts.commuter import PassPurged

from .conftest import ADMIN, P1, TARO, CommuterApi, looked_up, refused, warned

ENDED = "2022/04/01~2022/07/31"


async def charged(commuter_api: CommuterApi, on: str) -> int:
    body = {"rides": [{"on": on, "route": P1}]}
    return int((await commuter_api.post(TARO, "/deductions", body))["items"][0]["charged_yen"])


@pytest.mark.rule("R11")
async def test_only_the_four_retentions_are_kept(commuter_api: CommuterApi) -> None:
    for days in (40, 60, 90, 180):
        assert (await commuter_api.setting(retention_days=days))["retention_days"] == days
    setting = await commuter_api.get(ADMIN, "/settings")
    body = {k: v for k, v in setting.items() if k not in {"version", "retention_choices"}}
    for days in (0, 30, 41, -40, 2**40):
        answer = await commuter_api.request(
            ADMIN, "PUT", "/settings", {**body, "retention_days": days}, version=setting["version"]
        )
        (error,) = refused(answer, 422, "FORM_ERRORS")["errors"]
        assert (error["field"], error["code"]) == ("retention_days", "RETENTION_NOT_OFFERED")
    assert (await commuter_api.get(ADMIN, "/settings"))["retention_days"] == 180


@pytest.mark.rule("R13", "R14", "R16")
async def test_the_manuals_example(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(retention_days=40)
    await commuter_api.register(period=ENDED)
    for today, on, left in (
        ("2022/08/15", "2022/08/01", 198),
        ("2022/08/15", "2022/07/31", 0),
        ("2022/08/31", "2022/07/30", 0),
        ("2022/09/30", "2022/07/30", 198),
    ):
        commuter_api.clock.set(today)
        await commuter_api.timers()
        slip = await commuter_api.slip(looked_up(on))
        assert slip["total_yen"] == left, (today, on)


@pytest.mark.rule("R15", "R65", "R12")
@pytest.mark.parametrize(
    ("days", "last", "gone"),
    [
        (40, "2022/09/08", "2022/09/09"),
        (60, "2022/09/28", "2022/09/29"),
        (90, "2022/10/28", "2022/10/29"),
        (180, "2023/01/26", "2023/01/27"),
    ],
)
async def test_a_pass_is_there_until_midnight_in_japan(
    commuter_api: CommuterApi, days: int, last: str, gone: str
) -> None:
    await commuter_api.setting(retention_days=days)
    await commuter_api.register(period=ENDED)
    await commuter_api.register("東京:東海道線:品川")
    for day, hour, there in ((last, "00:00", 2), (last, "23:59", 2), (gone, "00:00", 1)):
        commuter_api.clock.set(day, hour)
        await commuter_api.timers()
        assert len((await commuter_api.get(TARO, "/my-passes"))["items"]) == there, (day, hour)
    (event,) = await commuter_api.events(PassPurged)
    assert event.employee_id == TARO.person_id


@pytest.mark.rule("R18", "R62")
async def test_a_purge_is_written_down_and_done_once(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(retention_days=40)
    one = await commuter_api.register(period=ENDED)
    commuter_api.clock.set("2022/09/09", "00:00")
    assert await commuter_api.timers() == 1
    assert await commuter_api.timers() == 0
    async with commuter_api.database.transaction("*") as tx:
        rows = await tx.execute(text("SELECT * FROM trail WHERE action = 'purge'"))
        (line,) = rows.all()
    assert (str(line.subject_id), line.actor) == (one["pass_id"], "SYSTEM")
    assert line.before == {"route": one["route"], "period": ENDED, "number": 1}
    assert line.after == {"retention_days": 40}
    await commuter_api.setting(retention_days=180)  # does not bring it back
    assert (await commuter_api.get(TARO, "/my-passes"))["items"] == []
    commuter_api.clock.set("2022/09/10", "00:00")
    await commuter_api.timers()
    assert len(await commuter_api.events(PassPurged)) == 1


@pytest.mark.rule("R18")
async def test_a_shorter_retention_waits_for_the_next_purge(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period=ENDED)
    commuter_api.clock.set("2022/09/30", "12:00")
    await commuter_api.timers()
    await commuter_api.setting(retention_days=40)
    assert await charged(commuter_api, "2022/07/30") == 0
    commuter_api.clock.set("2022/10/01", "00:00")
    await commuter_api.timers()
    assert await charged(commuter_api, "2022/07/30") == 198


@pytest.mark.rule("R17", "R56")
async def test_what_was_submitted_keeps_its_deduction(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(retention_days=40)
    await commuter_api.register(period=ENDED)
    commuter_api.clock.set("2022/08/31")
    draft = await commuter_api.slip(looked_up("2022/07/30"))
    sent = await commuter_api.step(TARO, await commuter_api.slip(looked_up("2022/07/30")), "submit")
    commuter_api.clock.set("2022/09/30")
    await commuter_api.timers()
    sent = await commuter_api.get(TARO, f"/slips/{sent['slip_id']}")
    assert (sent["items"][0]["deduction_yen"], warned(sent)) == (198, [[]])
    draft = await commuter_api.get(TARO, f"/slips/{draft['slip_id']}")
    assert (draft["items"][0]["deduction_yen"], warned(draft)) == (198, [["PASS_CHANGED"]])
    answer = await commuter_api.request(
        TARO, "POST", f"/slips/{draft['slip_id']}/submit", {}, version=draft["version"]
    )
    refused(answer, 409, "LOOK_UP_NEEDED")
    again = {"on": "2022/07/30", "route": P1}
    path = f"/slips/{draft['slip_id']}/items/{draft['items'][0]['item_id']}/look-up"
    draft = await commuter_api.post(TARO, path, again, version=draft["version"])
    assert (draft["total_yen"], warned(draft)) == (198, [[]])
    await commuter_api.step(TARO, draft, "submit")


@pytest.mark.rule("R14")
async def test_a_waiting_change_does_not_keep_the_ended_version(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(retention_days=40)
    one: Any = await commuter_api.register(period=ENDED)
    path, body = f"/my-passes/{one['pass_id']}", {"route": P1, "starts_on": "2022/09/01"}
    await commuter_api.put(TARO, path, body, version=one["version"])
    commuter_api.clock.set("2022/09/09", "00:00")
    await commuter_api.timers()
    (left,) = (await commuter_api.get(TARO, "/my-passes"))["items"]
    assert (left["status"], left["in_force"]) == ("applied", None)


@pytest.mark.rule("R39")
async def test_the_health_check_tells_what_ends_and_what_waits(commuter_api: CommuterApi) -> None:
    await commuter_api.register(period=ENDED)
    await commuter_api.apply("東京:東海道線:品川")

    async def found(day: str) -> list[str]:
        commuter_api.clock.set(day)
        return [
            one["trouble"] for one in (await commuter_api.get(ADMIN, "/passes/health"))["items"]
        ]

    assert await found("2022/07/11") == ["EXPIRING"]
    assert await found("2022/07/18") == ["EXPIRING"]
    assert await found("2022/07/19") == ["EXPIRING", "UNCONFIRMED"]
    assert await found("2022/07/31") == ["EXPIRING", "UNCONFIRMED"]
    assert await found("2022/08/01") == ["UNCONFIRMED"]
    commuter_api.clock.set("2022/06/30")
    assert await found("2022/06/30") == []
