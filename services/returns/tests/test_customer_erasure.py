"""Erasure of one customer: every row of the contract, and nothing of the neighbour."""

from typing import Any

import pytest

from event_contracts.contract import CustomerErased
from event_contracts.event import ERASED
from event_contracts.returns import ReturnCustomerErased
from returns_service.actions.customer_erasure import ApplicationStillOpen, erase_refused_messages
from shared.db import EVERY_DEALER
from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .conftest import FORM, ReturnsApi, T, registered
from .test_reported_cars import reported

NEIGHBOUR, COMMENT = "鈴木　一", "お電話番号を確認"
ROWS = {
    "contract_view": "SELECT customer_name FROM contract_view WHERE contract_no = :no",
    "application": """
        SELECT customer_name, name_key, dealer_note, contact_1, contact_3, kind,
               received_on FROM application WHERE contract_no = :no""",
    "approval": """
        SELECT a.mail, a.entry ->> 'contact_1' AS contact, a.entry ->> 'received_on' AS received
        FROM approval a JOIN application USING (application_id) WHERE contract_no = :no
        ORDER BY a.version""",
    "history": """
        SELECT h.said, h.changes::text AS changes, h.action, h.actor_id
        FROM history h JOIN application USING (application_id) WHERE contract_no = :no
        ORDER BY h.version""",
    "reported_car": "SELECT place, received_on FROM reported_car WHERE contract_no = :no",
}


def erased(contract_no: str = "C-1001") -> CustomerErased:
    return CustomerErased(dealer_id="D01", contract_no=contract_no, erased_at=T)


async def everything(returns: ReturnsApi, contract_no: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: [tuple(row) for row in await returns.rows(sql, no=contract_no)]
        for table, sql in ROWS.items()
    }


async def past_application(returns: ReturnsApi, contract_no: str) -> str:
    """An application with a note, a correction and a comment that was withdrawn in the end."""
    application_id = await returns.submit_new(contract_no=contract_no, **FORM)
    await returns.take_steps(application_id, (SATO, "approval"))
    note = f"{contract_no}のご家族に連絡"
    noted = await returns(TANAKA).step(application_id, "dealer-note", dealer_note=note)
    assert noted.status_code == 200, noted.text
    remanded = await returns(TANAKA).step(application_id, "remand", comment=COMMENT)
    assert remanded.status_code == 200, remanded.text
    corrected = await returns(YAMADA).step(
        application_id, "correction", **{**FORM, "contact_1": "03-9999-9999"}
    )
    assert corrected.status_code == 200, corrected.text
    await returns.take_steps(application_id, (YAMADA, "withdrawal"))
    return application_id


@pytest.fixture
async def two_customers(returns: ReturnsApi) -> list[str]:
    """The same history with two contracts."""
    await returns.receive(
        registered("C-2", customer_name=NEIGHBOUR),
        reported(),
        reported("W-2", contract_no="C-2"),
    )
    return [await past_application(returns, contract_no) for contract_no in ("C-1001", "C-2")]


async def test_every_row_of_the_contract_is_erased_and_the_neighbours_are_kept(
    returns: ReturnsApi, two_customers: list[str]
) -> None:
    before, own = await everything(returns, "C-2"), await everything(returns, "C-1001")
    assert all(own.values()), own
    await returns.receive(erased())
    assert await everything(returns, "C-2") == before
    after = await everything(returns, "C-1001")
    assert after["contract_view"] == [(ERASED,)]
    [application] = after["application"]
    assert (application[0], application[2:5]) == (ERASED, (None, None, None))
    assert application[5:] == own["application"][0][5:], "the result itself stays"
    assert "山本" not in str(after)
    assert [row[0] for row in after["approval"]] == [None] * len(own["approval"])
    assert [row[1] for row in after["approval"]] == [None] * len(own["approval"])
    assert [row[2] for row in after["approval"]] == [row[2] for row in own["approval"]]
    assert [row[2:] for row in after["history"]] == [row[2:] for row in own["history"]]
    comments = [(row[0], old[0]) for row, old in zip(after["history"], own["history"], strict=True)]
    assert (ERASED, COMMENT) in comments
    assert all(new is None for new, old in comments if old is None)
    assert "03-" not in str(after["history"])
    assert [row[0] for row in after["reported_car"]] == [None]
    assert after["reported_car"][0][1] == own["reported_car"][0][1]


async def test_each_application_is_told_of_and_the_log_forgets_the_texts(
    returns: ReturnsApi,
) -> None:
    mine = await returns.submit_new()
    await returns.take_steps(mine, (SATO, "approval"), (TANAKA, "approval"), (TFC, "acceptance"))
    held = await returns(TFC).step(mine, "hold", reason=COMMENT)
    assert held.status_code == 200, held.text
    await returns.take_steps(mine, (TFC, "release"), (TFC, "completion"))
    logged = "SELECT payload::text FROM outbox WHERE aggregate_id = :id ORDER BY position"
    assert COMMENT in str(await returns.rows(logged, id=mine))
    await returns.receive(erased())
    told = [e for e in await returns.published() if isinstance(e, ReturnCustomerErased)]
    assert [event.application_id for event in told] == [mine]
    assert COMMENT not in str(await returns.rows(logged, id=mine))


async def test_an_open_application_is_waited_for(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    before = await everything(returns, "C-1001")
    with pytest.raises(ApplicationStillOpen, match=application_id):
        await returns.receive(erased())
    assert await everything(returns, "C-1001") == before


async def test_a_contract_that_is_not_known_changes_nothing(
    returns: ReturnsApi, two_customers: list[str]
) -> None:
    before = await everything(returns, "C-1001"), await everything(returns, "C-2")
    await returns.receive(erased("C-unknown"))
    assert (await everything(returns, "C-1001"), await everything(returns, "C-2")) == before


async def test_a_car_reported_by_its_plate_is_erased_too(returns: ReturnsApi) -> None:
    plate = reported(contract_no=None, registration_no="品川３００あ１２３４")
    other = reported("W-9", contract_no=None, registration_no="品川 300 あ 9999")
    await returns.receive(plate, other)
    await returns.receive(erased())
    places = await returns.rows("SELECT source_id, place FROM reported_car ORDER BY source_id")
    assert [tuple(row) for row in places] == [("W-1", None), ("W-9", "本店 第2ヤード")]


async def test_only_refused_messages_that_name_the_customer_are_emptied(
    returns: ReturnsApi,
) -> None:
    kept = "INSERT INTO inbox_refused (refused_id, received_at, reason, routing_key, headers, body)"
    bodies = (
        "VALUES (gen_random_uuid(), now(), 'no JSON', 'contract', '{{}}', convert_to('{}', 'UTF8'))"
    )
    for body in ("山本 太郎", "鈴木 一"):
        await returns.rows(f"{kept} {bodies.format(body)} RETURNING 1")
    async with returns.database.transaction(EVERY_DEALER) as tx:
        await erase_refused_messages(tx, "C-1001", ["山本 太郎"])
    left = await returns.rows("SELECT convert_from(body, 'UTF8') AS body FROM inbox_refused")
    assert sorted(row.body for row in left) == ["", "鈴木 一"]
