"""Races: one step wins, the others are refused with its result; nothing happens twice."""

import asyncio
from collections import Counter

import pytest

from shared.auth import Principal
from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .conftest import FORM, ReturnsApi

APPROVALS = 100


async def test_of_a_hundred_approvals_exactly_one_wins(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    answers = await asyncio.gather(
        *(returns(SATO).step(application_id, "approval", 1) for _ in range(APPROVALS))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: APPROVALS - 1}
    for answer in answers:
        if answer.status_code == 412:
            assert answer.json()["code"] == "VERSION_CONFLICT"
            assert answer.json()["facts"] == {
                "current_version": 2,
                "current_status": "HQ_PENDING",
            }
    approved = [e for e in await returns.published(application_id) if "approved" in e.wire_type]
    assert len(approved) == 1
    assert len(await returns.rows("SELECT 1 FROM approval")) == 1


@pytest.mark.rule("D81")
async def test_two_simultaneous_sendings_make_one_application(returns: ReturnsApi) -> None:
    for _ in range(5):
        answers = await asyncio.gather(
            *(returns(who).submit() for who in (YAMADA, SATO, YAMADA, SATO))
        )
        submit_new = [answer for answer in answers if answer.status_code == 201]
        late = {answer.json()["code"] for answer in answers if answer.status_code != 201}
        assert (len(submit_new), late) == (1, {"RETURN_ALREADY_UNDER_WAY"})
        application_id = submit_new[0].json()["application_id"]
        owner = YAMADA if submit_new[0] in (answers[0], answers[2]) else SATO
        await returns.take_steps(application_id, (owner, "withdrawal"))


@pytest.mark.rule("D93")
async def test_simultaneous_clicks_get_the_same_application(returns: ReturnsApi) -> None:
    body = {"contract_no": "C-1001", **FORM}
    headers = {**returns(YAMADA).headers, "idempotency-key": "one"}
    path = "/api/returns/v1/applications"
    answers = await asyncio.gather(
        *(returns.http.post(path, json=body, headers=headers) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["application_id"] for answer in answers}) == 1
    assert len(await returns.rows("SELECT 1 FROM application")) == 1


@pytest.mark.rule("D123")
@pytest.mark.parametrize("first", [YAMADA, TFC], ids=["withdrawal first", "acceptance first"])
async def test_withdrawal_and_acceptance_on_one_version(
    returns: ReturnsApi, first: Principal
) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"), (TANAKA, "approval"))
    steps = [(YAMADA, "withdrawal"), (TFC, "acceptance")]
    ordered = steps if first is YAMADA else steps[::-1]
    answers = await asyncio.gather(
        *(returns(who).step(application_id, step, 3) for who, step in ordered)
    )
    late = {answer.json()["code"]: answer.status_code for answer in answers if answer.is_error}
    assert late in ({"RETURN_ALREADY_DECIDED": 409}, {"VERSION_CONFLICT": 412})
    [row] = await returns.rows("SELECT version FROM application")
    assert row.version == 4
