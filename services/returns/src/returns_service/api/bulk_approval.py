"""Bulk approval (part D): the same checks as one by one, a result per item, no edits."""

from fastapi import APIRouter

from returns_service.actions.return_steps import apply_step
from returns_service.api.dependencies import Ctx, dealers
from returns_service.api.request_bodies import BulkBody, BulkItem
from returns_service.api.return_detail import application_in_sight
from returns_service.api.schemas import BulkAnswer, BulkResult
from returns_service.rules.return_commands import Approve
from returns_service.rules.return_refusals import ReturnNotVisible
from shared.errors import Refusal

router = APIRouter()


@router.post("/bulk-approval", dependencies=[dealers])
async def approve_applications(body: BulkBody, ctx: Ctx) -> BulkAnswer:
    """Approve each item by itself; one that is refused leaves the others as they are."""
    results: dict[int, BulkResult] = {}
    # In the order of their ids, so that two bulk approvals never wait for each other.
    for place, item in sorted(enumerate(body.items), key=lambda pair: pair[1].application_id):
        results[place] = await _approve(ctx, item)
    ordered = [await _named(ctx, results[place]) for place in range(len(body.items))]
    return BulkAnswer(results=ordered, approved=sum(result.approved for result in ordered))


async def _named(ctx: Ctx, result: BulkResult) -> BulkResult:
    """The result with contract and customer, so that a person knows which one it is."""
    try:
        found = await application_in_sight(ctx.tx, result.application_id, ctx.who)
    except ReturnNotVisible:
        return result
    whose = {"contract_no": found.contract_no, "customer_name": found.customer_name}
    return result.model_copy(update=whose)


async def _approve(ctx: Ctx, item: BulkItem) -> BulkResult:
    command = Approve(expected_version=item.version, approver_mail=ctx.who.mail)
    try:
        async with ctx.tx.begin_nested():
            taken = await apply_step(ctx, item.application_id, command)
    except Refusal as refusal:
        return BulkResult(
            application_id=item.application_id,
            approved=False,
            code=refusal.code,
            message=refusal.message,
            facts=refusal.facts,
        )
    status = taken.outcome.status
    return BulkResult(
        application_id=item.application_id,
        approved=True,
        version=item.version + 1,
        status=status,
        status_label=status.label_ja,
    )
