"""精算書: five kinds with the look-up and others without, until they are settled (R22, R42)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commuter_service import queries
from commuter_service.actions import slips as actions
from commuter_service.actions.slip_items import Decision, IcCardRow, ItemInput, SlipKindHoldsNoRides
from commuter_service.actions.slip_submission import LookUpNeeded
from commuter_service.actions.slips import (
    SavedBy,
    SlipInput,
)
from commuter_service.api.dependencies import (
    EMPLOYEES,
    Body,
    Ctx,
    Day,
    Key,
    Text,
    Version,
)
from commuter_service.api.refusal_groups import SLIP_EDIT, SLIP_LINES
from commuter_service.api.route_search import RideBody, Yen
from commuter_service.exports.journal_queries import accounting_setting_of
from commuter_service.models import Slip
from commuter_service.passes.employee_passes import passes_of_employee
from commuter_service.passes.schemas import pass_answer
from commuter_service.queries import kind_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.delegate_entry import DelegateEntryNotAllowed
from commuter_service.rules.invoice_basis import CostKind
from commuter_service.rules.month_closing import MonthClosed
from commuter_service.rules.pass_warning import WarningBlocksSubmission
from commuter_service.rules.route_search_policy import RoundaboutBlocksSubmission
from commuter_service.rules.slip_approval import (
    CommentMissing,
    NoApprover,
    SlipStatus,
    SlipStep,
    SlipStepNotPossible,
)
from commuter_service.rules.slip_kind import (
    BLOCKED_MESSAGE,
    USES_SEARCH,
    SlipKind,
    UnconfirmedPassBlocks,
)
from commuter_service.rules.zengin_transfer import SlipTransferred
from commuter_service.slips.closing import closed_months
from commuter_service.slips.lists import Slips, slip_lines
from commuter_service.slips.receipts import receipts_of
from commuter_service.slips.schemas import SlipAnswer, SlipFacts, slip_answer
from fare_engine.routing.candidates import Label
from fare_engine.routing.trains_over_route import ChosenTrain
from fare_engine.rules.bus_policy import BusPolicy
from shared.http import etag, idempotent
from shared.path_keys import register_words
from shared.refusals import refuses

router = APIRouter(dependencies=[EMPLOYEES])

MOST_ITEMS = 200
MOST_TRAINS = 20
Kind = Literal[
    "transport", "trip_request", "trip", "overseas_trip_request", "overseas_trip", "expense",
    "payment_request",
]  # fmt: skip
StepInPath = Literal["submit", "approve", "remand", "withdraw", "reject", "settle", "unsettle"]
register_words("slip_step", get_args(StepInPath))


class ChosenTrainBody(Body):
    """A train of the chosen candidate: its name, the station where it is left, its minutes."""

    name: Text
    end: Text
    minutes: Annotated[int, Field(ge=0, le=10_000)]


class DecisionBody(RideBody):
    """決定 of a route; 定期を使わない needs its reason.

    `trains`, `minutes` and `labels` as the look-up gave them. Trains that do not run so are worked
    out.
    """

    employee_id: None = None
    without_pass_reason: Text | None = None
    trains: list[ChosenTrainBody] = Field(default=[], max_length=MOST_TRAINS)
    minutes: Annotated[int, Field(ge=0, le=10_000)] | None = None
    labels: list[Label] = Field(default=[], max_length=len(Label))

    def decision(self, bus_policy: BusPolicy) -> Decision:
        """As the action takes it."""
        trains = tuple(ChosenTrain(one.name, one.end, one.minutes) for one in self.trains)
        ride = self.ride(bus_policy)
        return Decision(ride, self.without_pass_reason, trains, self.minutes, tuple(self.labels))


class ItemBody(Body):
    """One line; with `item_id` a line that exists.

    `by_hand` turns a looked-up line into a typed one; without words and amount it keeps its own.
    `restored_id`: the id that a removed line had; its receipts belong to it again.
    """

    item_id: UUID | None = None
    item_on: Day | None = None
    purpose: Text = ""
    words: Text = ""
    receipt: bool = False
    amount_yen: Yen | None = None
    by_hand: bool = False
    look_up: DecisionBody | None = None
    cost_kind: CostKind = CostKind.OTHER
    payee: Text = ""
    registration_no: Text = ""
    no_invoice_reason: Text = ""
    no_receipt_reason: Text = ""
    restored_id: UUID | None = None

    def typed(self, bus_policy: BusPolicy) -> ItemInput:
        """As the action takes it."""
        return ItemInput(
            self.item_id,
            self.item_on,
            self.purpose,
            self.words,
            self.receipt,
            self.amount_yen,
            self.by_hand,
            self.look_up.decision(bus_policy) if self.look_up else None,
            self.cost_kind,
            self.payee,
            self.registration_no,
            self.no_invoice_reason,
            self.no_receipt_reason,
            self.restored_id,
        )


class SlipBody(Body):
    """The form of a slip; `automatic` where nobody pressed 一時保存."""

    title: Text = ""
    purpose: Text = ""
    trip_from: Day | None = None
    trip_to: Day | None = None
    items: list[ItemBody] = Field(default=[], max_length=MOST_ITEMS)
    automatic: bool = False

    def typed(self, ctx: RequestContext) -> SlipInput:
        """As the action takes it."""
        policy = BusPolicy(ctx.setting.bus_policy)
        items = tuple(item.typed(policy) for item in self.items)
        return SlipInput(self.title, self.purpose, self.trip_from, self.trip_to, items)

    @property
    def saved_by(self) -> SavedBy:
        """Who saved."""
        return SavedBy.AUTO if self.automatic else SavedBy.PERSON


class NewSlipBody(SlipBody):
    """The same with the kind, which never changes; `employee_id`: for whom (R97)."""

    kind: Kind
    employee_id: Text | None = None


class KindOffer(BaseModel):
    """A kind of slip, whether one of it may be begun now, and why not."""

    kind: str
    japanese: str
    uses_look_up: bool
    enabled: bool
    reason: str | None


class OwnSlips(Slips):
    """The own slips, and the kinds that may be begun."""

    kinds: list[KindOffer]


class CommentBody(Body):
    """What is said with a step."""

    comment: Text = ""


class IcCardBody(Body):
    """A ride of an IC card."""

    item_on: Day
    words: Text
    amount_yen: Yen


class IcCardRows(Body):
    """What was read from a card."""

    rows: list[IcCardBody] = Field(min_length=1, max_length=MOST_ITEMS)


@router.get("/slips")
async def list_slips(ctx: Ctx, status: SlipStatus | None = None) -> OwnSlips:
    """The own slips, or those in one state, and the kinds that may be begun now (R22)."""
    own = queries.own_slips(ctx.employee_id, ctx.dealer_id, status)
    found = await queries.slips_where(ctx.tx, own)
    blocked = await queries.has_unconfirmed_pass(ctx.tx, ctx.employee_id)
    kinds = [
        KindOffer(
            kind=kind.name.lower(),
            japanese=kind.value,
            uses_look_up=kind in USES_SEARCH,
            enabled=not (blocked and kind in USES_SEARCH),
            reason=BLOCKED_MESSAGE if blocked and kind in USES_SEARCH else None,
        )
        for kind in SlipKind
    ]
    return OwnSlips(kinds=kinds, items=(await slip_lines(ctx, found)).items)


@router.get("/slips/to-approve")
async def list_slips_to_approve(ctx: Ctx) -> Slips:
    """承認: what waits for this person."""
    waiting = await queries.slips_awaiting(ctx.tx, ctx.employee_id, ctx.dealer_id)
    return await slip_lines(ctx, waiting)


@router.post("/slips", status_code=201)
@refuses(*SLIP_LINES, DelegateEntryNotAllowed)
async def create_slip(
    body: NewSlipBody, ctx: Ctx, response: Response, key: Key = None
) -> SlipAnswer:
    """The first save (未作成 → 一時保存)."""

    async def act() -> Slip:
        kind = SlipKind[body.kind.upper()]
        return await actions.create_slip(
            ctx, kind, body.typed(ctx), body.saved_by, body.employee_id
        )

    answer = await _once(ctx, key, body.model_dump_json(), act)
    response.headers.update(etag(answer.version))
    return answer


@router.get("/slips/{slip_id:key}")
async def show_slip(slip_id: UUID, ctx: Ctx, response: Response) -> SlipAnswer:
    """A slip with its items, their warnings as of now, and its trail."""
    slip = await queries.slip_for(
        ctx.tx, ctx.dealer_id, slip_id, ctx.employee_id, accounting=ctx.accounting
    )
    return await _answered(ctx, slip, response)


@router.put("/slips/{slip_id}")
@refuses(*SLIP_EDIT, *SLIP_LINES)
async def save_slip(
    slip_id: UUID, body: SlipBody, version: Version, ctx: Ctx, response: Response
) -> SlipAnswer:
    """自動保存, 一時保存, 承認時の修正, 管理者の修正 (R42, R59, R60)."""
    typed = body.typed(ctx)
    slip = await actions.save_slip(ctx, slip_id, version, typed, body.saved_by)
    return await _answered(ctx, slip, response)


@router.delete("/slips/{slip_id}", status_code=204)
@refuses(SlipStepNotPossible)
async def delete_slip(slip_id: UUID, version: Version, ctx: Ctx) -> None:
    """削除."""
    await actions.delete_slip(ctx, slip_id, version)


@router.post("/slips/{slip_id}/items/{item_id}/look-up")
@refuses(*SLIP_EDIT, *SLIP_LINES)
async def decide_item(  # noqa: PLR0913, PLR0917 - the path names two, FastAPI hands out the rest
    slip_id: UUID,
    item_id: UUID,
    body: DecisionBody,
    version: Version,
    ctx: Ctx,
    response: Response,
) -> SlipAnswer:
    """決定 of a candidate for one line (R40, R43)."""
    decision = body.decision(BusPolicy(ctx.setting.bus_policy))
    slip = await actions.decide_item(ctx, slip_id, version, item_id, decision)
    return await _answered(ctx, slip, response)


@router.post("/slips/{slip_id}/ic-card-rows")
@refuses(*SLIP_EDIT, SlipKindHoldsNoRides)
async def import_ic_card(
    slip_id: UUID, body: IcCardRows, version: Version, ctx: Ctx, response: Response
) -> SlipAnswer:
    """ICカードオプション: rows as the card was charged (R34)."""
    rows = [IcCardRow(row.item_on, row.words, row.amount_yen) for row in body.rows]
    slip = await actions.import_ic_card(ctx, slip_id, version, rows)
    return await _answered(ctx, slip, response)


@router.post("/slips/{slip_id}/copies", status_code=201)
@refuses(SlipStepNotPossible, UnconfirmedPassBlocks)
async def copy_slip(slip_id: UUID, ctx: Ctx, response: Response, key: Key = None) -> SlipAnswer:
    """伝票コピー (R57)."""

    async def act() -> Slip:
        return await actions.copy_slip(ctx, slip_id)

    answer = await _once(ctx, key, f"copy {slip_id}", act)
    response.headers.update(etag(answer.version))
    return answer


@router.post("/slips/{slip_id}/{step:slip_step}")
@refuses(SlipStepNotPossible, CommentMissing, NoApprover, UnconfirmedPassBlocks, LookUpNeeded)
@refuses(WarningBlocksSubmission, RoundaboutBlocksSubmission, MonthClosed, SlipTransferred)
async def move_slip(  # noqa: PLR0913, PLR0917 - the path names two, FastAPI hands out the rest
    slip_id: UUID,
    step: StepInPath,
    body: CommentBody,
    version: Version,
    ctx: Ctx,
    response: Response,
) -> SlipAnswer:
    """申請, 承認, 差戻し, 取下げ, 否認, 精算, 精算の取消."""
    slip = await actions.move_slip(ctx, slip_id, version, SlipStep(step), body.comment)
    return await _answered(ctx, slip, response)


async def _answered(ctx: RequestContext, slip: Slip, response: Response) -> SlipAnswer:
    response.headers.update(etag(slip.version))
    return await slip_json(ctx, slip)


async def slip_json(ctx: RequestContext, slip: Slip) -> SlipAnswer:
    """A whole slip as this person sees it now."""
    await ctx.tx.flush()
    records = await queries.passes_of(ctx.tx, slip.employee_id)
    names = await queries.employee_names(
        ctx.tx, [slip.employee_id, slip.entered_by or "", *slip.chain]
    )
    standing = [one for one in records if one.confirmed or one.held.status == "applied"]
    waits = any(one.held.status == "applied" for one in records)
    own = ctx.employee_id in {slip.employee_id, slip.entered_by}
    items = await queries.items_of(ctx.tx, slip.slip_id)
    owner = await queries.employee_by_id(ctx.tx, ctx.dealer_id, slip.employee_id)
    accounting = await accounting_setting_of(ctx.tx, ctx.dealer_id)
    facts = SlipFacts(
        items=items,
        receipts=await receipts_of(ctx.tx, slip.slip_id),
        passes=passes_of_employee(records, ctx.tariffs.network),
        names=names,
        employee=owner,
        department=accounting.departments.get(owner.store_code or ""),
        trail=await queries.audit_entries_of(ctx.tx, slip.slip_id),
        standing=[pass_answer(one, names, ctx.tariffs.network) for one in standing],
        blocked=BLOCKED_MESSAGE if own and waits and kind_of(slip) in USES_SEARCH else None,
        closed=await closed_months(ctx.tx, ctx.dealer_id, [item.item_on for item in items]),
    )
    return slip_answer(ctx, slip, facts)


async def _once(
    ctx: RequestContext, key: str | None, fingerprint: str, act: Callable[[], Awaitable[Slip]]
) -> SlipAnswer:
    async def acted() -> dict[str, Any]:
        return (await slip_json(ctx, await act())).model_dump(mode="json")

    answer = await idempotent(
        ctx.tx, owner=ctx.employee_id, key=key, fingerprint=fingerprint, act=acted
    )
    return SlipAnswer.model_validate(answer)
