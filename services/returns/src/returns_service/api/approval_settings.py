"""承認フロー設定（本部用） and 代理承認: who approves at this dealer, and who in whose place."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response, status

from returns_service.actions.approval_settings import Flow, check_approval_flow, set_approval_flow
from returns_service.actions.substitutes import (
    SubstituteInput,
    change_substitute,
    check_substitution_input,
    end_substitute,
    register_substitute,
)
from returns_service.api.dependencies import Ctx, approvers, headquarters
from returns_service.api.request_bodies import FlowBody, SubstituteBody
from returns_service.api.schemas import (
    FlowAnswer,
    SubstituteAnswer,
    SubstitutesAnswer,
    SubstitutionAnswer,
)
from returns_service.departed_people import people_who_left
from returns_service.models import ApprovalFlow, Substitute
from returns_service.queries import approval_flow_of, staff_names, substitutes_from
from returns_service.rules.return_refusals import RoleMayNot
from returns_service.rules.substitute_approver import (
    RoleNotSubstituted,
    SubstituteHasSubstitute,
    SubstituteNotSuitable,
    SubstitutionPeriodReversed,
)
from shared.http import NotFound, etag, expected_version
from shared.refusals import refuses
from shared.roles import Role

router = APIRouter()
Version = Annotated[int, Depends(expected_version)]
Number = Annotated[int, Path(ge=1, lt=2**63)]
NOT_SUBSTITUTED = (
    *(RoleMayNot, RoleNotSubstituted, SubstituteNotSuitable, SubstituteHasSubstitute),
    SubstitutionPeriodReversed,
)


@router.get("/approval-flow", dependencies=[headquarters])
async def get_approval_flow(response: Response, ctx: Ctx) -> FlowAnswer:
    """承認フロー設定 of the own dealer (D153)."""
    flow = await approval_flow_of(ctx.tx, ctx.who.self_actor.dealer_code or "")
    return _flow(response, flow)


@router.put("/approval-flow", dependencies=[headquarters])
async def put_approval_flow(
    body: FlowBody, version: Version, response: Response, ctx: Ctx
) -> FlowAnswer:
    """Change it; applications in flight stay on their route (A-31)."""
    return _flow(response, await set_approval_flow(ctx, _wanted(body), version))


@router.post("/approval-flow/check", dependencies=[headquarters])
async def check_flow(body: FlowBody, version: Version, ctx: Ctx) -> FlowBody:
    """確認: the setting as it would be kept, or all its errors; nothing is changed (D94, D153)."""
    checked = await check_approval_flow(ctx, _wanted(body), version)
    return body.model_copy(update={"hq_mails": list(checked.hq_mails)})


def _wanted(body: FlowBody) -> Flow:
    return Flow(
        body.store_approval, body.hq_approval, tuple(body.hq_mails), body.store_approver_notice
    )


def _flow(response: Response, flow: ApprovalFlow | None) -> FlowAnswer:
    response.headers.update(etag(flow.version if flow else 0))
    return FlowAnswer(
        store_approval=flow.store_approval if flow else False,
        hq_approval=flow.hq_approval if flow else False,
        hq_mails=flow.hq_mails if flow else [],
        store_approver_notice=flow.store_approver_notice if flow else False,
        version=flow.version if flow else 0,
        updated_at=flow.updated_at if flow else None,
        updated_by=flow.updated_by if flow else None,
    )


@router.get("/substitutes", dependencies=[approvers])
async def list_substitutes(ctx: Ctx) -> SubstitutesAnswer:
    """The substitutions of today and later: a manager's own, for headquarters the dealer's."""
    actor = ctx.who.self_actor
    rows = await substitutes_from(ctx.tx, actor.dealer_code or "", ctx.today)
    if actor.role is not Role.HQ:
        rows = [row for row in rows if actor.user_id in {row.approver_id, row.substitute_id}]
    return SubstitutesAnswer(items=[await _substitute(ctx, row) for row in rows])


@router.post("/substitutes", status_code=status.HTTP_201_CREATED, dependencies=[approvers])
@refuses(*NOT_SUBSTITUTED)
async def add_substitute(body: SubstituteBody, response: Response, ctx: Ctx) -> SubstituteAnswer:
    """Name a substitute for oneself; headquarters also for another approver."""
    row = await register_substitute(ctx, SubstituteInput(**body.model_dump()))
    response.headers.update(etag(row.version))
    return await _substitute(ctx, row)


@router.post("/substitutes/check", dependencies=[approvers])
@refuses(*NOT_SUBSTITUTED)
async def check_substitute(body: SubstituteBody, ctx: Ctx) -> SubstitutionAnswer:
    """確認: the substitution with its names, or all its errors; nothing is changed (D94)."""
    found = await check_substitution_input(ctx, SubstituteInput(**body.model_dump()))
    people = {found.approver.user_id, found.substitute_id}
    names = await staff_names(ctx.tx, ctx.who.self_actor.dealer_code or "", people)
    return SubstitutionAnswer(
        approver_id=found.approver.user_id,
        approver_name=names.get(found.approver.user_id, found.approver.user_id),
        substitute_id=found.substitute_id,
        substitute_name=names.get(found.substitute_id, found.substitute_id),
        from_on=found.from_on,
        to_on=found.to_on,
    )


@router.put("/substitutes/{substitute_no}", dependencies=[approvers])
@refuses(NotFound, *NOT_SUBSTITUTED)
async def put_substitute(
    substitute_no: Number,
    body: SubstituteBody,
    version: Version,
    response: Response,
    ctx: Ctx,
) -> SubstituteAnswer:
    """Name another substitute or other days."""
    row = await change_substitute(ctx, substitute_no, SubstituteInput(**body.model_dump()), version)
    response.headers.update(etag(row.version))
    return await _substitute(ctx, row)


@router.delete(
    "/substitutes/{substitute_no}",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[approvers],
)
@refuses(NotFound)
async def remove_substitute(substitute_no: Number, version: Version, ctx: Ctx) -> None:
    """Take a substitution back."""
    await end_substitute(ctx, substitute_no, version)


async def _substitute(ctx: Ctx, row: Substitute) -> SubstituteAnswer:
    people = {row.approver_id, row.substitute_id}
    names = await staff_names(ctx.tx, row.dealer_id, people)
    left = await people_who_left(ctx.tx, row.dealer_id, people)
    return SubstituteAnswer(
        substitute_no=row.line_id,
        approver_id=row.approver_id,
        approver_name=names.get(row.approver_id, row.approver_id),
        substitute_id=row.substitute_id,
        substitute_name=names.get(row.substitute_id, row.substitute_id),
        from_on=row.from_on,
        to_on=row.to_on,
        version=row.version,
        approver_left=row.approver_id in left,
        substitute_left=row.substitute_id in left,
    )
