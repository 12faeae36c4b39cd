"""Search latency in the contracts benchmark, against the same statement through asyncpg."""

from typing import Any

from bench.compare import alternate, p, positional
from bench.contracts_fixture import SMALL_DEALER, TODAY, FilledDatabase
from contracts_service import customer_list
from contracts_service.rules.contract_access import Viewer
from contracts_service.rules.products import PRODUCT_BY_CODE
from contracts_service.rules.search_conditions import read_search
from shared.roles import Role

SEARCHES: dict[str, tuple[str, dict[str, str]]] = {
    "number": ("individual", {"contract_no": "C0000000042"}),
    "name, 2 characters": ("individual", {"customer_name": "山本"}),
    "name in kana": ("individual", {"customer_name": "やまもと た"}),
    "name, 1 character": ("individual", {"customer_name": "田"}),
    "name that is not there": ("individual", {"customer_name": "該当無し"}),
    "plate, 4 digits": ("individual", {"registration_no": "1234"}),
    "months": ("general", {"final_from": "2025-08", "final_to": "2025-09"}),
    "everything": ("general", {"final_to": "2030-12"}),
    "model and product": ("general", {"model_code": "PRIUS", "product": "MVP_R"}),
    "inspection": ("inspection", {"inspection_type": "first", "months_from": "3"}),
}


def condition_of(dealer: str, mode: str, typed: dict[str, str]) -> customer_list.Condition:
    viewer = Viewer(role=Role.HQ, dealer_code=dealer)
    seen = customer_list.visible_to(viewer, today=TODAY)
    search = read_search(mode, typed, today=TODAY, product_codes=PRODUCT_BY_CODE)
    listed = customer_list.listed(seen, today=TODAY, months=3)
    return customer_list.search_condition(listed, search, today=TODAY)


def bare_statement(condition: customer_list.Condition) -> tuple[str, list[Any]]:
    """The list's statement for asyncpg."""
    if condition.sought:
        return positional(customer_list.first_hits(condition, "", limit=100), condition.values)
    return positional(customer_list.hits(condition, limit=101), condition.values)


def without_index(condition: customer_list.Condition) -> customer_list.Condition:
    """The same condition for a search that reads every contract of the dealer."""
    return customer_list.Condition(condition.parts, condition.values)


Seconds = list[float]
NAME_GRAMS = "SELECT set_config('app.sought', $1, true)"
HEADING = (
    "| search | dealer | ours p50 | ours p99 | bare p50 | bare p99 | p99 ratio | growth p50 |"
    " p99 : number | without grams p50 |"
)


async def time_search(
    large: FilledDatabase,
    small: FilledDatabase,
    dealer: str,
    mode: str,
    typed: dict[str, str],
    rounds: int,
) -> tuple[Seconds, Seconds, Seconds, Seconds]:
    """Seconds of our search, the bare statements, our search in the small database, reading all.

    They take turns; both also count the rows if there are 101.
    """
    condition = condition_of(dealer, mode, typed)
    statement, values = bare_statement(condition)
    count = f"SELECT count(*) FROM contract WHERE {condition.where}"
    counting, counted = positional(count, condition.values)

    async def ours(at: FilledDatabase, asked: customer_list.Condition = condition) -> None:
        async with at.database.transaction(dealer) as tx:
            await customer_list.find(tx, asked)

    async def bare() -> None:
        async with large.bare.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('app.dealer', $1, true)", dealer)
            if condition.sought:  # the statement counts, too
                await connection.execute(NAME_GRAMS, "\n".join(condition.sought))
                await connection.fetch(statement, *values)
            elif len(await connection.fetch(statement, *values)) > 100:
                await connection.fetchval(counting, *counted)

    reading_all = without_index(condition)
    ours_s, bare_s, small_s, read_s = await alternate(
        rounds,
        lambda: ours(large),
        bare,
        lambda: ours(small),
        lambda: ours(large, reading_all),
        timeout_s=20,
    )
    return ours_s, bare_s, small_s, read_s


async def searches(
    large: FilledDatabase, small: FilledDatabase, dealer: str, rounds: int
) -> list[str]:
    """Every search mode for one dealer; growth is relative to the small database."""
    lines = [
        HEADING,
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    number = 0.0
    for name, (mode, typed) in SEARCHES.items():
        ours, bare, before, read = await time_search(large, small, dealer, mode, typed, rounds)
        growth = f"{p(ours, 0.5) / p(before, 0.5):.2f}" if dealer == SMALL_DEALER else ""
        number = number or p(ours, 0.99)  # the first search is that by number
        lines.append(
            f"| {name} | {dealer} | {p(ours, 0.5):.1f} ms | {p(ours, 0.99):.1f} ms "
            f"| {p(bare, 0.5):.1f} ms | {p(bare, 0.99):.1f} ms "
            f"| {p(ours, 0.99) / p(bare, 0.99):.2f} | {growth} "
            f"| {p(ours, 0.99) / number:.1f} | {p(read, 0.5):.1f} ms |"
        )
        print(lines[-1], flush=True)
    return lines
