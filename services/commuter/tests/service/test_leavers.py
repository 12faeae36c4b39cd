"""Leavers at a company: no access, and their slips go on in other hands (C4)."""

from typing import Any

import pytest

from event_contracts.commuter import SlipMoved
from event_contracts.masters import StaffUpdated
from shared.auth import Principal

from .conftest import (
    ADMIN,
    CHIEF,
    HANAKO,
    HEAD,
    NOTIFIER,
    OTHER_ADMIN,
    STRANGER,
    TARO,
    CommuterApi,
    looked_up,
    refused,
)


async def leaves(api: CommuterApi, who: Principal, *, active: bool = False) -> None:
    await api.receive(
        StaffUpdated(
            dealer_id=who.dealer or "", staff_code=who.staff_code or "", name=who.name,
            store_code=who.store, role="sales", active=active,
        )
    )  # fmt: skip


async def of_leavers(api: CommuterApi) -> dict[str, Any]:
    """The slips that the list marks; the work list must count the same."""
    items = (await api.get(ADMIN, "/slips/of-leavers"))["items"]
    counts = {one["key"]: one["count"] for one in (await api.get(ADMIN, "/work"))["counts"]}
    assert counts.get("slips_of_leavers", 0) == len(items)
    return {one["slip_id"]: one["departed_japanese"] for one in items}


async def hand_on(api: CommuterApi, slip: Any, approver: Principal | None, who: Any = ADMIN) -> Any:
    body = {"approver_id": approver.person_id} if approver else {}
    path = f"/slips/{slip['slip_id']}/succession"
    return await api.request(who, "POST", path, body, version=slip["version"])


@pytest.mark.rule("D156")
async def test_a_leaver_neither_enters_nor_reads_until_they_come_back(
    commuter_api: CommuterApi,
) -> None:
    await leaves(commuter_api, TARO)
    refused(await commuter_api.request(TARO, "GET", "/slips"), 403, "STAFF_DEACTIVATED")
    refused(await commuter_api.request(TARO, "GET", "/me"), 403, "STAFF_DEACTIVATED")
    body = {"kind": "transport", "title": "x", "items": []}
    refused(await commuter_api.request(TARO, "POST", "/slips", body), 403, "STAFF_DEACTIVATED")
    await commuter_api.get(STRANGER, "/slips")  # the same code at another company
    await leaves(commuter_api, TARO, active=True)
    await commuter_api.get(TARO, "/slips")


@pytest.mark.rule("D157")
async def test_accounting_names_the_approver_for_one_who_left(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    assert await of_leavers(commuter_api) == {}
    refused(await hand_on(commuter_api, slip, HANAKO), 409, "NOBODY_LEFT")
    await leaves(commuter_api, CHIEF)
    assert await of_leavers(commuter_api) == {slip["slip_id"]: "承認者が退職"}
    path = f"/slips/{slip['slip_id']}/succession"
    offered = {one["employee_id"] for one in (await commuter_api.get(ADMIN, path))["approvers"]}
    assert HANAKO.person_id in offered
    assert offered.isdisjoint({TARO.person_id, CHIEF.person_id, HEAD.person_id})
    for wrong in (None, TARO, HEAD, CHIEF, OTHER_ADMIN):
        answer = await hand_on(commuter_api, slip, wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["field"] == "approver_id"
    before = len(await commuter_api.events(SlipMoved))
    slip = (await hand_on(commuter_api, slip, HANAKO)).json()
    assert slip["chain"][0]["employee_id"] == HANAKO.person_id
    assert (slip["trail"][-1]["action_japanese"], await of_leavers(commuter_api)) == ("引継ぎ", {})
    [moved] = (await commuter_api.events(SlipMoved))[before:]
    assert (moved.step, moved.status) == ("hand_on", "pending")
    move = f"/internal/slips/{slip['slip_id']}/moves/{moved.move_id}/recipients"
    asked = await commuter_api.get(NOTIFIER, move)
    assert (asked["approver"]["person_id"], asked["approver"]["left"]) == (HANAKO.person_id, False)
    slip = await commuter_api.step(HANAKO, slip, "approve")
    assert (await commuter_api.step(HEAD, slip, "approve"))["status"] == "approved"


@pytest.mark.rule("D157")
async def test_accounting_goes_on_with_a_slip_that_came_back_to_a_leaver(
    commuter_api: CommuterApi,
) -> None:
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    slip = await commuter_api.step(CHIEF, slip, "remand", "領収書がありません")
    await leaves(commuter_api, TARO)
    assert await of_leavers(commuter_api) == {slip["slip_id"]: "申請者が退職"}
    refused(await hand_on(commuter_api, slip, None, OTHER_ADMIN), 404, "NOT_FOUND")
    refused(await hand_on(commuter_api, slip, None, CHIEF), 403, "ROLE_NOT_ALLOWED")
    slip = (await hand_on(commuter_api, slip, None)).json()
    assert (slip["entered_by_name"], await of_leavers(commuter_api)) == (ADMIN.name, {})
    assert (await commuter_api.step(ADMIN, slip, "submit"))["status"] == "pending"


@pytest.mark.rule("D158")
async def test_the_notifier_learns_who_has_left(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.step(TARO, await commuter_api.slip(looked_up()), "submit")
    [moved] = (await commuter_api.events(SlipMoved))[-1:]
    await leaves(commuter_api, TARO)
    move = f"/internal/slips/{slip['slip_id']}/moves/{moved.move_id}/recipients"
    known = await commuter_api.get(NOTIFIER, move)
    assert (known["applicant"]["left"], known["approver"]["left"]) == (True, False)
    month = f"/internal/employees/{TARO.person_id}/months/2022-07/recipients"
    assert (await commuter_api.get(NOTIFIER, month))["left"]
