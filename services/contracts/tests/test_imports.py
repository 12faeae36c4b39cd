"""Contract files and masters: whole or not at all, told once."""

from sqlalchemy import text

from contracts_service.imports import import_contracts, import_masters
from contracts_service.models import Kept
from event_contracts.contract import ContractRegistered, ContractUpdated
from event_contracts.masters import StaffUpdated, StoreUpdated
from shared import migrate
from shared.db import EVERY_DEALER

from .conftest import MASTERS, Office, file_of


async def test_the_models_are_what_the_migrations_make(office: Office) -> None:
    await migrate.check(office.database.url, "contracts_service", Kept.metadata)


async def test_a_file_becomes_contracts_and_is_told(office: Office) -> None:
    report = await office.take_in(
        {"契約番号": "C1"}, {"契約番号": "C-2", "店舗コード": "S20", "スタッフコード": ""}
    )
    assert (report.accepted, report.registered, report.refused) == (2, 2, ())
    told = await office.events(ContractRegistered)
    assert [(e.contract_no, e.store_code, e.staff_code) for e in told] == [  # type: ignore[attr-defined]
        ("C1", "S10", "E101"),
        ("C2", "S20", None),
    ]


async def test_the_same_file_again_changes_and_tells_nothing(office: Office) -> None:
    await office.contract("C1")
    before = await office.detail("C1")
    report = await office.take_in({"契約番号": "C1"})
    assert (report.accepted, report.registered, report.updated) == (1, 0, 0)
    assert await office.detail("C1") == before
    assert len(await office.events(ContractRegistered, ContractUpdated)) == 1


async def test_a_changed_line_is_told_as_an_update(office: Office) -> None:
    await office.contract("C1")
    report = await office.take_in(
        {"契約番号": "C1", "住所": "東京都港区港南1番"}, {"契約番号": "C2"}
    )
    assert (report.registered, report.updated) == (1, 1)
    assert [type(e) for e in await office.events(ContractRegistered, ContractUpdated)] == [
        ContractRegistered,
        ContractUpdated,
        ContractRegistered,
    ]
    assert (await office.detail("C1"))["customer"]["address"] == "東京都港区港南1番"


async def test_one_refused_line_keeps_the_whole_file_out(office: Office) -> None:
    report = await office.take_in(
        {"契約番号": "C1"},
        {"契約番号": "C2", "店舗コード": "S99"},
        {"契約番号": "C3", "残高": "many"},
    )
    assert [(r.line, r.contract_no, r.reasons[0].code) for r in report.refused] == [
        (3, "C2", "STORE_UNKNOWN"),
        (4, "C3", "YEN_FORM"),
    ]
    assert await office.search("H001", mode="individual", contract_no="C1") == []
    assert await office.events(ContractRegistered) == []


async def test_a_contract_of_another_dealer_is_not_taken_over(office: Office) -> None:
    await office.contract("C1")
    report = await office.take_in({"契約番号": "C2"}, {"契約番号": "C1", "販売店コード": "D02"})
    assert [(r.line, r.reasons[0].code) for r in report.refused] == [
        (3, "CONTRACT_OF_OTHER_DEALER")
    ]
    assert await office.search("H001", mode="individual", contract_no="C2") == []


async def test_shift_jis_files_are_read_too(office: Office) -> None:
    data = file_of({"契約番号": "C1", "契約者名": "髙橋 一郎"}, encoding="cp932")
    report = await import_contracts(office.database, data, now=office.clock.now())
    assert report.accepted == 1
    assert (await office.detail("C1"))["customer"]["name"] == "髙橋 一郎"


async def test_masters_are_told_once(new_office: Office) -> None:
    office = new_office
    stores = len(await office.events(StoreUpdated))
    staff = len(await office.events(StaffUpdated))
    assert (stores, staff) == (8, 14)
    await import_masters(office.database, MASTERS, now=office.clock.now())
    assert len(await office.events(StoreUpdated)) == stores
    assert len(await office.events(StaffUpdated)) == staff


async def test_many_lines_are_numbered_without_gaps(office: Office) -> None:
    await office.take_in(*({"契約番号": f"C{n}"} for n in range(4500)))
    await office.take_in(*({"契約番号": f"C{n}", "電話番号": ""} for n in range(4500)))
    async with office.database.transaction(EVERY_DEALER) as tx:
        numbered = await tx.execute(
            text("""SELECT min(sequence), max(sequence), count(*) FROM outbox
                    WHERE aggregate_type = 'contract'""")
        )
        assert tuple(numbered.one()) == (1, 2, 9000)
