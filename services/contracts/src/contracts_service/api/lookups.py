"""Lookup lists for pulldowns (D55, D124-D130)."""

from fastapi import APIRouter
from pydantic import BaseModel

from contracts_service import queries
from contracts_service.api.dependencies import DEALER, Ctx, Text
from contracts_service.contract_detail import CodedName
from contracts_service.rules.assignment_change import MoveReason
from contracts_service.rules.products import Product
from contracts_service.rules.selection import OTHER_VEHICLE, OTHER_VEHICLE_LABEL

router = APIRouter()


class StoreChoice(BaseModel):
    """A store; an `unused` one must not be chosen."""

    code: str
    name: str
    unused: bool
    selectable: bool


class StaffChoice(BaseModel):
    """An active staff member; headquarters staff have no store."""

    person_id: str
    code: str
    name: str
    store_code: str | None
    role: str


@router.get("/products", dependencies=[DEALER])
async def list_products(ctx: Ctx) -> list[Product]:
    """Finance products (制度) with what each allows."""
    return list((await queries.products(ctx.tx)).values())


@router.get("/vehicles", dependencies=[DEALER])
async def list_vehicles(ctx: Ctx) -> list[CodedName]:
    """Replacement vehicles (代替車両); その他 always comes last (D56)."""
    known = await queries.vehicles(ctx.tx, ctx.viewer.dealer_code)
    choices = {**known, OTHER_VEHICLE: OTHER_VEHICLE_LABEL}
    return [CodedName(code, name) for code, name in choices.items()]


@router.get("/stores", dependencies=[DEALER])
async def list_stores(ctx: Ctx) -> list[StoreChoice]:
    """The dealer's stores; an unused one must not be chosen (D130)."""
    return [
        StoreChoice(code=s.store_code, name=s.name, unused=s.unused, selectable=not s.unused)
        for s in await queries.stores(ctx.tx, ctx.viewer.dealer_code)
    ]


@router.get("/staff", dependencies=[DEALER])
async def list_staff(
    ctx: Ctx, store: Text | None = None, headquarters: bool = False
) -> list[StaffChoice]:
    """Active staff of the stores, or of one store; with `headquarters`, its staff too."""
    dealer = ctx.viewer.dealer_code
    return [
        StaffChoice(
            person_id=f"{dealer}-{person.staff_code}",
            code=person.staff_code,
            name=person.name,
            store_code=person.store_code,
            role=person.role,
        )
        for person in await queries.staff(ctx.tx, dealer, store)
        if person.store_code or headquarters
    ]


@router.get("/move-reasons", dependencies=[DEALER])
async def list_move_reasons() -> list[CodedName]:
    """The reasons for a move (D127)."""
    return [CodedName(reason.value, reason.label) for reason in MoveReason]
