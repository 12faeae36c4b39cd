"""個人設定 > メール通知: which mails about slips the signed-in person wants, and where they go."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from commuter_service import queries
from commuter_service.actions.mail_preferences import save_mail_preference
from commuter_service.api.dependencies import EMPLOYEES, Body, Ctx, Version
from commuter_service.models import Employee, MailPreference
from commuter_service.request_context import RequestContext
from commuter_service.rules.mail_preference import SlipMail
from shared.http import etag

router = APIRouter(dependencies=[EMPLOYEES])


class MailPreferenceBody(Body):
    """The boxes that are ticked."""

    wanted: list[SlipMail]


class MailPreferenceLine(BaseModel):
    """One sort of mail, and whether the person wants it."""

    key: SlipMail
    label: str
    for_approvers: bool
    wanted: bool


class MailPreferenceAnswer(BaseModel):
    """All sorts of mails; `address` is where they go, None while it is unknown."""

    version: int
    address: str | None
    mails: list[MailPreferenceLine]


@router.get("/my-mails")
async def show_mail_preference(ctx: Ctx, response: Response) -> MailPreferenceAnswer:
    """What the person wants now; everything, as long as nothing was declined."""
    kept = await queries.mail_preference_of(ctx.tx, ctx.dealer_id, ctx.employee_id)
    return await _answer(ctx, kept, response)


@router.put("/my-mails")
async def change_mail_preference(
    typed: MailPreferenceBody, version: Version, ctx: Ctx, response: Response
) -> MailPreferenceAnswer:
    """Keep what the person wants."""
    kept = await save_mail_preference(ctx, typed.wanted, version)
    return await _answer(ctx, kept, response)


async def _answer(
    ctx: RequestContext, kept: MailPreference, response: Response
) -> MailPreferenceAnswer:
    response.headers.update(etag(kept.version))
    me = await ctx.tx.get(Employee, ctx.employee_id)
    lines = [
        MailPreferenceLine(
            key=mail,
            label=mail.label_ja,
            for_approvers=mail.for_approvers,
            wanted=mail.value not in kept.declined,
        )
        for mail in SlipMail
    ]
    return MailPreferenceAnswer(version=kept.version, address=me.mail if me else None, mails=lines)
