"""進捗一覧 and the opened application: search, counts, own work list, 開く."""

import base64
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from returns_service.actor import RequestContext
from returns_service.api import schemas, serializers
from returns_service.api.dependencies import Ctx, dealers_and_tfc
from returns_service.api.request_bodies import Code
from returns_service.api.return_detail import opened
from returns_service.departed_people import departed_people
from returns_service.mapping import return_facts
from returns_service.pending_work import approves, to_approve, waiting_keys
from returns_service.progress_list_query import After, Page, ProgressRow, count_by_status, search
from returns_service.queries import dealer_names, store_names
from returns_service.rules.progress_list import (
    ApplicationKind,
    ProgressSearch,
    SearchPeriodReversed,
    count,
    waits_for,
)
from returns_service.rules.return_refusals import ReturnNotVisible
from returns_service.rules.return_status import Group, Status, Tab
from shared.errors import FieldError, FormErrors
from shared.http import etag
from shared.refusals import refuses

router = APIRouter()
_WORK_LIST_ROWS = 500
_LINE = 200
_RETURN = ApplicationKind.VEHICLE_RETURN
Day = Annotated[date, Query(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
_TABS = {"current": Tab.CURRENT, "past": Tab.PAST}


@router.get("/applications", dependencies=[dealers_and_tfc])
@refuses(SearchPeriodReversed)
async def list_applications(  # noqa: PLR0913, PLR0917 -- one parameter per search key of the screen
    ctx: Ctx,
    tab: Literal["current", "past"] | None = None,
    kind: ApplicationKind | None = None,
    status: Annotated[list[Status] | None, Query()] = None,
    customer_name: Code | None = None,
    contract_no: Code | None = None,
    reception_no: Code | None = None,
    updated_from: Day | None = None,
    updated_to: Day | None = None,
    own: bool = False,
    left: bool = False,
    cursor: Annotated[str | None, Query(max_length=_LINE)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> schemas.PageAnswer:
    """進捗一覧: all keys together, statuses as alternatives (D98-D103), newest first."""
    keys = ProgressSearch(
        kind=kind,
        statuses=frozenset(status or ()),
        customer_name=customer_name,
        contract_no=contract_no,
        reception_no=reception_no,
        updated_from_on=updated_from,
        updated_to_on=updated_to,
        own=own,
        left_on=ctx.today if left else None,
    )
    after = _after(cursor) if cursor else None
    shown = _TABS[tab] if tab else None
    rows = await search(ctx.tx, ctx.who, keys, shown, Page(limit + 1, after))
    more = _cursor(rows[limit - 1]) if len(rows) > limit else None
    return schemas.PageAnswer(items=await _shown(ctx, rows[:limit]), next_cursor=more)


@router.get("/applications/counts", dependencies=[dealers_and_tfc])
async def count_applications(ctx: Ctx, kind: ApplicationKind | None = None) -> schemas.CountsAnswer:
    """Numbers per display group and status over all that the person sees (D106), of one kind."""
    by_status = await count_by_status(ctx.tx, ctx.who, kind)
    counts = count(status for status, n in by_status.items() for _ in range(n))
    return schemas.CountsAnswer(
        groups=[
            schemas.GroupCount(
                code=group.value,
                label=group.label_ja,
                tab=group.tab.name,
                guidance=group.guidance,
                count=counts.groups[group],
            )
            for group in Group
        ],
        statuses={status.value: n for status, n in counts.statuses.items()},
        total=sum(counts.groups.values()),
    )


@router.get("/applications/work", dependencies=[dealers_and_tfc])
async def list_own_work(
    ctx: Ctx, status: Annotated[list[Status] | None, Query()] = None
) -> schemas.WorkListAnswer:
    """What waits for this person, themselves or as a substitute (D108); at most 500 rows."""
    keys = waiting_keys(status)
    page = Page(_WORK_LIST_ROWS)
    rows = await search(ctx.tx, ctx.who, keys, Tab.CURRENT, page) if keys.statuses else []
    items = [
        schemas.WorkRowAnswer(**shown.model_dump(), approvable=to_approve(row))
        for shown, row in zip(await _shown(ctx, rows), rows, strict=True)
    ]
    return schemas.WorkListAnswer(items=items, approver=approves(ctx.who))


@router.get("/applications/{application_id:key}", dependencies=[dealers_and_tfc])
@refuses(ReturnNotVisible)
async def open_application(
    application_id: Code, response: Response, ctx: Ctx
) -> schemas.ApplicationAnswer:
    """開く: everything about one application, and what this person may do with it (D101)."""
    answer = await opened(ctx, application_id)
    response.headers.update(etag(answer.version))
    return answer


async def _shown(ctx: RequestContext, rows: Sequence[ProgressRow]) -> list[schemas.RowAnswer]:
    names = await store_names(ctx.tx, {(row.dealer_id, row.store_code) for row in rows})
    dealers = await dealer_names(ctx.tx, {row.dealer_id for row in rows})
    dealer = ctx.who.self_actor.dealer_code
    departed = await departed_people(ctx.tx, dealer, rows, today=ctx.today)
    return [
        serializers.row(
            row,
            names.get(f"{row.dealer_id}/{row.store_code}", row.store_code),
            dealers.get(row.dealer_id),
            departed=departed.departure_of(row) if row.kind == _RETURN else None,
            waits_for_me=row.kind == _RETURN
            and any(waits_for(return_facts(row), actor) for actor in ctx.who.actors),
        )
        for row in rows
    ]


def _cursor(row: ProgressRow) -> str:
    raw = f"{row.updated_at.isoformat()}|{row.application_id}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _after(cursor: str) -> After:
    """The row after which a page begins. Raises FormErrors for a cursor that is not ours."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        instant, _, application_id = raw.partition("|")
        at = datetime.fromisoformat(instant).astimezone(UTC)
        if not application_id or "\0" in application_id:
            raise ValueError(cursor)
    except (ValueError, OverflowError):
        wrong = FieldError("cursor", "CURSOR_UNKNOWN", "一覧を検索し直してください")
        raise FormErrors(wrong) from None
    return After(at, application_id)
