"""経理: the submitted slips by tab and filter, page by page, and 一括精算 (R90, R91)."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from commuter_service import queries
from commuter_service.actions.settlements import Settlement, settle_slips
from commuter_service.api.dependencies import ACCOUNTING, Body, Ctx, Key, Text
from commuter_service.api.route_search import Yen
from commuter_service.request_context import RequestContext
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.slip_kind import SlipKind
from commuter_service.slips.desk import (
    DeskFilter,
    Place,
    Sums,
    desk_slips,
    page_of_slips,
    slips_unchanged_since,
    sums_by_status,
)
from commuter_service.slips.lists import Slips, slip_lines
from shared.errors import FieldError, FormErrors
from shared.http import idempotent

router = APIRouter(dependencies=[ACCOUNTING])

MOST_AT_ONCE = 500
MONTH = r"^(19[5-9]\d|2[01]\d\d)-(0[1-9]|1[0-2])$"
MonthInPath = Annotated[str, Path(pattern=MONTH)]
KINDS = "^(" + "|".join(kind.name.lower() for kind in SlipKind) + ")$"
TABS = (SlipStatus.PENDING, SlipStatus.APPROVED, SlipStatus.SETTLED, SlipStatus.REMANDED)
Month = Annotated[str, Field(pattern=MONTH)]


class DeskFields(BaseModel):
    """What accounting looks for; the amounts belong to the range."""

    model_config = ConfigDict(extra="forbid")

    month: Month | None = None
    employee_id: Text | None = None
    store_code: Text | None = None
    kind: Annotated[str, Field(pattern=KINDS)] | None = None
    from_yen: Yen | None = None
    to_yen: Yen | None = None
    text: Text = ""

    def wanted(self) -> DeskFilter:
        """As the query takes it."""
        month = first_of(self.month) if self.month else None
        return DeskFilter(
            month, self.employee_id, self.store_code, self.kind,
            self.from_yen, self.to_yen, self.text,
        )  # fmt: skip


class DeskQuery(DeskFields):
    """The same with the tab, and where the page before ended."""

    status: SlipStatus | None = None
    after: Text | None = None
    size: int = Field(default=50, ge=1, le=200)


class DeskSums(BaseModel):
    """How many slips, and what they claim."""

    count: int
    total_yen: int


class DeskTab(DeskSums):
    """A tab with what it holds under the filter."""

    status: SlipStatus
    status_japanese: str


class DeskSlips(Slips, DeskSums):
    """A page of slips; count and total are of the whole filter, `next` leads on.

    `as_of`: when this was read, for 一括精算 of the whole filter.
    """

    next: str | None
    as_of: datetime
    tabs: list[DeskTab]


class SeenSlip(Body):
    """A slip as it was seen."""

    slip_id: UUID
    version: int = Field(ge=0, lt=2**63)


class SeenFilter(DeskFields):
    """All slips of a filter that did not change since the list was read."""

    as_of: AwareDatetime


class SettlementsBody(Body):
    """Ticked slips, or all 精算待ち of a filter."""

    slips: list[SeenSlip] = Field(default=[], max_length=MOST_AT_ONCE)
    all_of: SeenFilter | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "SettlementsBody":
        if bool(self.slips) == (self.all_of is not None):
            raise ValueError("slips か all_of のどちらか一方を指定してください")
        return self


class SettlementAnswer(BaseModel):
    """What became of one slip, by person and title; `code` and `message` where it was refused."""

    slip_id: str
    employee_name: str
    title: str
    total_yen: int
    settled: bool
    code: str | None
    message: str | None


class Settlements(BaseModel):
    """The result per slip; `left` of the filter wait for another go."""

    results: list[SettlementAnswer]
    settled: int
    settled_yen: int
    left: int


def first_of(month: str) -> date:
    """The first day of 2026-07."""
    return date.fromisoformat(f"{month}-01")


@router.get("/slips/of-company")
async def list_slips_of_company(query: Annotated[DeskQuery, Query()], ctx: Ctx) -> DeskSlips:
    """What was submitted, by tab and filter, the latest first (R90)."""
    wanted, after = query.wanted(), _place(query.after)
    sums = await sums_by_status(ctx.tx, desk_slips(ctx.dealer_id, wanted))
    page = desk_slips(ctx.dealer_id, wanted, query.status)
    found = await page_of_slips(ctx.tx, page, after, query.size + 1)
    shown = found[: query.size]
    counted = [sums.get(query.status, NONE)] if query.status else list(sums.values())
    last = shown[-1] if len(found) > query.size else None
    return DeskSlips(
        items=(await slip_lines(ctx, shown)).items,
        next=f"{last.submitted_at.isoformat()}~{last.slip_id}" if last else None,  # type: ignore[union-attr]
        as_of=ctx.now,
        count=sum(one.count for one in counted),
        total_yen=sum(one.total_yen for one in counted),
        tabs=[
            DeskTab(
                status=tab,
                status_japanese=tab.label_ja,
                count=sums.get(tab, NONE).count,
                total_yen=sums.get(tab, NONE).total_yen,
            )
            for tab in TABS
        ],
    )


@router.post("/slips/settlements")
async def settle_many(body: SettlementsBody, ctx: Ctx, key: Key = None) -> Settlements:
    """一括精算: each slip by itself; what changed since it was seen is refused or left (R91)."""

    async def act() -> dict[str, Any]:
        return (await _settled(ctx, body)).model_dump(mode="json")

    answer = await idempotent(
        ctx.tx,
        owner=ctx.employee_id,
        key=key,
        fingerprint=body.model_dump_json(),
        act=act,
    )
    return Settlements.model_validate(answer)


NONE = Sums(0, 0)


async def _settled(ctx: RequestContext, body: SettlementsBody) -> Settlements:
    chosen, left = [(one.slip_id, one.version) for one in body.slips], 0
    if body.all_of is not None:
        wanted = desk_slips(ctx.dealer_id, body.all_of.wanted(), SlipStatus.APPROVED)
        chosen = list(await slips_unchanged_since(ctx.tx, wanted, body.all_of.as_of, MOST_AT_ONCE))
        left = await queries.count_where(ctx.tx, wanted) - len(chosen)
    done = await settle_slips(ctx, chosen)
    owners = (one.slip.employee_id for one in done if one.slip)
    names = await queries.employee_names(ctx.tx, owners)
    return Settlements(
        results=[_result(one, names) for one in done],
        settled=sum(one.refusal is None for one in done),
        settled_yen=sum(one.total_yen for one in done if one.refusal is None),
        left=left,
    )


def _result(one: Settlement, names: dict[str, str]) -> SettlementAnswer:
    slip = one.slip
    return SettlementAnswer(
        slip_id=str(one.slip_id),
        employee_name=names.get(slip.employee_id, slip.employee_id) if slip else "",
        title=slip.title if slip else "",
        total_yen=one.total_yen,
        settled=one.refusal is None,
        code=one.refusal.code if one.refusal else None,
        message=one.refusal.message if one.refusal else None,
    )


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    at, _, slip_id = after.partition("~")
    try:
        instant, known = datetime.fromisoformat(at), UUID(slip_id)
        if instant.tzinfo is None:
            raise ValueError(at)
    except ValueError:
        raise FormErrors(
            FieldError("after", "PLACE_UNREADABLE", "ページを読み取れません")
        ) from None
    return instant, known
