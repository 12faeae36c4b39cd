"""Accounting's desk: list, totals, pages, 一括精算 and its undoing R90-R92."""

from typing import Any

import pytest

from event_contracts.commuter import SlipMoved
from shared.auth import Principal

from .conftest import ADMIN, CHIEF, HANAKO, OTHER_ADMIN, TARO, CommuterApi, refused

LIST, SETTLE = "/slips/of-company", "/slips/settlements"


def taxi(on: str, yen: int) -> dict[str, Any]:
    return {"item_on": on, "words": "タクシー", "amount_yen": yen}


async def approved(
    commuter_api: CommuterApi, title: str, *items: Any, who: Principal = TARO, kind: str = "expense"
) -> Any:
    slip = await commuter_api.slip(*items, who=who, kind=kind, title=title)
    slip = await commuter_api.step(who, slip, "submit")
    return await commuter_api.step(CHIEF, slip, "approve")


@pytest.fixture
async def desk(commuter_api: CommuterApi) -> CommuterApi:
    """Three approved slips, one pending, one remanded and a draft, in two months."""
    await commuter_api.setting(approvers=[CHIEF.person_id])
    await approved(commuter_api, "六月の客先", taxi("2022/06/30", 1000), taxi("2022/06/01", 500))
    await approved(commuter_api, "七月の客先", taxi("2022/07/01", 2000))
    await approved(commuter_api, "研修100%", taxi("2022/07/31", 4000), who=HANAKO)
    pending = await commuter_api.slip(taxi("2022/07/05", 8000), kind="payment_request")
    await commuter_api.step(TARO, pending, "submit")
    back = await commuter_api.slip(taxi("2022/07/05", 16000), kind="expense", title="差戻し分")
    back = await commuter_api.step(TARO, back, "submit")
    await commuter_api.step(CHIEF, back, "remand", "領収書を添付")
    await commuter_api.slip(taxi("2022/07/06", 32000), kind="expense", title="下書き")
    return commuter_api


FILTERS = [
    ({}, 5, 31500),
    ({"status": "approved"}, 3, 7500),
    ({"month": "2022-06"}, 1, 1500),
    ({"month": "2022-07"}, 4, 30000),
    ({"month": "2022-08"}, 0, 0),
    ({"employee_id": HANAKO.person_id}, 1, 4000),
    ({"store_code": "S10"}, 5, 31500),
    ({"store_code": "S11"}, 0, 0),
    ({"kind": "payment_request"}, 1, 8000),
    ({"from_yen": 1500, "to_yen": 2000}, 2, 3500),
    ({"from_yen": 1501, "to_yen": 1999}, 0, 0),
    ({"text": "客先"}, 2, 3500),
    ({"text": "花子"}, 1, 4000),
    ({"text": "100%"}, 1, 4000),
    ({"text": "%"}, 1, 4000),
    ({"status": "approved", "month": "2022-07", "text": "客先"}, 1, 2000),
]


@pytest.mark.rule("R90")
async def test_list_and_totals_follow_the_filter(desk: CommuterApi) -> None:
    for query, count, total in FILTERS:
        found = await desk.get(ADMIN, LIST, params=query)
        assert (found["count"], found["total_yen"], len(found["items"])) == (count, total, count), (
            query
        )
        assert sum(one["total_yen"] for one in found["items"]) == total
    tabs = {tab["status"]: tab["count"] for tab in (await desk.get(ADMIN, LIST))["tabs"]}
    assert tabs == {"pending": 1, "approved": 3, "settled": 0, "remanded": 1}
    assert (await desk.get(OTHER_ADMIN, LIST))["count"] == 0


@pytest.mark.rule("R90")
async def test_pages_lead_to_every_slip_once(desk: CommuterApi) -> None:
    seen, query = [], {"size": 2}
    while True:
        page = await desk.get(ADMIN, LIST, params=query)
        assert (page["count"], page["total_yen"]) == (5, 31500)
        seen += [one["slip_id"] for one in page["items"]]
        if page["next"] is None:
            break
        query = {"size": 2, "after": page["next"]}
    assert (len(seen), len(set(seen))) == (5, 5)
    answer = await desk.request(ADMIN, "GET", LIST, params={"after": "gestern~1"})
    assert answer.status_code == 422


@pytest.mark.rule("R91")
async def test_all_of_a_filter_are_settled_as_they_were_seen(desk: CommuterApi) -> None:
    desk.clock.set("2022/08/02", "10:00")
    seen = await desk.get(ADMIN, LIST, params={"status": "approved", "month": "2022-07"})
    desk.clock.set("2022/08/02", "10:05")
    later = await approved(desk, "後から", taxi("2022/07/20", 6400))
    body = {"all_of": {"month": "2022-07", "as_of": seen["as_of"]}}
    done = await desk.post(ADMIN, SETTLE, body)
    assert (done["settled"], done["settled_yen"], done["left"]) == (2, 6000, 1)
    assert {(one["employee_name"], one["title"]) for one in done["results"]} == {
        ("営業太郎", "七月の客先"), ("営業花子", "研修100%"),
    }  # fmt: skip
    kept = await desk.get(ADMIN, f"/slips/{later['slip_id']}")
    assert kept["status"] == "approved"
    moved = [one for one in await desk.events(SlipMoved) if one.status == "settled"]
    assert sorted(one.total_yen for one in moved) == [2000, 4000]


@pytest.mark.rule("R91")
async def test_each_slip_has_its_result(desk: CommuterApi) -> None:
    rows = (await desk.get(ADMIN, LIST))["items"]
    ticked = [{"slip_id": one["slip_id"], "version": one["version"]} for one in rows]
    ticked[0]["version"] += 1
    headers = {"Idempotency-Key": "settle-1"}
    done = await desk.post(ADMIN, SETTLE, {"slips": ticked}, headers=headers)
    codes = {one["title"]: one["code"] for one in done["results"]}
    assert done["settled"] == 3
    assert codes == {
        "六月の客先": None, "七月の客先": None, "研修100%": None,
        "7月の交通費": "SLIP_STEP_NOT_POSSIBLE", "差戻し分": "VERSION_CONFLICT",
    }  # fmt: skip
    again = await desk.post(ADMIN, SETTLE, {"slips": ticked}, headers=headers)
    assert again == done
    twice = await desk.post(ADMIN, SETTLE, {"slips": ticked})
    assert twice["settled"] == 0
    foreign = await desk.post(OTHER_ADMIN, SETTLE, {"slips": ticked})
    assert {one["code"] for one in foreign["results"]} == {"NOT_FOUND"}
    assert (await desk.request(TARO, "POST", SETTLE, {"slips": ticked})).status_code == 403
    assert (await desk.request(ADMIN, "POST", SETTLE, {})).status_code == 422


@pytest.mark.rule("R92")
async def test_a_settlement_by_mistake_is_undone_with_a_reason(desk: CommuterApi) -> None:
    (row,) = (await desk.get(ADMIN, LIST, params={"month": "2022-06"}))["items"]
    slip = await desk.step(ADMIN, row, "settle")
    path = f"/slips/{slip['slip_id']}/unsettle"
    for who, comment, status, code in (
        (ADMIN, "", 422, "COMMENT_MISSING"),
        (TARO, "間違い", 409, "SLIP_STEP_NOT_POSSIBLE"),
    ):
        answer = await desk.request(
            who, "POST", path, {"comment": comment}, version=slip["version"]
        )
        refused(answer, status, code)
    slip = await desk.step(ADMIN, slip, "unsettle", "二重に精算したため")
    assert slip["status"] == "approved"
    last = slip["trail"][-1]
    assert (last["action_japanese"], last["said"]) == ("精算の取消", "二重に精算したため")
    assert (await desk.step(ADMIN, slip, "settle"))["status"] == "settled"
