"""月次締め through HTTP R92-R96."""

import asyncio
from typing import Any

import pytest

from event_contracts.commuter import SubmissionRequested

from .conftest import ADMIN, CHIEF, HANAKO, NOTIFIER, OTHER_ADMIN, TARO, CommuterApi, refused
from .test_slip_desk import approved, taxi

JULY = "/month-closings/2022-07"


async def close(commuter_api: CommuterApi) -> Any:
    month = await commuter_api.get(ADMIN, JULY)
    return await commuter_api.post(ADMIN, f"{JULY}/closing", version=month["version"])


@pytest.fixture
async def august(commuter_api: CommuterApi) -> CommuterApi:
    await commuter_api.setting(approvers=[CHIEF.person_id])
    commuter_api.clock.set("2022/08/03")
    return commuter_api


@pytest.mark.rule("R93", "R95")
async def test_a_month_is_closed_and_reopened_in_the_trail(august: CommuterApi) -> None:
    august.clock.set("2022/07/31", "23:59")
    answer = await august.request(ADMIN, "POST", f"{JULY}/closing", {}, version=0)
    refused(answer, 409, "MONTH_NOT_OVER")
    august.clock.set("2022/08/01", "00:00")
    closed = await close(august)
    assert (closed["closed"], closed["changed_by_name"]) == (True, ADMIN.name)
    months = (await august.get(ADMIN, "/month-closings"))["items"]
    assert [one["month"] for one in months if one["closed"]] == ["2022-07"]
    assert (await august.get(OTHER_ADMIN, JULY))["closed"] is False
    answer = await august.request(
        ADMIN, "POST", f"{JULY}/reopening", {"reason": " "}, version=closed["version"]
    )
    refused(answer, 422, "REOPENING_REASON_MISSING")
    opened = await august.post(
        ADMIN, f"{JULY}/reopening", {"reason": "領収書が遅れた"}, version=closed["version"]
    )
    assert opened["closed"] is False
    assert [(one["action_japanese"], one["said"]) for one in opened["trail"]] == [
        ("締め", None), ("締めの解除", "領収書が遅れた"),
    ]  # fmt: skip
    for who in (TARO, CHIEF):
        assert (await august.request(who, "GET", JULY)).status_code == 403


@pytest.mark.rule("R93")
async def test_of_two_accountants_one_closes(august: CommuterApi) -> None:
    answers = await asyncio.gather(
        *(august.request(ADMIN, "POST", f"{JULY}/closing", {}, version=0) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


@pytest.mark.rule("R94", "R92")
async def test_a_closed_month_takes_nothing_new(august: CommuterApi) -> None:
    await august.allow(ADMIN, pass_master=True, edit_after_approval=True)
    draft = await august.slip(taxi("2022/08/01", 1), taxi("2022/07/31", 2), kind="expense")
    june = await august.slip(taxi("2022/06/30", 1), taxi("2022/08/01", 2), kind="expense")
    pending = await august.slip(taxi("2022/07/01", 4), kind="expense")
    pending = await august.step(TARO, pending, "submit")
    paid = await approved(august, "精算済", taxi("2022/07/02", 8))
    paid = await august.step(ADMIN, paid, "settle")
    unpaid = await approved(august, "未精算", taxi("2022/07/03", 16))
    other = await approved(august, "八月", taxi("2022/08/02", 16))
    closed = await close(august)

    async def code(who: Any, slip: Any, step: str) -> Any:
        path = f"/slips/{slip['slip_id']}/{step}"
        answer = await august.request(
            who, "POST", path, {"comment": "理由"}, version=slip["version"]
        )
        return answer.json().get("code")

    assert await code(TARO, draft, "submit") == "MONTH_CLOSED"
    assert await code(TARO, june, "submit") is None
    assert await code(CHIEF, pending, "approve") == "MONTH_CLOSED"
    assert await code(ADMIN, paid, "unsettle") == "MONTH_CLOSED"
    assert await code(ADMIN, unpaid, "reject") == "MONTH_CLOSED"
    into = {"item_id": other["items"][0]["item_id"], **taxi("2022/07/31", 16)}
    for slip, line in ((other, into), (unpaid, taxi("2022/08/09", 16))):
        body = {"title": slip["title"], "items": [line]}
        answer = await august.request(
            ADMIN, "PUT", f"/slips/{slip['slip_id']}", body, version=slip["version"]
        )
        refused(answer, 409, "MONTH_CLOSED")
    assert await code(ADMIN, unpaid, "settle") is None
    draft = await august.save(TARO, draft, taxi("2022/07/30", 3))  # a draft may still be typed
    await august.post(ADMIN, f"{JULY}/reopening", {"reason": "追加"}, version=closed["version"])
    assert await code(TARO, draft, "submit") is None
    assert await code(CHIEF, pending, "approve") is None
    assert await code(ADMIN, paid, "unsettle") is None


@pytest.mark.rule("R94")
async def test_the_form_says_that_a_month_is_closed(august: CommuterApi) -> None:
    draft = await august.slip(taxi("2022/08/01", 1), taxi("2022/07/31", 2), kind="expense")
    for closed in ([], ["2022-07-01"]):
        shown = await august.get(TARO, f"/slips/{draft['slip_id']}")
        submit = next(one for one in shown["actions"] if one["action"] == "submit")
        assert shown["closed_months"] == closed
        assert submit["enabled"] is not bool(closed)
        assert ("2022年7月は締め済み" in (submit["reason"] or "")) is bool(closed)
        if not closed:
            await close(august)


@pytest.mark.rule("R96")
async def test_owners_of_unsubmitted_slips_are_asked(august: CommuterApi) -> None:
    await august.slip(taxi("2022/07/31", 1), kind="expense")
    await august.slip(taxi("2022/07/01", 1), taxi("2022/07/02", 1), kind="expense")
    await august.slip(taxi("2022/08/01", 1), kind="expense", who=HANAKO)  # another month
    back = await august.slip(taxi("2022/07/10", 1), kind="expense", who=HANAKO)
    back = await august.step(HANAKO, back, "submit")
    await august.step(CHIEF, back, "remand", "領収書")
    sent = await august.slip(taxi("2022/07/11", 1), kind="expense", who=HANAKO)
    await august.step(HANAKO, sent, "submit")
    month = await august.get(ADMIN, JULY)
    assert [(one["employee_name"], one["slips"]) for one in month["unsubmitted"]] == [
        ("営業太郎", 2), ("営業花子", 1),
    ]  # fmt: skip
    assert {one["status"]: one["count"] for one in month["submitted"]} == {
        "pending": 1, "remanded": 1,
    }  # fmt: skip
    path = f"{JULY}/submission-requests"
    assert await august.post(ADMIN, path) == {"employees": 2}
    asked = await august.events(SubmissionRequested)
    assert [(one.employee_id, one.month, one.slips) for one in asked] == [
        (TARO.person_id, "2022-07", 2), (HANAKO.person_id, "2022-07", 1),
    ]  # fmt: skip
    asked_at_sending = f"/internal/employees/{TARO.person_id}/months/2022-07/recipients"
    known = await august.get(NOTIFIER, asked_at_sending)
    assert (known["name"], known["mail"], known["unsubmitted"]) == (
        TARO.name,
        "e101@d01.example.jp",
        2,
    )
    assert (await august.request(ADMIN, "GET", asked_at_sending)).status_code == 403
    unknown = asked_at_sending.replace(TARO.person_id, "nobody")
    assert (await august.request(NOTIFIER, "GET", unknown)).status_code == 404
    answer = await august.request(ADMIN, "POST", "/month-closings/2022-05/submission-requests", {})
    refused(answer, 409, "NOTHING_TO_REQUEST")
