"""Exports of journals: each slip once, again only on purpose, by accounting (R82, R84, R85)."""

import asyncio
import csv
import io
from typing import Any

import pytest

from .conftest import (
    ADMIN,
    CHIEF,
    HEAD,
    OTHER_ADMIN,
    TARO,
    CommuterApi,
    looked_up,
    refused,
)

EXPORTS = "/accounting/exports"


async def settled(api: CommuterApi, *items: Any) -> Any:
    slip = await api.approved(await api.slip(*items))
    return await api.step(ADMIN, slip, "settle")


async def journal(api: CommuterApi, export: Any, who: Any = ADMIN) -> list[list[str]]:
    answer = await api.request(who, "GET", f"{EXPORTS}/{export['export_id']}/journal.csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    return list(csv.reader(io.StringIO(answer.content.decode("cp932"))))


def typed(yen: int, **more: Any) -> dict[str, Any]:
    return {"item_on": "2022/07/11", "words": "タクシー", "amount_yen": yen, **more}


@pytest.mark.rule("R82", "R85")
async def test_a_settled_slip_stands_in_one_export(commuter_api: CommuterApi) -> None:
    taxi = typed(1_800, cost_kind="taxi", payee="東都交通", registration_no="Ｔ7000012050002")
    slip = await settled(commuter_api, looked_up(), taxi, typed(0))
    await commuter_api.slip(looked_up())  # a draft
    waiting = await commuter_api.get(ADMIN, EXPORTS)
    assert (waiting["waiting_slips"], waiting["waiting_yen"]) == (1, 1_998)

    export = await commuter_api.post(ADMIN, EXPORTS)
    assert (export["number"], export["slips"], export["lines"], export["total_yen"]) == (
        1, 1, 2, 1_998,
    )  # fmt: skip
    ride, cab = await journal(commuter_api, export)
    assert (ride[3], ride[4], ride[7], ride[8], ride[14]) == (
        "2022/07/11", "旅費交通費", "課対仕入込10%適格", "198", "198",
    )  # fmt: skip
    assert ride[16] == "公共交通機関特例 営業太郎 東京―新宿"
    assert cab[16] == "東都交通 T7000012050002 営業太郎 タクシー"
    assert ride[21] == slip["slip_id"]

    again = await commuter_api.request(ADMIN, "POST", EXPORTS, {})
    refused(again, 409, "NOTHING_TO_EXPORT")
    assert await journal(commuter_api, export) == [ride, cab]


@pytest.mark.rule("R85")
async def test_an_export_says_how_many_of_its_slips_changed_since(
    commuter_api: CommuterApi,
) -> None:
    slip, _ = await settled(commuter_api, looked_up()), await settled(commuter_api, looked_up())
    await commuter_api.post(ADMIN, EXPORTS)
    (export,) = (await commuter_api.get(ADMIN, EXPORTS))["items"]
    assert (export["slips"], export["changed"]) == (2, 0)
    await commuter_api.step(ADMIN, slip, "unsettle", "金額の誤り")
    (export,) = (await commuter_api.get(ADMIN, EXPORTS))["items"]
    assert (export["slips"], export["changed"]) == (2, 1)


@pytest.mark.rule("R85")
async def test_a_cancelled_export_gives_its_slips_back(commuter_api: CommuterApi) -> None:
    await settled(commuter_api, looked_up())
    first = await commuter_api.post(ADMIN, EXPORTS)
    path = f"{EXPORTS}/{first['export_id']}"
    no_reason = await commuter_api.request(ADMIN, "POST", f"{path}/cancellation", {"reason": " "})
    assert refused(no_reason, 422, "FORM_ERRORS")["errors"][0]["field"] == "reason"
    await commuter_api.post(ADMIN, f"{path}/cancellation", {"reason": "科目の間違い"})
    twice = await commuter_api.request(ADMIN, "POST", f"{path}/cancellation", {"reason": "x"})
    refused(twice, 409, "EXPORT_CANCELLED")
    refused(
        await commuter_api.request(ADMIN, "GET", f"{path}/journal.csv"), 409, "EXPORT_CANCELLED"
    )
    second = await commuter_api.post(ADMIN, EXPORTS)
    assert (second["number"], second["slips"]) == (2, 1)
    listed = (await commuter_api.get(ADMIN, EXPORTS))["items"]
    assert [(one["number"], one["reason"]) for one in listed] == [(2, None), (1, "科目の間違い")]


@pytest.mark.rule("R85")
async def test_two_accountants_at_once_export_a_slip_once(commuter_api: CommuterApi) -> None:
    await settled(commuter_api, looked_up())
    answers = await asyncio.gather(
        *(commuter_api.request(ADMIN, "POST", EXPORTS, {}) for _ in range(4))
    )
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert await commuter_api.count("exported_slip") == 1


@pytest.mark.rule("R85")
async def test_an_export_takes_the_days_of_settlement(commuter_api: CommuterApi) -> None:
    commuter_api.clock.set("2022/07/11", "23:59")
    await settled(commuter_api, looked_up())
    commuter_api.clock.set("2022/07/12", "00:00")
    await settled(commuter_api, looked_up())
    turned = await commuter_api.request(
        ADMIN, "POST", EXPORTS, {"first": "2022/07/12", "last": "2022/07/11"}
    )
    assert refused(turned, 422, "FORM_ERRORS")["errors"][0]["code"] == "PERIOD_REVERSED"
    july_11 = {"first": "2022/07/11", "last": "2022/07/11"}
    assert (await commuter_api.post(ADMIN, EXPORTS, july_11))["slips"] == 1
    assert (await commuter_api.post(ADMIN, EXPORTS, {"first": "2022/07/12"}))["slips"] == 1


@pytest.mark.rule("R84")
async def test_accounts_are_saved_and_kept_with_the_export(commuter_api: CommuterApi) -> None:
    now = await commuter_api.get(ADMIN, "/accounting/settings")
    assert [one["store_code"] for one in now["departments"]] == ["S10"]
    typed_ = {
        "target": "yayoi",
        "debits": {
            one["kind"]: {"account": "交通費", "sub_account": "営業"} for one in now["debits"]
        },
        "credit": {"account": "従業員立替金"},
        "tax_words": {one["treatment"]: one["word"] for one in now["tax_words"]},
        "departments": {"S10": "本店"},
    }
    kept = await commuter_api.put(ADMIN, "/accounting/settings", typed_, version=0)
    late = await commuter_api.request(ADMIN, "PUT", "/accounting/settings", typed_, version=0)
    refused(late, 412, "VERSION_CONFLICT")
    await settled(commuter_api, looked_up())
    export = await commuter_api.post(ADMIN, EXPORTS)
    changed = {**typed_, "credit": {"account": "現金"}}
    await commuter_api.put(ADMIN, "/accounting/settings", changed, version=kept["version"])
    ((*_, debit, sub, department),) = [row[:7] for row in await journal(commuter_api, export)]
    assert (debit, sub, department) == ("交通費", "営業", "本店")
    assert (await journal(commuter_api, export))[0][10] == "従業員立替金"
    wrong = {**typed_, "credit": {"account": ""}}
    answer = await commuter_api.request(ADMIN, "PUT", "/accounting/settings", wrong, version=2)
    assert refused(answer, 422, "FORM_ERRORS")["errors"][0]["field"] == "credit.account"


@pytest.mark.rule("R61", "R85")
async def test_only_the_own_accounting_exports(commuter_api: CommuterApi) -> None:
    await settled(commuter_api, looked_up())
    export = await commuter_api.post(ADMIN, EXPORTS)
    path = f"{EXPORTS}/{export['export_id']}/journal.csv"
    for who in (TARO, CHIEF, HEAD):
        assert (await commuter_api.request(who, "GET", path)).status_code == 403
        assert (await commuter_api.request(who, "POST", EXPORTS, {})).status_code == 403
    assert (await commuter_api.request(OTHER_ADMIN, "GET", path)).status_code == 404
    assert (await commuter_api.get(OTHER_ADMIN, EXPORTS))["items"] == []
    refused(await commuter_api.request(OTHER_ADMIN, "POST", EXPORTS, {}), 409, "NOTHING_TO_EXPORT")


@pytest.mark.rule("R82")
async def test_the_whole_list_as_csv(commuter_api: CommuterApi) -> None:
    await settled(commuter_api, looked_up())
    await commuter_api.slip(looked_up())  # a draft stays at home
    slip = await commuter_api.slip(looked_up(), title="=1+1")
    await commuter_api.step(TARO, slip, "submit")
    answer = await commuter_api.request(ADMIN, "GET", "/accounting/slips.csv")
    heading, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert heading[0] == "伝票番号"
    assert {row[2]: row[3] for row in rows} == {"7月の交通費": "精算", "'=1+1": "承認依頼中"}


@pytest.mark.rule("R81")
async def test_a_taxi_without_number_or_reason_is_not_submitted(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(typed(730, cost_kind="taxi"))
    path = f"/slips/{slip['slip_id']}/submit"
    answer = await commuter_api.request(TARO, "POST", path, {}, version=slip["version"])
    error = refused(answer, 422, "FORM_ERRORS")["errors"][0]
    assert (error["field"], error["code"]) == (
        "items.0.registration_no", "REGISTRATION_NUMBER_MISSING",
    )  # fmt: skip
    item = {"item_id": slip["items"][0]["item_id"], **typed(730, cost_kind="taxi")}
    slip = await commuter_api.save(TARO, slip, {**item, "no_invoice_reason": "個人タクシー"})
    assert slip["items"][0]["invoice_basis"] == "no_invoice"
    assert (await commuter_api.step(TARO, slip, "submit"))["status"] == "pending"
