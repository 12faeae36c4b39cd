"""訂正 and 取下げ by the originator."""

import pytest

from event_contracts.returns import ReturnCorrected, ReturnStatusChanged
from shared.auth import Principal
from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .conftest import FORM, ReturnsApi, refused

TO_REQUESTED = [(SATO, "approval"), (TANAKA, "approval")]
TO_TFC = [*TO_REQUESTED, (TFC, "acceptance")]


@pytest.mark.rule("D121")
@pytest.mark.parametrize("step", ["correction", "withdrawal"])
@pytest.mark.parametrize(
    "way",
    [
        [(SATO, "remand")],
        [],
        [(SATO, "approval"), (TANAKA, "remand")],
        [(SATO, "approval")],
        [*TO_TFC, (TFC, "tfc-remand")],
        TO_REQUESTED,
    ],
    ids=["STAFF_REMANDED", "STORE_PENDING", "STORE_REMANDED", "HQ_PENDING", "HQ_REMANDED",
         "REQUESTED"],
)  # fmt: skip
async def test_the_originator_may_in_six_statuses(
    returns: ReturnsApi, way: list[tuple[Principal, str]], step: str
) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, *way)
    body = FORM if step == "correction" else {}
    answer = await returns(YAMADA).step(application_id, step, **body)
    assert answer.status_code == 200, answer.text


@pytest.mark.rule("D105", "D121", "D123")
@pytest.mark.parametrize("step", ["correction", "withdrawal"])
@pytest.mark.parametrize(
    ("way", "code"),
    [
        (TO_TFC, "STEP_NOT_POSSIBLE"),
        ([*TO_TFC, (TFC, "hold")], "STEP_NOT_POSSIBLE"),
        ([*TO_TFC, (TFC, "contact-entry")], "STEP_NOT_POSSIBLE"),
        ([*TO_TFC, (TFC, "completion")], "RETURN_ALREADY_DECIDED"),
        ([(YAMADA, "withdrawal")], "RETURN_ALREADY_DECIDED"),
    ],
    ids=["TFC_PROCESSING", "TFC_HOLD", "TFC_CONTACT", "COMPLETED", "WITHDRAWN"],
)
async def test_the_originator_may_not_in_the_other_statuses(
    returns: ReturnsApi, way: list[tuple[Principal, str]], step: str, code: str
) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, *way)
    assert await refused(returns, application_id, YAMADA, step, **FORM) == (409, code)
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    assert [offer for offer in opened["actions"] if offer["enabled"]] == []


@pytest.mark.rule("D122")
@pytest.mark.parametrize(
    ("store", "hq", "way", "status", "voided"),
    [
        (True, True, TO_REQUESTED, "店舗承認者手続中", ("store", "hq")),
        (True, True, [(SATO, "approval")], "店舗承認者手続中", ("store",)),
        (False, False, [], "依頼中", ()),
        (False, True, [(TANAKA, "approval")], "本部承認者手続中", ("hq",)),
    ],
)
async def test_a_correction_starts_the_approval_again(  # noqa: PLR0917
    returns: ReturnsApi,
    store: bool,
    hq: bool,
    way: list[tuple[Principal, str]],
    status: str,
    voided: tuple[str, ...],
) -> None:
    await returns.set_flow(store=store, hq=hq)
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, *way)
    before = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    corrected = (await returns(YAMADA).step(application_id, "correction", **FORM)).json()
    assert corrected["status"]["label"] == status
    published = await returns.published(application_id)
    [event] = [e for e in published if isinstance(e, ReturnCorrected)]
    assert event.approvals_voided == voided
    assert isinstance(published[-1], ReturnStatusChanged)
    assert published[-1].status_version == before["status_version"] + 1
    after = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    is_new = after["requested_at"] != before["requested_at"]
    assert is_new is (status == "依頼中")
    assert all(station["approved_by"] is None for station in after["route"])


@pytest.mark.rule("D123", "D103")
async def test_a_withdrawal_is_final_and_past(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, *TO_REQUESTED, (YAMADA, "withdrawal"))
    past = (await returns(YAMADA).get("/applications", tab="past")).json()
    assert [row["application_id"] for row in past["items"]] == [application_id]
    for who, step in [(SATO, "approval"), (SATO, "remand"), (TFC, "acceptance")]:
        found = await refused(returns, application_id, who, step)
        assert found == (409, "RETURN_ALREADY_DECIDED")


@pytest.mark.rule("D122")
async def test_an_invalid_correction_changes_nothing(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    wrong = FORM | {"received_on": "2025-07-16"}
    found = await refused(returns, application_id, YAMADA, "correction", **wrong)
    assert found == (422, "FORM_ERRORS")


@pytest.mark.rule("D86", "D122")
@pytest.mark.parametrize(("mail", "status"), [("", 422), ("tanaka@example.jp", 200)])
async def test_headquarters_leaves_its_address_in_a_correction_too(
    returns: ReturnsApi, mail: str, status: int
) -> None:
    application_id = await returns.submit_new(TANAKA)
    answer = await returns(TANAKA).step(
        application_id, "correction", **(FORM | {"contact_3": mail})
    )
    assert answer.status_code == status
