"""Result entry (進捗・結果入力) over HTTP, and the finance company's answers."""

from datetime import date
from typing import Any

import pytest

from contracts_service.rules.result_deadline import FirstEntryAfterChangeLimit
from event_contracts import dealer, tfc
from event_contracts.contract import (
    FinalHandlingCompleted,
    FinalHandlingReopened,
    PayoffRequested,
    ReplacementRecorded,
    ResplitApplied,
    SelectionChanged,
    SelectionRecorded,
)

from .conftest import ContractsApi, OpenContractsApi, at

NAMES: dict[str, Any] = {"dealer_id": "D01", "contract_no": "C1"}
CASH: dict[str, Any] = {
    "categories": ["cash_settlement"],
    "own_replacement": False,
    "confirmation_received": True,
}
RETURN: dict[str, Any] = {
    "categories": ["vehicle_return"],
    "own_replacement": True,
    "vehicle_code": "PRIUS",
    "confirmation_received": True,
}
PAYOFF: dict[str, Any] = {"categories": ["early_payoff"], "own_replacement": False}


async def decide(contracts_api: ContractsApi, code: str = "E101", **fields: Any) -> Any:
    return await contracts_api.change(code, "POST", "/contracts/C1/result", fields)


def code_of(answer: Any) -> str:
    body = answer.json()
    return str(body["errors"][0]["code"] if "errors" in body else body["code"])


@pytest.mark.rule("D57", "D58", "D27", "D73")
async def test_decided_is_shown_at_once(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    assert (await decide(contracts_api, **RETURN)).status_code == 200
    row = await contracts_api.row("C1")
    assert (row["selection_label"], row["replacement_mark"]) == ("車両返却", "○")
    assert row["completed_mark"] == ""
    (published,) = await contracts_api.events(SelectionRecorded)
    assert published.category == "vehicle_return"  # type: ignore[attr-defined]


@pytest.mark.rule("D28")
async def test_no_replacement_is_a_dash(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await decide(contracts_api, **PAYOFF)
    assert (await contracts_api.row("C1"))["replacement_mark"] == "ー"


@pytest.mark.rule("D53", "D54", "D55", "D56", "D63", "D68")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({**PAYOFF, "categories": []}, "CATEGORY_MISSING"),
        ({**PAYOFF, "categories": ["early_payoff", "cash_settlement"]}, "CATEGORY_NOT_SINGLE"),
        ({"categories": ["early_payoff"]}, "REPLACEMENT_MISSING"),
        ({**PAYOFF, "own_replacement": True}, "VEHICLE_MISSING"),
        ({**PAYOFF, "vehicle_code": "PRIUS"}, "VEHICLE_WITHOUT_REPLACEMENT"),
        ({**RETURN, "vehicle_code": "TANK"}, "VEHICLE_UNKNOWN"),
        ({**RETURN, "other_text": "外車"}, "OTHER_TEXT_WITHOUT_OTHER"),
        ({**CASH, "confirmation_received": False}, "PAPER_NOT_RECEIVED"),
        ({**CASH, "confirmation_received_on": "2025-07-16"}, "DATE_IN_FUTURE"),
    ],
)
async def test_missing_fields_are_named_and_nothing_is_stored(
    contracts_api: ContractsApi, fields: dict[str, Any], code: str
) -> None:
    await contracts_api.contract("C1")
    answer = await decide(contracts_api, **fields)
    assert (answer.status_code, code_of(answer)) == (422, code)
    assert (await contracts_api.row("C1"))["selection"] is None
    assert await contracts_api.events(SelectionRecorded) == []


@pytest.mark.rule("D56")
async def test_a_model_that_is_not_listed(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    fields = {**RETURN, "vehicle_code": "OTHER", "other_text": "外車"}
    assert (await decide(contracts_api, **fields)).status_code == 200
    vehicles = (await contracts_api.get("E101", "/vehicles")).json()
    assert vehicles[-1] == {"code": "OTHER", "name": "その他/車種名等"}


@pytest.mark.rule("D59")
@pytest.mark.parametrize(("day", "late"), [(date(2025, 7, 15), False), (date(2025, 7, 16), True)])
async def test_late_input_is_marked(contracts_api: ContractsApi, day: date, late: bool) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/09/15")
    contracts_api.clock.set(day)
    answer = await decide(contracts_api, **CASH)
    assert (answer.status_code, answer.json()["late"]) == (200, late)


@pytest.mark.rule("D60")
@pytest.mark.parametrize(("final", "status"), [("2025/08/15", 200), ("2025/08/14", 409)])
async def test_the_selection_is_fixed_a_month_before(
    contracts_api: ContractsApi, final: str, status: int
) -> None:
    await contracts_api.contract("C1", 最終回年月日=final)
    contracts_api.clock.set(date(2025, 7, 1))
    await decide(contracts_api, **PAYOFF)
    contracts_api.clock.set(date(2025, 7, 15))
    answer = await decide(contracts_api, **CASH)
    assert answer.status_code == status
    assert len(await contracts_api.events(SelectionChanged)) == (1 if status == 200 else 0)


@pytest.mark.rule("D61")
async def test_a_first_entry_after_the_limit(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/08/14")
    assert (await contracts_api.detail("C1"))["result"]["entry_would_be_final"]
    unconfirmed = await decide(contracts_api, **CASH)
    assert (unconfirmed.status_code, code_of(unconfirmed)) == (422, "UNCHANGEABLE_UNCONFIRMED")
    answer = await decide(contracts_api, **CASH, unchangeable_confirmed=True)
    assert (answer.status_code, answer.json()["late"]) == (200, True)
    assert not answer.json()["contract"]["result"]["entry_would_be_final"]


@pytest.mark.rule("D61")
async def test_the_day_after_the_last_nothing_is_entered(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/08/14")
    contracts_api.clock.set(date(2025, 8, 15))
    answer = await decide(contracts_api, **CASH, unchangeable_confirmed=True)
    assert (answer.status_code, code_of(answer)) == (409, "ENTRY_HAS_ENDED")


@pytest.mark.rule("D61")
async def test_a_dealer_may_refuse_late_first_entries(open_contracts_api: OpenContractsApi) -> None:
    contracts_api = await open_contracts_api(
        first_entry_after_change_limit=FirstEntryAfterChangeLimit.REFUSE
    )
    await contracts_api.contract("C1", 最終回年月日="2025/08/14")
    answer = await decide(contracts_api, **CASH, unchangeable_confirmed=True)
    assert answer.status_code == 409
    assert "TFCへご連絡ください" in answer.json()["title"]


@pytest.mark.rule("D62")
async def test_the_replacement_may_change_until_the_last_day(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/08/10")
    contracts_api.clock.set(date(2025, 7, 1))
    await decide(contracts_api, **PAYOFF)
    contracts_api.clock.set(date(2025, 7, 15))
    answer = await decide(
        contracts_api, **{**PAYOFF, "own_replacement": True, "vehicle_code": "PRIUS"}
    )
    assert answer.status_code == 200
    assert len(await contracts_api.events(ReplacementRecorded)) == 1
    assert await contracts_api.events(SelectionChanged) == []


@pytest.mark.rule("D30", "D38")
async def test_tfc_handled_contracts_are_closed_but_for_memo_and_store(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("C1")
    await contracts_api.receive(
        tfc.TfcHandlingFlagged.model_validate({**NAMES, "reason": "total_loss"})
    )
    row = await contracts_api.row("C1")
    assert (row["colour"]["colour"], row["replacement_mark"]) == ("blue", "")
    answer = await decide(contracts_api, **CASH)
    assert (answer.status_code, answer.json()["title"]) == (409, "TFCにて対応中です")
    enabled = {a["button"]: a["enabled"] for a in (await contracts_api.detail("C1"))["actions"]}
    assert [button for button, works in enabled.items() if works] == [
        "print_confirmation",
        "change_assignment",
    ]
    await contracts_api.receive(tfc.TfcHandlingCleared.model_validate(NAMES))
    assert (await contracts_api.row("C1"))["colour"]["colour"] == "white"


@pytest.mark.rule("D64")
async def test_a_pending_customer_change_blocks_until_it_ends(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await contracts_api.receive(dealer.CustomerChangeStarted.model_validate(NAMES))
    answer = await decide(contracts_api, **CASH)
    assert (answer.status_code, code_of(answer)) == (409, "CUSTOMER_CHANGE_PENDING")
    await contracts_api.receive(dealer.CustomerChangeCompleted.model_validate(NAMES))
    assert (await decide(contracts_api, **CASH)).status_code == 200


@pytest.mark.rule("D64")
async def test_headquarters_lifts_the_block_with_a_reason(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 届出変更中="1")
    path = "/contracts/C1/customer-change-release"
    assert (
        await contracts_api.change("M100", "POST", path, {"reason": "完了済み"})
    ).status_code == 403
    assert (await contracts_api.change("H001", "POST", path, {"reason": " "})).status_code == 422
    assert (
        await contracts_api.change("H001", "POST", path, {"reason": "完了済み"})
    ).status_code == 200
    assert (await decide(contracts_api, **CASH)).status_code == 200


async def test_a_dealer_cannot_block_another_dealers_contract(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    with pytest.raises(LookupError):
        await contracts_api.receive(
            dealer.CustomerChangeStarted.model_validate({**NAMES, "dealer_id": "D02"})
        )
    assert not (await contracts_api.detail("C1"))["customer_change_pending"]


@pytest.mark.rule("D69")
async def test_payoff_has_two_exits_and_may_wait(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    answer = await decide(contracts_api, **PAYOFF)
    assert [e["label"] for e in answer.json()["exits"]] == [
        "早期完済受付へ",
        "最終回対象顧客一覧へ",
    ]
    row = await contracts_api.row("C1")
    assert (row["selection_label"], row["completed_mark"]) == ("早期完済", "")
    assert await contracts_api.events(PayoffRequested) == []
    for _ in range(2):
        headers = {"Idempotency-Key": "once"}
        went = await contracts_api.request(
            "E101", "POST", "/contracts/C1/payoff-request", headers=headers
        )
        assert went.status_code == 200
    assert len(await contracts_api.events(PayoffRequested)) == 1


@pytest.mark.rule("D69")
async def test_payoff_reception_needs_the_selection(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    went = await contracts_api.request("E101", "POST", "/contracts/C1/payoff-request")
    assert (went.status_code, code_of(went)) == (409, "PAYOFF_NOT_SELECTED")


@pytest.mark.rule("D70")
async def test_payoff_completes_on_settlement(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/09/01")
    await decide(contracts_api, **PAYOFF)
    assert (await contracts_api.row("C1"))["colour"]["colour"] == "red"
    settled = {**NAMES, "settled_on": "2025-07-15"}
    await contracts_api.receive(tfc.EarlyPayoffCompleted.model_validate(settled))
    row = await contracts_api.row("C1")
    assert (row["completed_mark"], row["colour"]["colour"]) == ("完了", "white")
    (published,) = await contracts_api.events(FinalHandlingCompleted)
    assert published.basis == "payoff"  # type: ignore[attr-defined]


@pytest.mark.rule("D71", "D72")
async def test_cash_completes_and_reopens(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/08/20")
    assert (await contracts_api.row("C1"))["colour"]["colour"] == "red"
    await decide(contracts_api, **CASH)
    row = await contracts_api.row("C1")
    assert (row["completed_mark"], row["colour"]["colour"]) == ("完了", "white")
    assert (await decide(contracts_api, **RETURN)).status_code == 200
    assert (await contracts_api.row("C1"))["completed_mark"] == ""
    (reopened,) = await contracts_api.events(FinalHandlingReopened)
    assert reopened.basis == "cash_decided"  # type: ignore[attr-defined]


async def test_a_concurrent_change_is_refused(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    assert (
        await contracts_api.change("E101", "POST", "/contracts/C1/result", CASH, 1)
    ).status_code == 200
    second = await contracts_api.change("M100", "POST", "/contracts/C1/result", RETURN, 1)
    assert (second.status_code, code_of(second)) == (412, "VERSION_CONFLICT")
    assert second.json()["facts"] == {"current_version": 2}
    bare = await contracts_api.request("E101", "POST", "/contracts/C1/result", json=CASH)
    assert bare.status_code == 428


@pytest.mark.rule("D31")
async def test_an_inquiry_sets_the_replacement_and_the_latest_statement_counts(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("C1")
    asked = {**NAMES, "inquired_at": at(date(2025, 7, 15), 10)}
    await contracts_api.receive(tfc.EarlyPayoffInquired.model_validate(asked))
    assert (await contracts_api.row("C1"))["replacement_mark"] == "未"
    bought = {**asked, "own_replacement": True, "vehicle_code": "PRIUS"}
    await contracts_api.receive(tfc.EarlyPayoffInquired.model_validate(bought))
    row = await contracts_api.row("C1")
    assert (row["replacement_mark"], row["selection"]) == ("○", None)
    contracts_api.clock.set(date(2025, 7, 16))
    await decide(contracts_api, **PAYOFF)
    await contracts_api.receive(tfc.EarlyPayoffInquired.model_validate(bought))
    assert (await contracts_api.row("C1"))["replacement_mark"] == "ー"


@pytest.mark.rule("D80")
async def test_tfc_corrects_a_selection_at_any_time(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/07/01")
    corrected = {**NAMES, "category": "vehicle_return"}
    await contracts_api.receive(tfc.SelectionCorrected.model_validate(corrected))
    assert (await contracts_api.row("C1"))["selection_label"] == "車両返却"


@pytest.mark.rule("D49")
@pytest.mark.parametrize(
    ("final", "status"), [("2026/04/15", 200), ("2026/04/16", 409), ("2025/07/14", 409)]
)
async def test_a_trial_opens_nine_months_before(
    contracts_api: ContractsApi, final: str, status: int
) -> None:
    await contracts_api.contract("C1", 最終回年月日=final)
    answer = await contracts_api.request(
        "E101", "POST", "/contracts/C1/resplit-trial", json={"instalments": 24}
    )
    assert answer.status_code == status


@pytest.mark.rule("D50")
async def test_a_trial_stores_nothing_and_shows_the_balance(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    before = await contracts_api.detail("C1")
    answer = await contracts_api.request(
        "E101", "POST", "/contracts/C1/resplit-trial", json={"instalments": 12}
    )
    plan = answer.json()
    assert (len(plan["balance_points"]), plan["balance_points"][-1]["balance_yen"]) == (13, 0)
    assert plan["total_yen"] == plan["first_yen"] + 11 * plan["level_yen"]
    assert await contracts_api.detail("C1") == before


@pytest.mark.rule("D50")
@pytest.mark.parametrize("approved", [True, False])
async def test_an_application_selects_and_a_rejection_restores(
    contracts_api: ContractsApi, approved: bool
) -> None:
    await contracts_api.contract("C1")
    await decide(contracts_api, **PAYOFF)
    path = "/contracts/C1/resplit-application"
    answer = await contracts_api.change("E101", "POST", path, {"instalments": 36})
    assert answer.status_code == 200
    assert (await contracts_api.row("C1"))["selection_label"] == "再分割"
    assert len(await contracts_api.events(ResplitApplied)) == 1
    again = await contracts_api.change("E101", "POST", path, {"instalments": 36})
    assert (again.status_code, code_of(again)) == (409, "SCREENING_RUNNING")
    await contracts_api.receive(tfc.ResplitScreened.model_validate({**NAMES, "approved": approved}))
    row = await contracts_api.row("C1")
    expected = ("再分割", "完了") if approved else ("早期完済", "")
    assert (row["selection_label"], row["completed_mark"]) == expected


async def test_a_quotation_from_the_schedule(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 残高="1000000", 年率="3.65")
    query = {"settled_on": "2025-07-25"}
    answer = await contracts_api.get("E101", "/contracts/C1/payoff-quotation", params=query)
    quotation = answer.json()
    # Since the due day on 30 June: 25 days at a hundredth of a per cent.
    assert (quotation["principal_yen"], quotation["interest_days"]) == (1_000_000, 25)
    assert quotation["interest_yen"] == 2500
    assert quotation["total_yen"] == 1_002_500
    past = await contracts_api.get(
        "E101", "/contracts/C1/payoff-quotation", params={"settled_on": "2026-02-01"}
    )
    assert past.status_code == 422
    await contracts_api.contract(
        "C2", 制度="リース", 最終回年月日="", リース満了年月日="2025/12/31", 残高=""
    )
    assert (await contracts_api.get("E101", "/contracts/C2/payoff-quotation")).status_code == 422
