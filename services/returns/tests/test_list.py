"""進捗一覧: search keys, tabs, groups, counts, own work, pages; always within one's own sight."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from event_contracts.contract import AssignmentChangeReflected, AssignmentChangeRegistered
from event_contracts.tfc_returns import TfcChangeApplicationUpdated
from shared.auth import Principal
from shared.testing.people import COLLEAGUE, SATO, SUZUKI, TAKAHASHI, TANAKA, TFC, YAMADA

from .conftest import RETURNED, ReturnsApi, registered


async def ids(returns: ReturnsApi, who: Principal = YAMADA, **keys: Any) -> list[str]:
    answer = await returns(who).get("/applications", **keys)
    assert answer.status_code == 200, answer.text
    return [row["application_id"] for row in answer.json()["items"]]


@pytest.fixture
async def three(returns: ReturnsApi) -> dict[str, str]:
    """At S10 one waiting for the store and one for headquarters, at S20 one waiting."""
    await returns.receive(
        registered("C-1002", customer_name="鈴木　一郎"), registered("C-2001", store="S20")
    )
    waiting = await returns.submit_new()
    at_hq = await returns.submit_new(contract_no="C-1002")
    await returns.take_steps(at_hq, (SATO, "approval"))
    west = await returns.submit_new(SUZUKI, "C-2001")
    return {"waiting": waiting, "at_hq": at_hq, "west": west}


@pytest.mark.rule("D98")
@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"contract_no": "C-1001"}, {"waiting"}),
        ({"contract_no": "ｃ-１００１"}, set()),
        ({"contract_no": " Ｃ１００１ "}, {"waiting"}),
        ({"contract_no": "C-100"}, set()),
        ({"customer_name": "山本太郎"}, {"waiting"}),
        ({"customer_name": "山本 "}, {"waiting"}),
        ({"customer_name": "一郎"}, {"at_hq"}),
        ({"customer_name": "一郎", "contract_no": "C-1001"}, set()),
        ({"updated_from": "2025-07-15", "updated_to": "2025-07-15"}, {"waiting", "at_hq"}),
        ({"updated_to": "2025-07-14"}, set()),
        ({"updated_from": "2025-07-16"}, set()),
    ],
)
async def test_search_keys(
    returns: ReturnsApi, three: dict[str, str], keys: dict[str, Any], found: set[str]
) -> None:
    assert set(await ids(returns, **keys)) == {three[name] for name in found}


@pytest.mark.rule("D98")
async def test_a_reversed_period_is_refused(returns: ReturnsApi) -> None:
    answer = await returns(YAMADA).get(
        "/applications", updated_from="2025-07-15", updated_to="2025-07-01"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "SEARCH_PERIOD_REVERSED")


@pytest.mark.rule("D98")
@pytest.mark.parametrize(
    ("now", "found"),
    [
        (datetime(2025, 7, 15, 14, 59, 59, tzinfo=UTC), 1),
        (datetime(2025, 7, 15, 15, 0, 0, tzinfo=UTC), 0),
    ],
)
async def test_the_last_day_ends_at_midnight_in_japan(
    returns: ReturnsApi, now: datetime, found: int
) -> None:
    returns.clock.travel_to(now)
    await returns.submit_new()
    await returns.rows("UPDATE application SET updated_at = :now RETURNING 1", now=now)
    assert len(await ids(returns, updated_to="2025-07-15")) == found


@pytest.mark.rule("D99")
async def test_other_kinds_are_rows_without_actions(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    change = TfcChangeApplicationUpdated(
        dealer_id="D01",
        change_id="CH-1",
        contract_no="C-1001",
        kind="address_change",
        status="TFC_PROCESSING",
        updated_at=datetime(2025, 7, 14, tzinfo=UTC),
    )
    await returns.receive(change)
    assert await ids(returns) == [application_id, "CH-1"]
    assert await ids(returns, kind="VEHICLE_RETURN") == [application_id]
    assert await ids(returns, kind="ADDRESS_CHANGE", customer_name="山本") == ["CH-1"]
    assert await ids(returns, SUZUKI) == []
    assert await ids(returns, reception_no=f"ＲＡー{int(application_id[3:])}") == [application_id]
    assert await ids(returns, reception_no="RA-99999999") == []
    assert await ids(returns, SUZUKI, reception_no=application_id) == []
    [_, row] = (await returns(YAMADA).get("/applications")).json()["items"]
    assert (row["kind"]["label"], row["waits_for_me"]) == ("住所変更", False)
    assert (await returns(YAMADA).get("/applications/CH-1")).status_code == 404
    await returns.receive(change.model_copy(update={"status": "COMPLETED"}))
    assert await ids(returns, tab="past") == ["CH-1"]
    counts = (await returns(YAMADA).get("/applications/counts")).json()
    assert (counts["total"], counts["statuses"]["COMPLETED"]) == (2, 1)
    only = (await returns(YAMADA).get("/applications/counts", kind="VEHICLE_RETURN")).json()
    assert only["total"] == 1


@pytest.mark.rule("D100")
async def test_several_statuses_are_alternatives(
    returns: ReturnsApi, three: dict[str, str]
) -> None:
    assert await ids(returns, status=["HQ_PENDING", "HQ_REMANDED"]) == [three["at_hq"]]
    both = await ids(returns, status=["HQ_PENDING", "STORE_PENDING"])
    assert set(both) == {three["at_hq"], three["waiting"]}
    assert await ids(returns, status=["HQ_PENDING"], contract_no="C-1001") == []
    assert await ids(returns, status=["HQ_PENDING"], customer_name="一郎") == [three["at_hq"]]
    assert await ids(returns, status=["HQ_PENDING", "WITHDRAWN"], tab="past") == []
    await returns.take_steps(three["waiting"], (YAMADA, "withdrawal"))
    both = await ids(returns, status=["HQ_PENDING", "WITHDRAWN"])
    assert both == [three["waiting"], three["at_hq"]], "the newest first, over both tabs"
    assert await ids(returns, status=["HQ_PENDING", "WITHDRAWN"], tab="past") == both[:1]


@pytest.mark.rule("D101")
async def test_open_shows_messages_and_reasons(returns: ReturnsApi, three: dict[str, str]) -> None:
    application_id = three["at_hq"]
    await returns.take_steps(
        application_id,
        (TANAKA, "approval"), (TFC, "acceptance"), (TFC, "contact-entry"), (TFC, "contact"),
    )  # fmt: skip
    await returns.take_steps(application_id, (TFC, "contact-entry"))
    await returns(TFC).step(application_id, "contact", message="二通目")
    await returns.take_steps(application_id, (TFC, "tfc-remand"))
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert [m["message"] for m in opened["tfc_messages"]] == ["二通目", "書類をお送りください"]
    assert opened["history"][-1]["comment"] == "受領日の誤り"
    assert (await returns(SUZUKI).get(f"/applications/{application_id}")).status_code == 404


@pytest.mark.rule("D102")
async def test_requested_time_stays_until_the_next_request(
    returns: ReturnsApi, three: dict[str, str]
) -> None:
    application_id = three["at_hq"]
    path = f"/applications/{application_id}"
    assert (await returns(YAMADA).get(path)).json()["requested_at"] is None
    returns.clock.travel_to(datetime(2025, 7, 16, 5, 0, tzinfo=UTC))
    await returns.take_steps(application_id, (TANAKA, "approval"))
    first = (await returns(YAMADA).get(path)).json()["requested_at"]
    assert first.startswith("2025-07-16T05:00")
    returns.clock.travel_to(datetime(2025, 7, 17, 5, 0, tzinfo=UTC))
    await returns.take_steps(application_id, (TFC, "acceptance"), (TFC, "tfc-remand"))
    assert (await returns(YAMADA).get(path)).json()["requested_at"] == first
    await returns.take_steps(application_id, (TANAKA, "approval"))
    again = (await returns(YAMADA).get(path)).json()["requested_at"]
    assert again.startswith("2025-07-17T05:00")


@pytest.mark.rule("D103")
async def test_completed_and_withdrawn_are_past(returns: ReturnsApi, three: dict[str, str]) -> None:
    await returns.take_steps(three["waiting"], (YAMADA, "withdrawal"))
    await returns.take_steps(
        three["at_hq"], (TANAKA, "approval"), (TFC, "acceptance"), (TFC, "completion")
    )
    assert set(await ids(returns, tab="past")) == {three["waiting"], three["at_hq"]}
    assert await ids(returns, TANAKA, tab="current") == [three["west"]]


@pytest.mark.rule("D106")
async def test_counts_are_of_what_one_sees_whatever_the_filter(
    returns: ReturnsApi, three: dict[str, str]
) -> None:
    await returns.receive(registered("C-1003"))
    await returns.submit_new(contract_no="C-1003")
    counts = (await returns(YAMADA).get("/applications/counts")).json()
    groups = {group["label"]: group["count"] for group in counts["groups"]}
    assert groups["貴社手続中"] == 3
    assert (counts["statuses"]["STORE_PENDING"], counts["statuses"]["HQ_PENDING"]) == (2, 1)
    assert sum(groups.values()) == counts["total"] == 3
    assert (await returns(TANAKA).get("/applications/counts")).json()["total"] == 4
    assert (await returns(TFC).get("/applications/counts")).json()["total"] == 0


@pytest.mark.rule("D104", "D105", "D107")
async def test_a_row_has_group_guidance_and_colour(
    returns: ReturnsApi, three: dict[str, str]
) -> None:
    await returns.take_steps(
        three["at_hq"], (TANAKA, "approval"), (TFC, "acceptance"), (TFC, "hold")
    )
    rows = (await returns(YAMADA).get("/applications")).json()["items"]
    status = {row["application_id"]: row["status"] for row in rows}
    held, waiting = status[three["at_hq"]], status[three["waiting"]]
    assert (held["group"]["label"], held["tab"]["label"]) == ("TFC対応中", "現在申込中一覧")
    assert (held["colour"], held["acts"]) == ("none", None)
    assert held["guidance"] == "トヨタファイナンスでの手続をお待ちください"
    assert (waiting["colour"], waiting["acts"]["label"]) == ("yellow", "店長")


@pytest.mark.rule("D108")
async def test_the_own_work_list(returns: ReturnsApi, three: dict[str, str]) -> None:
    async def work(who: Principal) -> list[str]:
        rows = (await returns(who).get("/applications/work")).json()["items"]
        return [row["application_id"] for row in rows]

    assert await work(SATO) == [three["waiting"]]
    assert await work(TANAKA) == [three["at_hq"]]
    assert await work(TAKAHASHI) == [three["west"]]
    assert await work(YAMADA) == await work(TFC) == []
    await returns.take_steps(three["waiting"], (SATO, "remand"))
    assert await work(YAMADA) == [three["waiting"]]
    assert await work(COLLEAGUE) == await work(SATO) == []


@pytest.mark.rule("D98", "D100")
@pytest.mark.parametrize(
    "keys",
    [{}, {"customer_name": "山本"}, {"status": ["STORE_PENDING", "REQUESTED"]}],
    ids=["all", "by name", "by status"],
)
async def test_pages_follow_one_another_without_gap_or_repetition(
    returns: ReturnsApi, keys: dict[str, Any]
) -> None:
    numbers = [f"C-3{n:03}" for n in range(7)]
    await returns.receive(*(registered(number) for number in numbers))
    for number in numbers:
        await returns.submit_new(contract_no=number)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        more: dict[str, Any] = keys | ({"cursor": cursor} if cursor else {})
        page = (await returns(YAMADA).get("/applications", tab="current", limit=3, **more)).json()
        seen += [row["contract_no"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == numbers[::-1]


@pytest.mark.parametrize(
    "cursor", ["x", "MjAyNQ", "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMHxSQS0x", "あ"]
)
async def test_a_foreign_cursor_is_refused(returns: ReturnsApi, cursor: str) -> None:
    answer = await returns(YAMADA).get("/applications", cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (422, "FORM_ERRORS")


@pytest.mark.rule("D142")
async def test_a_moving_contract_leaves_the_store_and_its_application_stays(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    await returns.receive(
        AssignmentChangeRegistered(
            dealer_id="D01",
            contract_no="C-1001",
            change_id="A-1",
            from_store="S10",
            to_store="S20",
            from_staff="E101",
            to_staff=None,
            registered_on=date(2025, 7, 15),
            hidden_from_old_store_on=date(2025, 7, 16),
            reflect_earliest_on=date(2025, 7, 18),
            reflect_latest_on=date(2025, 7, 23),
        )
    )
    form = "/contracts/C-1001/form"
    assert (await returns(YAMADA).get(form)).status_code == 200
    returns.clock.travel_to(datetime(2025, 7, 15, 15, 0, tzinfo=UTC))
    seen = [(await returns(who).get(form)).status_code for who in (YAMADA, SUZUKI, TANAKA)]
    assert seen == [404, 404, 200]
    await returns.receive(
        AssignmentChangeReflected(
            dealer_id="D01",
            contract_no="C-1001",
            change_id="A-1",
            reflected_on=date(2025, 7, 18),
            store_code="S20",
            staff_code=None,
            transferred_in=True,
        )
    )
    seen = [(await returns(who).get(form)).status_code for who in (YAMADA, SUZUKI, TANAKA)]
    assert seen == [404, 200, 200]
    assert await ids(returns) == [application_id]
    await returns.take_steps(application_id, (SATO, "approval"))
    assert (await returns(SUZUKI).get(f"/applications/{application_id}")).status_code == 404


async def test_a_changed_name_is_found_at_once(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(**RETURNED)
    await returns.receive(registered(customer_name="山田　花子"))
    assert await ids(returns, customer_name="花子") == [application_id]
