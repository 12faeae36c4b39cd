"""終了予告 by timer and HTTP: announced once for each end, by the company's days (R122)."""

from typing import Any

import pytest

from event_contracts.commuter import PassEnding

from .conftest import ADMIN, HANAKO, NOTIFIER, P1, TARO, CommuterApi


async def look(api: CommuterApi, day: str) -> list[tuple[str, str]]:
    """Everything that was announced until 9 o'clock of a day."""
    api.clock.set(day, "09:00")
    while await api.timers():
        pass
    events = await api.events(PassEnding)
    return [(one.employee_id, one.ends_on.isoformat()) for one in events]


async def ended(api: CommuterApi, one: Any, ends_on: str) -> Any:
    path = f"/passes/{one['pass_id']}/end"
    return await api.post(ADMIN, path, {"ends_on": ends_on}, version=one["version"])


@pytest.mark.rule("R122")
async def test_an_end_is_announced_once(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(ending_notice_days=14)
    one = await commuter_api.register(P1, "2022/04/01~2022/08/31")
    assert await look(commuter_api, "2022/08/16") == []
    assert await look(commuter_api, "2022/08/17") == [(TARO.person_id, "2022-08-31")]
    assert len(await look(commuter_api, "2022/08/30")) == 1
    one = await commuter_api.get(ADMIN, f"/passes/{one['pass_id']}")
    await ended(commuter_api, one, "2022-09-10")
    assert await look(commuter_api, "2022/08/31") == [
        (TARO.person_id, "2022-08-31"), (TARO.person_id, "2022-09-10"),
    ]  # fmt: skip


@pytest.mark.rule("R122")
async def test_nothing_is_announced_by_default_or_where_one_follows(
    commuter_api: CommuterApi,
) -> None:
    await commuter_api.register(P1, "2022/04/01~2022/08/31")
    assert await look(commuter_api, "2022/08/20") == []
    await commuter_api.setting(ending_notice_days=30)
    await commuter_api.register(P1, "2022/09/01~", who=TARO)
    await commuter_api.register(P1, "2022/04/01~2022/08/31", who=HANAKO)
    assert await look(commuter_api, "2022/08/21") == [(HANAKO.person_id, "2022-08-31")]
    await commuter_api.setting(ending_notice_days=0)
    await commuter_api.register(P1, "~2022/08/30", who=ADMIN)
    assert len(await look(commuter_api, "2022/08/22")) == 1


@pytest.mark.rule("R122")
async def test_what_a_reminder_says_is_of_the_moment_of_sending(commuter_api: CommuterApi) -> None:
    one = await commuter_api.register(P1, "2022/04/01~2022/08/31")
    path = f"/internal/passes/{one['pass_id']}/endings/2022-08-31/recipients"
    declined = {"wanted": ["approval", "waiting", "remanded", "approved", "settled"]}
    await commuter_api.put(TARO, "/my-mails", declined, version=0)
    found = await commuter_api.get(NOTIFIER, path)
    assert (found["section"], found["ends"], found["holder"]) == (
        "東京―新宿", True,
        {"person_id": TARO.person_id, "name": "営業太郎", "mail": "e101@d01.example.jp",
         "declined": ["pass_ending"], "left": False},
    )  # fmt: skip
    await ended(commuter_api, one, "2022-09-30")
    assert (await commuter_api.get(NOTIFIER, path))["ends"] is False
    assert (await commuter_api.request(TARO, "GET", path)).status_code == 403


@pytest.mark.rule("R122")
async def test_days_that_are_refused_name_their_field(commuter_api: CommuterApi) -> None:
    now = await commuter_api.get(ADMIN, "/settings")
    version = now.pop("version")
    body = {**now, "ending_notice_days": 61}
    body.pop("retention_choices")
    answer = await commuter_api.request(ADMIN, "PUT", "/settings", body, version=version)
    assert [one["field"] for one in answer.json()["errors"]] == ["ending_notice_days"]
