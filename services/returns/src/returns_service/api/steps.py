"""Steps of an application: each is a resource of its own, changed under the version seen."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from returns_service.actions.return_steps import apply_step, preview_step
from returns_service.actor import RequestContext
from returns_service.api import schemas, serializers
from returns_service.api.dependencies import Ctx, dealers, headquarters, tfc
from returns_service.api.request_bodies import (
    ApprovalBody,
    Code,
    DealerNoteBody,
    FormBody,
    MessageBody,
    ReasonBody,
    RemandBody,
    TakeOverBody,
)
from returns_service.api.step_consequences import consequence
from returns_service.models import Staff
from returns_service.queries import setting_of, staff_by_id
from returns_service.rules.free_text import TextTooLong, TextUnprintable
from returns_service.rules.return_commands import (
    Accept,
    Approve,
    Command,
    Complete,
    Correct,
    EditDealerNote,
    FinishContact,
    Hold,
    NewOriginator,
    Release,
    Remand,
    StartContact,
    TakeOver,
    Withdraw,
)
from returns_service.rules.return_refusals import (
    ContactMessageMissing,
    DealerNoteIsForHqApprover,
    NewOriginatorNotSuitable,
    NotTheOriginator,
    NotYourStep,
    OwnItem,
    ReasonMissing,
    ReturnAlreadyDecided,
    ReturnNotVisible,
    RoleMayNot,
    StepNotPossible,
    SubstituteMayNot,
)
from shared.http import etag, expected_version
from shared.refusals import refuses
from shared.roles import Role

router = APIRouter(prefix="/applications/{application_id}")
Version = Annotated[int, Depends(expected_version)]


TEXT = (TextTooLong, TextUnprintable)


@refuses(ReturnNotVisible, RoleMayNot, ReturnAlreadyDecided, StepNotPossible, NotYourStep)
class StepRequest:
    """The caller at one application, about to take a step."""

    def __init__(self, application_id: Code, response: Response, ctx: Ctx) -> None:
        self.application_id = application_id
        self.response = response
        self.ctx = ctx

    async def take(self, command: Command) -> schemas.StepAnswer:
        """Take the step and answer with the new version."""
        result = await apply_step(self.ctx, self.application_id, command)
        self.response.headers.update(etag(result.application.version))
        return serializers.step(result)

    async def check(self, command: Command) -> schemas.CheckedStepAnswer:
        """What the step would do; nothing is written."""
        plan = await preview_step(self.ctx, self.application_id, command)
        outcome, reasons = plan.outcome, self.ctx.reasons
        return schemas.CheckedStepAnswer(
            next_status=serializers.coded_status(outcome.status),
            changes=serializers.changes(plan.changes, reasons),
            doubts=list(plan.doubts),
            entry=serializers.entry(plan.report, reasons),
            consequence=await consequence(self.ctx, plan.application, command.action, outcome),
        )


Step = Annotated[StepRequest, Depends(StepRequest, scope="function")]


@router.post("/approval", dependencies=[dealers])
@refuses(OwnItem)
async def approve_application(
    body: ApprovalBody, version: Version, step: Step
) -> schemas.StepAnswer:
    """承認, with or without overwriting ③ (D112, D114)."""
    return await step.take(_approve(body, version, step.ctx))


@router.post("/approval/check", dependencies=[dealers])
@refuses(OwnItem)
async def check_approval(
    body: ApprovalBody, version: Version, step: Step
) -> schemas.CheckedStepAnswer:
    """確認 before 承認: what overwriting ③ changes, and what follows (D114)."""
    return await step.check(_approve(body, version, step.ctx))


def _approve(body: ApprovalBody, version: int, ctx: RequestContext) -> Approve:
    """The approval; a 連絡先3 that is not sent is that of the profile (A-29)."""
    sent = "contact_3" in body.model_fields_set
    return Approve(
        expected_version=version,
        overwrite=body.overwrite.result_form() if body.overwrite else None,
        approver_mail=body.contact_3 if sent else ctx.who.mail,
    )


@router.post("/remand", dependencies=[dealers])
@refuses(OwnItem, DealerNoteIsForHqApprover, *TEXT)
async def remand_application(body: RemandBody, version: Version, step: Step) -> schemas.StepAnswer:
    """差戻し, one step back on the frozen route (D113, D116)."""
    return await step.take(
        Remand(expected_version=version, comment=body.comment, dealer_note=body.dealer_note)
    )


@router.post("/correction", dependencies=[dealers])
@refuses(NotTheOriginator, SubstituteMayNot)
async def correct_application(body: FormBody, version: Version, step: Step) -> schemas.StepAnswer:
    """訂正 by the originator; the approval starts again (D121, D122)."""
    return await step.take(await _correct(body, version, step.ctx))


@router.post("/correction/check", dependencies=[dealers])
@refuses(NotTheOriginator, SubstituteMayNot)
async def check_correction(
    body: FormBody, version: Version, step: Step
) -> schemas.CheckedStepAnswer:
    """確認 before 訂正: what it changes, and where the approval starts again (D94, D122)."""
    return await step.check(await _correct(body, version, step.ctx))


async def _correct(body: FormBody, version: int, ctx: RequestContext) -> Correct:
    setting = await setting_of(ctx.tx, ctx.who.self_actor.dealer_code or "")
    return Correct(expected_version=version, setting=setting, form=body.form())


@router.post("/withdrawal", dependencies=[dealers])
@refuses(NotTheOriginator, SubstituteMayNot)
async def withdraw_application(version: Version, step: Step) -> schemas.StepAnswer:
    """取下げ by the originator, for good (D123)."""
    return await step.take(Withdraw(expected_version=version))


@router.post("/take-over", dependencies=[headquarters])
@refuses(NewOriginatorNotSuitable, SubstituteMayNot)
async def take_over_application(
    body: TakeOverBody, version: Version, step: Step
) -> schemas.StepAnswer:
    """引継ぎ: headquarters names a new originator (T22, A-22)."""
    dealer = step.ctx.who.self_actor.dealer_code or ""
    new = await staff_by_id(step.ctx.tx, dealer, body.new_originator_id)
    setting = await setting_of(step.ctx.tx, dealer)
    return await step.take(
        TakeOver(
            expected_version=version,
            setting=setting,
            new_originator=_as_originator(new),
            name=new.name if new else "",
            mobile=new.mobile if new else None,
            mail=body.contact_3,
        )
    )


def _as_originator(staff: Staff | None) -> NewOriginator:
    """The new originator as the rules see them; an unknown person is not suitable."""
    if staff is None:
        return NewOriginator("", Role.SALES, "", None, active=False)
    role = Role(staff.role)
    return NewOriginator(staff.person_id, role, staff.dealer_id, staff.store_code, staff.active)


@router.put("/dealer-note", dependencies=[headquarters])
@refuses(OwnItem, *TEXT)
async def edit_dealer_note(
    body: DealerNoteBody, version: Version, step: Step
) -> schemas.StepAnswer:
    """貴社連絡欄 by the HQ approver (D115, T21)."""
    return await step.take(EditDealerNote(expected_version=version, dealer_note=body.dealer_note))


@router.post("/acceptance", dependencies=[tfc])
async def accept_application(version: Version, step: Step) -> schemas.StepAnswer:
    """受付 by TFC (T12)."""
    return await step.take(Accept(expected_version=version))


@router.post("/hold", dependencies=[tfc])
@refuses(ReasonMissing, *TEXT)
async def hold_application(body: ReasonBody, version: Version, step: Step) -> schemas.StepAnswer:
    """保留 by TFC (T13)."""
    return await step.take(Hold(expected_version=version, reason=body.reason))


@router.post("/release", dependencies=[tfc])
async def release_application(version: Version, step: Step) -> schemas.StepAnswer:
    """保留解除 by TFC (T14)."""
    return await step.take(Release(expected_version=version))


@router.post("/contact-entry", dependencies=[tfc])
async def start_contact(version: Version, step: Step) -> schemas.StepAnswer:
    """TFC begins to write 連絡事項 (T15)."""
    return await step.take(StartContact(expected_version=version))


@router.post("/contact", dependencies=[tfc])
@refuses(ContactMessageMissing, *TEXT)
async def finish_contact(body: MessageBody, version: Version, step: Step) -> schemas.StepAnswer:
    """TFC has written 連絡事項 (T16)."""
    return await step.take(FinishContact(expected_version=version, message=body.message))


@router.post("/tfc-remand", dependencies=[tfc])
@refuses(ReasonMissing, *TEXT)
async def remand_by_tfc(body: ReasonBody, version: Version, step: Step) -> schemas.StepAnswer:
    """差戻し by TFC, with its reason (T17)."""
    return await step.take(Remand(expected_version=version, comment=body.reason))


@router.post("/completion", dependencies=[tfc])
async def complete_application(version: Version, step: Step) -> schemas.StepAnswer:
    """完了 by TFC (T18)."""
    return await step.take(Complete(expected_version=version))
