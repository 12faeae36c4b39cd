"""What does 顧客詳細 show? The contract read-only, the memo, and the buttons (D46-D48)."""

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.conditions import Conditions
from contracts_service.facts import (
    completion_of,
    entry_facts,
    replacement_of,
    row_facts,
    selection_of,
)
from contracts_service.models import AssignmentChange, Contract, Memo
from contracts_service.rules.assignment_change import CHANGING, MoveReason
from contracts_service.rules.completion import completion_mark
from contracts_service.rules.contract_access import Action, Viewer, role_refusal
from contracts_service.rules.contract_actions import ContractFacts, contract_actions
from contracts_service.rules.inspection import DISCLAIMER, next_inspection_month
from contracts_service.rules.products import needs_separate_procedure
from contracts_service.rules.replacement_mark import replacement_mark
from contracts_service.rules.resplit import resplit_opens_on
from contracts_service.rules.result_deadline import (
    change_limit_on,
    entry_is_late,
    result_due_on,
)
from contracts_service.rules.result_entry import choice_is_final
from contracts_service.rules.row_colour import row_colour


async def contract_detail(
    tx: AsyncSession, contract: Contract, viewer: Viewer, *, today: date, conditions: Conditions
) -> dict[str, Any]:
    """The contract as the screen shows it to this viewer today."""
    product = await queries.product(tx, contract.product_code)
    pending = await queries.pending_row(tx, contract)
    memo = await queries.memo_of(tx, contract.contract_no)
    store = await queries.store_of(tx, contract.dealer_id, contract.store_code)
    person = None
    if contract.staff_code:
        person = await queries.person(tx, contract.dealer_id, contract.staff_code)
    facts = ContractFacts(
        product=product,
        final_on=contract.final_on,
        assignment=queries.assignment_of(contract),
        pending_change=queries.as_pending(pending) if pending else None,
        selection=selection_of(contract),
        completion=completion_of(contract),
        tfc_handled=contract.tfc_handled,
        return_open=contract.open_return_id is not None,
    )
    actions = contract_actions(facts, role=viewer.role, today=today)
    return {
        "contract_no": contract.contract_no,
        "version": contract.version,
        "product": {"code": product.code, "name": product.name},
        "final_on": contract.final_on,
        "final_on_label": "リース満了年月日" if product.is_lease else "最終回年月日",
        "loan": _loan(contract),
        "vehicle": _vehicle(contract, today),
        "customer": _customer(contract),
        "store": {"code": contract.store_code, "name": store.name if store else ""},
        "staff": {"code": contract.staff_code, "name": person.name if person else ""},
        "receivable_purchased": contract.receivable_purchased,
        "separate_procedure": needs_separate_procedure(
            product, receivable_purchased=contract.receivable_purchased
        ),
        "tfc_handled": contract.tfc_handled,
        "customer_change_pending": contract.customer_change_pending,
        "result": {**_result(contract, today), "vehicle_label": await _next_car(tx, contract)},
        "colour": _colour(contract, today, conditions),
        "open_return_id": contract.open_return_id,
        "pending_change": _pending(pending),
        "rejected_change": _rejected(await queries.last_rejection(tx, contract)),
        "replacement_suggestion": {
            "vehicle_code": contract.sold_vehicle_code,
            "ordered_on": contract.sold_on,
        }
        if contract.sold_vehicle_code
        else None,
        "memo": memo_shown(memo, viewer),
        "actions": [
            {**asdict(action), "button": action.button.value, "label": action.button.label}
            for action in actions
        ],
    }


def memo_shown(memo: Memo | None, viewer: Viewer) -> dict[str, Any]:
    """The memo with its version; version 0 before the first save."""
    return {
        "text": memo.text if memo else "",
        "version": memo.version if memo else 0,
        "saved_at": memo.saved_at if memo else None,
        "saved_by": memo.saved_by if memo else None,
        "editable": role_refusal(viewer.role, Action.WRITE_NOTE) is None,
    }


async def _next_car(tx: AsyncSession, contract: Contract) -> str:
    code = contract.replacement_vehicle_code
    return await queries.vehicle_label(tx, contract.dealer_id, code) if code else ""


def _loan(contract: Contract) -> dict[str, Any]:
    return {
        "last_instalment_yen": contract.last_instalment_yen,
        "balance_yen": contract.balance_yen,
        "instalments": contract.instalments,
        "monthly_yen": contract.monthly_yen,
        "yearly_rate_percent": contract.yearly_rate_percent,
    }


def _vehicle(contract: Contract, today: date) -> dict[str, Any]:
    month = next_inspection_month(contract.first_registered_month, today=today)
    return {
        "model_code": contract.model_code,
        "model": contract.model,
        "registration_no": contract.registration_no,
        "first_registered_month": f"{contract.first_registered_month:%Y-%m}",
        "first_registered_on": contract.first_registered_on,
        "commercial": contract.commercial,
        "inspection_month": f"{month:%Y-%m}",
        "inspection_disclaimer": DISCLAIMER,
    }


def _customer(contract: Contract) -> dict[str, Any]:
    return {
        "name": contract.customer_name,
        "name_kana": contract.customer_name_kana,
        "postal_code": contract.postal_code,
        "address": contract.address,
        "phone": contract.phone,
    }


def _result(contract: Contract, today: date) -> dict[str, Any]:
    selection, replacement = selection_of(contract), replacement_of(contract)
    completion = completion_of(contract)
    mark = replacement_mark(
        replacement, completed=completion is not None, tfc_handled=contract.tfc_handled
    )
    return {
        "selection": contract.selection,
        "selection_label": selection.label if selection else "",
        "own_replacement": contract.own_replacement,
        "vehicle_code": contract.replacement_vehicle_code,
        "other_text": contract.replacement_other_text,
        "replacement_mark": mark.value,
        "late": contract.late,
        "confirmation_received_on": contract.confirmation_received_on,
        "completed": completion is not None,
        "completed_mark": completion_mark(completion),
        "completed_on": contract.completed_on,
        "completion_basis": contract.completion_basis,
        "result_due_on": result_due_on(contract.final_on),
        "change_limit_on": change_limit_on(contract.final_on),
        "entry_would_be_late": entry_is_late(contract.final_on, today=today),
        "entry_would_be_final": choice_is_final(entry_facts(contract), today=today),
        "resplit_opens_on": resplit_opens_on(contract.final_on),
    }


def _colour(contract: Contract, today: date, conditions: Conditions) -> dict[str, Any]:
    return asdict(row_colour(row_facts(contract), today=today, green_days=conditions.green_days))


def _pending(pending: AssignmentChange | None) -> dict[str, Any] | None:
    if pending is None:
        return None
    return {
        "status": CHANGING,
        "change_id": str(pending.change_id),
        "to_store": pending.to_store,
        "to_staff": pending.to_staff,
        "reason": MoveReason(pending.reason).label if pending.reason else None,
        "registered_on": pending.registered_on,
        "reflect_earliest_on": pending.reflect_earliest_on,
        "reflect_latest_on": pending.reflect_latest_on,
    }


def _rejected(change: AssignmentChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "to_store": change.to_store,
        "to_staff": change.to_staff,
        "registered_by": change.registered_by,
        "rejected_on": change.settled_on,
        "reason": change.rejected_because,
    }
