"""What stands in the pulldowns? Stores, staff, models, products; empty while a part is missing."""

from typing import Any

from portal_service.api_client import ServiceClient

Pairs = list[tuple[str, str]]


async def listed(services: ServiceClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """The entries of a master of the contracts service."""
    reply = await services.optional(services.get("contracts", path, query))
    return list(reply.body) if reply else []


async def named(services: ServiceClient, path: str) -> Pairs:
    """The same as pairs of code and name."""
    return [(entry["code"], entry["name"]) for entry in await listed(services, path)]


async def stores_to_choose(services: ServiceClient) -> Pairs:
    """Stores that may be chosen; those in brackets are out of use (D130)."""
    return [
        (store["code"], f"{store['code']} {store['name']}")
        for store in await listed(services, "/stores")
        if store["selectable"]
    ]


async def staff_to_choose(services: ServiceClient, *, dealer: str = "") -> Pairs:
    """Active staff by staff code, or by person id where `dealer` is named."""
    return [
        (
            f"{dealer}-{person['code']}" if dealer else person["code"],
            f"{person['code']} {person['name']}（{person['store_code']}）",
        )
        for person in await listed(services, "/staff")
    ]


async def name_of(services: ServiceClient, person_id: str | None) -> str | None:
    """What a person of the dealer is called; the id of somebody who has left."""
    staff = await listed(services, "/staff", headquarters="true")
    names = {person["person_id"]: person["name"] for person in staff}
    return names.get(person_id, person_id) if person_id else None
