"""Reimbursement by bank transfer: accounts kept, files made and taken back (R104-R106)."""

from collections.abc import Sequence
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import func, insert, select, update

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.exports import transfer_queries as queries
from commuter_service.models import Slip
from commuter_service.queries import employee_by_id
from commuter_service.request_context import RequestContext
from commuter_service.rules.accounting_setting import check_reason
from commuter_service.rules.bank_account import BankAccount, Payer, TransfersSwitchedOff
from commuter_service.rules.zengin_transfer import (
    NothingToTransfer,
    TransferCancelled,
    check_pay_day,
)
from commuter_service.transfer_models import (
    EmployeeAccount,
    PayerJson,
    Transfer,
    TransferPayment,
    TransferredSlip,
    TransferSetting,
)
from shared.concurrency import check_version
from shared.trace_context import new_id

PORTION = 1000


async def save_transfer_setting(
    ctx: RequestContext, payer: Payer | None, version: int, *, enabled: bool
) -> TransferSetting:
    """Switch transfers on or off, and say from which account. Raises VersionConflict."""
    kept = await queries.transfer_setting_of(ctx.tx, ctx.dealer_id, lock=True)
    check_version(kept.version, version)
    before = {"enabled": kept.enabled}
    kept.enabled, kept.version = enabled, kept.version + 1
    kept.payer = _payer_json(payer) if payer else kept.payer
    ctx.tx.add(kept)
    await ctx.tx.flush()
    subject = uuid5(NAMESPACE_URL, f"urn:madoguchi:transfers:{ctx.dealer_id}")
    after = {"enabled": enabled}
    add_audit_entry(ctx, subject, ctx.employee_id, "transfer_setting", before=before, after=after)
    return kept


async def save_account(
    ctx: RequestContext, employee_id: str, account: BankAccount, version: int
) -> EmployeeAccount:
    """Keep an employee's account; the trail has it masked. Raises TransfersSwitchedOff."""
    if not (await queries.transfer_setting_of(ctx.tx, ctx.dealer_id)).enabled:
        raise TransfersSwitchedOff
    employee = await employee_by_id(ctx.tx, ctx.dealer_id, employee_id)
    kept = await queries.account_of(ctx.tx, employee.employee_id, lock=True)
    check_version(kept.version if kept else 0, version)
    before = {"account": queries.as_account(kept).masked} if kept else {}
    kept = kept or EmployeeAccount(
        employee_id=employee.employee_id, dealer_id=ctx.dealer_id, version=0
    )
    kept.version += 1
    kept.bank_code, kept.branch_code = account.bank_code, account.branch_code
    kept.account_type, kept.number = account.account_type.value, account.number
    kept.holder = account.holder
    ctx.tx.add(kept)
    await ctx.tx.flush()
    subject = uuid5(NAMESPACE_URL, f"urn:madoguchi:account:{employee.employee_id}")
    after = {"account": account.masked}
    add_audit_entry(ctx, subject, employee.employee_id, "bank_account", before=before, after=after)
    return kept


async def make_transfer(ctx: RequestContext, pay_on: date | None) -> Transfer:
    """Put every settled slip that stands in none into a new transfer (R106).

    Slips of people without an account wait. Two at once: the second waits for the first.
    """
    setting = await queries.transfer_setting_of(ctx.tx, ctx.dealer_id)
    if not setting.enabled or setting.payer is None:
        raise TransfersSwitchedOff
    day = check_pay_day(pay_on, today=ctx.today)
    lock = func.pg_advisory_xact_lock(func.hashtext(f"transfer:{ctx.dealer_id}"))
    await ctx.tx.execute(select(lock))
    newest = select(func.max(Transfer.number)).where(Transfer.dealer_id == ctx.dealer_id)
    made = _new_transfer(ctx, setting.payer, day, (await ctx.tx.scalar(newest) or 0) + 1)
    ctx.tx.add(made)
    await ctx.tx.flush()
    slips = await _take_slips(ctx, made)
    claims = await queries.claims_of(ctx.tx, slips)
    if not claims:
        raise NothingToTransfer
    ctx.tx.add_all([_payment(made, one) for one in claims])
    made.slips, made.payments = len(slips), len(claims)
    made.total_yen = sum(one.yen for one in claims)
    await ctx.tx.flush()
    after = {"number": made.number, "slips": made.slips, "total_yen": made.total_yen}
    add_audit_entry(ctx, made.transfer_id, ctx.employee_id, "make_transfer", after=after)
    return made


async def cancel_transfer(ctx: RequestContext, transfer_id: UUID, reason: str) -> Transfer:
    """Take a transfer back, with its reason: its slips are transferred by the next one."""
    found = await queries.transfer_for(ctx.tx, ctx.dealer_id, transfer_id, lock=True)
    said = check_reason(reason)
    if found.cancelled_at is not None:
        raise TransferCancelled
    found.cancelled_at, found.cancelled_by_name, found.reason = ctx.now, ctx.name, said
    stands = TransferredSlip.transfer_id == transfer_id
    await ctx.tx.execute(update(TransferredSlip).where(stands).values(counts=False))
    add_audit_entry(ctx, transfer_id, ctx.employee_id, "cancel_transfer", said=said)
    return found


async def transfer_to_download(ctx: RequestContext, transfer_id: UUID) -> Transfer:
    """Remember who took the file. Raises NotFound, TransferCancelled."""
    found = await queries.transfer_for(ctx.tx, ctx.dealer_id, transfer_id)
    if found.cancelled_at is not None:
        raise TransferCancelled
    add_audit_entry(ctx, transfer_id, ctx.employee_id, "download_transfer")
    return found


async def _take_slips(ctx: RequestContext, made: Transfer) -> Sequence[UUID]:
    """The slips of people with an account, held so that none leaves its settlement meanwhile."""
    with_account = select(EmployeeAccount.employee_id)
    wanted = queries.untransferred(ctx.dealer_id).where(Slip.employee_id.in_(with_account))
    held = await ctx.tx.execute(wanted.order_by(Slip.slip_id).with_for_update())
    slips = list(held.scalars())
    for portion in range(0, len(slips), PORTION):
        rows = [
            {"transfer_id": made.transfer_id, "slip_id": one, "dealer_id": made.dealer_id,
             "counts": True}
            for one in slips[portion : portion + PORTION]
        ]  # fmt: skip
        await ctx.tx.execute(insert(TransferredSlip), rows)
    return slips


def _new_transfer(ctx: RequestContext, payer: PayerJson, pay_on: date, number: int) -> Transfer:
    return Transfer(
        transfer_id=new_id(),
        dealer_id=ctx.dealer_id,
        number=number,
        pay_on=pay_on,
        payer=payer,
        slips=0,
        payments=0,
        total_yen=0,
        made_at=ctx.now,
        made_by=ctx.employee_id,
        made_by_name=ctx.name,
    )


def _payment(made: Transfer, claim: queries.Claim) -> TransferPayment:
    account = claim.account
    assert account is not None
    return TransferPayment(
        transfer_id=made.transfer_id,
        employee_id=claim.employee_id,
        dealer_id=made.dealer_id,
        yen=claim.yen,
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        account_type=account.account_type,
        number=account.number,
        holder=account.holder,
    )


def _payer_json(payer: Payer) -> PayerJson:
    return PayerJson(
        client_code=payer.client_code,
        client=payer.client,
        bank_code=payer.bank_code,
        bank=payer.bank,
        branch_code=payer.branch_code,
        branch=payer.branch,
        account_type=payer.account_type.value,
        number=payer.number,
    )
