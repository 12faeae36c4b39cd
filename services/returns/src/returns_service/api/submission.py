"""Submission of an application: the form as it opens, its check at 確認, its sending at OK."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actions.submit_return import (
    application_of,
    check_submission,
    contract_in_sight,
    submit_application,
)
from returns_service.actor import Person
from returns_service.api import schemas, serializers
from returns_service.api.dependencies import Ctx, dealers
from returns_service.api.request_bodies import Code, SubmissionBody
from returns_service.api.schemas import Coded
from returns_service.api.step_consequences import consequence
from returns_service.mapping import contract_facts
from returns_service.models import Contract, Store
from returns_service.queries import (
    earlier_returns,
    open_application_of,
    reported_car_of,
    setting_of,
    staff_by_id,
    store_by_code,
)
from returns_service.rules.approval_route import Route
from returns_service.rules.return_commands import Action
from returns_service.rules.return_eligibility import (
    CarAlreadyReturned,
    ContractHandledByTfc,
    Eligibility,
    ProductNotEligible,
    ReturnAlreadyUnderWay,
    SelectionContradicts,
    check_eligibility,
)
from returns_service.rules.return_form import ResultKind, opening_form
from shared.errors import Refusal
from shared.http import NotFound, etag, idempotent
from shared.refusals import refuses
from shared.roles import Role

router = APIRouter()
NOT_ELIGIBLE = (
    *(ProductNotEligible, ContractHandledByTfc, SelectionContradicts),
    *(ReturnAlreadyUnderWay, CarAlreadyReturned),
)


@router.get("/contracts/{contract_no}/form", dependencies=[dealers])
@refuses(NotFound)
async def open_form(contract_no: Code, ctx: Ctx) -> schemas.FormAnswer:
    """起票画面 as it opens (D83-D91); says what stands against sending, if anything does."""
    tx, who = ctx.tx, ctx.who
    contract = await contract_in_sight(ctx, contract_no)
    store = await store_by_code(tx, contract.dealer_id, contract.store_code)
    staff = await staff_by_id(tx, contract.dealer_id, contract.staff_code)
    person = await staff_by_id(tx, contract.dealer_id, who.self_actor.user_id)
    setting = await setting_of(tx, contract.dealer_id)
    eligibility, refusal = await _eligibility(tx, contract)
    form = opening_form(
        store_phone=store.phone if store else None,
        mobile_phone=person.mobile if person else None,
        mail=who.mail,
    )
    store_name = store.name if store else contract.store_code
    car = await reported_car_of(tx, contract)
    return schemas.FormAnswer(
        contract=serializers.contract(contract, store_name, staff.name if staff else None),
        dealer=_originator(who, contract, store),
        eligible=refusal is None,
        refusal=Coded(code=refusal.code, label=refusal.message) if refusal else None,
        open_application_id=await open_application_of(tx, contract_no),
        notices=serializers.notices(eligibility) if eligibility else [],
        contact_1=form.contact_1,
        contact_2=form.contact_2,
        contact_3=form.contact_3,
        completion_mail=form.completion_mail,
        kind=form.result.kind,
        kinds=[Coded(code=kind.value, label=kind.label_ja) for kind in ResultKind],
        reasons=[Coded(code=code, label=label) for code, label in ctx.reasons.items()],
        received_on=car.received_on if car and car.received_on <= ctx.today else None,
        received_on_latest=ctx.today,
        reported_car=car
        and schemas.ReportedCarAnswer(
            received_on=car.received_on, place=car.place, odometer_km=car.odometer_km
        ),
        contact_3_required=who.self_actor.role is Role.HQ,
        next_status=serializers.coded_status(Route.of(setting, who.self_actor.role).first()),
    )


async def _eligibility(
    tx: AsyncSession, contract: Contract
) -> tuple[Eligibility | None, Refusal | None]:
    earlier = await earlier_returns(tx, contract.contract_no)
    try:
        return check_eligibility(contract_facts(contract), earlier), None
    except Refusal as refusal:
        return None, refusal


def _originator(who: Person, contract: Contract, store: Store | None) -> schemas.DealerAnswer:
    code = contract.store_code
    return schemas.DealerAnswer(
        dealer_id=contract.dealer_id,
        dealer_name=store.dealer_name if store else None,
        store=Coded(code=code, label=store.name if store else code),
        person_id=who.self_actor.user_id,
        person_name=who.name,
        role=serializers.role(who.self_actor.role),
    )


@router.post("/applications/check", dependencies=[dealers])
@refuses(NotFound, *NOT_ELIGIBLE)
async def check_application(body: SubmissionBody, ctx: Ctx) -> schemas.CheckedAnswer:
    """確認: whether this form may be sent (D94); nothing is created."""
    checked = await check_submission(ctx, body.contract_no, body.form())
    planned = application_of(checked, ctx.who, now=ctx.now)
    return schemas.CheckedAnswer(
        notices=serializers.notices(checked.eligibility),
        next_status=serializers.coded_status(checked.outcome.status),
        doubts=list(checked.doubts),
        entry=serializers.entry(checked.report, ctx.reasons),
        consequence=await consequence(ctx, planned, Action.SUBMIT, checked.outcome),
    )


@router.post("/applications", status_code=status.HTTP_201_CREATED, dependencies=[dealers])
@refuses(NotFound, *NOT_ELIGIBLE)
async def create_application(
    body: SubmissionBody,
    request: Request,
    response: Response,
    ctx: Ctx,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> schemas.StepAnswer:
    """OK: send the application (D93-D96); the same Idempotency-Key gives the same answer."""

    async def act() -> dict[str, object]:
        sent = await submit_application(ctx, body.contract_no, body.form())
        notices = serializers.notices(sent.eligibility)
        return serializers.step(sent.step, *notices).model_dump(mode="json")

    fingerprint = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    stored = await idempotent(
        ctx.tx,
        owner=f"submit/{ctx.who.self_actor.user_id}",
        key=idempotency_key,
        fingerprint=fingerprint,
        act=act,
    )
    answer = schemas.StepAnswer.model_validate(stored)
    response.headers.update(etag(answer.version))
    response.headers["Location"] = f"{request.url.path}/{answer.application_id}"
    return answer
