"""From the form to 完了, as a dealer and TFC do it."""

import pytest

from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .conftest import FORM, RETURNED, ReturnsApi


async def submitted(returns: ReturnsApi) -> str:
    submit_new = await returns(YAMADA).submit()
    assert submit_new.status_code == 201, submit_new.text
    return str(submit_new.json()["application_id"])


@pytest.mark.rule("D95", "D102", "D110", "D112")
async def test_a_return_passes_both_approvals_and_tfc(returns: ReturnsApi) -> None:
    application_id = await submitted(returns)
    seen = []
    for who, step in [
        (SATO, "approval"), (TANAKA, "approval"), (TFC, "acceptance"), (TFC, "completion"),
    ]:  # fmt: skip
        seen.append((await returns(YAMADA).get(f"/applications/{application_id}")).json())
        answer = await returns(who).step(application_id, step)
        assert answer.status_code == 200, answer.text
    seen.append((await returns(YAMADA).get(f"/applications/{application_id}")).json())
    assert [one["status"]["label"] for one in seen] == [
        "店舗承認者手続中", "本部承認者手続中", "依頼中", "TFC対応中（取下げ・訂正NG）", "完了",
    ]  # fmt: skip
    assert [one["requested_at"] is not None for one in seen] == [False, False, True, True, True]
    assert [line["action"] for line in seen[-1]["history"]] == [
        "submit", "approve", "approve", "accept", "complete",
    ]  # fmt: skip
    published = [event.wire_type for event in await returns.published(application_id)]
    assert published == [
        "return.application_submitted.v1", "return.approval_requested.v1",
        "return.status_changed.v1",
        "return.approved.v1", "return.approval_requested.v1", "return.status_changed.v1",
        "return.approved.v1", "return.requested.v1", "return.status_changed.v1",
        "return.accepted_by_tfc.v1", "return.status_changed.v1",
        "return.completed.v1", "return.status_changed.v1",
    ]  # fmt: skip


@pytest.mark.rule("D83", "D87", "D89")
async def test_the_form_opens_with_what_is_known(returns: ReturnsApi) -> None:
    form = (await returns(YAMADA).get("/contracts/C-1001/form")).json()
    assert form["contact_1"] == "03-0010-1000"
    assert form["contact_2"] == "090-0001-0001"
    assert (form["kind"], form["completion_mail"], form["eligible"]) == ("RETURNED", True, True)
    assert form["contract"]["customer_name"] == "山本　太郎"
    assert form["dealer"]["person_name"] == "山田 太郎"
    assert form["next_status"]["label"] == "店舗承認者手続中"


async def test_the_list_and_the_counts_show_it(returns: ReturnsApi) -> None:
    application_id = await submitted(returns)
    page = (await returns(SATO).get("/applications", tab="current")).json()
    assert [(row["application_id"], row["waits_for_me"]) for row in page["items"]] == [
        (application_id, True)
    ]
    counts = (await returns(SATO).get("/applications/counts")).json()
    assert counts["total"] == counts["statuses"]["STORE_PENDING"] == 1
    work = (await returns(YAMADA).get("/applications/work")).json()
    assert work["items"] == []


async def test_a_correction_a_remand_and_a_withdrawal(returns: ReturnsApi) -> None:
    application_id = await submitted(returns)
    remanded = await returns(SATO).step(application_id, "remand", comment="受領日を確認")
    assert remanded.json()["status"]["label"] == "担当者手続中（差戻）"
    assert remanded.json()["mail_will_be_sent"] is True
    corrected = await returns(YAMADA).step(
        application_id, "correction", **(FORM | {"received_on": "2025-07-02"})
    )
    assert corrected.json()["status"]["label"] == "店舗承認者手続中"
    overwritten = {**RETURNED, "received_on": "2025-07-03"}
    approved = await returns(SATO).step(application_id, "approval", overwrite=overwritten)
    assert approved.json()["status"]["label"] == "本部承認者手続中"
    opened = (await returns(SATO).get(f"/applications/{application_id}")).json()
    assert opened["entry"]["received_on"] == "2025-07-03"
    assert opened["history"][-1]["changes"] == [
        {
            "field": "received_on",
            "label": "車両返却受領日",
            "before": "2025-07-02",
            "after": "2025-07-03",
            "before_label": "2025年07月02日",
            "after_label": "2025年07月03日",
        }
    ]
    withdrawn = await returns(YAMADA).step(application_id, "withdrawal")
    assert withdrawn.json()["status"]["label"] == "取下げ"
