"""Customer erasure: deletes personal data here and notifies the other services by an event.

The contract, its figures and its history are kept. Erased data does not come back: the finance
company's files and events about an erased contract change nothing (contract_import.py).
"""

from datetime import datetime, timedelta

from sqlalchemy import func, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.actions.entry_history import Recorder
from contracts_service.models import (
    AssignmentChange,
    Contract,
    CustomerChangeRelease,
    CustomerErasure,
    CustomerListExport,
    Entry,
    Memo,
)
from contracts_service.rules.contract_access import ContractNotFound
from contracts_service.rules.customer_erasure import (
    ContractStillOpen,
    ErasureFacts,
    ReturnStillOpen,
    check_erasure,
    retention_reason,
    words_of,
)
from contracts_service.rules.search_text import folded_contract_no, folded_name
from event_contracts.contract import CustomerErased
from event_contracts.customer_erasure import CustomerTracesErased
from event_contracts.event import ERASED
from shared import outbox
from shared.errors import FieldError, FormErrors
from shared.personal_data import erase_from_log, erase_personal_data
from shared.timers import set_timer

FORGET_WORDS = "forget_erased_customers_words"
FORGET_AFTER = timedelta(minutes=15)
"""How long the words stay in the log, for the services that have to search for them."""


async def erase_customer(
    tx: AsyncSession, contract_no: str, reason: str, recorder: Recorder
) -> CustomerErasure:
    """Erase the personal data of a contract's customer; repeated calls return the first erasure.

    Raises ContractNotFound, FormErrors, ReturnStillOpen, ContractStillOpen.
    """
    contract = await tx.get(Contract, folded_contract_no(contract_no), with_for_update=True)
    if contract is None:
        raise ContractNotFound
    if known := await tx.get(CustomerErasure, contract.contract_no):
        return known
    personal = _personal(contract)
    kept_reason = retention_reason(reason, personal)
    check_erasure(_facts(contract))
    erasure = CustomerErasure(
        contract_no=contract.contract_no,
        dealer_id=contract.dealer_id,
        reason=kept_reason,
        erased_at=recorder.now,
        erased_by=recorder.who,
    )
    tx.add(erasure)
    await _erase_searches(tx, contract)
    _erase_contract(contract)
    await _erase_texts(tx, contract.contract_no)
    number = contract.contract_no
    await erase_personal_data(tx, number, "contract", [number], personal)
    erased = CustomerErased(
        dealer_id=contract.dealer_id, contract_no=contract.contract_no, erased_at=recorder.now
    )
    await outbox.add(tx, erased, now=recorder.now)
    await _spread_words(tx, contract, words_of(personal), recorder.now)
    return erasure


async def check_customer_erasure(tx: AsyncSession, contract_no: str, reason: str) -> None:
    """Every error that `erase_customer` would give, each with its field; changes nothing.

    Raises FormErrors.
    """
    contract = await tx.get(Contract, folded_contract_no(contract_no))
    wrong: list[FieldError] = []
    try:
        if contract is None:
            raise ContractNotFound
        if await tx.get(CustomerErasure, contract.contract_no) is None:
            check_erasure(_facts(contract))
    except (ContractNotFound, ContractStillOpen, ReturnStillOpen) as refusal:
        wrong.append(FieldError("contract_no", refusal.code, refusal.message))
    try:
        retention_reason(reason, _personal(contract) if contract else ())
    except FormErrors as refused:
        wrong.extend(refused.fields)
    if wrong:
        raise FormErrors(*wrong)


def _facts(contract: Contract) -> ErasureFacts:
    return ErasureFacts(
        completed=contract.completion_basis is not None,
        return_open=contract.open_return_id is not None,
        move_pending=contract.pending_change_id is not None,
    )


async def _spread_words(
    tx: AsyncSession, contract: Contract, words: tuple[str, ...], now: datetime
) -> None:
    """Let the services that know no contract search for these words, and forget them soon."""
    dealer, number = contract.dealer_id, contract.contract_no
    traces = CustomerTracesErased(dealer_id=dealer, contract_no=number, words=words)
    await outbox.add(tx, traces, now=now)
    await set_timer(tx, FORGET_WORDS, number, now + FORGET_AFTER, {})


async def forget_words(tx: AsyncSession, contract_no: str) -> None:
    """Overwrite the words by which the other services found the customer. Raises StillPending."""
    await erase_from_log(tx, CustomerTracesErased.aggregate_type, [contract_no])


def _personal(contract: Contract) -> tuple[str | None, ...]:
    names = (contract.customer_name, contract.customer_name_kana)
    return (*names, contract.address, contract.phone)


def _erase_contract(contract: Contract) -> None:
    contract.version += 1
    contract.customer_name = contract.address = ERASED
    contract.customer_name_kana = contract.postal_code = contract.phone = None
    contract.customer_folded = f"{folded_name(ERASED)}\n"
    contract.replacement_other_text = None
    contract.import_fingerprint = None


async def _erase_texts(tx: AsyncSession, contract_no: str) -> None:
    """Erase free texts: they may name the customer."""
    await tx.execute(update(Memo).where(Memo.contract_no == contract_no).values(text=ERASED))
    await tx.execute(update(Entry).where(Entry.contract_no == contract_no).values(other_text=None))
    await tx.execute(
        update(AssignmentChange)
        .where(AssignmentChange.contract_no == contract_no)
        .values(rejected_because=null())
    )
    await tx.execute(
        update(CustomerChangeRelease)
        .where(CustomerChangeRelease.contract_no == contract_no)
        .values(reason=ERASED)
    )


async def _erase_searches(tx: AsyncSession, contract: Contract) -> None:
    """Erase the customer's name from the logged searches of exports."""
    searched_name = CustomerListExport.conditions["customer_name"].astext
    exports = await tx.scalars(
        select(CustomerListExport).where(
            CustomerListExport.dealer_id == contract.dealer_id, func.length(searched_name) > 0
        )
    )
    for export in exports:
        if folded_name(export.conditions["customer_name"]) in contract.customer_folded:
            export.conditions = {**export.conditions, "customer_name": ERASED}
