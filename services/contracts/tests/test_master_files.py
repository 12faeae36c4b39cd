"""Master data files: all or nothing, each error with its line."""

from datetime import date

import pytest
from sqlalchemy import text

from contracts_service import queries
from contracts_service.imports import ImportReport, import_master_file
from contracts_service.rules.import_file import ColumnsNotAsAgreed
from contracts_service.rules.master_file import MASTER_COLUMNS, MasterKind
from event_contracts.masters import StaffUpdated, StoreUpdated
from shared.db import EVERY_DEALER

from .conftest import ContractsApi


async def import_contracts_file(
    contracts_api: ContractsApi, kind: str, *lines: str, encoding: str = "utf-8-sig"
) -> ImportReport:
    columns = ",".join(MASTER_COLUMNS[MasterKind(kind)])
    data = "\r\n".join([columns, *lines]).encode(encoding)
    return await import_master_file(
        contracts_api.database, MasterKind(kind), data, now=contracts_api.clock.now()
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
async def test_a_new_dealer_with_store_and_people(
    new_contracts_api: ContractsApi, encoding: str
) -> None:
    for kind, *lines in (
        ("dealers", "D03,髙橋自動車"),
        ("stores", "D03,S10,駅前店,03-0010-1000,0", "D03,S90,旧店,,1"),
        (
            "staff",
            "D03,E101,髙橋 愛,タカハシ アイ,営業スタッフ,S10,090-0000-0009,,1",
            "D03,H001,森 一,,本部担当者,,,,1",
        ),
        ("vehicles", ",NEWCAR,新車,1", "D03,OWN,専用車,1"),
    ):
        report = await import_contracts_file(new_contracts_api, kind, *lines, encoding=encoding)
        assert (report.accepted, report.refused) == (len(lines), ())
    me = (await new_contracts_api.get("E101", "/me", dealer="D03")).json()
    assert (me["name"], me["store"]["name"]) == ("髙橋 愛", "駅前店")
    staff = (await new_contracts_api.get("H001", "/staff?headquarters=true", dealer="D03")).json()
    assert [(p["person_id"], p["role"]) for p in staff] == [
        ("D03-E101", "sales"),
        ("D03-H001", "hq"),
    ]
    assert len((await new_contracts_api.get("H001", "/staff", dealer="D03")).json()) == 1
    cars = (await new_contracts_api.get("E101", "/vehicles", dealer="D03")).json()
    assert {"NEWCAR", "OWN"} <= {car["code"] for car in cars}
    published = await new_contracts_api.events(StoreUpdated, StaffUpdated)
    assert [e.dealer_id for e in published[-4:]] == ["D03"] * 4


async def test_the_same_file_again_publishes_nothing(new_contracts_api: ContractsApi) -> None:
    line = "D01,S10,新本店,03-0010-1000,0"
    await import_contracts_file(new_contracts_api, "stores", line)
    published = len(await new_contracts_api.events(StoreUpdated))
    await import_contracts_file(new_contracts_api, "stores", line)
    assert len(await new_contracts_api.events(StoreUpdated)) == published == 9


async def test_a_renamed_dealer_is_published_with_each_of_its_stores(
    new_contracts_api: ContractsApi,
) -> None:
    before = len(await new_contracts_api.events(StoreUpdated))
    await import_contracts_file(new_contracts_api, "dealers", "D01,新東都自動車販売")
    published = (await new_contracts_api.events(StoreUpdated))[before:]
    assert {e.store_code for e in published if isinstance(e, StoreUpdated)} == {
        "S10",
        "S20",
        "S30",
        "S90",
    }
    assert {e.dealer_name for e in published if isinstance(e, StoreUpdated)} == {"新東都自動車販売"}


async def test_one_error_rejects_the_whole_file(new_contracts_api: ContractsApi) -> None:
    report = await import_contracts_file(
        new_contracts_api,
        "staff",
        "D01,E900,新人 一,,営業スタッフ,S10,,,1",
        "D01,E901,新人 二,,営業スタッフ,S77,,,1",
        "D77,E902,新人 三,,営業スタッフ,S10,,,1",
        "D01,E903,新人 四,,社長,S10,,,",
        "D01,E900,新人 五,,店長,S10,,,1",
        "D01,H900,新人 六,,本部担当者,S10,,,1",
    )
    assert [(r.line, [e.code for e in r.reasons]) for r in report.refused] == [
        (3, ["STORE_UNKNOWN"]),
        (4, ["DEALER_UNKNOWN"]),
        (5, ["ROLE_UNKNOWN", "MISSING"]),
        (6, ["LINE_TWICE"]),
        (7, ["STORE_OF_HEADQUARTERS"]),
    ]
    staff = (await new_contracts_api.get("H001", "/staff")).json()
    assert not {person["code"] for person in staff} & {"E900", "E901", "E902"}


@pytest.mark.rule("D124")
async def test_a_product_that_may_no_longer_move(new_contracts_api: ContractsApi) -> None:
    await new_contracts_api.contract("C1")
    await import_contracts_file(new_contracts_api, "products", "GAMMA,ガンマファイナンス,1,0,0,0")
    body = {"to_staff": "E102"}
    answer = await new_contracts_api.change("M100", "POST", "/contracts/C1/assignment-change", body)
    assert answer.json()["code"] == "PRODUCT_NOT_TRANSFERABLE"


@pytest.mark.rule("D141")
async def test_a_calendar_replaces_its_years(new_contracts_api: ContractsApi) -> None:
    await import_contracts_file(new_contracts_api, "calendar", "2025/07/18,0", "2026/01/02,1")
    await import_contracts_file(new_contracts_api, "calendar", "2025/07/22,0")
    async with new_contracts_api.database.transaction(EVERY_DEALER) as tx:
        known = await queries.calendar_exceptions(tx)
    assert known.closed_on == {date(2025, 7, 22)}
    assert known.open_on == {date(2026, 1, 2)}


async def test_a_file_of_another_kind_is_refused(new_contracts_api: ContractsApi) -> None:
    with pytest.raises(ColumnsNotAsAgreed):
        await import_master_file(
            new_contracts_api.database,
            MasterKind.STORES,
            "販売店コード,販売店名\nD09,x".encode(),
            now=new_contracts_api.clock.now(),
        )
    async with new_contracts_api.database.transaction(EVERY_DEALER) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM dealer")) == 2
