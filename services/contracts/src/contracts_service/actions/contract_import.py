"""Contract import from the finance company's files and events (C5).

A line is compared with its predecessor by a fingerprint: importing the same file again changes
nothing and emits nothing. The file's store and staff are applied only if they differ from its last
ones, and not while a change is pending, so that an old file never moves a contract back. A
contract whose customer was erased is not changed.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.actions.contract_event import contract_event
from contracts_service.actions.final_handling import settle_completion
from contracts_service.models import Contract
from contracts_service.rules.import_row import ContractRow
from contracts_service.rules.search_text import folded_name, folded_registration
from event_contracts.contract import ContractRegistered, ContractUpdated
from shared import outbox

BATCH = 2000
FACTS = (
    *("product_code", "final_on", "last_instalment_yen", "balance_yen", "instalments"),
    *("monthly_yen", "yearly_rate_percent", "model_code", "model", "registration_no"),
    *("registration_folded", "first_registered_month", "first_registered_on", "commercial"),
    *("customer_name", "customer_name_kana", "customer_folded", "postal_code", "address", "phone"),
    *("receivable_purchased", "tfc_handled", "customer_change_pending"),
)
STAGED = ("line", "contract_no", "dealer_id", *FACTS, "store_code", "staff_code", "fingerprint")

COMPUTED = ("line", "registration_folded", "customer_folded", "fingerprint")
_VALUES = (*(name for name in STAGED if name not in COMPUTED), *COMPUTED)
_STAGED = itemgetter(*(_VALUES.index(name) for name in STAGED))

STAGE = f"""
    CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
    SELECT 0 AS line, contract_no, dealer_id, {", ".join(FACTS)}, store_code, staff_code,
           import_fingerprint AS fingerprint
    FROM contract LIMIT 0
"""  # noqa: S608 - names from this file only
CHANGED_CONTRACTS = """
    CREATE TEMPORARY TABLE touched (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, contract_no text, is_new boolean
    ) ON COMMIT DROP
"""
_NEW_ASSIGNMENT = """contract.pending_change_id IS NULL
    AND (contract.imported_store_code, contract.imported_staff_code)
        IS DISTINCT FROM (excluded.imported_store_code, excluded.imported_staff_code)"""
IMPORT_STAGED = f"""
    WITH written AS (
        INSERT INTO contract (contract_no, dealer_id, {", ".join(FACTS)}, store_code, staff_code,
                              imported_store_code, imported_staff_code, import_fingerprint)
        SELECT contract_no, dealer_id, {", ".join(FACTS)}, store_code, staff_code,
               store_code, staff_code, fingerprint
        FROM incoming ORDER BY contract_no
        ON CONFLICT (contract_no) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in FACTS)},
            transferred_in_on = CASE
                WHEN {_NEW_ASSIGNMENT} AND contract.store_code <> excluded.store_code THEN NULL
                ELSE contract.transferred_in_on END,
            store_code = CASE WHEN {_NEW_ASSIGNMENT} THEN excluded.store_code
                ELSE contract.store_code END,
            staff_code = CASE WHEN {_NEW_ASSIGNMENT} THEN excluded.staff_code
                ELSE contract.staff_code END,
            imported_store_code = excluded.imported_store_code,
            imported_staff_code = excluded.imported_staff_code,
            import_fingerprint = excluded.import_fingerprint,
            version = contract.version + 1
        WHERE contract.import_fingerprint IS DISTINCT FROM excluded.import_fingerprint
          AND NOT EXISTS (SELECT FROM customer_erasure e WHERE e.contract_no = contract.contract_no)
        RETURNING contract_no, version = 1 AS is_new
    )
    INSERT INTO touched (contract_no, is_new) SELECT contract_no, is_new FROM written
"""  # noqa: S608 - names from this file only
OF_OTHER_DEALER = text("""
    SELECT incoming.line, incoming.contract_no
    FROM incoming JOIN contract USING (contract_no)
    WHERE incoming.dealer_id <> contract.dealer_id ORDER BY incoming.line
""")
NEXT_CHANGED_CONTRACTS = text("""
    SELECT touched.position, touched.is_new, contract.*
    FROM touched JOIN contract USING (contract_no)
    WHERE touched.position > :after ORDER BY touched.position LIMIT :batch
""")


async def begin_import(tx: AsyncSession) -> None:
    """Create the temporary tables for one file; they last until the transaction ends."""
    await tx.execute(text(STAGE))
    await tx.execute(text(CHANGED_CONTRACTS))


async def stage_contracts(tx: AsyncSession, rows: Sequence[Sequence[object]]) -> None:
    """Load lines (values in the order of STAGED) into the staging table by COPY."""
    connection = await (await tx.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert driver is not None
    await driver.copy_records_to_table("incoming", records=rows, columns=STAGED)


_WRITTEN = attrgetter(*(field.name for field in fields(ContractRow)))
"""Every value of a line, in order; `dataclasses.astuple` would copy each of them deeply."""
_OF_ROW = attrgetter(
    *({"dealer_id": "dealer_code"}.get(name, name) for name in STAGED if name not in COMPUTED)
)


def staged_line(line: int, row: ContractRow) -> tuple[object, ...]:
    """The values of a contract in the order of STAGED, with folded search texts."""
    # One line each; a search text never contains a line break.
    names = f"{folded_name(row.customer_name)}\n{folded_name(row.customer_name_kana or '')}"
    fingerprint = blake2b(repr(_WRITTEN(row)).encode(), digest_size=16).digest()
    values = (*_OF_ROW(row), line, folded_registration(row.registration_no), names, fingerprint)
    staged: tuple[object, ...] = _STAGED(values)
    return staged


async def import_contract(tx: AsyncSession, line: Sequence[object], *, now: datetime) -> None:
    """Import a single contract, like a file of one line.

    Raises:
        ContractOfOtherDealer.
    """
    await begin_import(tx)
    await stage_contracts(tx, [line])
    if await lines_of_other_dealers(tx):
        raise ContractOfOtherDealer(line[STAGED.index("contract_no")])
    await import_staged_contracts(tx, now=now)
    await tx.execute(text("DROP TABLE incoming, touched"))


class ContractOfOtherDealer(ValueError):
    """The contract belongs to another dealer than the one stated."""


async def lines_of_other_dealers(tx: AsyncSession) -> list[tuple[int, str]]:
    """Staged lines (with their contract numbers) whose contract belongs to another dealer."""
    return [(row.line, row.contract_no) for row in await tx.execute(OF_OTHER_DEALER)]


async def import_staged_contracts(tx: AsyncSession, *, now: datetime) -> tuple[int, int]:
    """Import the staged lines, emit events; returns the numbers of new and changed contracts."""
    await tx.execute(text("ANALYZE incoming"))
    await tx.execute(text(IMPORT_STAGED))
    await tx.execute(text("ANALYZE touched"))
    new = changed = 0
    async for batch in _changed_contracts(tx):
        await outbox.add_many(
            tx,
            [contract_event(ContractRegistered if r.is_new else ContractUpdated, r) for r in batch],
            now=now,
        )
        for row in batch:
            if row.return_completed:  # a purchased receivable changes the completion (D78)
                contract = await tx.get_one(Contract, row.contract_no, populate_existing=True)
                await settle_completion(tx, contract, now=now)
        new += sum(1 for row in batch if row.is_new)
        changed += sum(1 for row in batch if not row.is_new)
    return new, changed


async def _changed_contracts(tx: AsyncSession) -> AsyncIterator[list[Row[Any]]]:
    after = 0
    while True:
        found = (await tx.execute(NEXT_CHANGED_CONTRACTS, {"after": after, "batch": BATCH})).all()
        if not found:
            return
        yield list(found)
        after = found[-1].position
