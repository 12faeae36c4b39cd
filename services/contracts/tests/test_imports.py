"""Imports of contract and master data files: all or nothing, each change published once."""

from sqlalchemy import text

from contracts_service.imports import import_contracts, import_masters
from contracts_service.models import Base
from event_contracts.contract import ContractRegistered, ContractUpdated
from event_contracts.masters import StaffUpdated, StoreUpdated
from shared import migrate
from shared.db import EVERY_DEALER

from .conftest import DEALERS, VEHICLES, ContractsApi, file_of


async def test_the_models_are_what_the_migrations_make(contracts_api: ContractsApi) -> None:
    await migrate.check(contracts_api.database.url, "contracts_service", Base.metadata)


async def test_a_file_is_imported_and_published(contracts_api: ContractsApi) -> None:
    report = await contracts_api.import_contracts_file(
        {"契約番号": "C1"}, {"契約番号": "C-2", "店舗コード": "S20", "スタッフコード": ""}
    )
    assert (report.accepted, report.registered, report.refused) == (2, 2, ())
    published = await contracts_api.events(ContractRegistered)
    assert [(e.contract_no, e.store_code, e.staff_code) for e in published] == [  # type: ignore[attr-defined]
        ("C1", "S10", "E101"),
        ("C2", "S20", None),
    ]


async def test_the_same_file_again_changes_and_publishes_nothing(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("C1")
    before = await contracts_api.detail("C1")
    report = await contracts_api.import_contracts_file({"契約番号": "C1"})
    assert (report.accepted, report.registered, report.updated) == (1, 0, 0)
    assert await contracts_api.detail("C1") == before
    assert len(await contracts_api.events(ContractRegistered, ContractUpdated)) == 1


async def test_a_changed_line_is_published_as_an_update(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    report = await contracts_api.import_contracts_file(
        {"契約番号": "C1", "住所": "東京都港区港南1番"}, {"契約番号": "C2"}
    )
    assert (report.registered, report.updated) == (1, 1)
    assert [type(e) for e in await contracts_api.events(ContractRegistered, ContractUpdated)] == [
        ContractRegistered,
        ContractUpdated,
        ContractRegistered,
    ]
    assert (await contracts_api.detail("C1"))["customer"]["address"] == "東京都港区港南1番"


async def test_one_refused_line_rejects_the_whole_file(contracts_api: ContractsApi) -> None:
    report = await contracts_api.import_contracts_file(
        {"契約番号": "C1"},
        {"契約番号": "C2", "店舗コード": "S99"},
        {"契約番号": "C3", "残高": "many"},
    )
    assert [(r.line, r.contract_no, r.reasons[0].code) for r in report.refused] == [
        (3, "C2", "STORE_UNKNOWN"),
        (4, "C3", "YEN_FORM"),
    ]
    assert await contracts_api.search("H001", mode="individual", contract_no="C1") == []
    assert await contracts_api.events(ContractRegistered) == []


async def test_a_contract_of_another_dealer_is_not_imported(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    report = await contracts_api.import_contracts_file(
        {"契約番号": "C2"}, {"契約番号": "C1", "販売店コード": "D02"}
    )
    assert [(r.line, r.reasons[0].code) for r in report.refused] == [
        (3, "CONTRACT_OF_OTHER_DEALER")
    ]
    assert await contracts_api.search("H001", mode="individual", contract_no="C2") == []


async def test_shift_jis_files_are_read_too(contracts_api: ContractsApi) -> None:
    data = file_of({"契約番号": "C1", "契約者名": "髙橋 一郎"}, encoding="cp932")
    report = await import_contracts(contracts_api.database, data, now=contracts_api.clock.now())
    assert report.accepted == 1
    assert (await contracts_api.detail("C1"))["customer"]["name"] == "髙橋 一郎"


async def test_masters_are_published_once(new_contracts_api: ContractsApi) -> None:
    contracts_api = new_contracts_api
    stores = len(await contracts_api.events(StoreUpdated))
    staff = len(await contracts_api.events(StaffUpdated))
    assert (stores, staff) == (8, 14)
    await import_masters(contracts_api.database, DEALERS, VEHICLES, now=contracts_api.clock.now())
    assert len(await contracts_api.events(StoreUpdated)) == stores
    assert len(await contracts_api.events(StaffUpdated)) == staff


async def test_many_lines_are_numbered_without_gaps(contracts_api: ContractsApi) -> None:
    await contracts_api.import_contracts_file(*({"契約番号": f"C{n}"} for n in range(4500)))
    await contracts_api.import_contracts_file(
        *({"契約番号": f"C{n}", "電話番号": ""} for n in range(4500))
    )
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        numbered = await tx.execute(
            text("""SELECT min(sequence), max(sequence), count(*) FROM outbox
                    WHERE aggregate_type = 'contract'""")
        )
        assert tuple(numbered.one()) == (1, 2, 9000)
