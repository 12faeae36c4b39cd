"""Journal and list of many slips in memory that does not grow with them."""

import tracemalloc

import pytest

from commuter_service.exports.files import journal_file, slips_file
from commuter_service.exports.journal_queries import exports_of
from commuter_service.models import JournalExport

from .conftest import ADMIN, CommuterApi

SLIPS = 4000
MANY = """
WITH made AS (
    INSERT INTO slip (slip_id, dealer_id, employee_id, version, kind, title, purpose, status,
                      chain, step, created_at, updated_at, submitted_at)
    SELECT gen_random_uuid(), 'D01', 'D01-E101', 5, 'transport', 'n' || n, '', 'settled',
           ARRAY['D01-M100'], 1, now(), now(), now()
    FROM generate_series(1, :slips) n RETURNING slip_id
)
INSERT INTO slip_item (item_id, slip_id, position, dealer_id, employee_id, item_on, purpose, source,
                       words, route, medium, round_trip, amount_yen, through_yen, receipt,
                       searched_on, passes_at_search, cost_kind, invoice_basis)
SELECT gen_random_uuid(), slip_id, place, 'D01', 'D01-E101', DATE '2022-07-11', '訪問', 'look_up',
       '', '東京:JR東日本/中央線:新宿', 'ic', false, 198, 198, false, DATE '2022-07-11', '[]',
       'public_transport', 'public_transport'
FROM made, generate_series(0, 1) place
"""


@pytest.mark.rule("R82")
async def test_a_journal_is_written_portion_by_portion(commuter_api: CommuterApi) -> None:
    await commuter_api.sql(MANY, slips=SLIPS)
    made = await commuter_api.post(ADMIN, "/accounting/exports")
    assert (made["slips"], made["lines"]) == (SLIPS, 2 * SLIPS)
    async with commuter_api.database.transaction("D01") as tx:
        ((export, _),) = await exports_of(tx, "D01", None)
    assert isinstance(export, JournalExport)

    lines = 0
    async for portion in journal_file(commuter_api.database, "D01", export):
        lines += portion.count(b"\r\n")
    assert lines == 2 * SLIPS

    tracemalloc.start()
    async for portion in journal_file(commuter_api.database, "D01", export):
        assert portion
    assert most_and_stop() < 12_000_000

    tracemalloc.start()
    listed = 0
    async for portion in slips_file(commuter_api.database, "D01", None, None):
        listed += portion.count(b"\r\n")
    assert most_and_stop() < 12_000_000
    assert listed == 1 + SLIPS


def most_and_stop() -> int:
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most
