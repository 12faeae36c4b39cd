"""Ended passes disappear at midnight in Japan, and what slips deducted stays R11-R18, R65."""

from typing import Any

import pytest
from sqlalchemy import text

from event_contracts.commuter import PassPurged

from .conftest import ADMIN, P1, TARO, Bureau, looked_up, refused, warned

ENDED = "2022/04/01~2022/07/31"


async def charged(bureau: Bureau, on: str) -> int:
    body = {"rides": [{"on": on, "route": P1}]}
    return int((await bureau.post(TARO, "/deductions", body))["items"][0]["charged_yen"])


@pytest.mark.rule("R11")
async def test_only_the_four_retentions_are_kept(bureau: Bureau) -> None:
    for days in (40, 60, 90, 180):
        assert (await bureau.setting(retention_days=days))["retention_days"] == days
    setting = await bureau.get(ADMIN, "/settings")
    body = {k: v for k, v in setting.items() if k not in {"version", "retention_choices"}}
    for days in (0, 30, 41, -40, 2**40):
        answer = await bureau.ask(
            ADMIN, "PUT", "/settings", {**body, "retention_days": days}, version=setting["version"]
        )
        (error,) = refused(answer, 422, "FORM_ERRORS")["errors"]
        assert (error["field"], error["code"]) == ("retention_days", "RETENTION_NOT_OFFERED")
    assert (await bureau.get(ADMIN, "/settings"))["retention_days"] == 180


@pytest.mark.rule("R13", "R14", "R16")
async def test_the_manuals_example(bureau: Bureau) -> None:
    await bureau.setting(retention_days=40)
    await bureau.register(period=ENDED)
    for today, on, left in (
        ("2022/08/15", "2022/08/01", 198),
        ("2022/08/15", "2022/07/31", 0),
        ("2022/08/31", "2022/07/30", 0),
        ("2022/09/30", "2022/07/30", 198),
    ):
        bureau.clock.set(today)
        await bureau.timers()
        slip = await bureau.slip(looked_up(on))
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
    bureau: Bureau, days: int, last: str, gone: str
) -> None:
    await bureau.setting(retention_days=days)
    await bureau.register(period=ENDED)
    await bureau.register("東京:東海道線:品川")
    for day, hour, there in ((last, "00:00", 2), (last, "23:59", 2), (gone, "00:00", 1)):
        bureau.clock.set(day, hour)
        await bureau.timers()
        assert len((await bureau.get(TARO, "/my-passes"))["items"]) == there, (day, hour)
    (event,) = await bureau.events(PassPurged)
    assert event.employee_id == TARO.person_id


@pytest.mark.rule("R18", "R62")
async def test_a_purge_is_written_down_and_done_once(bureau: Bureau) -> None:
    await bureau.setting(retention_days=40)
    one = await bureau.register(period=ENDED)
    bureau.clock.set("2022/09/09", "00:00")
    assert await bureau.timers() == 1
    assert await bureau.timers() == 0
    async with bureau.database.transaction("*") as tx:
        rows = await tx.execute(text("SELECT * FROM trail WHERE action = 'purge'"))
        (line,) = rows.all()
    assert (str(line.subject_id), line.actor) == (one["pass_id"], "SYSTEM")
    assert line.before == {"route": one["route"], "period": ENDED, "number": 1}
    assert line.after == {"retention_days": 40}
    await bureau.setting(retention_days=180)  # does not bring it back
    assert (await bureau.get(TARO, "/my-passes"))["items"] == []
    bureau.clock.set("2022/09/10", "00:00")
    await bureau.timers()
    assert len(await bureau.events(PassPurged)) == 1


@pytest.mark.rule("R18")
async def test_a_shorter_retention_waits_for_the_next_purge(bureau: Bureau) -> None:
    await bureau.register(period=ENDED)
    bureau.clock.set("2022/09/30", "12:00")
    await bureau.timers()
    await bureau.setting(retention_days=40)
    assert await charged(bureau, "2022/07/30") == 0
    bureau.clock.set("2022/10/01", "00:00")
    await bureau.timers()
    assert await charged(bureau, "2022/07/30") == 198


@pytest.mark.rule("R17", "R56")
async def test_what_was_submitted_keeps_its_deduction(bureau: Bureau) -> None:
    await bureau.setting(retention_days=40)
    await bureau.register(period=ENDED)
    bureau.clock.set("2022/08/31")
    draft = await bureau.slip(looked_up("2022/07/30"))
    sent = await bureau.step(TARO, await bureau.slip(looked_up("2022/07/30")), "submit")
    bureau.clock.set("2022/09/30")
    await bureau.timers()
    sent = await bureau.get(TARO, f"/slips/{sent['slip_id']}")
    assert (sent["items"][0]["deduction_yen"], warned(sent)) == (198, [[]])
    draft = await bureau.get(TARO, f"/slips/{draft['slip_id']}")
    assert (draft["items"][0]["deduction_yen"], warned(draft)) == (198, [["PASS_CHANGED"]])
    answer = await bureau.ask(
        TARO, "POST", f"/slips/{draft['slip_id']}/submit", {}, version=draft["version"]
    )
    refused(answer, 409, "LOOK_UP_NEEDED")
    again = {"on": "2022/07/30", "route": P1}
    path = f"/slips/{draft['slip_id']}/items/{draft['items'][0]['item_id']}/look-up"
    draft = await bureau.post(TARO, path, again, version=draft["version"])
    assert (draft["total_yen"], warned(draft)) == (198, [[]])
    await bureau.step(TARO, draft, "submit")


@pytest.mark.rule("R14")
async def test_a_waiting_change_does_not_keep_the_ended_version(bureau: Bureau) -> None:
    await bureau.setting(retention_days=40)
    one: Any = await bureau.register(period=ENDED)
    path, body = f"/my-passes/{one['pass_id']}", {"route": P1, "starts_on": "2022/09/01"}
    await bureau.put(TARO, path, body, version=one["version"])
    bureau.clock.set("2022/09/09", "00:00")
    await bureau.timers()
    (left,) = (await bureau.get(TARO, "/my-passes"))["items"]
    assert (left["status"], left["in_force"]) == ("applied", None)


@pytest.mark.rule("R39")
async def test_the_health_check_tells_what_ends_and_what_waits(bureau: Bureau) -> None:
    await bureau.register(period=ENDED)
    await bureau.apply("東京:東海道線:品川")

    async def found(day: str) -> list[str]:
        bureau.clock.set(day)
        return [one["trouble"] for one in (await bureau.get(ADMIN, "/passes/health"))["items"]]

    assert await found("2022/07/11") == ["EXPIRING"]
    assert await found("2022/07/18") == ["EXPIRING"]
    assert await found("2022/07/19") == ["EXPIRING", "UNCONFIRMED"]
    assert await found("2022/07/31") == ["EXPIRING", "UNCONFIRMED"]
    assert await found("2022/08/01") == ["UNCONFIRMED"]
    bureau.clock.set("2022/06/30")
    assert await found("2022/06/30") == []
