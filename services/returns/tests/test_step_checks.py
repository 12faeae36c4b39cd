"""確認 of a step: what it would change, before it is taken."""

from typing import Any

import pytest

from shared.auth import Principal
from shared.testing.people import SATO, TAKAHASHI, TANAKA, YAMADA

from .conftest import FORM, RETURNED, ReturnsApi, refused

CHECKED: list[tuple[Principal, str, dict[str, Any], str, list[tuple[str, str, str]]]] = [
    (
        YAMADA, "correction",
        {"kind": "UNRETURNED", "unreturned_reason": "OTHER", "completion_mail": False},
        "店舗承認者手続中",
        [
            ("連絡先1", "03-0010-1000", ""),
            ("連絡先3", "yamada@example.jp", ""),
            ("手続完了メール", "希望する", "希望しない"),
            ("車両返却結果", "返却済み", "未返却確定"),
            ("車両返却受領日", "2025年07月01日", ""),
            ("未返却理由", "", "その他"),
        ],
    ),
    (
        TANAKA, "approval", {"overwrite": RETURNED | {"received_on": "2025-07-02"}}, "依頼中",
        [("車両返却受領日", "2025年07月01日", "2025年07月02日")],
    ),
    (TANAKA, "approval", {}, "依頼中", []),
]  # fmt: skip


@pytest.mark.rule("D94", "D114", "D122")
@pytest.mark.parametrize(("who", "step", "body", "status", "changed"), CHECKED)
async def test_the_check_of_a_step_says_what_it_would_change_and_writes_nothing(  # noqa: PLR0917
    returns: ReturnsApi,
    who: Principal,
    step: str,
    body: dict[str, Any],
    status: str,
    changed: list[tuple[str, str, str]],
) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    before, published = await returns.rows("SELECT * FROM application"), await returns.published()
    checked = await returns(who).step(application_id, f"{step}/check", **body)
    assert checked.status_code == 200, checked.text
    answer = checked.json()
    assert answer["next_status"]["label"] == status
    assert [(c["label"], c["before_label"], c["after_label"]) for c in answer["changes"]] == changed
    assert await returns.rows("SELECT * FROM application") == before
    assert await returns.published() == published
    taken = (await returns(who).step(application_id, step, **body)).json()
    assert taken["status"]["label"] == status


@pytest.mark.rule("D94", "D114", "D122")
@pytest.mark.parametrize(
    ("who", "step", "body", "expected"),
    [
        (YAMADA, "correction", FORM | {"received_on": "2025-07-16"}, (422, "FORM_ERRORS")),
        (SATO, "correction", FORM, (403, "NOT_THE_ORIGINATOR")),
        (SATO, "approval", {"contact_3": "abc@"}, (422, "FORM_ERRORS")),
        (SATO, "approval", {"overwrite": {"kind": "RETURNED"}}, (422, "FORM_ERRORS")),
        (TANAKA, "approval", {}, (409, "NOT_YOUR_STEP")),
        (TAKAHASHI, "approval", {}, (404, "RETURN_NOT_VISIBLE")),
    ],
)
async def test_the_check_refuses_what_the_step_refuses(
    returns: ReturnsApi, who: Principal, step: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    application_id = await returns.submit_new()
    assert await refused(returns, application_id, who, f"{step}/check", **body) == expected
    assert await refused(returns, application_id, who, step, **body) == expected
