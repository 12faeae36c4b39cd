"""代理申請: accounting enters a slip for somebody else R97."""

from typing import Any

import pytest

from shared.auth import Principal

from .conftest import ADMIN, CHIEF, HANAKO, HEAD, P1, TARO, CommuterApi, looked_up, refused

FOR_TARO = {"kind": "transport", "title": "代理", "employee_id": TARO.person_id}


async def delegated(commuter_api: CommuterApi) -> Any:
    await commuter_api.setting(delegate_entry=True)
    body = {**FOR_TARO, "items": [looked_up()]}
    return await commuter_api.post(ADMIN, "/slips", body)


@pytest.mark.rule("R97")
@pytest.mark.parametrize(
    ("who", "allowed", "created"),
    [(ADMIN, True, True), (ADMIN, False, False), (HANAKO, True, False), (CHIEF, True, False)],
)
async def test_accounting_alone_and_by_setting(
    commuter_api: CommuterApi, who: Principal, allowed: bool, created: bool
) -> None:
    await commuter_api.setting(delegate_entry=allowed)
    answer = await commuter_api.request(who, "POST", "/slips", FOR_TARO)
    if created:
        assert answer.status_code == 201
    else:
        refused(answer, 403, "DELEGATE_ENTRY_NOT_ALLOWED")
        assert await commuter_api.count("slip") == 0


@pytest.mark.rule("R97", "R37")
async def test_the_slip_is_its_owners_and_names_who_entered_it(commuter_api: CommuterApi) -> None:
    await commuter_api.register(P1)
    slip = await delegated(commuter_api)
    assert (slip["employee_name"], slip["entered_by_name"]) == (TARO.name, ADMIN.name)
    assert slip["total_yen"] == 0  # 営業太郎's pass deducts
    for who in (TARO, ADMIN):
        rows = (await commuter_api.get(who, "/slips"))["items"]
        assert [row["entered_by_name"] for row in rows] == [ADMIN.name]
    slip = await commuter_api.step(ADMIN, slip, "submit")
    assert [(one["actor_name"], one["action"]) for one in slip["trail"]] == [
        (ADMIN.name, "save"), (ADMIN.name, "submit"),
    ]  # fmt: skip
    slip = await commuter_api.step(TARO, slip, "withdraw")
    copy = await commuter_api.post(ADMIN, f"/slips/{slip['slip_id']}/copies")
    assert (copy["employee_name"], copy["entered_by_name"]) == (TARO.name, ADMIN.name)
    own = await commuter_api.post(TARO, f"/slips/{slip['slip_id']}/copies")
    assert own["entered_by_name"] is None


@pytest.mark.rule("R97")
async def test_who_entered_a_slip_does_not_approve_it(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(approvers=[ADMIN.person_id, HEAD.person_id])
    slip = await commuter_api.step(ADMIN, await delegated(commuter_api), "submit")
    assert [one["name"] for one in slip["chain"]] == [HEAD.name]


@pytest.mark.rule("R97", "R22")
async def test_an_unconfirmed_pass_of_the_owner_blocks_it(commuter_api: CommuterApi) -> None:
    slip = await delegated(commuter_api)
    await commuter_api.apply()
    answer = await commuter_api.request(ADMIN, "POST", "/slips", FOR_TARO)
    refused(answer, 409, "UNCONFIRMED_PASS_BLOCKS")
    path = f"/slips/{slip['slip_id']}/submit"
    answer = await commuter_api.request(ADMIN, "POST", path, {}, version=slip["version"])
    refused(answer, 409, "UNCONFIRMED_PASS_BLOCKS")
