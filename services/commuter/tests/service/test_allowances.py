"""通勤手当 by HTTP: the month's list, its taxes, the CSV of payroll, and cars (R112-R116)."""

import asyncio
import csv
import io
from typing import Any

import pytest

from event_contracts.masters import StaffUpdated

from .conftest import (
    ADMIN,
    CHIEF,
    HANAKO,
    OTHER_ADMIN,
    P1,
    TARO,
    CommuterApi,
    ends,
    refused,
)

CARS = "/accounting/car-commutes"
CAR: dict[str, Any] = {"first_month": "2022-04", "km10": 123, "monthly_yen": 8_000}


async def registered(api: CommuterApi, who: Any, period: str, **prices: int) -> Any:
    body = {"employee_id": who.person_id, "route": P1, **ends(period), **prices}
    return await api.post(ADMIN, "/passes", body)


async def add_car(api: CommuterApi, who: Any = HANAKO, **more: Any) -> Any:
    return await api.post(ADMIN, CARS, {**CAR, "employee_id": who.person_id, **more})


async def listed(api: CommuterApi, month: str) -> Any:
    return await api.get(ADMIN, f"/accounting/allowances/{month}")


@pytest.mark.rule("R112", "R113", "R114")
async def test_who_is_paid_what_in_a_month(commuter_api: CommuterApi) -> None:
    await registered(
        commuter_api, TARO, "2022/04/01~", one_month_yen=160_000, six_months_yen=840_000,
        paid_every=6,
    )  # fmt: skip
    await registered(commuter_api, CHIEF, "2022/04/15~2022/05/14", one_month_yen=160_000,
                     paid_every=1)  # fmt: skip
    await registered(commuter_api, HANAKO, "2022/04/01~", one_month_yen=9_000)  # kept, not paid
    await add_car(commuter_api)
    april = await listed(commuter_api, "2022-04")
    assert [
        (one["name"], one["pass_yen"], one["car_yen"], one["free_yen"], one["taxable_yen"])
        for one in april["items"]
    ] == [
        ("営業太郎", 840_000, 0, 840_000, 0),
        ("営業花子", 0, 8_000, 7_100, 900),
        ("佐藤 誠", 160_000, 0, 150_000, 10_000),
    ]
    assert april["total"] == {
        "pass_yen": 1_000_000, "car_yen": 8_000, "free_yen": 997_100, "taxable_yen": 10_900,
    }  # fmt: skip
    assert april["items"][0]["payments"][0]["words"] == "東京―新宿 6か月 2022/04/01から"
    assert [one["name"] for one in (await listed(commuter_api, "2022-05"))["items"]] == ["営業花子"]
    assert (await listed(commuter_api, "2022-10"))["total"]["pass_yen"] == 840_000
    later = await listed(commuter_api, "2025-05")
    assert (later["items"][0]["free_yen"], later["bands"][2]["yen"]) == (7_300, 7_300)


@pytest.mark.rule("R111", "R112")
async def test_an_application_is_not_paid_and_another_month_keeps_its_price(
    commuter_api: CommuterApi,
) -> None:
    body = {"route": P1, **ends("2022/07/01~"), "one_month_yen": 10_000, "paid_every": 1}
    one = await commuter_api.post(TARO, "/my-passes", body)
    assert (await listed(commuter_api, "2022-07"))["items"] == []
    one = await commuter_api.confirm(one)
    more = {**body, "one_month_yen": 11_000, "priced_from": "2022-09-01"}
    path = f"/passes/{one['pass_id']}"
    await commuter_api.put(ADMIN, path, more, version=one["version"])
    months = ("2022-07", "2022-08", "2022-09")
    paid = [(await listed(commuter_api, month))["total"]["pass_yen"] for month in months]
    assert paid == [10_000, 10_000, 11_000]


@pytest.mark.rule("R112")
async def test_who_has_left_is_named_and_not_paid(commuter_api: CommuterApi) -> None:
    await add_car(commuter_api)
    await commuter_api.receive(
        StaffUpdated(
            dealer_id="D01", staff_code="E102", name="営業花子", store_code="S10", role="sales",
            active=False,
        )
    )  # fmt: skip
    found = await listed(commuter_api, "2022-07")
    assert (found["items"], found["left"]) == ([], ["営業花子"])
    assert found["total"]["car_yen"] == 0


@pytest.mark.rule("R116")
async def test_payroll_gets_a_line_for_each_person(commuter_api: CommuterApi) -> None:
    await add_car(commuter_api, km10=19)
    await commuter_api.sql("UPDATE employee SET name = '=1+1' WHERE employee_id = 'D01-E102'")
    path = "/accounting/allowances/2022-07/payroll.csv"
    answer = await commuter_api.request(ADMIN, "GET", path)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heading, line = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert dict(zip(heading, line, strict=True)) == {
        "対象月": "2022/07", "社員番号": "E102", "氏名": "'=1+1", "店舗": "S10", "定期代": "0",
        "マイカー等": "8000", "支給額": "8000", "非課税額": "0", "課税額": "8000",
        "内訳": "マイカー等 片道1.9km",
    }  # fmt: skip


@pytest.mark.rule("R113")
async def test_a_month_without_a_table_is_refused(commuter_api: CommuterApi) -> None:
    for path in ("2015-12", "2015-12/payroll.csv"):
        answer = await commuter_api.request(ADMIN, "GET", f"/accounting/allowances/{path}")
        refused(answer, 422, "NO_TAX_LIMIT_ON_MONTH")
    answer = await commuter_api.request(ADMIN, "GET", "/accounting/allowances/2022-13")
    assert answer.status_code in {404, 422}


@pytest.mark.rule("R114")
async def test_a_car_is_changed_by_version_and_removed(commuter_api: CommuterApi) -> None:
    made = await add_car(commuter_api)
    path = f"{CARS}/{made['car_id']}"
    changed = await commuter_api.put(ADMIN, path, {**CAR, "last_month": "2022-07"}, version=1)
    assert (changed["version"], changed["last_month"]) == (2, "2022-07")
    answer = await commuter_api.request(ADMIN, "PUT", path, CAR, version=1)
    refused(answer, 412, "VERSION_CONFLICT")
    await add_car(commuter_api, first_month="2022-08")
    wrong = {"employee_id": HANAKO.person_id, **CAR, "first_month": "2022-07", "km10": 0}
    answer = await commuter_api.request(ADMIN, "POST", CARS, wrong)
    assert [one["field"] for one in answer.json()["errors"]] == ["km", "first_month"]
    refused(await commuter_api.request(OTHER_ADMIN, "PUT", path, CAR, version=2), 404, "NOT_FOUND")
    foreign = {**CAR, "employee_id": TARO.person_id}
    answer = await commuter_api.request(OTHER_ADMIN, "POST", CARS, foreign)
    refused(answer, 404, "NOT_FOUND")
    await commuter_api.post(ADMIN, f"{path}/removal", version=2)
    assert [one["first_month"] for one in (await commuter_api.get(ADMIN, CARS))["items"]] == [
        "2022-08"
    ]
    assert (await commuter_api.get(OTHER_ADMIN, CARS))["items"] == []


@pytest.mark.rule("R114")
async def test_two_at_once_enter_one_car(commuter_api: CommuterApi) -> None:
    body = {**CAR, "employee_id": HANAKO.person_id}
    both = await asyncio.gather(
        *(commuter_api.request(ADMIN, "POST", CARS, body) for _ in range(2))
    )
    assert sorted(one.status_code for one in both) == [201, 422]
    assert await commuter_api.count("car_commute") == 1
