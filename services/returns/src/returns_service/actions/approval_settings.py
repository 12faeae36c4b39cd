"""承認フロー設定 of a dealer, changed by headquarters (D153, A-31).

Applications in flight keep their route: it is frozen in their own rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.returns import ApprovalFlowUpdated
from returns_service.actor import RequestContext
from returns_service.models import ApprovalFlow
from returns_service.queries import approval_flow_of
from returns_service.rules.hq_addresses import check_approver_mails
from shared import outbox
from shared.concurrency import VersionConflict, check_version

CHANGED = "他の方が先に承認フロー設定を更新しました"


@dataclass(frozen=True)
class Flow:
    """承認フロー設定 as it is to be; `hq_mails` as typed, one address each."""

    store_approval: bool
    hq_approval: bool
    hq_mails: tuple[str, ...]
    store_approver_notice: bool


async def check_approval_flow(ctx: RequestContext, flow: Flow, expected_version: int) -> Flow:
    """The setting as it would be kept, checked as `set_approval_flow` checks it; writes nothing."""
    present = await approval_flow_of(ctx.tx, ctx.who.self_actor.dealer_code or "")
    check_version(present.version if present else 0, expected_version, CHANGED)
    return replace(flow, hq_mails=check_approver_mails(flow.hq_mails))


async def set_approval_flow(ctx: RequestContext, flow: Flow, expected_version: int) -> ApprovalFlow:
    """Set it for the caller's dealer; version 0 stands for never set.

    Raises VersionConflict, or FormErrors on `hq_mails`.
    """
    actor, tx = ctx.who.self_actor, ctx.tx
    dealer = actor.dealer_code or ""
    checked = await check_approval_flow(ctx, flow, expected_version)
    values = {
        "store_approval": flow.store_approval,
        "hq_approval": flow.hq_approval,
        "hq_mails": list(checked.hq_mails),
        "store_approver_notice": flow.store_approver_notice,
        "version": expected_version + 1,
        "updated_at": ctx.now,
        "updated_by": actor.user_id,
    }
    if not await _upsert(tx, dealer, values, expected_version):
        raise VersionConflict(expected_version, CHANGED)
    await outbox.add(
        tx,
        ApprovalFlowUpdated(
            dealer_id=dealer,
            store_approval=flow.store_approval,
            hq_approval=flow.hq_approval,
            store_approver_notice=flow.store_approver_notice,
        ),
        now=ctx.now,
    )
    return ApprovalFlow(dealer_id=dealer, **values)


async def _upsert(
    tx: AsyncSession, dealer_id: str, values: Mapping[str, object], expected_version: int
) -> bool:
    """Write the setting if it has this version, 0 for none; False if another write came first."""
    statement = insert(ApprovalFlow).values(dealer_id=dealer_id, **values)
    if expected_version:
        statement = statement.on_conflict_do_update(
            index_elements=["dealer_id"],
            set_=values,
            where=ApprovalFlow.version == expected_version,
        )
    else:
        statement = statement.on_conflict_do_nothing()
    return (await tx.execute(statement.returning(ApprovalFlow.version))).first() is not None
