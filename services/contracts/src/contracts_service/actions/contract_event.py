"""Contract events with the complete current data that other services need (C1)."""

from typing import Any, TypeVar

from sqlalchemy import Row

from contracts_service.models import Contract
from event_contracts.contract import ContractFacts, Vehicle

E = TypeVar("E", bound=ContractFacts)


def contract_event(kind: type[E], contract: Contract | Row[Any]) -> E:
    """Build the event from a contract (a model, or a row with the same column names)."""
    return kind(
        dealer_id=contract.dealer_id,
        contract_no=contract.contract_no,
        product_code=contract.product_code,
        final_on=contract.final_on,
        vehicle=Vehicle(
            model=contract.model,
            registration_no=contract.registration_no,
            first_registered_on=contract.first_registered_on or contract.first_registered_month,
        ),
        store_code=contract.store_code,
        staff_code=contract.staff_code,
        receivable_purchased=contract.receivable_purchased,
        tfc_handled=contract.tfc_handled,
        customer_name=contract.customer_name,
    )
