"""From an event to a mail: the five mails of A15, through inbox, ledger and a real mail server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from event_contracts.returns import ReturnCompleted

NOON = datetime(2025, 7, 7, 1, 0, tzinfo=UTC)
"""Monday, 7 July 2025, 10:00 in Japan."""

COMPLETED = {
    "completed_at": NOON,
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}


@pytest.mark.rule("D146")
async def test_completion_is_told_to_originator_and_both_approvers(house: Any) -> None:
    house.knows()
    await house.hear(ReturnCompleted, **COMPLETED)
    await house.sender().send_due()
    assert house.host.written_to == [
        "sato@d01.example",
        "tanaka@d01.example",
        "yamada@d01.example",
    ]
    assert await house.ledger() == [
        ("M1", "originator", "sent", None),
        ("M1", "hq_approver", "sent", None),
        ("M1", "store_approver", "sent", None),
    ]


@pytest.mark.rule("D155")
async def test_an_event_that_comes_again_makes_no_second_mail(house: Any) -> None:
    house.knows(round_approvers=[])
    await house.hear(ReturnCompleted, times=3, **COMPLETED)
    await house.sender().send_due()
    assert house.host.written_to == ["yamada@d01.example"]
