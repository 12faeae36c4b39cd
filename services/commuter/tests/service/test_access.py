"""Access: every route with every role, and row-level security alone R61."""

from typing import Any

import pytest
from sqlalchemy import text

from event_contracts.masters import StaffUpdated
from shared.auth import Principal, Role, policies_by_path
from shared.trace_context import new_id

from .conftest import (
    ADMIN,
    BASE,
    CHIEF,
    HANAKO,
    NOTIFIER,
    OTHER_ADMIN,
    P1,
    STRANGER,
    TARO,
    CommuterApi,
    looked_up,
    signed,
)

TFC = Principal("t001", "渡辺 恵子", None, None, "T001", frozenset({Role.TFC}), None)
SALES = Principal("x", "x", "D01", "S10", "X1", frozenset({Role.SALES}), None)
PEOPLE = {
    "owner": TARO,
    "colleague": HANAKO,
    "approver": CHIEF,
    "accounting": ADMIN,
    "another company": STRANGER,
    "accounting of another company": OTHER_ADMIN,
    "tfc": TFC,
    "somebody who claims nothing": SALES,
    "notifier": NOTIFIER,
}
OF_D01 = {
    "receipt": "INSERT INTO receipt (receipt_id, dealer_id, employee_id, slip_id, item_id, newest,"
    " payee) VALUES (:id, 'D01', 'D01-E101', :id, :id, 1, '')",
    "receipt_version": "INSERT INTO receipt_version SELECT :id, 1, 'D01', '', 'image/png', 1, '',"
    " '', now(), '', ''",
    "bank_account": "INSERT INTO bank_account SELECT CAST(:id AS text), 'D01', 1, '', '', '1', '',"
    " ''",
    "pass_price": "INSERT INTO pass_price VALUES (:id, now(), 'D01', 1, 3, 6, 1, now(), '')",
    "car_commute": "INSERT INTO car_commute VALUES (:id, 'D01', 'D01-E101', 1, now(), NULL, 1, 1)",
    "transfer": "INSERT INTO transfer (transfer_id, dealer_id, number, pay_on, payer, slips,"
    " payments, total_yen, made_at, made_by, made_by_name) VALUES (:id, 'D01', 1, now(), '{}', 1,"
    " 1, 1, now(), '', '')",
}
"""A row of each table that has none otherwise."""
OF_ANOTHER = {"another company", "accounting of another company"}


async def call_route(
    commuter_api: CommuterApi, who: Principal | None, method: str, path: str
) -> int:
    headers = {"If-Match": '"1"'}
    if who is not None:
        headers["Authorization"] = f"Bearer {signed(who)}"
    body: Any = None if method == "GET" else {}
    answer = await commuter_api.http.request(method, path, headers=headers, json=body)
    return answer.status_code


@pytest.mark.rule("R61")
@pytest.mark.parametrize("name", PEOPLE)
async def test_every_route_lets_in_whom_it_names_and_shows_nothing_foreign(
    commuter_api: CommuterApi, name: str
) -> None:
    slip = await commuter_api.slip(looked_up())
    one = await commuter_api.register()
    names = {
        "{slip_id}": slip["slip_id"],
        "{item_id}": slip["items"][0]["item_id"],
        "{pass_id}": one["pass_id"],
        "{employee_id}": TARO.person_id,
        "{step}": "submit",
        "{receipt_id}": str(new_id()),
        "{number}": "1",
        "{transfer_id}": str(new_id()),
        "{car_id}": str(new_id()),
    }
    who, policies = PEOPLE[name], policies_by_path(commuter_api.app)
    for (method, route), asked in policies.items():
        if not route.startswith(BASE) or route.endswith("openapi.json"):
            continue
        path = route
        for placeholder, value in names.items():
            path = path.replace(placeholder, value)
        status = await call_route(commuter_api, who, method, path)
        if not all(policy.admits(who) for policy in asked):
            assert status == 403, (method, route)
        else:
            assert status not in {401, 500}, (method, route)
            if name in OF_ANOTHER and path != route:
                assert status in {404, 422, 428}, (method, route, status)
    assert (await commuter_api.get(TARO, f"/slips/{slip['slip_id']}"))["version"] >= slip["version"]


@pytest.mark.rule("R61")
async def test_nobody_gets_in_without_a_token(commuter_api: CommuterApi) -> None:
    for method, route in policies_by_path(commuter_api.app):
        if route.startswith(BASE) and not route.endswith("openapi.json"):
            path = route.replace("{slip_id}", str(new_id())).replace("{pass_id}", str(new_id()))
            path = path.replace("{step}", "submit")
            assert await call_route(commuter_api, None, method, path) == 401, (method, route)


@pytest.mark.rule("R61")
async def test_the_database_shows_a_company_its_own_rows_only(commuter_api: CommuterApi) -> None:
    one = await commuter_api.register()
    await commuter_api.slip(looked_up())
    tables = ("employee", "company_setting", "permission", "commuter_pass", "pass_version")
    papers = ("receipt", "receipt_version", "bank_account", "transfer", "pass_price", "car_commute")
    for table in papers:
        await commuter_api.sql(OF_D01[table], id=one["pass_id"])
    for table in (*tables, *papers, "slip", "slip_item", "trail"):
        seen = {}
        for dealer in ("D01", "D02", None):
            async with commuter_api.database.transaction(dealer) as tx:
                rows = await tx.execute(text(f"SELECT DISTINCT dealer_id FROM {table}"))
                seen[dealer] = {row.dealer_id for row in rows}
        assert (seen["D01"], seen[None]) == ({"D01"}, set()), table
        assert seen["D02"] <= {"D02"}, table


@pytest.mark.rule("R29", "R30")
async def test_addresses_are_returned_to_services_only(commuter_api: CommuterApi) -> None:
    one = await commuter_api.apply()
    path = f"/internal/passes/{one['pass_id']}/recipients"
    assert (await commuter_api.request(ADMIN, "GET", path)).status_code == 403
    await commuter_api.allow(CHIEF, pass_master=True, mail="chief@d01.example.jp")
    published = await commuter_api.get(NOTIFIER, path)
    assert published["administrator_mails"] == [
        "a001@d01.example.jp", "chief@d01.example.jp", "admin@d01.example.jp",
    ]  # fmt: skip
    assert (published["applicant_name"], published["applicant_mail"]) == (
        "営業太郎",
        "e101@d01.example.jp",
    )
    assert published["applied_on"] == "2022-07-11"
    for who in (ADMIN, CHIEF):
        await commuter_api.allow(who, pass_master=False)
    left = await commuter_api.get(NOTIFIER, path)
    assert left["administrator_mails"] == ["admin@d01.example.jp"]


@pytest.mark.rule("R30")
async def test_the_administrators_address_may_change_and_never_go(
    commuter_api: CommuterApi,
) -> None:
    changed = await commuter_api.setting(admin_mail="boss@d01.example.jp")
    assert changed["admin_mail"] == "boss@d01.example.jp"
    setting = await commuter_api.get(ADMIN, "/settings")
    body = {k: v for k, v in setting.items() if k not in {"version", "retention_choices"}}
    for wrong, code in ((None, "ADMIN_MAIL_REQUIRED"), (" ", "ADMIN_MAIL_REQUIRED"),
                        ("boss", "MAIL_UNREADABLE")):  # fmt: skip
        answer = await commuter_api.request(
            ADMIN, "PUT", "/settings", {**body, "admin_mail": wrong}, version=setting["version"]
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == code
    assert (await commuter_api.get(ADMIN, "/settings"))["admin_mail"] == "boss@d01.example.jp"


async def test_who_left_the_staff_cannot_be_found_any_more(commuter_api: CommuterApi) -> None:
    left = StaffUpdated(
        dealer_id="D01", staff_code="E102", name="営業花子", store_code="S10", role="sales",
        active=False,
    )  # fmt: skip
    await commuter_api.receive(left)
    found = (await commuter_api.get(ADMIN, "/employees"))["items"]
    assert "D01-E102" not in [one["employee_id"] for one in found]
    body = {"employee_id": "D01-NOBODY", "route": P1}
    assert (await commuter_api.request(ADMIN, "POST", "/passes", body)).status_code == 404
