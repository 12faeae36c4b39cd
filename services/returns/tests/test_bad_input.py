"""Bad input: each is a problem with a stable code, and nothing is written or sent.

Wrong role, other store, other dealer and final status stand in test_access and test_corrections.
"""

from typing import Any

import pytest

from shared.auth import Principal
from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .conftest import FORM, ReturnsApi, refused

AT_HQ = [(SATO, "approval")]
AT_TFC = [*AT_HQ, (TANAKA, "approval"), (TFC, "acceptance")]
AT_CONTACT = [*AT_TFC, (TFC, "contact-entry")]
LONG, CONTROL = "あ" * 1_001, "03-0010\x0710"
FORMS: dict[str, tuple[dict[str, str], set[str]]] = {
    "future date": ({"received_on": "2025-07-16"}, {"RECEIVED_ON_IN_FUTURE"}),
    "two exclusive fields": (
        {"received_on": "2025-07-15", "unreturned_reason": "OTHER"},
        {"UNRETURNED_REASON_NOT_EXPECTED"},
    ),
    "the other way round": (
        {"kind": "UNRETURNED", "received_on": "2025-07-15", "unreturned_reason": "OTHER"},
        {"RECEIVED_ON_NOT_EXPECTED"},
    ),
    "no such reason": (
        {"kind": "UNRETURNED", "received_on": "", "unreturned_reason": "NONE"},
        {"UNRETURNED_REASON_UNKNOWN"},
    ),
}
CONTACTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "oversized": ({"contact_1": LONG, "contact_3": LONG}, {"string_too_long"}),
    "too long an address": ({"contact_3": f"a@{'b' * 60}{'.example' * 30}"}, {"MAIL_TOO_LONG"}),
    "control characters": ({"contact_1": CONTROL, "contact_3": "a\0@b.jp"}, {"TEXT_UNPRINTABLE"}),
    "no address": ({"contact_3": "abc@"}, {"MAIL_INVALID"}),
}


@pytest.mark.rule("D84", "D90", "D91", "D92", "D114", "D122")
@pytest.mark.parametrize(
    ("who", "step", "nested"),
    [(YAMADA, "correction", False), (SATO, "approval", True)],
    ids=["correction", "overwriting"],
)
@pytest.mark.parametrize("wrong", FORMS)
async def test_no_step_takes_a_wrong_result(
    returns: ReturnsApi, who: Principal, step: str, nested: bool, wrong: str
) -> None:
    typed, codes = FORMS[wrong]
    application_id = await returns.submit_new()
    body: dict[str, Any] = {"overwrite": FORM | typed} if nested else FORM | typed
    assert await refused(returns, application_id, who, step, **body) == (422, "FORM_ERRORS")
    answer = await returns(who).step(application_id, step, **body)
    assert {error["code"] for error in answer.json()["errors"]} == codes


@pytest.mark.rule("D83", "D84", "D122")
@pytest.mark.parametrize("wrong", CONTACTS)
async def test_no_form_takes_a_wrong_contact(returns: ReturnsApi, wrong: str) -> None:
    typed, codes = CONTACTS[wrong]
    form = FORM | typed
    submit_new = await returns(YAMADA).submit(**form)
    assert (submit_new.status_code, submit_new.json()["code"]) == (422, "FORM_ERRORS")
    assert await returns.rows("SELECT 1 FROM application") == []
    application_id = await returns.submit_new()
    found = await refused(returns, application_id, YAMADA, "correction", **form)
    assert found == (422, "FORM_ERRORS")
    for answer in (submit_new, await returns(YAMADA).step(application_id, "correction", **form)):
        assert {error["code"] for error in answer.json()["errors"]} == codes


TEXTS: list[tuple[list[tuple[Principal, str]], Principal, str, str, int]] = [
    ([], SATO, "remand", "comment", 500),
    (AT_HQ, TANAKA, "remand", "comment", 500),
    (AT_HQ, TANAKA, "remand", "dealer_note", 500),
    (AT_HQ, TANAKA, "dealer-note", "dealer_note", 500),
    (AT_TFC, TFC, "hold", "reason", 2_000),
    (AT_TFC, TFC, "tfc-remand", "reason", 2_000),
    (AT_CONTACT, TFC, "contact", "message", 2_000),
]


@pytest.mark.rule("D113", "D115")
@pytest.mark.parametrize(
    ("way", "who", "step", "field", "most"),
    TEXTS,
    ids=[f"{step}: {field} of {who.name}" for _, who, step, field, _ in TEXTS],
)
async def test_a_text_has_its_length_and_no_control_characters(  # noqa: PLR0917
    returns: ReturnsApi,
    way: list[tuple[Principal, str]],
    who: Principal,
    step: str,
    field: str,
    most: int,
) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, *way)
    for text, code in (
        ("あ" * (most + 1), "TEXT_TOO_LONG"),
        ("a\x07b", "FORM_ERRORS"),
        ("a\0b", "FORM_ERRORS"),
        ("あ" * 10_001, "FORM_ERRORS"),
    ):
        found = await refused(returns, application_id, who, step, **{field: text})
        assert found == (422, code)
    longest: dict[str, Any] = {field: "あ" * most}
    fits = await returns(who).step(application_id, step, **longest)
    assert fits.status_code == 200
