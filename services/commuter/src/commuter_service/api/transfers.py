"""総合振込: bank accounts, the company's account, and transfer files of the banks (R104-R106)."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from commuter_service.actions import transfers as actions
from commuter_service.api.dependencies import (
    ACCOUNTING,
    EMPLOYEES,
    Body,
    Ctx,
    Day,
    Key,
    Responses,
    Text,
    Version,
)
from commuter_service.exports import transfer_queries as queries
from commuter_service.request_context import RequestContext
from commuter_service.rules.bank_account import TransfersSwitchedOff, bank_account, payer
from commuter_service.rules.zengin_transfer import NothingToTransfer, TransferCancelled
from commuter_service.transfer_models import EmployeeAccount, Transfer, TransferSetting
from shared.http import etag, idempotent
from shared.refusals import refuses

router = APIRouter()
own = APIRouter(dependencies=[EMPLOYEES])
desk = APIRouter(prefix="/accounting", dependencies=[ACCOUNTING])

FILE: Responses = {200: {"content": {"text/plain": {}}}}


class BankAccountBody(Body):
    """An account as it was typed; the holder in kana of any width."""

    bank_code: Text = ""
    branch_code: Text = ""
    account_type: Text = ""
    number: Text = ""
    holder: Text = ""


class PayerBody(Body):
    """The company's side; empty while transfers are switched off."""

    enabled: bool
    client_code: Text = ""
    client: Text = ""
    bank_code: Text = ""
    bank: Text = ""
    branch_code: Text = ""
    branch: Text = ""
    account_type: Text = ""
    number: Text = ""


class OwnAccountAnswer(BaseModel):
    """The own account, its number masked; `enabled`: whether the company pays by transfer."""

    enabled: bool
    version: int
    account: str | None
    holder: str | None


class AccountLine(BaseModel):
    """An employee and their account, its number masked."""

    employee_id: str
    employee_number: str
    name: str
    version: int
    account: str | None
    holder: str | None


class Accounts(BaseModel):
    """The people of the company."""

    items: list[AccountLine]


class PayerAnswer(BaseModel):
    """The company's side; its own account is shown whole to accounting."""

    version: int
    enabled: bool
    client_code: str
    client: str
    bank_code: str
    bank: str
    branch_code: str
    branch: str
    account_type: str
    number: str


class ClaimLine(BaseModel):
    """What an employee is to get; without `account` it waits."""

    employee_id: str
    name: str
    slips: int
    yen: int
    account: str | None


class TransferLine(BaseModel):
    """A transfer that was made."""

    transfer_id: str
    number: int
    pay_on: date
    slips: int
    payments: int
    total_yen: int
    made_at: datetime
    made_by_name: str
    cancelled_at: datetime | None
    cancelled_by_name: str | None
    reason: str | None


class Transfers(BaseModel):
    """What waits, and the last hundred transfers, the latest first."""

    enabled: bool
    waiting: list[ClaimLine]
    items: list[TransferLine]


class TransferBody(Body):
    """振込指定日."""

    pay_on: Day | None = None


class CancelTransferBody(Body):
    """Why a transfer is taken back."""

    reason: Text = ""


@own.get("/my-bank-account")
async def show_my_bank_account(ctx: Ctx, response: Response) -> OwnAccountAnswer:
    """The own account, if the company pays by transfer."""
    kept = await queries.account_of(ctx.tx, ctx.employee_id)
    return await _own(ctx, kept, response)


@own.put("/my-bank-account")
@refuses(TransfersSwitchedOff)
async def save_my_bank_account(
    body: BankAccountBody, version: Version, ctx: Ctx, response: Response
) -> OwnAccountAnswer:
    """Enter or change the own account."""
    account = bank_account(**body.model_dump())
    kept = await actions.save_account(ctx, ctx.employee_id, account, version)
    return await _own(ctx, kept, response)


@desk.get("/bank-accounts")
async def list_bank_accounts(ctx: Ctx) -> Accounts:
    """Everybody's account, masked."""
    rows = await queries.accounts_of(ctx.tx, ctx.dealer_id)
    return Accounts(
        items=[
            AccountLine(
                employee_id=employee.employee_id,
                employee_number=employee.employee_id.removeprefix(f"{ctx.dealer_id}-"),
                name=employee.name,
                version=kept.version if kept else 0,
                account=queries.as_account(kept).masked if kept else None,
                holder=kept.holder if kept else None,
            )
            for employee, kept in rows
        ]
    )


@desk.put("/bank-accounts/{employee_id}")
@refuses(TransfersSwitchedOff)
async def save_bank_account(
    employee_id: Text, body: BankAccountBody, version: Version, ctx: Ctx, response: Response
) -> OwnAccountAnswer:
    """Enter or change an employee's account."""
    account = bank_account(**body.model_dump())
    kept = await actions.save_account(ctx, employee_id, account, version)
    return await _own(ctx, kept, response)


@desk.get("/transfer-settings")
async def show_transfer_setting(ctx: Ctx, response: Response) -> PayerAnswer:
    """Whether the company pays by transfer, and from where."""
    return _setting(await queries.transfer_setting_of(ctx.tx, ctx.dealer_id), response)


@desk.put("/transfer-settings")
async def change_transfer_setting(
    body: PayerBody, version: Version, ctx: Ctx, response: Response
) -> PayerAnswer:
    """Switch on with the company's account, or off; accounts stay."""
    typed = body.model_dump(exclude={"enabled"})
    known = payer(**typed) if body.enabled else None
    kept = await actions.save_transfer_setting(ctx, known, version, enabled=body.enabled)
    return _setting(kept, response)


@desk.get("/transfers")
async def list_transfers(ctx: Ctx) -> Transfers:
    """What waits by employee, and the transfers."""
    setting = await queries.transfer_setting_of(ctx.tx, ctx.dealer_id)
    claims = await queries.claims_of(ctx.tx, queries.untransferred(ctx.dealer_id))
    return Transfers(
        enabled=setting.enabled,
        waiting=[
            ClaimLine(
                employee_id=one.employee_id,
                name=one.name,
                slips=one.slips,
                yen=one.yen,
                account=queries.as_account(one.account).masked if one.account else None,
            )
            for one in claims
        ],
        items=[_line(one) for one in await queries.transfers_of(ctx.tx, ctx.dealer_id)],
    )


@desk.post("/transfers", status_code=201)
@refuses(TransfersSwitchedOff, NothingToTransfer)
async def make_transfer(body: TransferBody, ctx: Ctx, key: Key = None) -> TransferLine:
    """Record a transfer of what stands in none; its file is fetched by its own address."""

    async def act() -> dict[str, object]:
        return _line(await actions.make_transfer(ctx, body.pay_on)).model_dump(mode="json")

    answer = await idempotent(
        ctx.tx, owner=ctx.employee_id, key=key, fingerprint=body.model_dump_json(), act=act
    )
    return TransferLine.model_validate(answer)


@desk.post("/transfers/{transfer_id}/cancellation")
@refuses(TransferCancelled)
async def cancel_transfer(transfer_id: UUID, body: CancelTransferBody, ctx: Ctx) -> TransferLine:
    """Take a transfer back: its slips stand in the next one."""
    return _line(await actions.cancel_transfer(ctx, transfer_id, body.reason))


@desk.get("/transfers/{transfer_id}/zengin.txt", response_class=Response, responses=FILE)
@refuses(TransferCancelled)
async def download_transfer(transfer_id: UUID, ctx: Ctx) -> Response:
    """The file of a transfer; each time is in the trail."""
    found = await actions.transfer_to_download(ctx, transfer_id)
    headers = {
        "Content-Disposition": f'attachment; filename="furikomi-{found.number:04d}.txt"',
        "X-Content-Type-Options": "nosniff",
    }
    content = await queries.file_of(ctx.tx, found)
    return Response(content, media_type="text/plain; charset=shift_jis", headers=headers)


router.include_router(own)
router.include_router(desk)


async def _own(
    ctx: RequestContext, kept: EmployeeAccount | None, response: Response
) -> OwnAccountAnswer:
    version = kept.version if kept else 0
    response.headers.update(etag(version))
    return OwnAccountAnswer(
        enabled=(await queries.transfer_setting_of(ctx.tx, ctx.dealer_id)).enabled,
        version=version,
        account=queries.as_account(kept).masked if kept else None,
        holder=kept.holder if kept else None,
    )


def _setting(kept: TransferSetting, response: Response) -> PayerAnswer:
    response.headers.update(etag(kept.version))
    names = ("client_code", "client", "bank_code", "bank", "branch_code", "branch", "number")
    known = kept.payer or dict.fromkeys(names, "")
    return PayerAnswer.model_validate(
        {"account_type": "", **known, "version": kept.version, "enabled": kept.enabled}
    )


def _line(one: Transfer) -> TransferLine:
    return TransferLine(
        transfer_id=str(one.transfer_id),
        number=one.number,
        pay_on=one.pay_on,
        slips=one.slips,
        payments=one.payments,
        total_yen=one.total_yen,
        made_at=one.made_at,
        made_by_name=one.made_by_name,
        cancelled_at=one.cancelled_at,
        cancelled_by_name=one.cancelled_by_name,
        reason=one.reason,
    )
