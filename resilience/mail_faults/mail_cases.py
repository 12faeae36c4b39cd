"""Mail cases of a run: events and the mails that they make due, from a running number.

Each application, for a car's return or a commuter pass, has one event and unique addresses, so that
each sent mail can be attributed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from event_contracts import Event
from event_contracts.commuter import PassApplied
from event_contracts.returns import (
    ReturnCompleted,
    ReturnRemanded,
    ReturnStatusChanged,
)
from shared.envelope import Envelope
from shared.trace_context import new_id

KINDS = 6
REFUSES_FOR_GOOD = 97
"""The store address of one application in this number refuses every mail permanently."""


class Due(NamedTuple):
    """A mail that must reach one address, or be refused by it permanently."""

    application_id: str
    mail_kind: str
    address: str
    refused: bool = False


def event(number: int, now: datetime) -> Event:
    """The event of an application, for a car's return or a commuter pass."""
    if number % KINDS == 5:
        return PassApplied(
            dealer_id="D01", pass_id=f"A{number}", employee_id="E101", applied_on=now.date()
        )
    who = {
        "dealer_id": "D01",
        "application_id": f"A{number}",
        "contract_no": f"{number:08}",
        "store_code": "S10",
        "originator_id": "E101",
    }
    if number % KINDS == 1:
        step = {"from_level": "hq", "to_level": "store", "recipient_has_address": True}
        return ReturnRemanded(**who, **step)
    if number % KINDS == 2:
        entered = {"from_status": "STORE_PENDING", "to_status": "HQ_PENDING", "status_version": 2}
        return ReturnStatusChanged(**who, **entered, entered_at=now)
    if number % KINDS == 4:
        entered = {"from_status": None, "to_status": "STORE_PENDING", "status_version": 2}
        return ReturnStatusChanged(**who, **entered, entered_at=now, store_approver_notice=True)
    done = {"result": "returned", "separate_procedure": False, "completion_mail_opt_in": True}
    return ReturnCompleted(**who, **done, completed_at=now)


def envelope(number: int) -> Envelope:
    """The event of an application, as published by its service."""
    now = datetime.now(UTC)
    made = event(number, now)
    return Envelope(
        event_id=new_id(),
        source=f"/{made.aggregate_type}",
        type=made.wire_type,
        aggregate_type=made.aggregate_type,
        aggregate_id=made.aggregate_id,
        sequence=1,
        dealer_id=made.dealer_id,
        occurred_at=now,
        payload=made.model_dump_json().encode(),
    )


def commuter_pass(number: int) -> dict[str, Any]:
    """The commuter service's data of a pass."""
    originator, store, hq = addresses(number)
    return {
        "pass_id": f"A{number}",
        "dealer_id": "D01",
        "applicant_name": "営業太郎",
        "applicant_mail": originator,
        "applicant_left": False,
        "applied_on": "2018-01-16",
        "reason": None,
        "administrator_mails": [store, hq],
    }


WAITING = {2: ("HQ_PENDING", "本部承認者手続中"), 4: ("STORE_PENDING", "店舗承認者手続中")}


def application(number: int) -> dict[str, Any]:
    """The returns service's data of an application."""
    originator, store, hq = addresses(number)
    status, status_japanese = WAITING.get(number % KINDS, ("COMPLETED", "完了"))
    return {
        "application_id": f"A{number}",
        "dealer_id": "D01",
        "dealer_name": "東都自動車販売株式会社",
        "store_name": "本店",
        "originator_name": "山田 太郎",
        "submitted_at": "2025-07-14T01:05:00Z",
        "separate_procedure": False,
        "contract_no": f"{number:08}",
        "status": status,
        "status_japanese": status_japanese,
        "status_version": 2,
        "completion_mail": number % KINDS == 0,
        "originator": {"person_id": "E101", "role": "sales", "mail": originator, "left": False},
        "store_approver": {"person_id": "E100", "role": "store", "mail": store, "left": False},
        "hq_approver_mails": [hq, f"second-{hq}"] if status == "HQ_PENDING" else [hq],
        "store_approver_notice": True,
        "store_approver_mails": [store],
        "round_approvers": [
            {"person_id": "E100", "role": "store", "mail": store, "left": False},
            {"person_id": None, "role": "hq", "mail": None, "left": False},
        ],
        "last_remand": {
            "from_level": "hq",
            "to_level": "store",
            "remanded_by": "田中 裕子",
            "remanded_at": "2025-07-15T09:27:00Z",
            "comment": "受領日をご確認ください",
        },
    }


def addresses(number: int) -> tuple[str, str, str]:
    """Originator, store and headquarters of an application."""
    store = "refuses" if number % REFUSES_FOR_GOOD == 0 else "store"
    return (f"p{number}@d01.example", f"{store}{number}@d01.example", f"hq{number}@d01.example")


def due(number: int) -> Iterable[Due]:
    """The mails that an application's event makes due; none if notification was not chosen."""
    originator, store, hq = addresses(number)
    name, refused = f"A{number}", store.startswith("refuses")
    match number % KINDS:
        case 0:
            yield Due(name, "M1", originator)
            yield Due(name, "M1", store, refused)
            yield Due(name, "M1", hq)
        case 1:
            yield Due(name, "M3", store, refused)
        case 2:
            yield Due(name, "M4", hq)
            yield Due(name, "M4", f"second-{hq}")
        case 4:
            yield Due(name, "N1", store, refused)
        case 5:
            yield Due(name, "C1", store, refused)
            yield Due(name, "C1", hq)
