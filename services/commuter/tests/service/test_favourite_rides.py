"""Favourite rides: kept from an item, used on another day, one's own (R132)."""

from typing import Any

import pytest

from commuter_service.rules.favourite_ride import MOST_FAVOURITES

from .conftest import CHIEF, HANAKO, STRANGER, TARO, CommuterApi, looked_up, refused

FAVOURITES = "/favourite-rides"


async def keep(api: CommuterApi, slip: Any, number: int = 0, who: Any = TARO) -> Any:
    body = {"slip_id": slip["slip_id"], "item_id": slip["items"][number]["item_id"]}
    return await api.request(who, "POST", FAVOURITES, body)


async def kept(api: CommuterApi, who: Any = TARO) -> list[Any]:
    found: list[Any] = (await api.get(who, FAVOURITES))["items"]
    return found


@pytest.mark.rule("R132")
async def test_a_ride_is_kept_once_and_priced_on_another_day(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up("2022/07/11", round_trip=True))
    first, again = await keep(commuter_api, slip), await keep(commuter_api, slip)
    assert (first.status_code, first.json()) == (201, again.json())
    [one] = await kept(commuter_api)
    assert (one["section"], one["medium"], one["round_trip"]) == ("東京―新宿", "ic", True)
    ride = {name: one[name] for name in ("route", "medium", "round_trip")}
    later = await commuter_api.slip(
        {"item_on": "2026/04/01", "look_up": {"on": "2026/04/01", **ride}}
    )
    assert (slip["items"][0]["amount_yen"], later["items"][0]["amount_yen"]) == (396, 506)


@pytest.mark.rule("R132")
async def test_only_looked_up_rides_are_kept(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip({"item_on": "2022/07/11", "words": "宿泊", "amount_yen": 9000})
    refused(await keep(commuter_api, slip), 409, "RIDE_NOT_LOOKED_UP")


@pytest.mark.rule("R132")
async def test_nobody_else_sees_or_deletes_them(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up())
    one = (await keep(commuter_api, slip)).json()
    for who in (HANAKO, CHIEF, STRANGER):
        assert await kept(commuter_api, who) == []
        assert (await keep(commuter_api, slip, who=who)).status_code == 404
        path = f"{FAVOURITES}/{one['favourite_id']}"
        assert (await commuter_api.request(who, "DELETE", path)).status_code == 204
    assert len(await kept(commuter_api)) == 1
    await commuter_api.request(TARO, "DELETE", f"{FAVOURITES}/{one['favourite_id']}")
    assert await kept(commuter_api) == []


@pytest.mark.rule("R132")
async def test_thirty_are_the_most(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up(), looked_up(round_trip=True))
    await commuter_api.sql(
        "INSERT INTO favourite_ride SELECT gen_random_uuid(), 'D01', :who, 'r' || n, 'ic', false,"
        " now() FROM generate_series(2, :most) n",
        who=TARO.person_id,
        most=MOST_FAVOURITES,
    )
    assert (await keep(commuter_api, slip)).status_code == 201
    refused(await keep(commuter_api, slip, 1), 409, "TOO_MANY_FAVOURITES")
    assert (await keep(commuter_api, slip)).status_code == 201  # what is kept stays kept
