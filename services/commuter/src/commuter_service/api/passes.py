"""定期区間マスタ for administrators, 個人設定 > 定期区間 for everybody (R1-R10, R19-R28)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from commuter_service import queries
from commuter_service.acting import Acting
from commuter_service.actions import passes as actions
from commuter_service.actions.passes import Confirmation, PassContent
from commuter_service.api.visit import EMPLOYEES, Day, Key, Text, Typed, Version, Visiting
from commuter_service.models import HeldPass
from commuter_service.own_passes import read_pass_route
from commuter_service.pass_answers import (
    condition_of,
    has_bus,
    meeting,
    neighbours,
    pass_answer,
    section_of,
    trail_answer,
)
from commuter_service.queries import PassRecord
from commuter_service.rules.bus_policy import BUS_NOTICE
from commuter_service.rules.pass_application import (
    CsvRegistrationRefused,
    PassStatus,
    PassStep,
    RouteNotDecided,
    check_count,
)
from commuter_service.rules.pass_health import troubles
from commuter_service.rules.pass_period import Period
from shared.http import NotFound, etag, once

router = APIRouter(dependencies=[EMPLOYEES])

MOST_AT_ONCE = 100


class PassTyped(Typed):
    """A pass: the route as the look-up decided it, and its validity (R4)."""

    route: Text = ""
    starts_on: Day | None = None
    ends_on: Day | None = None

    def content(self) -> PassContent:
        """What was typed. Raises PeriodReversed."""
        return PassContent(self.route, Period(self.starts_on, self.ends_on))


class Registration(PassTyped):
    """The same for an employee."""

    employee_id: Text


class ThoughtOf(PassTyped):
    """A pass that is not kept yet; without an employee, an own one."""

    employee_id: Text = ""


class EndTyped(Typed):
    """The last day."""

    ends_on: Day


class ConfirmTyped(Typed):
    """終了日 may be set while confirming (R9)."""

    ends_on: Day | None = None


class OneOfMany(ConfirmTyped):
    """One pass of several to confirm, as it was seen."""

    pass_id: UUID
    version: int = Field(ge=0, lt=2**63)


class ManyTyped(Typed):
    """The ticked passes of the list."""

    passes: list[OneOfMany] = Field(min_length=1, max_length=MOST_AT_ONCE)


class ReasonTyped(Typed):
    """Why."""

    reason: Text = ""


class PassQuery(BaseModel):
    """Which passes."""

    model_config = ConfigDict(extra="forbid")

    employee_id: Text | None = None
    status: Annotated[str, Field(pattern="^(confirmed|applied|withdrawn|rejected)$")] | None = None


def one_by_one(request: Request) -> None:
    """Anything but JSON is a file, and files are refused with the manual's sentence (R2)."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind != "application/json":
        raise CsvRegistrationRefused


@router.get("/passes")
async def list_passes(query: Annotated[PassQuery, Query()], acting: Visiting) -> dict[str, Any]:
    """定期区間マスタ: every pass of the company, or of one employee, or in one state."""
    acting.need_pass_master()
    wanted = queries.passes_of_company(acting.dealer_id, query.employee_id, query.status)
    return await _listed(acting, await queries.passes_where(acting.tx, *wanted))


@router.get("/my-passes")
async def list_my_passes(acting: Visiting) -> dict[str, Any]:
    """個人設定 > 定期区間: the own passes, and whether one may apply (R19)."""
    found = await _listed(acting, await queries.passes_of(acting.tx, acting.employee_id))
    allowed = acting.setting.applications_allowed
    reason = None if allowed else NOT_ALLOWED
    return {**found, "apply": {"enabled": allowed, "reason": reason}}


NOT_ALLOWED = "個人による定期区間の申請は許可されていません"


@router.get("/passes/health")
async def check_health(acting: Visiting) -> dict[str, Any]:
    """Which passes need care: route gone, ending in 30 days, unconfirmed for a week (R39)."""
    acting.need_pass_master()
    records = await queries.passes_where(acting.tx, HeldPass.dealer_id == acting.dealer_id)
    names = await queries.employee_names(acting.tx, (r.held.employee_id for r in records))
    items = [
        {"trouble": finding.trouble, "words": finding.words, "pass": pass_answer(record, names)}
        for record in records
        for finding in troubles(condition_of(record, today=acting.today), today=acting.today)
    ]
    return {"items": items}


@router.post("/passes/check")
async def check_pass(typed: ThoughtOf, acting: Visiting) -> dict[str, Any]:
    """What a pass would meet before it is kept: overlaps, gaps, the bus notice (R8, R10)."""
    employee_id = typed.employee_id or acting.employee_id
    if employee_id != acting.employee_id:
        acting.need_pass_master()
    content = typed.content()
    if not content.route:
        raise RouteNotDecided("乗換案内で経路を決定してください")
    route = str(read_pass_route(content.route))
    others = await queries.passes_of(acting.tx, employee_id)
    bus = has_bus(route)
    return {
        "route": route,
        "section": section_of(route),
        "period": str(content.period),
        "guaranteed": not bus,
        "notices": [BUS_NOTICE] if bus else [],
        **meeting(content.period, others),
    }


@router.post("/passes", status_code=201, dependencies=[Depends(one_by_one)])
async def register_pass(
    typed: Registration | list[Registration], acting: Visiting, response: Response, key: Key = None
) -> dict[str, Any]:
    """確定 by an administrator, one pass at a time (R1, R2)."""
    if isinstance(typed, list):
        check_count(len(typed))
        typed = typed[0]
    wanted = typed
    employee = await queries.employee_by_id(acting.tx, acting.dealer_id, wanted.employee_id)

    async def act() -> dict[str, Any]:
        content = wanted.content()
        return await _kept(acting, await actions.register_pass(acting, employee, content))

    return _tagged(await _once(acting, key, wanted, act), response)


@router.post("/my-passes", status_code=201, dependencies=[Depends(one_by_one)])
async def apply_for_pass(
    typed: PassTyped | list[PassTyped], acting: Visiting, response: Response, key: Key = None
) -> dict[str, Any]:
    """申請 of an own pass (R20); the administrators are mailed (R29)."""
    if isinstance(typed, list):
        check_count(len(typed))
        typed = typed[0]
    wanted = typed

    async def act() -> dict[str, Any]:
        return await _kept(acting, await actions.apply_for_pass(acting, wanted.content()))

    return _tagged(await _once(acting, key, wanted, act), response)


@router.get("/passes/{pass_id}")
async def show_pass(pass_id: UUID, acting: Visiting, response: Response) -> dict[str, Any]:
    """閲覧: a pass with what it meets and its trail; own ones, or all with the permission."""
    found = await queries.passes_where(
        acting.tx, HeldPass.pass_id == pass_id, HeldPass.dealer_id == acting.dealer_id
    )
    if not found:
        raise NotFound
    if found[0].held.employee_id != acting.employee_id:
        acting.need_pass_master()
    return _tagged(await _kept(acting, found[0]), response)


@router.put("/passes/{pass_id}")
async def rewrite_pass(
    pass_id: UUID, typed: PassTyped, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """編集 and 確定 by an administrator."""
    done = await actions.rewrite_pass(acting, pass_id, version, typed.content(), PassStep.REGISTER)
    return _tagged(await _kept(acting, done), response)


@router.put("/my-passes/{pass_id}")
async def apply_again(
    pass_id: UUID, typed: PassTyped, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """編集 and 申請 by its holder: unconfirmed again (R24)."""
    done = await actions.rewrite_pass(acting, pass_id, version, typed.content(), PassStep.APPLY)
    return _tagged(await _kept(acting, done), response)


@router.post("/passes/{pass_id}/confirmation")
async def confirm_pass(
    pass_id: UUID, typed: ConfirmTyped, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """確定 from the view or the editor (R9, R26, R28)."""
    one = Confirmation(pass_id, version, typed.ends_on)
    (done,) = await actions.confirm_passes(acting, [one])
    return _tagged(await _kept(acting, done), response)


@router.post("/passes/confirmations")
async def confirm_passes(typed: ManyTyped, acting: Visiting) -> dict[str, Any]:
    """確定 from the list: all that are ticked, or none (R26, R33)."""
    wanted = {one.pass_id: one for one in typed.passes}
    ticked = [Confirmation(one.pass_id, one.version, one.ends_on) for one in wanted.values()]
    return await _listed(acting, await actions.confirm_passes(acting, ticked))


@router.post("/passes/{pass_id}/rejection")
async def reject_application(
    pass_id: UUID, typed: ReasonTyped, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """差戻し of an application, with a reason (R25)."""
    done = await actions.reject_application(acting, pass_id, version, typed.reason)
    return _tagged(await _kept(acting, done), response)


@router.post("/my-passes/{pass_id}/withdrawal")
async def withdraw_application(
    pass_id: UUID, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """取下げ of the own application (R25)."""
    done = await actions.withdraw_application(acting, pass_id, version)
    return _tagged(await _kept(acting, done), response)


@router.post("/passes/{pass_id}/end")
async def end_pass(
    pass_id: UUID, typed: EndTyped, version: Version, acting: Visiting, response: Response
) -> dict[str, Any]:
    """終了日 of a pass in force, as proposed where two overlap (R8)."""
    done = await actions.end_pass(acting, pass_id, version, typed.ends_on)
    return _tagged(await _kept(acting, done), response)


async def _once(acting: Acting, key: str | None, typed: Typed, act: Any) -> dict[str, Any]:
    return await once(
        acting.tx,
        owner=acting.employee_id,
        key=key,
        fingerprint=typed.model_dump_json(),
        act=act,
    )


def _tagged(answer: dict[str, Any], response: Response) -> dict[str, Any]:
    response.headers.update(etag(answer["version"]))
    return answer


async def _kept(acting: Acting, record: PassRecord) -> dict[str, Any]:
    await acting.tx.flush()
    held = record.held
    names = await queries.employee_names(acting.tx, [held.employee_id])
    others = await queries.passes_of(acting.tx, held.employee_id)
    return {
        **pass_answer(record, names),
        **neighbours(record, others),
        "trail": trail_answer(await queries.trail_of(acting.tx, held.pass_id)),
        "actions": _actions(acting, record),
    }


def _actions(acting: Acting, record: PassRecord) -> dict[str, bool]:
    """What this person could do now; whoever may not see the pass never gets here."""
    waits = record.status is PassStatus.APPLIED
    own = record.held.employee_id == acting.employee_id
    return {
        "confirm": acting.has_pass_master and waits,
        "reject": acting.has_pass_master and waits,
        "edit": acting.has_pass_master,
        "apply": own and acting.setting.applications_allowed,
        "withdraw": own and waits,
    }


async def _listed(acting: Acting, records: list[PassRecord]) -> dict[str, Any]:
    names = await queries.employee_names(acting.tx, (r.held.employee_id for r in records))
    return {"items": [pass_answer(record, names) for record in records]}
