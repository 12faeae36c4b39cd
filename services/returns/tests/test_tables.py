"""The models and the migrations say the same, and a dealer's rows stay with the dealer."""

from collections.abc import Awaitable, Callable

from returns_service.models import Kept
from shared import migrate


async def test_the_models_equal_the_migrated_tables(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    await migrate.check(await new_database("returns_service"), "returns_service", Kept.metadata)
