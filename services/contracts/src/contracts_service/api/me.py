"""The signed-in user: prefilled form values (D83), and their dealer and store."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from contracts_service import queries
from contracts_service.api.dependencies import DEALER, Ctx
from contracts_service.contract_detail import CodedName
from contracts_service.models import Dealer
from shared.auth import Principal, Role, require
from shared.db import EVERY_DEALER
from shared.http import NotFound, database_of
from shared.refusals import refuses

router = APIRouter()
OF_A_DEALER = require(*(set(Role) - {Role.TFC, Role.OPERATOR, Role.SERVICE, Role.DEALER_SYSTEM}))


class OwnStore(BaseModel):
    """The user's store."""

    code: str
    name: str
    phone: str


class Me(BaseModel):
    """The signed-in user; headquarters staff have no store."""

    person_id: str
    staff_code: str | None
    name: str
    role: Role
    role_label: str
    mobile_phone: str | None
    mail: str | None
    store: OwnStore | None


class Place(BaseModel):
    """Names of dealer and store."""

    dealer: CodedName
    store: CodedName | None


@router.get("/me", dependencies=[DEALER])
async def show_me(ctx: Ctx) -> Me:
    """Name, role, mobile telephone, and the store with its telephone."""
    who, viewer = ctx.who, ctx.viewer
    known = await queries.person(ctx.tx, viewer.dealer_code, who.staff_code or "")
    store = None
    if who.store is not None:
        store = await queries.store_of(ctx.tx, viewer.dealer_code, who.store)
    return Me(
        person_id=who.person_id,
        staff_code=who.staff_code,
        name=known.name if known else who.name,
        role=viewer.role,
        role_label=viewer.role.label_ja,
        mobile_phone=known.mobile_phone if known else None,
        mail=known.mail if known else who.mail,
        store=OwnStore(code=store.store_code, name=store.name, phone=store.phone)
        if store
        else None,
    )


@router.get("/place", dependencies=[OF_A_DEALER])
@refuses(NotFound)
async def show_place(request: Request) -> Place:
    """Names of the user's dealer and store. Raises NotFound outside dealers."""
    who: Principal = request.state.principal
    if who.dealer is None or who.dealer == EVERY_DEALER:
        raise NotFound
    async with database_of(request).transaction(who.dealer) as tx:
        dealer = await tx.get(Dealer, who.dealer)
        store = await queries.store_of(tx, who.dealer, who.store) if who.store else None
        return Place(
            dealer=CodedName(who.dealer, dealer.name if dealer else who.dealer),
            store=CodedName(who.store, store.name if store else who.store) if who.store else None,
        )
