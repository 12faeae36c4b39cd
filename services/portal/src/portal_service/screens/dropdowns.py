"""Dropdown options: stores, staff, models, products; empty while a part is missing."""

from collections.abc import Coroutine, Iterable
from typing import TypeVar

from portal_service.api_client import ServiceClient, ServiceResponse
from portal_service.service_api import contracts

Pairs = list[tuple[str, str]]
Entry = TypeVar("Entry")


async def listed(
    services: ServiceClient,
    name: str,
    asked: Coroutine[object, None, ServiceResponse[list[Entry]]],
) -> list[Entry]:
    """The entries of a master of the contracts service."""
    reply = await services.master(name, asked)
    return reply.body if reply else []


async def vehicles_to_choose(services: ServiceClient) -> Pairs:
    """Models of cars."""
    return _pairs(await listed(services, "vehicles", contracts.list_vehicles(services)))


async def products_to_choose(services: ServiceClient) -> Pairs:
    """Products of the finance company."""
    products = await listed(services, "products", contracts.list_products(services))
    return [(product["code"], product["name"]) for product in products]


async def reasons_to_choose(services: ServiceClient) -> Pairs:
    """Reasons for a change of store."""
    return _pairs(await listed(services, "reasons", contracts.list_move_reasons(services)))


def _pairs(entries: Iterable[contracts.CodedName]) -> Pairs:
    return [(entry["code"] or "", entry["name"]) for entry in entries]


async def stores_to_choose(services: ServiceClient) -> Pairs:
    """Stores that may be chosen; those in brackets are out of use (D130)."""
    return [
        (store["code"], f"{store['code']} {store['name']}")
        for store in await listed(services, "stores", contracts.list_stores(services))
        if store["selectable"]
    ]


async def every_store(services: ServiceClient) -> Pairs:
    """Every store of the dealer: one out of use may still have contracts."""
    return [
        (store["code"], f"{store['code']} {store['name']}")
        for store in await listed(services, "stores", contracts.list_stores(services))
    ]


async def staff_to_choose(services: ServiceClient, *, dealer: str = "") -> Pairs:
    """Active staff by staff code, or by person id where `dealer` is named."""
    return [
        (
            f"{dealer}-{person['code']}" if dealer else person["code"],
            f"{person['code']} {person['name']}（{person['store_code']}）",
        )
        for person in await listed(services, "staff", contracts.list_staff(services))
    ]


async def name_of(services: ServiceClient, person_id: str | None) -> str | None:
    """What a person of the dealer is called; the id of somebody who has left."""
    staff = await listed(services, "all staff", contracts.list_staff(services, headquarters="true"))
    names = {person["person_id"]: person["name"] for person in staff}
    return names.get(person_id, person_id) if person_id else None
