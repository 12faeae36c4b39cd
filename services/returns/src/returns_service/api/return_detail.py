"""Opened application: entry, route, history, messages, and the actions it offers."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actor import Person, RequestContext
from returns_service.api import schemas, serializers
from returns_service.departed_people import departed_people
from returns_service.mapping import entry_from_json, report_of, return_facts
from returns_service.models import Application, Approval, Contract, HistoryLine
from returns_service.queries import (
    application_by_id,
    approvals_of,
    contract_of,
    history_of,
    staff_by_id,
    staff_names,
    store_by_code,
)
from returns_service.rules.approval_route import Level
from returns_service.rules.delegation import offers_as
from returns_service.rules.progress_list import guidance_for
from returns_service.rules.return_approval import By, ReturnFacts, holder
from returns_service.rules.return_commands import Action
from returns_service.rules.return_form import changes
from returns_service.rules.return_refusals import ReturnNotVisible
from returns_service.rules.return_status import FINAL, Group, Status
from returns_service.rules.return_visibility import sees_return
from shared.roles import Role

_STATIONS = {
    By.ORIGINATOR: "起票者",
    By.STORE_APPROVER: "店舗承認者",
    By.HQ_APPROVER: "本部承認者",
    By.TFC: "TFC",
}
_APPROVERS = {Level.STORE: By.STORE_APPROVER, Level.HQ: By.HQ_APPROVER}


async def application_in_sight(tx: AsyncSession, application_id: str, who: Person) -> Application:
    """The application, if this person sees it in any capacity. Raises ReturnNotVisible."""
    found = await application_by_id(tx, application_id)
    if found is None or not any(
        sees_return(
            actor,
            dealer_code=found.dealer_id,
            store_code=found.store_code,
            was_requested=found.requested_at is not None,
        )
        for actor in who.actors
    ):
        raise ReturnNotVisible
    return found


async def opened(ctx: RequestContext, application_id: str) -> schemas.ApplicationAnswer:
    """The application as this person may see it. Raises ReturnNotVisible."""
    tx, who = ctx.tx, ctx.who
    found = await application_in_sight(tx, application_id, who)
    facts = return_facts(found)
    contract = await contract_of(tx, found)
    store = await store_by_code(tx, found.dealer_id, found.store_code)
    history = await history_of(tx, application_id)
    approvals = await approvals_of(tx, application_id)
    represented = {line.on_behalf_of for line in history if line.on_behalf_of}
    names = await staff_names(tx, found.dealer_id, represented) if represented else {}
    return schemas.ApplicationAnswer(
        application_id=application_id,
        version=found.version,
        status_version=found.status_version,
        status=serializers.status(facts.status),
        departed=await _departed(ctx, found),
        guidance=guidance_for(facts, who.actors),
        dealer=serializers.originator(found, store),
        contract=await _contract(tx, contract) if contract else None,
        customer_name=found.customer_name,
        contract_no=found.contract_no,
        entry=serializers.entry(report_of(found), ctx.reasons),
        submitted_at=found.submitted_at,
        requested_at=found.requested_at,
        entered_at=found.entered_at,
        updated_at=found.updated_at,
        notices=[serializers.SEPARATE_PROCEDURE] if found.separate_procedure else [],
        dealer_note=None if who.self_actor.role is Role.TFC else found.dealer_note,
        tfc_messages=_messages(history),
        remand=serializers.last_remand(history)
        if facts.status.group is Group.DEALER_REMANDED
        else None,
        route=_route(found, facts, approvals, names),
        actions=[serializers.offer(offer) for offer in offers_as(facts, who.actors)],
        acting_for=[actor.acting_for for actor in who.actors if actor.acting_for],
        changed_since_my_approval=_changed(found, approvals, ctx),
        history=[serializers.history_line(line, names, ctx.reasons) for line in history],
        approver_contact_3=who.mail if who.self_actor.role is Role.MANAGER else None,
    )


async def _departed(ctx: RequestContext, found: Application) -> schemas.Coded | None:
    """Who has left, so that somebody must take the application over (D157)."""
    dealer = ctx.who.self_actor.dealer_code
    people = await departed_people(ctx.tx, dealer, [found], today=ctx.today)
    return serializers.departure(people.departure_of(found))


async def _contract(tx: AsyncSession, contract: Contract) -> schemas.ContractAnswer:
    """The contract with the names of its store and of the staff member assigned to it."""
    store = await store_by_code(tx, contract.dealer_id, contract.store_code)
    staff = await staff_by_id(tx, contract.dealer_id, contract.staff_code)
    return serializers.contract(
        contract, store.name if store else contract.store_code, staff.name if staff else None
    )


def _messages(history: Sequence[HistoryLine]) -> list[schemas.MessageAnswer]:
    """連絡事項 of TFC, newest first (D101)."""
    return [
        schemas.MessageAnswer(at=line.at, message=line.comment)
        for line in reversed(history)
        if line.action == Action.FINISH_CONTACT and line.comment
    ]


def _route(
    found: Application,
    facts: ReturnFacts,
    approvals: Sequence[Approval],
    names: Mapping[str, str],
) -> list[schemas.RouteStepAnswer]:
    """The frozen route from the originator to TFC, with the present station."""
    present = None if facts.status in FINAL else holder(facts.status, facts.route)
    standing = {level.value for level in facts.route.standing_approvals(facts.status)}
    if facts.status is Status.WITHDRAWN:
        standing = set()
    given = {a.level: a for a in approvals if a.round == found.round and a.level in standing}
    stations = [By.ORIGINATOR, *(_APPROVERS[level] for level in facts.route.levels), By.TFC]
    steps = []
    for station in stations:
        approval = given.get(station.level.value) if station.level else None
        steps.append(
            schemas.RouteStepAnswer(
                holder=station.value,
                label=_STATIONS[station],
                present=station is present,
                approved_by=approval.approver_name if approval else None,
                approved_at=approval.approved_at if approval else None,
                on_behalf_of=approval.on_behalf_of if approval else None,
                on_behalf_of_name=names.get(approval.on_behalf_of or "") if approval else None,
            )
        )
    return steps


def _changed(
    found: Application, approvals: Sequence[Approval], ctx: RequestContext
) -> list[schemas.ChangeAnswer] | None:
    """What differs from what this approver approved last; None: they approved nothing yet."""
    who = ctx.who
    people = {actor.acting_for or actor.user_id for actor in who.actors} | {who.self_actor.user_id}
    mine = [a for a in approvals if a.approver_id in people or a.on_behalf_of in people]
    if not mine:
        return None
    since = changes(entry_from_json(mine[-1].entry), report_of(found))
    return serializers.changes(since, ctx.reasons)
