"""What the notifier learns of a slip: its moves, the people with their addresses, their wishes."""

from typing import Any

from event_contracts.commuter import SlipMoved

from .conftest import (
    ADMIN,
    CHIEF,
    HEAD,
    NOTIFIER,
    TARO,
    CommuterApi,
    looked_up,
    refused,
)

EVERY_MAIL = ["approval", "waiting", "remanded", "approved", "settled", "pass_ending"]


async def last_move(commuter_api: CommuterApi, slip: Any) -> Any:
    """What a mail about the last event would be made from."""
    event = (await commuter_api.events(SlipMoved))[-1]
    path = f"/internal/slips/{slip['slip_id']}/moves/{event.move_id}/recipients"
    return await commuter_api.get(NOTIFIER, path)


async def test_each_move_names_its_step_its_people_and_its_comment(
    commuter_api: CommuterApi,
) -> None:
    for who in (CHIEF, HEAD):
        await commuter_api.get(who, "/me")  # from then on their address is known
    slip = await commuter_api.slip(looked_up("2022/07/11"))
    slip = await commuter_api.step(TARO, slip, "submit")
    first = await last_move(commuter_api, slip)
    assert first["move"]["step"] == "submit"
    assert (first["approver"]["name"], first["approver"]["mail"]) == (
        CHIEF.name,
        "m100@d01.example.jp",
    )
    assert first["total_yen"] == slip["total_yen"]
    assert first["is_latest"]

    slip = await commuter_api.step(CHIEF, slip, "approve")
    assert (await last_move(commuter_api, slip))["approver"]["name"] == HEAD.name
    slip = await commuter_api.step(HEAD, slip, "remand", "領収書を付けてください。")
    remanded = await last_move(commuter_api, slip)
    assert remanded["approver"] is None
    assert remanded["applicant"]["mail"] == "e101@d01.example.jp"
    assert (remanded["move"]["by"], remanded["move"]["comment"]) == (
        HEAD.name,
        "領収書を付けてください。",
    )
    events = await commuter_api.events(SlipMoved)
    assert [(event.step, event.status) for event in events] == [
        ("submit", "pending"),
        ("approve", "pending"),
        ("remand", "remanded"),
    ]
    assert len({event.move_id for event in events}) == 3
    submitted = f"/internal/slips/{slip['slip_id']}/moves/{events[0].move_id}/recipients"
    assert not (await commuter_api.get(NOTIFIER, submitted))["is_latest"]


async def test_what_an_approver_corrects_is_no_move(commuter_api: CommuterApi) -> None:
    await commuter_api.allow(CHIEF, edit_at_approval=True)
    slip = await commuter_api.slip(looked_up("2022/07/11"))
    slip = await commuter_api.step(TARO, slip, "submit")
    await commuter_api.save(CHIEF, slip, title="7月分")
    assert (await last_move(commuter_api, slip))["is_latest"]


async def test_events_carry_no_name_and_no_address(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up("2022/07/11"))
    slip = await commuter_api.step(TARO, slip, "submit")
    await commuter_api.step(CHIEF, slip, "remand", "領収書を付けてください。")
    for event in await commuter_api.events(SlipMoved):
        published = event.model_dump_json()
        assert "@" not in published
        assert TARO.name not in published
        assert "領収書" not in published


async def test_addresses_of_a_slip_are_returned_to_services_only(
    commuter_api: CommuterApi,
) -> None:
    slip = await commuter_api.slip(looked_up("2022/07/11"))
    other = await commuter_api.slip(looked_up("2022/07/12"))
    slip = await commuter_api.step(TARO, slip, "submit")
    [event] = await commuter_api.events(SlipMoved)
    path = f"/internal/slips/{{}}/moves/{event.move_id}/recipients"
    mine, foreign = path.format(slip["slip_id"]), path.format(other["slip_id"])
    assert (await commuter_api.request(ADMIN, "GET", mine)).status_code == 403
    refused(await commuter_api.request(NOTIFIER, "GET", foreign), 404, "NOT_FOUND")


async def test_a_person_declines_mails_for_themselves_only(commuter_api: CommuterApi) -> None:
    before = await commuter_api.get(CHIEF, "/my-mails")
    assert [one["key"] for one in before["mails"] if one["wanted"]] == EVERY_MAIL
    assert before["address"] == "m100@d01.example.jp"
    wanted = ["approval", "remanded", "approved"]
    await commuter_api.put(CHIEF, "/my-mails", {"wanted": wanted}, version=before["version"])
    after = await commuter_api.get(CHIEF, "/my-mails")
    assert [one["key"] for one in after["mails"] if one["wanted"]] == wanted
    others = await commuter_api.get(TARO, "/my-mails")
    assert all(one["wanted"] for one in others["mails"])

    slip = await commuter_api.slip(looked_up("2022/07/11"))
    slip = await commuter_api.step(TARO, slip, "submit")
    known = await last_move(commuter_api, slip)
    assert known["approver"]["declined"] == ["waiting", "settled", "pass_ending"]
    assert known["applicant"]["declined"] == []


async def test_two_pages_of_one_person_do_not_overwrite_each_other(
    commuter_api: CommuterApi,
) -> None:
    put = {"method": "PUT", "path": "/my-mails"}
    first = await commuter_api.get(TARO, "/my-mails")
    await commuter_api.put(TARO, "/my-mails", {"wanted": []}, version=first["version"])
    late = await commuter_api.request(
        TARO, **put, body={"wanted": EVERY_MAIL}, version=first["version"]
    )
    refused(late, 412, "VERSION_CONFLICT")
    none = await commuter_api.request(TARO, **put, body={"wanted": []})
    assert none.status_code == 428
    unknown = await commuter_api.request(TARO, **put, body={"wanted": ["lunch"]}, version=1)
    assert unknown.status_code == 422
