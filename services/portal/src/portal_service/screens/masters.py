"""What stands in the pulldowns? Stores, staff, models, products; empty while a part is missing."""

from typing import Any

from portal_service.upstream import PartMissing, Services, or_missing

Pairs = list[tuple[str, str]]


async def listed(services: Services, path: str) -> list[dict[str, Any]]:
    """The entries of a master of the contracts service."""
    reply = await or_missing(services.get("contracts", path))
    return [] if isinstance(reply, PartMissing) else list(reply.body)


async def named(services: Services, path: str) -> Pairs:
    """The same as pairs of code and name."""
    return [(entry["code"], entry["name"]) for entry in await listed(services, path)]


async def stores_to_choose(services: Services) -> Pairs:
    """Stores that may be chosen; those in brackets are out of use (D130)."""
    return [
        (store["code"], f"{store['code']} {store['name']}")
        for store in await listed(services, "/stores")
        if store["selectable"]
    ]


async def staff_to_choose(services: Services, *, dealer: str = "") -> Pairs:
    """Active staff by staff code, or by person id where `dealer` is named."""
    return [
        (
            f"{dealer}-{person['code']}" if dealer else person["code"],
            f"{person['code']} {person['name']}（{person['store_code']}）",
        )
        for person in await listed(services, "/staff")
    ]
