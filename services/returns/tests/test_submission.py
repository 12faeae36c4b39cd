"""起票: which contracts, which entries, by whom; nothing is written where the answer is no."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from event_contracts.contract import SelectionChanged, SelectionRecorded
from shared.auth import Principal
from shared.testing.people import OTHER_HQ, SATO, SUZUKI, TANAKA, TFC, YAMADA

from .conftest import FORM, RETURNED, ReturnsApi, registered

UNRETURNED: dict[str, Any] = {"kind": "UNRETURNED", "unreturned_reason": "CUSTOMER_UNREACHABLE"}
COMPLETE = [(SATO, "approval"), (TANAKA, "approval"), (TFC, "acceptance"), (TFC, "completion")]


async def codes(returns: ReturnsApi, who: Principal = YAMADA, **form: Any) -> tuple[int, set[str]]:
    """Status and codes of an answer; after a refusal, nothing was written and no event sent."""
    answer = await returns(who).submit(**form)
    body = answer.json()
    if answer.status_code != 201:
        assert await returns.rows("SELECT 1 FROM application") == []
        assert await returns.rows("SELECT 1 FROM history") == []
        assert await returns.published() == []
    return answer.status_code, {error["code"] for error in body.get("errors", [])} or {
        body.get("code", "")
    }


@pytest.mark.rule("D76")
@pytest.mark.parametrize(
    "product",
    ["GAMMA", "MVP_A", "MVP_R", "DEFERRED_DEALER", "DEFERRED_TFC", "SVP_A", "SVP_R", "SVT_A",
     "SVT_R"],
)  # fmt: skip
async def test_nine_products_are_eligible(returns: ReturnsApi, product: str) -> None:
    await returns.receive(registered(product_code=product))
    form = (await returns(YAMADA).get("/contracts/C-1001/form")).json()
    assert form["eligible"]
    assert (await returns(YAMADA).submit()).status_code == 201


@pytest.mark.rule("D77")
@pytest.mark.parametrize("product", ["SVP_OPEN", "SVT_OPEN", "LEASE", "OTHER", "NEVER_HEARD_OF"])
async def test_any_other_product_goes_by_paper(returns: ReturnsApi, product: str) -> None:
    await returns.receive(registered(product_code=product))
    form = (await returns(YAMADA).get("/contracts/C-1001/form")).json()
    assert form["refusal"] == {
        "code": "PRODUCT_NOT_ELIGIBLE",
        "label": "弊社へ必要書類の送付をお願いいたします",
    }
    assert await codes(returns) == (422, {"PRODUCT_NOT_ELIGIBLE"})
    title = (await returns(YAMADA).submit()).json()["title"]
    assert title == "弊社へ必要書類の送付をお願いいたします"


@pytest.mark.rule("D78")
@pytest.mark.parametrize(
    ("product", "purchased", "separate"),
    [("SVP_A", False, True), ("SVP_R", True, True), ("SVP_R", False, False)],
)
async def test_a_separate_procedure_is_shown_before_and_after_sending(
    returns: ReturnsApi, product: str, purchased: bool, separate: bool
) -> None:
    await returns.receive(registered(product_code=product, receivable_purchased=purchased))
    form = (await returns(YAMADA).get("/contracts/C-1001/form")).json()
    submit_new = (await returns(YAMADA).submit()).json()
    opened = (await returns(YAMADA).get(f"/applications/{submit_new['application_id']}")).json()
    for answer in (form, submit_new, opened):
        published = "SEPARATE_PROCEDURE" in {notice["code"] for notice in answer["notices"]}
        assert published is separate
    [submitted, *_] = await returns.published(submit_new["application_id"])
    assert submitted.model_dump()["separate_procedure"] is separate


@pytest.mark.rule("D78")
async def test_a_receivable_purchased_meanwhile_counts_at_completion(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.receive(registered(receivable_purchased=True))
    await returns.take_steps(application_id, *COMPLETE)
    completed = (await returns.published(application_id))[-2]
    assert completed.wire_type == "return.completed.v1"
    assert completed.model_dump()["separate_procedure"] is True


@pytest.mark.rule("D38")
async def test_a_contract_that_tfc_handles_is_refused(returns: ReturnsApi) -> None:
    await returns.receive(registered(tfc_handled=True))
    assert await codes(returns) == (409, {"CONTRACT_HANDLED_BY_TFC"})


def selected(category: Any) -> SelectionRecorded:
    return SelectionRecorded(
        dealer_id="D01",
        contract_no="C-1001",
        category=category,
        own_replacement=False,
        late=False,
        deadline_on=date(2025, 7, 15),
    )


@pytest.mark.rule("D80")
@pytest.mark.parametrize("category", ["cash_settlement", "early_payoff", "re_split"])
async def test_another_selection_contradicts(returns: ReturnsApi, category: str) -> None:
    await returns.receive(selected(category))
    assert await codes(returns) == (409, {"SELECTION_CONTRADICTS"})


@pytest.mark.rule("D73", "D80")
async def test_a_selected_return_is_fine_and_starts_nothing_by_itself(returns: ReturnsApi) -> None:
    await returns.receive(selected("vehicle_return"))
    assert await returns.rows("SELECT 1 FROM application") == []
    submit_new = await returns(YAMADA).submit()
    assert submit_new.status_code == 201
    assert "SELECTION_MISSING" not in {notice["code"] for notice in submit_new.json()["notices"]}


@pytest.mark.rule("D80")
async def test_a_missing_selection_is_only_warned_about(returns: ReturnsApi) -> None:
    submit_new = await returns(YAMADA).submit()
    assert submit_new.status_code == 201
    assert "SELECTION_MISSING" in {notice["code"] for notice in submit_new.json()["notices"]}


@pytest.mark.rule("D80")
async def test_tfc_may_correct_a_selection_that_stood_in_the_way(returns: ReturnsApi) -> None:
    await returns.receive(
        selected("cash_settlement"),
        SelectionChanged(
            dealer_id="D01", contract_no="C-1001", before="cash_settlement", after="vehicle_return"
        ),
    )
    assert (await returns(YAMADA).submit()).status_code == 201


@pytest.mark.rule("D81")
async def test_one_open_application_per_contract(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    again = await returns(SATO).submit()
    assert (again.status_code, again.json()["code"]) == (409, "RETURN_ALREADY_UNDER_WAY")
    assert again.json()["title"] == "既に手続中の申込があります"
    await returns.take_steps(application_id, (YAMADA, "withdrawal"))
    assert (await returns(SATO).submit()).status_code == 201


@pytest.mark.rule("D81")
@pytest.mark.parametrize(("form", "status"), [(RETURNED, 409), (UNRETURNED, 201)])
async def test_a_new_one_after_completion_only_if_the_car_had_not_come_back(
    returns: ReturnsApi, form: dict[str, Any], status: int
) -> None:
    application_id = await returns.submit_new(**form)
    await returns.take_steps(application_id, *COMPLETE)
    assert (await returns(YAMADA).submit()).status_code == status


@pytest.mark.rule("D82")
async def test_sales_managers_and_headquarters_originate(returns: ReturnsApi) -> None:
    await returns.receive(registered("C-2"), registered("C-3"))
    assert (await returns(YAMADA).submit()).status_code == 201
    assert (await returns(SATO).submit("C-2")).status_code == 201
    assert (await returns(TANAKA).submit("C-3")).status_code == 201


@pytest.mark.rule("D82", "D75")
@pytest.mark.parametrize(
    ("who", "status"), [(TFC, 403), (SUZUKI, 404), (OTHER_HQ, 404)], ids=["tfc", "store", "dealer"]
)
async def test_no_other_role_originates(returns: ReturnsApi, who: Principal, status: int) -> None:
    assert (await codes(returns, who))[0] == status
    assert (await returns(who).get("/contracts/C-1001/form")).status_code == status


@pytest.mark.rule("D83")
async def test_a_changed_contact_belongs_to_this_application_only(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(**(FORM | {"contact_1": "03-9999-9999"}))
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert opened["entry"]["contact_1"] == "03-9999-9999"
    form = (await returns(YAMADA).get("/contracts/C-1001/form")).json()
    assert form["contact_1"] == "03-0010-1000"


@pytest.mark.rule("D84", "D85", "D86")
@pytest.mark.parametrize(
    ("who", "mail", "expected"),
    [
        (YAMADA, "abc@", (422, {"MAIL_INVALID"})),
        (YAMADA, "", (201, {""})),
        (SATO, None, (201, {""})),
        (TANAKA, "", (422, {"MAIL_REQUIRED"})),
        (TANAKA, "tanaka@example.jp", (201, {""})),
    ],
)
async def test_contact_3(
    returns: ReturnsApi, who: Principal, mail: str | None, expected: tuple[int, set[str]]
) -> None:
    assert await codes(returns, who, **RETURNED, contact_3=mail) == expected


@pytest.mark.rule("D87")
@pytest.mark.parametrize(("submit_new", "kept"), [({}, True), ({"completion_mail": False}, False)])
async def test_the_completion_mail_is_wished_unless_declined(
    returns: ReturnsApi, submit_new: dict[str, Any], kept: bool
) -> None:
    application_id = await returns.submit_new(**RETURNED, **submit_new)
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert opened["entry"]["completion_mail"] is kept


@pytest.mark.rule("D88")
async def test_contract_data_of_the_client_is_ignored(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(
        **RETURNED, customer_name="別人", product_code="GAMMA", store_code="S20", status="COMPLETED"
    )
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert opened["customer_name"] == "山本　太郎"
    assert opened["contract"]["product"]["code"] == "SVP_R"
    assert (opened["dealer"]["store"]["code"], opened["status"]["code"]) == ("S10", "STORE_PENDING")


@pytest.mark.rule("D90")
@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2025-07-15", (201, {""})),
        ("2025-07-01", (201, {""})),
        ("2025-07-16", (422, {"RECEIVED_ON_IN_FUTURE"})),
        (None, (422, {"RECEIVED_ON_REQUIRED"})),
        ("", (422, {"RECEIVED_ON_REQUIRED"})),
    ],
)
async def test_receipt_date(
    returns: ReturnsApi, received: str | None, expected: tuple[int, set[str]]
) -> None:
    assert await codes(returns, kind="RETURNED", received_on=received) == expected


@pytest.mark.rule("D90")
@pytest.mark.parametrize(
    ("now", "status"),
    [
        (datetime(2025, 7, 15, 14, 59, tzinfo=UTC), 422),
        (datetime(2025, 7, 15, 15, 0, tzinfo=UTC), 201),
    ],
    ids=["23:59 in Japan", "midnight in Japan"],
)
async def test_today_ends_at_midnight_in_japan(
    returns: ReturnsApi, now: datetime, status: int
) -> None:
    returns.clock.travel_to(now)
    assert (await codes(returns, kind="RETURNED", received_on="2025-07-16"))[0] == status


@pytest.mark.rule("D91", "D92")
@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (UNRETURNED, (201, {""})),
        ({"kind": "UNRETURNED"}, (422, {"UNRETURNED_REASON_REQUIRED"})),
        (
            {"kind": "UNRETURNED", "unreturned_reason": "NO_SUCH"},
            (422, {"UNRETURNED_REASON_UNKNOWN"}),
        ),
        (RETURNED | {"unreturned_reason": "OTHER"}, (422, {"UNRETURNED_REASON_NOT_EXPECTED"})),
        (UNRETURNED | {"received_on": "2025-07-01"}, (422, {"RECEIVED_ON_NOT_EXPECTED"})),
        ({"kind": "LOST"}, (422, {"RESULT_KIND_UNKNOWN"})),
    ],
)
async def test_reason_and_date_exclude_each_other(
    returns: ReturnsApi, form: dict[str, Any], expected: tuple[int, set[str]]
) -> None:
    assert await codes(returns, **form) == expected


@pytest.mark.rule("D93", "D94")
async def test_the_check_says_what_would_follow_and_creates_nothing(returns: ReturnsApi) -> None:
    body = {"contract_no": "C-1001", **FORM}
    checked = await returns(YAMADA).send("POST", "/applications/check", body)
    assert checked.json()["next_status"]["label"] == "店舗承認者手続中"
    assert await returns.rows("SELECT 1 FROM application") == []
    await returns.submit_new(SATO)
    at_ok = await returns(YAMADA).submit()
    assert (at_ok.status_code, at_ok.json()["code"]) == (409, "RETURN_ALREADY_UNDER_WAY")


@pytest.mark.rule("D93")
async def test_a_double_click_creates_one_application(returns: ReturnsApi) -> None:
    body = {"contract_no": "C-1001", **FORM}
    key: dict[str, Any] = {"idempotency-key": "click-1"}
    first = await returns(YAMADA).send("POST", "/applications", body, **key)
    second = await returns(YAMADA).send("POST", "/applications", body, **key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["etag"] == second.headers["etag"] == '"1"'
    assert len(await returns.rows("SELECT 1 FROM application")) == 1
    other = await returns(YAMADA).send("POST", "/applications", body | UNRETURNED, **key)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_USED")


@pytest.mark.rule("D95", "D96", "D111", "D118")
@pytest.mark.parametrize(
    ("store", "hq", "who", "status", "asked"),
    [
        (True, True, YAMADA, "店舗承認者手続中", True),
        (True, True, SATO, "本部承認者手続中", True),
        (True, True, TANAKA, "依頼中", False),
        (True, False, YAMADA, "店舗承認者手続中", True),
        (True, False, SATO, "依頼中", False),
        (True, False, TANAKA, "依頼中", False),
        (False, True, YAMADA, "本部承認者手続中", True),
        (False, True, SATO, "本部承認者手続中", True),
        (False, True, TANAKA, "依頼中", False),
        (False, False, YAMADA, "依頼中", False),
        (False, False, SATO, "依頼中", False),
        (False, False, TANAKA, "依頼中", False),
    ],
)
async def test_the_first_status(  # noqa: PLR0917
    returns: ReturnsApi, store: bool, hq: bool, who: Principal, status: str, asked: bool
) -> None:
    await returns.set_flow(store=store, hq=hq)
    form = (await returns(who).get("/contracts/C-1001/form")).json()
    submit_new = (await returns(who).submit()).json()
    assert form["next_status"]["label"] == submit_new["status"]["label"] == status
    assert ("ASK_APPROVER" in {notice["code"] for notice in submit_new["notices"]}) is asked


async def test_an_application_of_headquarters_belongs_to_the_contracts_store(
    returns: ReturnsApi,
) -> None:
    await returns.receive(registered("C-2", store="S20"))
    application_id = await returns.submit_new(TANAKA, "C-2")
    assert (await returns(SUZUKI).get(f"/applications/{application_id}")).status_code == 200
    assert (await returns(YAMADA).get(f"/applications/{application_id}")).status_code == 404
