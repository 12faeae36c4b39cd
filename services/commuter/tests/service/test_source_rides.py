"""Rides outside our network by another source, from the look-up to print and re-check."""

import io
from collections.abc import AsyncIterator
from typing import Any

import pypdf
import pytest

from commuter_service.adapters.ekispert import Ekispert

from ..conftest import EkispertServer, course, line  # noqa: TID252 - a helper of the tests above
from .conftest import ADMIN, CHIEF, HEAD, TARO, CommuterApi, Serve, looked_up, refused

DAY = "2026/04/01"
LINE = "大阪メトロ御堂筋線"
STOPS = ["新大阪", "西中島南方", "中津(大阪府)", "梅田", "淀屋橋", "本町", "心斎橋", "なんば"]
TEXT = f"新大阪:駅すぱあと/{LINE}/Down:" + ":〃:".join(STOPS[1:])
TO_UMEDA = f"新大阪:駅すぱあと/{LINE}/Down:" + ":〃:".join(STOPS[1:4])


@pytest.fixture
async def api(
    commuter_api: CommuterApi, commuter_api_url: str, serve: Serve, ekispert_server: EkispertServer
) -> AsyncIterator[CommuterApi]:
    """The service with 駅すぱあと as its look-up, which knows 新大阪―なんば and its parts."""
    ekispert_server.courses = course(
        "290", ["新大阪", "なんば"], line(LINE, minutes=15), minutes="15", data="S1"
    )
    ekispert_server.stations = {"S1": STOPS}
    part = course("240", ["梅田", "なんば"], line(LINE))
    ekispert_server.fares["梅田:なんば", LINE] = part
    async with serve(commuter_api_url, Ekispert(ekispert_server.url, "k")) as found:
        await found.sql("DELETE FROM source_fare")
        yield found


async def look_up(api: CommuterApi, **more: Any) -> Any:
    asked = {"start": "新大阪", "end": "なんば", "on": DAY, **more}
    return (await api.post(TARO, "/look-ups", asked))["items"]


async def test_a_ride_is_looked_up_decided_shown_and_printed(api: CommuterApi) -> None:
    (one,) = await look_up(api)
    assert (one["route"], one["through_yen"], one["charged_yen"]) == (TEXT, 290, 290)
    assert one["labels"] == ["fastest", "cheapest", "easiest"]
    assert [notice["code"] for notice in one["notices"]] == ["FARE_OF_SOURCE"]
    (leg,) = one["itinerary"]
    assert [(section["coverage"], section["yen"]) for section in leg["sections"]] == [
        ("charged", 290)
    ]
    slip = await api.slip(looked_up(DAY, TEXT, round_trip=True))
    (item,) = slip["items"]
    assert (item["amount_yen"], item["route"], item["warnings"]) == (580, TEXT, [])
    assert item["explanation"]["trains"][0] == {
        "kind": "train", "name": LINE, "operators": ["駅すぱあと"], "start": "新大阪",
        "end": "なんば", "minutes": 15, "stops": 7,
    }  # fmt: skip
    answer = await api.request(TARO, "GET", f"/slips/{slip['slip_id']}/print.pdf")
    pages = pypdf.PdfReader(io.BytesIO(answer.content)).pages
    text = "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")
    assert "580円" in text
    assert "運賃は駅すぱあとの回答による金額です" in text


@pytest.mark.rule("F1")
async def test_a_pass_over_its_lines_is_registered_and_deducted(api: CommuterApi) -> None:
    held = await api.register(TO_UMEDA, "2026/04/01~")
    assert (held["section"], held["route_words"], held["unreadable"]) == (
        "新大阪―梅田", ["新大阪", LINE, "梅田"], "",
    )  # fmt: skip
    (one,) = await look_up(api)
    assert (one["through_yen"], one["charged_yen"]) == (290, 240)
    (run,) = one["explanation"]["runs"]
    assert (run["reason"], [edge["charged"] for edge in run["edges"]]) == (
        "OUTSIDE_CHEAPER", [False] * 3 + [True] * 4,
    )  # fmt: skip
    assert [(p["pass_id"], p["use"]) for p in one["explanation"]["passes"]] == [
        (held["pass_id"], "USED")
    ]
    slip = await api.slip(looked_up(DAY, TEXT))
    assert slip["items"][0]["amount_yen"] == 240
    assert slip["items"][0]["deduction_yen"] == 50
    body = {"on": DAY, "route": TEXT}
    priced = await api.post(TARO, "/deductions", {"rides": [body]})
    assert priced["items"][0]["charged_yen"] == 240


async def test_a_fare_that_was_never_quoted_is_refused_and_a_new_look_up_cures_it(
    api: CommuterApi,
) -> None:
    await look_up(api)
    await api.register(TO_UMEDA, "2026/04/01~")  # its outside part was not asked for yet
    line_ = looked_up(DAY, TEXT)
    body = {"kind": "transport", "title": "4月", "items": [line_]}
    refused(await api.request(TARO, "POST", "/slips", body), 422, "SOURCE_FARE_MISSING")
    other_day = {**body, "items": [looked_up("2026/04/02", TEXT)]}
    refused(await api.request(TARO, "POST", "/slips", other_day), 422, "SOURCE_FARE_MISSING")
    await look_up(api)
    assert (await api.slip(line_))["items"][0]["amount_yen"] == 240


async def test_a_re_check_prices_by_what_was_quoted(api: CommuterApi) -> None:
    await look_up(api)
    slip = await api.slip(looked_up(DAY, TEXT))
    slip = await api.step(TARO, slip, "submit")
    for who in (CHIEF, HEAD):
        slip = await api.step(who, slip, "approve")
    period = {"first": "2026/04/01", "last": "2026/04/30"}
    same = await api.post(ADMIN, "/rechecks", period)
    assert (same["checked"], same["items"]) == (1, [])
    await api.register(TO_UMEDA, "2026/04/01~")
    (unknown,) = (await api.post(ADMIN, "/rechecks", period))["items"]
    assert unknown["now_yen"] is None
    assert "もう一度、乗換案内" in unknown["why"]
    await look_up(api)
    (less,) = (await api.post(ADMIN, "/rechecks", period))["items"]
    assert (less["before_yen"], less["now_yen"], less["difference_yen"]) == (290, 240, -50)


@pytest.mark.parametrize(
    "route",
    [
        "新大阪:駅すぱあと/御堂筋線",
        "新大阪:駅すぱあと/御堂筋線:梅田:中央線:新宿",
        ":駅すぱあと/線:",
    ],
)
async def test_a_broken_route_of_the_source_is_refused(api: CommuterApi, route: str) -> None:
    body = {"employee_id": TARO.person_id, "route": route}
    refused(await api.request(ADMIN, "POST", "/passes", body), 422, "ROUTE_UNREADABLE")
    slip = {"kind": "transport", "title": "4月", "items": [looked_up(DAY, route)]}
    refused(await api.request(TARO, "POST", "/slips", slip), 422, "ROUTE_UNREADABLE")
