"""Result entry: records the customer's selection, with payoff and re-split (D50, D57, D69).

進捗・結果入力 with 「決定」, the payoff request, and the screening of a re-split. The caller has
locked the contract.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.actions.entry_history import (
    Recorder,
    append_entry,
    publish_first_selection,
    publish_replacement,
    publish_selection_change,
    set_replacement,
)
from contracts_service.actions.final_handling import settle_completion
from contracts_service.models import Contract
from contracts_service.policy import Policy
from contracts_service.rule_facts import entry_facts, replacement_of, resplit_facts, selection_of
from contracts_service.rules.replacement_mark import ReplacementSource
from contracts_service.rules.resplit import ResplitPlan, selection_on_applying, trial
from contracts_service.rules.result_deadline import result_due_on
from contracts_service.rules.result_entry import (
    NEEDS_SIGNED_PAPER,
    Recorded,
    RecordResult,
    ResultDecision,
    decide_result,
    payoff_request_refusal,
)
from event_contracts.contract import PayoffRequested, ResplitApplied
from shared import outbox
from shared.clock import jst_day


async def record_result(
    tx: AsyncSession,
    contract: Contract,
    command: RecordResult,
    *,
    recorder: Recorder,
    policy: Policy,
) -> ResultDecision:
    """Record selection and replacement in one write. Raises as `decide_result`."""
    today, before = jst_day(recorder.now), selection_of(contract)
    replaced = replacement_of(contract)
    decision = decide_result(
        entry_facts(contract),
        command,
        today=today,
        vehicle_codes=await queries.vehicles(tx, contract.dealer_id),
        first_entry=policy.first_entry_after_change_limit,
    )
    if decision.recorded is Recorded.NOTHING_NEW:
        return decision
    contract.selection = decision.selection.value
    contract.late = decision.late
    if decision.selection is not before:
        contract.payoff_requested_at = None
        signed = decision.selection in NEEDS_SIGNED_PAPER
        received_on = command.confirmation_received_on or today
        contract.confirmation_received_on = received_on if signed else None
    set_replacement(contract, decision.replacement, ReplacementSource.RESULT_ENTRY, recorder.now)
    append_entry(tx, contract, recorder)
    if decision.recorded is Recorded.FIRST:
        await publish_first_selection(
            tx, contract, late=decision.late, deadline_on=decision.deadline_on, now=recorder.now
        )
    else:
        await publish_selection_change(tx, contract, before, recorder.now)
        if decision.replacement != replaced:
            await publish_replacement(tx, contract, recorder.now)
    await settle_completion(tx, contract, now=recorder.now)
    return decision


async def request_payoff(tx: AsyncSession, contract: Contract, *, now: datetime) -> None:
    """Request the early payoff, 早期完済受付 (D69). Raises TfcHandles, PayoffNotSelected."""
    if refusal := payoff_request_refusal(entry_facts(contract)):
        raise refusal
    requested = PayoffRequested(
        dealer_id=contract.dealer_id, contract_no=contract.contract_no, requested_at=now
    )
    contract.payoff_requested_at = now
    contract.version += 1
    await outbox.add(tx, requested, now=now)


async def apply_for_resplit(
    tx: AsyncSession,
    contract: Contract,
    instalments: int,
    *,
    recorder: Recorder,
    policy: Policy,
) -> ResplitPlan:
    """Apply for the screening of a plan, and select 再分割 (D50). Raises as the re-split rules."""
    before, today = contract.selection, jst_day(recorder.now)
    selection = selection_on_applying(resplit_facts(contract), today=today)
    plan = resplit_trial(contract, instalments, policy)
    contract.selection_before_resplit = before
    contract.selection = selection.value
    contract.resplit_approved = False
    append_entry(tx, contract, recorder)
    if before is None:
        deadline_on = result_due_on(contract.final_on)
        await publish_first_selection(
            tx, contract, late=today > deadline_on, deadline_on=deadline_on, now=recorder.now
        )
    else:
        await publish_selection_change(tx, contract, before, recorder.now)
    applied = ResplitApplied(
        dealer_id=contract.dealer_id,
        contract_no=contract.contract_no,
        instalments=instalments,
        yearly_rate=str(policy.resplit_rate_percent),
        first_instalment_yen=plan.first_yen,
        monthly_yen=plan.level_yen,
    )
    await outbox.add(tx, applied, now=recorder.now)
    await settle_completion(tx, contract, now=recorder.now)
    return plan


def resplit_trial(contract: Contract, instalments: int, policy: Policy) -> ResplitPlan:
    """The plan for the last instalment of a contract; nothing is stored (D50)."""
    return trial(
        principal_yen=contract.last_instalment_yen or 0,
        instalments=instalments,
        yearly_rate_percent=policy.resplit_rate_percent,
        final_on=contract.final_on,
        terms=policy.resplit_terms,
    )
