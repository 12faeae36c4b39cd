"""How does a slip look from outside? With the explanation object as the engine gave it."""

from collections.abc import Sequence
from typing import Any

from commuter_service.acting import Acting
from commuter_service.actions.slip_items import receipts_yen, total_yen
from commuter_service.actions.slips import actor_of, chain_now, state_of
from commuter_service.models import Slip, SlipItem, Trail
from commuter_service.own_passes import OwnPasses
from commuter_service.pass_answers import trail_answer
from commuter_service.queries import kind_of
from commuter_service.rules.slip_approval import SlipStatus, SlipStep, refusal_of
from commuter_service.rules.slip_kind import USES_SEARCH
from commuter_service.slip_warnings import warnings_of

SOURCES = {"typed": "手入力", "look_up": "乗換案内", "ic_card": "ICカード"}


def slip_line(
    slip: Slip, items: Sequence[SlipItem], passes: OwnPasses, names: dict[str, str]
) -> dict[str, Any]:
    """A slip in a list."""
    warned = sum(1 for item in items if warnings_of(slip, item, passes))
    return {
        **_head(slip, names),
        "items": len(items),
        "total_yen": total_yen(items),
        "warnings": warned,
    }


def slip_answer(  # noqa: PLR0913, PLR0917 - a slip is shown with all that surrounds it
    acting: Acting,
    slip: Slip,
    items: Sequence[SlipItem],
    passes: OwnPasses,
    names: dict[str, str],
    trail: Sequence[Trail],
) -> dict[str, Any]:
    """A whole slip: items with warnings as of now, totals, the chain, what may be done."""
    return {
        **_head(slip, names),
        "purpose": slip.purpose,
        "trip_from": slip.trip_from,
        "trip_to": slip.trip_to,
        "uses_look_up": kind_of(slip) in USES_SEARCH,
        "items": [_item(slip, item, passes) for item in items],
        "total_yen": total_yen(items),
        "through_total_yen": sum(item.through_yen or item.amount_yen or 0 for item in items),
        "receipts_yen": receipts_yen(items),
        "chain": [
            {"employee_id": one, "name": names.get(one, one), "state": _place(slip, number)}
            for number, one in enumerate(slip.chain)
        ],
        "actions": _actions(acting, slip),
        "trail": trail_answer(trail),
    }


def _head(slip: Slip, names: dict[str, str]) -> dict[str, Any]:
    return {
        "slip_id": str(slip.slip_id),
        "version": slip.version,
        "employee_id": slip.employee_id,
        "employee_name": names.get(slip.employee_id, slip.employee_id),
        "kind": slip.kind,
        "kind_japanese": kind_of(slip).value,
        "title": slip.title,
        "status": slip.status,
        "status_japanese": SlipStatus(slip.status).japanese,
        "updated_at": slip.updated_at,
        "submitted_at": slip.submitted_at,
        "copied_from": str(slip.copied_from) if slip.copied_from else None,
    }


def _item(slip: Slip, item: SlipItem, passes: OwnPasses) -> dict[str, Any]:
    deduction = (item.explanation or {}).get("deduction_yen", 0)
    return {
        "item_id": str(item.item_id),
        "item_on": item.item_on,
        "purpose": item.purpose,
        "source": item.source,
        "source_japanese": SOURCES[item.source],
        "words": item.words,
        "route": item.route,
        "medium": item.medium,
        "round_trip": item.round_trip,
        "amount_yen": item.amount_yen,
        "through_yen": item.through_yen,
        "deduction_yen": deduction,
        "receipt": item.receipt,
        "searched_on": item.searched_on,
        "without_pass_reason": item.without_pass_reason,
        "warnings": [
            {"code": one.value, "message": one.message} for one in warnings_of(slip, item, passes)
        ],
        "explanation": item.explanation,
        "picture": item.picture,
    }


def _place(slip: Slip, number: int) -> str:
    status = SlipStatus(slip.status)
    if status in {SlipStatus.APPROVED, SlipStatus.SETTLED, SlipStatus.REJECTED}:
        return "done"
    if number < slip.step:
        return "done"
    return "present" if number == slip.step and status is SlipStatus.PENDING else "to_come"


def _actions(acting: Acting, slip: Slip) -> list[dict[str, Any]]:
    """Every step with whether it is possible now, and why not."""
    actor, state = actor_of(acting, slip), state_of(slip)
    found = []
    for step in SlipStep:
        refusal = refusal_of(state, step, actor, approvers=chain_now(acting, slip))
        found.append(
            {
                "action": step.value,
                "label": step.japanese,
                "enabled": refusal is None,
                "reason": refusal.message if refusal else None,
            }
        )
    return found
