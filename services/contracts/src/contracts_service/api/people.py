"""GET /me: the signed-in person, as prefilled in forms (D83)."""

from typing import Any

from fastapi import APIRouter

from contracts_service import queries
from contracts_service.api.visit import DEALER, Visiting

router = APIRouter()


@router.get("/me", dependencies=[DEALER])
async def show_me(visit: Visiting) -> dict[str, Any]:
    """Name, role, mobile telephone, and the store with its telephone."""
    who, viewer = visit.who, visit.viewer
    known = await queries.person(visit.tx, viewer.dealer_code, who.staff_code or "")
    store = None
    if who.store is not None:
        store = await queries.store_of(visit.tx, viewer.dealer_code, who.store)
    return {
        "person_id": who.person_id,
        "staff_code": who.staff_code,
        "name": known.name if known else who.name,
        "role": viewer.role.value,
        "role_label": viewer.role.label,
        "mobile_phone": known.mobile_phone if known else None,
        "mail": known.mail if known else who.mail,
        "store": {"code": store.store_code, "name": store.name, "phone": store.phone}
        if store
        else None,
    }
